/* Representations align: of one probe set, trainings from other seeds, and of other architectures,
 * come to the same geometry (Kornblith et al. 2019, arXiv:1905.00414; Huh et al. 2024,
 * arXiv:2405.07987). Two laws, over pairs of runs i, j with debiased CKA c (alignment.h) of
 * their last hidden layers, s at the start and e at the end:
 *
 *     c(e_i, e_j) - max(c(s_i, s_j), (c(e_i, s_j) + c(s_i, e_j))/2)   is above 0 on average,
 *
 * representation-alignment over seeds of one model, representation-alignment-across over different
 * models from different seeds. (Models drawn from one seed share draws.) Untrained networks are
 * much alike already, for all of them know their inputs: what is judged is what training adds to
 * it, against both what it started from and an untrained peer. Alignment of trained runs that is
 * not beyond its permutation null counts against the law.
 *
 * "The same model over seeds is more alike than different models" is not judged: it is an identity.
 * With k_a, k_b the centered Gram matrices of norm 1 of two models' independent runs,
 * mean c within models - mean c across = |E k_a - E k_b|^2 / 2 >= 0, whatever the models do. */
#include "report/laws/group.h"
#include "report/statistics/alignment.h"

#include <math.h>
#include <string.h>

static const size_t draws = 199;
static const double level = 0.05;

struct shapes { /* of runs that have both */
    size_t count, samples;
    size_t *row;
    double **start, **end; /* centered Gram matrices */
};

/* samples (samples - 1)/2 entries; 0: not such a number. */
static size_t samples_of(size_t entries)
{
    size_t n = 0;
    while (n * (n + 1) / 2 < entries)
        n++;
    return entries > 0 && n * (n + 1) / 2 == entries ? n + 1 : 0;
}

static double *gram_at(const struct ub_frame *frame, size_t row, int64_t step, size_t *samples)
{
    struct ub_series s = ub_frame_spectrum(frame, row, "representation-entry", step);
    double *gram = NULL;
    *samples = samples_of(s.count);
    if (*samples >= 4) {
        const size_t n = *samples;
        size_t place = 0;
        gram = ub_calloc(n * n, sizeof *gram);
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + 1; j < n; j++)
                gram[i * n + j] = gram[j * n + i] = s.value[place++];
        ub_center_gram(gram, n);
    }
    ub_series_clear(&s);
    return gram;
}

/* Runs that ended well, were measured twice, on the probe set of the first of them. */
static void take(struct shapes *s, const struct ub_frame *frame, size_t row)
{
    size_t n_start, n_end;
    if (frame->store->runs[row].status != UB_RUN_OK ||
        !(ub_run_last_step(frame, row, "representation-entry") > 0))
        return;
    double *start = gram_at(frame, row, 0, &n_start), *end = gram_at(frame, row, -1, &n_end);
    const bool alike =
        s->count == 0 ||
        (n_end == s->samples && ub_frame_number(frame, row, "representation.probe") ==
                                    ub_frame_number(frame, s->row[0], "representation.probe"));
    if (!start || !end || n_start != n_end || !alike) {
        ub_free(start);
        ub_free(end);
        return;
    }
    s->samples = n_end;
    s->row[s->count] = row;
    s->start[s->count] = start;
    s->end[s->count++] = end;
}

static struct shapes shapes_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct shapes s = {.row = ub_calloc(group->count + 1, sizeof *s.row),
                       .start = ub_calloc(group->count + 1, sizeof *s.start),
                       .end = ub_calloc(group->count + 1, sizeof *s.end)};
    for (size_t i = 0; i < group->count; i++)
        take(&s, frame, group->row[i]);
    return s;
}

static void shapes_clear(struct shapes *s)
{
    for (size_t i = 0; i < s->count; i++) {
        ub_free(s->start[i]);
        ub_free(s->end[i]);
    }
    ub_free(s->row);
    ub_free(s->start);
    ub_free(s->end);
}

/* *chance: the alignment at the end is not beyond its permutation null. */
static double added(const struct shapes *s, size_t i, size_t j, bool *chance)
{
    const size_t n = s->samples;
    const double peer = (ub_cka(s->end[i], s->start[j], n) + ub_cka(s->start[i], s->end[j], n)) / 2;
    *chance = *chance || ub_cka_p(s->end[i], s->end[j], n, draws) > level;
    return ub_cka(s->end[i], s->end[j], n) - fmax(ub_cka(s->start[i], s->start[j], n), peer);
}

static struct ub_datum datum_from(const struct ub_frame *frame, const struct ub_rows *group,
                                  const double *pair, size_t units, bool chance, const char *few)
{
    const struct ub_interval mean = ub_pair_mean(pair, units);
    if (chance)
        return (struct ub_datum){
            .why = "trained runs are not alike beyond chance", .against = true, .against_p = level};
    return ub_datum_of(&mean, ub_group_why(frame, group, few));
}

static struct ub_datum over_seeds(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct shapes s = shapes_of(frame, group);
    double *pair = ub_calloc(s.count * s.count + 1, sizeof *pair);
    bool chance = false;
    for (size_t i = 0; i < s.count; i++)
        for (size_t j = i + 1; j < s.count; j++)
            pair[i * s.count + j] = pair[j * s.count + i] = added(&s, i, j, &chance);
    const struct ub_datum d =
        datum_from(frame, group, pair, s.count, chance, "fewer than three runs on one probe set");
    ub_free(pair);
    shapes_clear(&s);
    return d;
}

/* Mean over runs of two models whose seeds differ; NAN where there are none. */
static double between(const struct ub_frame *frame, const struct shapes *s, const int *model, int a,
                      int b, bool *chance)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t j = 0; j < s->count; j++) {
            if (model[i] != a || model[j] != b ||
                ub_run_is(frame, s->row[i], "seed", ub_frame_word(frame, s->row[j], "seed")))
                continue;
            sum += added(s, i, j, chance);
            n++;
        }
    return n ? sum / (double)n : (double)NAN;
}

static struct ub_datum over_models(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct shapes s = shapes_of(frame, group);
    const struct ub_rows rows = {s.count, s.row};
    struct ub_groups models = ub_frame_group(frame, &rows, NULL);
    const size_t m = models.count;
    int *model = ub_calloc(s.count + 1, sizeof *model);
    double *pair = ub_calloc(m * m + 1, sizeof *pair);
    bool chance = false;
    for (size_t i = 0; i < s.count; i++)
        for (size_t g = 0; g < m; g++)
            for (size_t k = 0; k < models.group[g].count; k++)
                if (models.group[g].row[k] == s.row[i])
                    model[i] = (int)g;
    for (size_t a = 0; a < m; a++)
        for (size_t b = a + 1; b < m; b++)
            pair[a * m + b] = pair[b * m + a] = between(frame, &s, model, (int)a, (int)b, &chance);
    const struct ub_datum d =
        datum_from(frame, group, pair, m, chance, "fewer than three models on one probe set");
    ub_free(pair);
    ub_free(model);
    ub_groups_clear(&models);
    shapes_clear(&s);
    return d;
}

static bool measured(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "representation");
}

#define UB_ALIGNMENT_CITATION                                                                      \
    "Kornblith et al. 2019, arXiv:1905.00414; Huh et al. 2024, arXiv:2405.07987"

const struct ub_law ub_law_representation_alignment = {
    .name = "representation-alignment",
    .strand = UB_UNIVERSAL,
    .claim = "training from other seeds comes to representations more alike than their starts are",
    .formula = "mean of c(e_i, e_j) - max(c(s_i, s_j), (c(e_i, s_j) + c(s_i, e_j))/2) >= 0, c the "
               "debiased CKA of starts s and ends e",
    .quantity = "CKA of two trained runs less that of untrained ones",
    .citation = UB_ALIGNMENT_CITATION,
    .who = "one model with a hidden layer, over seeds",
    .because = "the claim is of the sign only",
    .needs = {{.observable = "representation"}, {.axis = "seed", .least = 3}},
    .applies = measured,
    .datum = over_seeds,
    .is = {UB_AT_LEAST, .target = 0},
};

static const char *const across[] = {"model", NULL};

const struct ub_law ub_law_representation_alignment_across = {
    .name = "representation-alignment-across",
    .strand = UB_UNIVERSAL,
    .claim = "training brings representations of different architectures nearer to each other",
    .formula = "mean of c(e_i, e_j) - max(c(s_i, s_j), (c(e_i, s_j) + c(s_i, e_j))/2) >= 0, c the "
               "debiased CKA of starts s and ends e",
    .quantity = "CKA of two trained runs of different models less that of untrained ones",
    .citation = UB_ALIGNMENT_CITATION,
    .who = "models with a hidden layer on one dataset, from different seeds",
    .because = "the claim is of the sign only",
    .within = across,
    .needs = {{.observable = "representation"}, {.axis = "seed", .least = 3}},
    .applies = measured,
    .datum = over_models,
    .is = {UB_AT_LEAST, .target = 0},
};
