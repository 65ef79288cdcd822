/* csv_sniff.c - which character separates the fields of a table. */
#include "base/base.h"

#include <string.h>

enum { CANDIDATES = 4, RECORDS = 100 };
static const char candidates[CANDIDATES + 1] = ",;\t|";

/* Of the first records that are not blank, counted outside of quotes. */
struct tally {
    size_t records;
    size_t first[CANDIDATES], now[CANDIDATES]; /* in the first record, in this one */
    bool uneven[CANDIDATES];                   /* not as often in each record */
};

static void end_record(struct tally *t)
{
    for (int k = 0; k < CANDIDATES; k++) {
        if (t->records == 0)
            t->first[k] = t->now[k];
        t->uneven[k] = t->uneven[k] || t->now[k] != t->first[k];
        t->now[k] = 0;
    }
    t->records++;
}

static void count(struct tally *t, const char *text, size_t length)
{
    bool quoted = false, blank = true;
    for (size_t i = 0; i < length && t->records < RECORDS; i++) {
        const char c = text[i];
        const char *found = c && !quoted ? strchr(candidates, c) : NULL;
        if (c == '"')
            quoted = !quoted;
        if (found)
            t->now[found - candidates]++;
        const bool ends = !quoted && (c == '\n' || c == '\r');
        if (ends && !blank)
            end_record(t);
        blank = ends || (blank && c == ' ');
    }
    if (!blank && t->records < RECORDS)
        end_record(t);
}

/* Whether candidate a is more likely than b: 1, -1, or 0 where the rule does not tell. */
static int compare(const struct tally *t, int a, int b)
{
    const bool even_a = t->first[a] > 0 && !t->uneven[a];
    const bool even_b = t->first[b] > 0 && !t->uneven[b];
    if (even_a != even_b)
        return even_a ? 1 : -1;
    return (t->first[a] > t->first[b]) - (t->first[a] < t->first[b]);
}

char ub_csv_sniff(const char *text, size_t length)
{
    struct tally t = {0};
    int best = 0;
    count(&t, text, length);
    for (int k = 1; k < CANDIDATES; k++)
        if (compare(&t, k, best) > 0)
            best = k;
    for (int k = 0; k < CANDIDATES; k++)
        if (k != best && t.first[k] > 0 && compare(&t, k, best) == 0)
            return '\0';
    return candidates[best];
}
