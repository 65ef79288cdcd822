/* Samples to learn a hierarchy: deep networks learn the random hierarchy model, texts of L levels
 * of random rules, with m synonyms a symbol and n_c classes, from
 *
 *     P* ~ n_c m^L
 *
 * training samples, a power of the dimension s^L, where shallow ones need a share of all texts,
 * n_c m^((s^L - 1)/(s - 1)) for rules of s symbols (Cagnetta et al. 2023, arXiv:2307.02129). P* is
 * where the test error falls to a tenth of what guessing has, 1 - 1/n_c, read from one size to the
 * next, linear in log P.
 *
 * A group is one system at all sizes and all m; the P* of each draw of rules, texts and weights at
 * each m is a point, and the datum the slope of log P* on log m, held against L. Where a draw's P*
 * is beyond its sizes at some m the group has no datum: leaving it out would bend the slope. */
#include "report/laws/group.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_SYNONYMS = 3, LEAST_SIZES = 3 };
static const double learned = 0.1;    /* of the error of guessing */
static const double least_test = 500; /* so that a tenth is known to a seventh of itself */

/* ---- which runs ----------------------------------------------------------------------------- */

/* One hidden layer has no level of its own for each level of rules. */
static bool is_deep(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "dataset", "random-hierarchy") &&
           ub_run_measures(frame, row, "accuracy") &&
           ub_frame_number(frame, row, "dataset.test-samples") >= least_test &&
           ub_frame_number(frame, row, "model.depth") >= 2;
}

static size_t words_of(const struct ub_frame *frame, const struct ub_rows *group, const char *axis)
{
    const struct ub_column *c = ub_frame_column(frame, axis);
    size_t n = 0;
    for (size_t i = 0; c && i < group->count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i && is_new; k++)
            is_new = c->level[group->row[k]] != c->level[group->row[i]];
        n += is_new;
    }
    return n;
}

static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    return words_of(frame, group, "dataset.synonyms") >= LEAST_SYNONYMS &&
           words_of(frame, group, "dataset.size") >= LEAST_SIZES;
}

/* ---- samples needed ------------------------------------------------------------------------- */

/* Runs that differ in their training set's size alone. */
static const char *const sizes_only[] = {"dataset.size", "steps", NULL};

struct size {
    double log_samples, error;
};

static int compare_sizes(const void *a, const void *b)
{
    const struct size *x = a, *y = b;
    return (x->log_samples > y->log_samples) - (x->log_samples < y->log_samples);
}

/* Where ascending sizes first come to the level; NAN: at none, or at the least already. */
static double first_learned(const struct size *s, size_t n, double level)
{
    double *x = ub_calloc(2 * n + 2, sizeof *x), *y = x + n + 1;
    for (size_t i = 0; i < n; i++) {
        x[i] = s[i].log_samples;
        y[i] = s[i].error;
    }
    const bool too_large = n == 0 || y[0] <= level;
    const double at = too_large ? (double)NAN : exp(ub_first_reach(x, y, n, level));
    ub_free(x);
    return at;
}

/* P* of the group's runs that are like this one but for their size. */
static double samples_needed(const struct ub_frame *frame, const struct ub_rows *group, size_t like)
{
    struct size *s = ub_calloc(group->count + 1, sizeof *s);
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        if (!ub_runs_alike(frame, like, row, sizes_only))
            continue;
        s[n] = (struct size){log(ub_frame_number(frame, row, "dataset.size")),
                             1 - ub_run_last(frame, row, "test-accuracy")};
        n += isfinite(s[n].error) ? 1 : 0;
    }
    qsort(s, n, sizeof *s, compare_sizes);
    const double guess = 1 - 1 / ub_frame_number(frame, like, "dataset.roots");
    const double at = first_learned(s, n, learned * guess);
    ub_free(s);
    return at;
}

static bool is_first_size(const struct ub_frame *frame, const struct ub_rows *group, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (ub_runs_alike(frame, group->row[k], group->row[i], sizes_only))
            return false;
    return true;
}

/* Draws of weights and of data count as one kind of replicate. */
static int draw_of(const struct ub_frame *frame, size_t row)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    const struct ub_column *data_seed = ub_frame_column(frame, "data-seed");
    return seed->level[row] * (int)data_seed->n_words + data_seed->level[row];
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        if (is_first_size(frame, group, i))
            ub_trend_add(trend, (struct ub_axis_point){
                                    ub_frame_number(frame, row, "dataset.synonyms"),
                                    samples_needed(frame, group, row), draw_of(frame, row)});
    }
}

static const struct ub_law_trend trend = {
    .points = points, .x = "synonyms m", .y = "samples needed", .is_slope = true};

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_trend t = {0};
    bool inside = true;
    points(frame, group, &t);
    for (size_t i = 0; i < t.count; i++)
        inside = inside && isfinite(t.point[i].y);
    const struct ub_interval line = ub_axis_slope(t.point, t.count);
    ub_trend_clear(&t);
    struct ub_datum d = ub_datum_of(&line, "too few numbers of synonyms");
    if (!inside)
        d = (struct ub_datum){
            .why = ub_group_why(frame, group, "some draw is not learned between two of its sizes")};
    d.predicts = true;
    d.prediction = ub_frame_number(frame, group->row[0], "dataset.layers");
    return d;
}

static const char *const within[] = {"dataset.size", "dataset.synonyms", "steps", NULL};

const struct ub_law ub_law_hierarchy_samples = {
    .name = "hierarchy-samples",
    .strand = UB_EMPIRICAL,
    .claim = "samples to learn a random hierarchy grow with its synonyms as the power of its depth",
    .formula = "P* ~ n_c m^L",
    .quantity = "slope of log samples needed on log synonyms",
    .citation = "Cagnetta et al. 2023, arXiv:2307.02129",
    .who = "networks of two hidden layers or more on the random hierarchy model",
    .because = "a third of what is between the exponents of deep and shallow networks at two "
               "levels, 2 and 3",
    .within = within,
    .needs = {{.observable = "accuracy"},
              {.axis = "dataset.synonyms", .least = LEAST_SYNONYMS},
              {.axis = "dataset.size", .least = LEAST_SIZES}},
    .applies = is_deep,
    .concerns = has_sweep,
    .datum = slope,
    .trend = &trend,
    .is = {UB_EQUAL, .margin = 0.3},
};
