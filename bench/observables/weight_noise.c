/* Whether a weight matrix can be told from noise by its spectrum: the Kolmogorov-Smirnov distance
 * of its squared singular values from the Marchenko-Pastur law of its shape and of the variance
 * that its entries have (Marchenko and Pastur 1967; of networks at their start, Martin and Mahoney
 * 2018, arXiv:1810.01075), and what that distance is of noise.
 *
 * Eigenvalues repel: their distance is far below that of independent draws, whose critical values
 * would reject nothing. So its distribution is simulated, of normal matrices of the same shape with
 * the variance estimated alike (199 draws, the same for a shape in all runs). By universality it
 * is that of any independent entries of four moments, to the order of one over the shape.
 *
 * Weights of two axes or more (a convolution's as output channels x the rest) with two singular
 * values or more. */
#include "bench/observables/shared.h"
#include "bench/spectra/random_matrix.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 2, DRAWS = 199, SHAPES = 16 };

struct null_law { /* of one shape: distances of noise, ascending */
    int64_t longer, shorter;
    double distance[DRAWS];
};
struct state {
    int count;
    struct null_law *law;
};

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* `entries`, longer x shorter or its transpose, are overwritten; NAN where LAPACK fails. */
static double distance_of(double *entries, int64_t longer, int64_t shorter)
{
    double *s = ub_calloc((size_t)shorter, sizeof *s), unused, square = 0, most = 0;
    const double aspect = (double)shorter / (double)longer, p = (double)shorter;
    for (int64_t i = 0; i < longer * shorter; i++)
        square += entries[i] * entries[i];
    const double variance = square / (double)(longer * shorter);
    const bool good = isfinite(square) && square > 0 &&
                      LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (lapack_int)shorter, (lapack_int)longer,
                                     entries, (lapack_int)shorter, s, &unused, 1, &unused, 1) == 0;
    for (int64_t i = 0; good && i < shorter; i++) { /* descending */
        const double cdf = ub_mp_cdf(s[i] * s[i] / (double)longer, aspect, variance);
        most = fmax(most, fmax(1 - (double)i / p - cdf, cdf - (1 - (double)(i + 1) / p)));
    }
    ub_free(s);
    return good ? most : (double)NAN;
}

static void simulate(struct null_law *law, int64_t longer, int64_t shorter)
{
    struct ub_random r = ub_random_stream(0, "weight-noise");
    double *noise = ub_calloc((size_t)(longer * shorter), sizeof *noise);
    law->longer = longer;
    law->shorter = shorter;
    for (int d = 0; d < DRAWS; d++) {
        for (int64_t i = 0; i < longer * shorter; i++)
            noise[i] = ub_random_normal(&r);
        law->distance[d] = distance_of(noise, longer, shorter);
    }
    qsort(law->distance, DRAWS, sizeof *law->distance, ascending);
    ub_free(noise);
}

static const struct null_law *null_of(struct state *s, int64_t longer, int64_t shorter)
{
    for (int i = 0; i < s->count; i++)
        if (s->law[i].longer == longer && s->law[i].shorter == shorter)
            return &s->law[i];
    if (s->count == SHAPES)
        return NULL;
    s->law = ub_realloc(s->law, (size_t)(s->count + 1) * sizeof *s->law);
    simulate(&s->law[s->count], longer, shorter);
    return &s->law[s->count++];
}

static void record_weight(struct state *s, const struct ub_param *param,
                          const struct ub_moment *moment, struct ub_record *record)
{
    const int64_t rows = param->shape[0], columns = param->size / rows;
    const int64_t longer = rows > columns ? rows : columns, shorter = param->size / longer;
    const struct null_law *law = shorter < LEAST ? NULL : null_of(s, longer, shorter);
    char name[96];
    if (!law)
        return;
    double *copy = ub_calloc((size_t)param->size, sizeof *copy), as_large = 1;
    memcpy(copy, moment->theta + param->offset, (size_t)param->size * sizeof *copy);
    /* The transpose of a tall one: what LAPACK reads as shorter x longer, column by column. */
    if (rows < columns)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                copy[j * rows + i] = moment->theta[param->offset + i * columns + j];
    const double distance = distance_of(copy, longer, shorter);
    for (int d = 0; d < DRAWS; d++)
        as_large += law->distance[d] >= distance;
    ub_free(copy);
    if (!isfinite(distance))
        return;
    snprintf(name, sizeof name, "noise-distance.%s", param->name);
    ub_record_value(record, moment, name, 0, distance, NAN);
    ub_record_value(record, moment, name, 1, law->distance[DRAWS * 95 / 100], NAN);
    ub_record_value(record, moment, name, 2, as_large / (DRAWS + 1), NAN);
    ub_record_value(record, moment, name, 3, (double)shorter, NAN);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)call, (void)err;
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    for (int64_t i = 0; i < layout->count; i++)
        if (layout->params[i].rank >= 2)
            record_weight(state, &layout->params[i], moment, record);
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    ub_free(s->law);
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_layout *layout = ub_problem_layout(problem);
    int64_t most = 0;
    for (int64_t i = 0; i < layout->count; i++)
        most = layout->params[i].size > most ? layout->params[i].size : most;
    return 3 * most * (int64_t)sizeof(double) + SHAPES * (int64_t)sizeof(struct null_law);
}

static const struct ub_quantity rows[] = {
    {
        .name = "noise-distance.WEIGHT",
        .index = "0 the distance, 1 what noise exceeds in 5%, 2 p of noise, 3 singular values",
        .units = "1",
        .meaning = "Kolmogorov-Smirnov distance of squared singular values from Marchenko-Pastur",
        .headline = true,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.02},
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_weight_noise = {
    .name = "weight-noise",
    .summary = "distance of each weight's spectrum from that of noise, against noise simulated",
    .units = "1",
    .citation = "Marchenko and Pastur 1967; Martin and Mahoney 2018, arXiv:1810.01075",
    .rows = rows,
    .at = "0+end",
    .state_bytes = sizeof(struct state),
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
