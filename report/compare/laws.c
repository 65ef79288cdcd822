/* What laws say of either side. A store is judged here; of a published runs.csv, laws.csv and
 * data.csv beside it say what its report did. Groups of equal first runs are compared: where most
 * runs repeat each other bit by bit (repeats.c), whatever differs by more than the floor has
 * changed; else by the groups' own errors, through Benjamini and Hochberg's procedure. The floor is
 * a tenth of the law's margin or 1% of the value, whichever is more. */
#include "report/compare/summary.h"

#include "report/laws/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double level = 0.05, of_margin = 0.1, of_value = 0.01;

/* ---- one side ------------------------------------------------------------------------------- */

struct group_value {
    const struct ub_law *law;
    char run[17];         /* the group's first */
    double value, se, df; /* df 0: as good as known */
};
struct law_word {
    const struct ub_law *law;
    char *verdict;
    struct ub_interval mean;
};
struct side {
    size_t n_groups, n_words;
    struct group_value *group;
    struct law_word *word;
};

static void clear_side(struct side *s)
{
    for (size_t i = 0; i < s->n_words; i++)
        ub_free(s->word[i].verdict);
    ub_free(s->word);
    ub_free(s->group);
}

static void add_group(struct side *s, const struct group_value *g)
{
    if ((s->n_groups & (s->n_groups - 1)) == 0)
        s->group = ub_realloc(s->group, (2 * s->n_groups + 1) * sizeof *s->group);
    s->group[s->n_groups++] = *g;
}

static void add_word(struct side *s, const struct ub_law *law, const char *verdict,
                     struct ub_interval mean)
{
    s->word = ub_realloc(s->word, (s->n_words + 1) * sizeof *s->word);
    s->word[s->n_words++] = (struct law_word){law, ub_strdup(verdict), mean};
}

static void add_groups_of(struct side *s, const struct ub_law *law, const struct ub_store *store,
                          const struct ub_groups *groups, const struct ub_datum *data)
{
    for (size_t g = 0; g < groups->count; g++) {
        if (data[g].why)
            continue;
        struct group_value value = {
            .law = law, .value = data[g].value, .se = data[g].se, .df = data[g].df};
        memcpy(value.run, store->runs[groups->group[g].row[0]].id, sizeof value.run);
        add_group(s, &value);
    }
}

static bool judge_store(const struct ub_store *store, struct side *s, struct ub_error *err)
{
    struct study *study = study_new(store, err);
    for (size_t i = 0; study && i < study->n_laws; i++) {
        const struct ub_law_verdict *v = study->laws[i];
        add_word(s, v->law, ub_law_word(v), v->judgment.meta.mean);
        add_groups_of(s, v->law, store, &v->groups, v->data);
        add_groups_of(s, v->law, store, &v->controls, v->control_data);
    }
    const bool good = study != NULL;
    study_free(study);
    return good;
}

/* ---- what was published --------------------------------------------------------------------- */

/* NAME.csv or NAME.csv.gz beside `path`; NULL: there is neither. Caller frees. */
static char *beside(const char *path, const char *name)
{
    static const char *const ends[] = {"csv", "csv.gz"};
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < 2; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "%.*s%s.%s", slash ? (int)(slash + 1 - path) : 0, path, name, ends[i]);
        if (ub_exists(text.data))
            return text.data;
        ub_text_free(&text);
    }
    return NULL;
}

static bool find_columns(const struct ub_csv *csv, const char *const *names, size_t n, size_t *at,
                         struct ub_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const int column = ub_csv_column(csv, names[i]);
        if (column < 0)
            return ub_fail(err, UB_INPUT, "%s:1: no column '%s'; expected a report's", csv->path,
                           names[i]);
        at[i] = (size_t)column;
    }
    return true;
}

static double number(const struct ub_csv *csv, size_t row, size_t column)
{
    double value = (double)NAN;
    const char *text = ub_csv_cell(csv, row, column);
    return ub_read_real(text, &value) ? value : (double)NAN;
}

static bool read_words(const char *path, struct side *s, struct ub_error *err)
{
    static const char *const names[] = {"law", "verdict", "mean", "low", "high"};
    size_t at[5];
    struct ub_csv *csv = ub_csv_read(path, true, err);
    const bool good = csv && find_columns(csv, names, 5, at, err);
    for (size_t row = 0; good && row < csv->rows; row++) {
        const struct ub_law *law = ub_law_find(ub_csv_cell(csv, row, at[0]));
        const struct ub_interval mean = {.estimate = number(csv, row, at[2]),
                                         .low = number(csv, row, at[3]),
                                         .high = number(csv, row, at[4])};
        if (law)
            add_word(s, law, ub_csv_cell(csv, row, at[1]), mean);
    }
    ub_csv_free(csv);
    return good;
}

static bool read_groups(const char *path, struct side *s, struct ub_error *err)
{
    static const char *const names[] = {"law", "first-run", "value", "error"};
    size_t at[4];
    struct ub_csv *csv = ub_csv_read(path, true, err);
    const bool good = csv && find_columns(csv, names, 4, at, err);
    for (size_t row = 0; good && row < csv->rows; row++) {
        struct group_value g = {.law = ub_law_find(ub_csv_cell(csv, row, at[0])),
                                .value = number(csv, row, at[2]),
                                .se = number(csv, row, at[3])};
        snprintf(g.run, sizeof g.run, "%s", ub_csv_cell(csv, row, at[1]));
        if (g.law && isfinite(g.value))
            add_group(s, &g);
    }
    ub_csv_free(csv);
    return good;
}

/* `*known`: whether there is anything to read. */
static bool read_side(const struct digest *d, struct side *s, bool *known, struct ub_error *err)
{
    *known = true;
    if (d->store)
        return judge_store(d->store, s, err);
    char *words = beside(d->path, "laws"), *groups = beside(d->path, "data");
    *known = words && groups;
    const bool good = !*known || (read_words(words, s, err) && read_groups(groups, s, err));
    ub_free(words);
    ub_free(groups);
    return good;
}

/* ---- both sides ----------------------------------------------------------------------------- */

static int compare_groups(const void *a, const void *b)
{
    const struct group_value *x = a, *y = b;
    const int order = strcmp(x->law->name, y->law->name);
    return order != 0 ? order : strcmp(x->run, y->run);
}

struct law_pair {
    const struct group_value *base, *now;
    double p;
    bool drifted;
};

static double floor_of(const struct group_value *g)
{
    return fmax(of_margin * g->law->is.margin, of_value * fabs(g->value));
}

static bool bytes_repeat(const struct comparison *c)
{
    bool repeat = false;
    for (size_t i = 0; i < c->systems.count; i++)
        repeat = repeat || c->systems.system[i].most_repeat;
    return repeat;
}

/* A group's value against its own of the base. An error of 0 on both sides leaves no test. */
static struct law_pair pair_of(const struct group_value *base, const struct group_value *now,
                               bool repeat)
{
    struct law_pair pair = {base, now, (double)NAN, false};
    const double difference = now->value - base->value, se = hypot(base->se, now->se);
    if (repeat || !(se > 0))
        pair.drifted = fabs(difference) > floor_of(base);
    else
        pair.p = ub_beyond_p(difference, se, now->df > 0 ? now->df : HUGE_VAL, floor_of(base));
    return pair;
}

static struct law_pair *pair_groups(const struct comparison *c, struct side *base, struct side *now,
                                    size_t *count)
{
    struct law_pair *pair = ub_calloc(now->n_groups + 1, sizeof *pair);
    const bool repeat = bytes_repeat(c);
    if (base->n_groups)
        qsort(base->group, base->n_groups, sizeof *base->group, compare_groups);
    for (size_t i = 0; i < now->n_groups && base->n_groups; i++) {
        const struct group_value *other = bsearch(&now->group[i], base->group, base->n_groups,
                                                  sizeof *base->group, compare_groups);
        if (other)
            pair[(*count)++] = pair_of(other, &now->group[i], repeat);
    }
    double *p = ub_calloc(2 * *count + 1, sizeof *p), *q = p + *count;
    for (size_t i = 0; i < *count; i++)
        p[i] = pair[i].p;
    ub_benjamini_hochberg(p, *count, q);
    for (size_t i = 0; i < *count; i++)
        pair[i].drifted = pair[i].drifted || q[i] < level;
    ub_free(p);
    return pair;
}

/* ---- in words ------------------------------------------------------------------------------- */

/* The row of the new store's run; `rows` when it has none. */
static size_t row_of_run(const struct comparison *c, const char *run)
{
    const struct ub_frame *frame = c->systems.frame;
    for (size_t row = frame->rows; row > 0; row--)
        if (strcmp(c->systems.asked[row - 1].run->id, run) == 0)
            return row - 1;
    return frame->rows;
}

static void add_example(struct summary *s, const struct law_pair *pair)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%.4g -> %.4g in the first", pair->base->value, pair->now->value);
    s->example = text.data;
}

static void add_pairs(const struct comparison *c, const struct ub_law *law,
                      const struct law_pair *pair, size_t n, struct summary *s)
{
    size_t *row = ub_calloc(n + 1, sizeof *row), drifted = 0;
    bool *hit = ub_calloc(n + 1, sizeof *hit);
    double *change = ub_calloc(n + 1, sizeof *change);
    for (size_t i = 0; i < n; i++) {
        if (pair[i].now->law != law)
            continue;
        row[s->systems] = row_of_run(c, pair[i].now->run);
        if (row[s->systems] == c->systems.frame->rows)
            continue;
        hit[s->systems] = pair[i].drifted;
        if (pair[i].drifted && drifted == 0)
            add_example(s, &pair[i]);
        if (pair[i].drifted)
            change[drifted++] = pair[i].now->value - pair[i].base->value;
        s->systems++;
    }
    s->drifted = drifted;
    s->who = who_text(c, row, hit, s->systems);
    s->of_drifted = (struct ub_interval){.estimate = ub_median(change, drifted),
                                         .low = ub_quantile(change, drifted, 0),
                                         .high = ub_quantile(change, drifted, 1),
                                         .n = drifted};
    ub_free(row);
    ub_free(hit);
    ub_free(change);
}

static const struct law_word *word_of(const struct side *s, const struct ub_law *law)
{
    for (size_t i = 0; i < s->n_words; i++)
        if (s->word[i].law == law)
            return &s->word[i];
    return NULL;
}

static void summarize_law(const struct comparison *c, const struct law_word *now,
                          const struct law_word *was, const struct law_pair *pair, size_t n,
                          struct summaries *out)
{
    struct summary *s = summaries_add(out, UB_HISTORY_LAW, now->law->name);
    s->value = now->mean;
    s->floor = fmax(of_margin * now->law->is.margin, of_value * fabs(now->mean.estimate));
    s->word = ub_strdup(now->verdict);
    s->verdict = s->word;
    if (was) {
        s->was = ub_strdup(was->verdict);
        s->value_was = was->mean;
    }
    add_pairs(c, now->law, pair, n, s);
}

/* Of runs that all repeat each other bit by bit, laws say the same: one side stands for both. */
static bool all_repeat(const struct comparison *c)
{
    bool all = true;
    for (size_t i = 0; i < c->systems.count && all; i++) {
        const struct system *s = &c->systems.system[i];
        all = s->n[0] == s->n_pairs && s->n[1] == s->n_pairs;
        for (size_t k = 0; k < s->n_pairs && all; k++)
            all = s->repeat[k].trace;
    }
    return all;
}

bool summarize_laws(const struct comparison *c, const struct digest *base,
                    const struct digest *new_digest, struct summaries *out, struct ub_error *err)
{
    struct side sides[2] = {0};
    bool known[2] = {false, false};
    size_t n = 0;
    bool good = read_side(new_digest, &sides[1], &known[1], err);
    const bool one = base->store && new_digest->store && all_repeat(c);
    struct side *const was = &sides[one ? 1 : 0];
    if (one)
        known[0] = true;
    else
        good = good && read_side(base, &sides[0], &known[0], err);
    struct law_pair *pair = good ? pair_groups(c, was, &sides[1], &n) : NULL;
    for (size_t i = 0; good && i < sides[1].n_words; i++)
        summarize_law(c, &sides[1].word[i], word_of(was, sides[1].word[i].law), pair, n, out);
    for (int side = 0; side < 2 && good && !out->no_laws; side++)
        if (!known[side]) {
            struct ub_text why = {0};
            ub_text_add(&why, "no laws.csv and data.csv beside `%s`",
                        side ? new_digest->path : base->path);
            out->no_laws = why.data;
        }
    ub_free(pair);
    clear_side(&sides[0]);
    clear_side(&sides[1]);
    return good;
}
