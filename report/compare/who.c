/* Who some systems are among others: the word of an axis that fits them best. */
#include "report/compare/summary.h"

#include <string.h>

/* Of the union of those that are hit and those that have the word; and how many times as often as
 * others those that have it must be hit. */
static const double fits = 0.5, lift = 2;

/* Rows that have the word, and of these those that are hit. */
struct fit {
    const struct ub_column *column;
    int level;
    size_t with, hit;
    double share; /* Jaccard's: hit with it, of those that are hit or have it */
};

static struct fit fit_of(const struct ub_column *c, int level, const size_t *row, const bool *hit,
                         size_t n, size_t n_hit)
{
    struct fit f = {.column = c, .level = level};
    for (size_t i = 0; i < n; i++)
        if (c->level[row[i]] == level) {
            f.with++;
            f.hit += hit[i];
        }
    f.share = (double)f.hit / (double)(n_hit + f.with - f.hit);
    return f;
}

static bool tells(const struct fit *f, size_t n_hit, size_t n)
{
    const double with = (double)f->with, others = (double)(n - f->with);
    return f->with < n && (double)f->hit * others >= lift * with * (double)(n_hit - f->hit);
}

static bool is_seed(const struct ub_column *c)
{
    return strcmp(c->name, "seed") == 0 || strcmp(c->name, "data-seed") == 0;
}

/* Of equal ones the first: names of calls come before their options. */
static struct fit best_fit(const struct ub_frame *frame, const size_t *row, const bool *hit,
                           size_t n, size_t n_hit)
{
    struct fit best = {0};
    for (size_t c = 0; c < frame->columns; c++) {
        const struct ub_column *column = &frame->column[c];
        if (column->role != UB_COLUMN_AXIS || is_seed(column))
            continue;
        for (int level = 0; level < (int)column->n_words; level++) {
            const struct fit f = fit_of(column, level, row, hit, n, n_hit);
            if (f.share > best.share && tells(&f, n_hit, n))
                best = f;
        }
    }
    return best;
}

static void add_fit(struct ub_text *out, const struct fit *f, size_t n_hit, size_t n)
{
    const char *const word = f->column->words[f->level];
    if (f->hit < f->with)
        ub_text_add(out, "%zu of %zu systems", f->hit, f->with);
    else if (f->with > 1)
        ub_text_add(out, "all %zu systems", f->with);
    else
        ub_text_add(out, "the one system");
    ub_text_add(out, " with %s %s", f->column->name, word);
    if (n_hit > f->hit)
        ub_text_add(out, ", and %zu of %zu others", n_hit - f->hit, n - f->with);
    else
        ub_text_add(out, ", and no other of %zu", n - f->with);
}

char *who_text(const struct comparison *c, const size_t *row, const bool *hit, size_t n)
{
    struct ub_text text = {0};
    size_t n_hit = 0, first = n;
    for (size_t i = 0; i < n; i++) {
        n_hit += hit[i];
        first = hit[i] && first == n ? i : first;
    }
    if (n_hit == 0)
        return NULL;
    const struct fit best = best_fit(c->systems.frame, row, hit, n, n_hit);
    const char *name = c->systems.system[c->systems.asked[row[first]].system].name;
    if (n_hit == n)
        ub_text_add(&text, n == 1 ? "the one system that has it" : "all %zu systems", n);
    else if (n_hit > 1 && best.share >= fits)
        add_fit(&text, &best, n_hit, n);
    else if (n_hit == 1)
        ub_text_add(&text, "`%s`, and no other of %zu", name, n - 1);
    else
        ub_text_add(&text, "%zu of %zu systems, first `%s`", n_hit, n, name);
    return text.data;
}
