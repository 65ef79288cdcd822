/* names.c - near names, hashes, patterns. */
#include "base/base.h"

#include <fnmatch.h>
#include <string.h>

enum { LONGEST_NAME = 64 };

/* Levenshtein distance of strings shorter than LONGEST_NAME. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST_NAME + 1], na = strlen(a), nb = strlen(b);
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[nb];
}

const char *ub_suggest(const char *given, const char *const *names, size_t n)
{
    const char *best = NULL;
    double number;
    size_t length = strlen(given), least = length / 3 + 1; /* farther is no help */
    if (length >= LONGEST_NAME || ub_read_real(given, &number))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const size_t other = strlen(names[i]);
        if (other >= LONGEST_NAME)
            continue;
        size_t d = edit_distance(given, names[i]);
        if (d == (other > length ? other : length))
            continue; /* nothing in common: 'a' is no misspelled 'b' */
        if (d < least || (d == least && !best)) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

uint64_t ub_hash(const void *data, size_t bytes)
{
    const unsigned char *c = data;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ c[i]) * 1099511628211u;
    return h;
}

bool ub_glob(const char *pattern, const char *text)
{
    return !pattern || fnmatch(pattern, text, 0) == 0;
}
