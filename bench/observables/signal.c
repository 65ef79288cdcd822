/* Signals through depth: lengths and correlations of inputs, and small perturbations of them, layer
 * by layer, against the maps of infinite width (Poole et al. 2016, arXiv:1606.05340; Schoenholz et
 * al. 2017, arXiv:1611.01232). With S_l(a, b) the map's covariance of pre-activations of training
 * samples a and b (bench/curvature/infinite_width.h), N units a layer, and h_l the activations:
 *
 *   signal-correlation, -map   layer l: mean over pairs of the correlation of pre-activations,
 *                              measured as that of weight_{l+1} h_l(a).h_l(b)/N + bias_{l+1}, what
 *                              the next layer's would be over draws of its weights; the map's
 * S_{l+1} signal-length, -map        the same of the variance, S(a, a), mean over samples
 *   correlation-error          max over pairs and layers of the correlation's distance to the map
 *   perturbation-growth        mean over layers of log |h_l(x + e) - h_l(x)|^2/N, each over the
 *                              layer's below, e of a hundredth of x's length; mean over samples
 *   perturbation-growth-map    mean over layers of log chi_l, chi_l = weight_l E phi'(u)^2 at the
 *                              variance S_l(a, a): 0 where signals neither fade nor explode */
#include "bench/curvature/infinite_width.h"
#include "bench/observables/shared.h"

#include <math.h>

static const double relative_size = 0.01; /* of perturbations: squares of it are beyond the map */

static const struct ub_option options[] = {
    {"samples", UB_OPTION_INT, "4", 2, 64, NULL, "first training samples that are followed"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct signals {
    const struct ub_moment *moment;
    struct ub_record *record;
    struct ub_wide wide;
    struct ub_problem *problem; /* over the samples and, after them, their perturbed copies */
    struct ub_expectation *expect;
    int64_t samples, features;
    double *inputs;         /* 2 samples x features */
    double *map;            /* (hidden + 1) x samples x samples */
    double *h;              /* one layer's activations, 2 samples x width */
    double *distance, *chi; /* of each sample: |e|^2 at the layer below; sum of log chi */
    double *growth;         /* of each sample: sum of log growth */
    double worst;           /* correlation-error so far */
};

/* Copies with an added normal vector of relative_size of the sample's length. */
static void perturb(struct signals *s, uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "probes:signal");
    const int64_t f = s->features;
    for (int64_t a = 0; a < s->samples; a++) {
        double *x = s->inputs + a * f, *moved = s->inputs + (s->samples + a) * f;
        for (int64_t i = 0; i < f; i++)
            moved[i] = ub_random_normal(&r);
        const double size = relative_size * ub_norm(f, x), scale = size / ub_norm(f, moved);
        for (int64_t i = 0; i < f; i++)
            moved[i] = x[i] + scale * moved[i];
        s->distance[a] = size * size / (double)f;
    }
}

static double inner(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void record_pairs(struct signals *s, size_t layer, int64_t width)
{
    const struct ub_wide_layer *next = &s->wide.layer[layer + 1];
    const int64_t n = s->samples;
    const double *map = s->map + (layer + 1) * (size_t)(n * n);
    double sums[4] = {0}; /* lengths and correlations, measured and by the map */
    double *c = ub_calloc((size_t)(n * n), sizeof *c);
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++)
            c[a * n + b] =
                next->weight / (double)width * inner(s->h + a * width, s->h + b * width, width) +
                next->bias;
    for (int64_t a = 0; a < n; a++) {
        sums[0] += c[a * n + a] / (double)n;
        sums[1] += map[a * n + a] / (double)n;
        for (int64_t b = a + 1; b < n; b++) {
            const double pairs = 0.5 * (double)(n * (n - 1));
            const double now = c[a * n + b] / sqrt(c[a * n + a] * c[b * n + b]);
            const double then = map[a * n + b] / sqrt(map[a * n + a] * map[b * n + b]);
            sums[2] += now / pairs;
            sums[3] += then / pairs;
            s->worst = fmax(s->worst, fabs(now - then));
        }
    }
    static const char *const names[] = {"signal-length", "signal-length-map", "signal-correlation",
                                        "signal-correlation-map"};
    for (int k = 0; k < 4; k++)
        ub_record_value(s->record, s->moment, names[k], (int64_t)layer + 1, sums[k], NAN);
    ub_free(c);
}

static void follow_perturbations(struct signals *s, size_t layer, int64_t width)
{
    const int64_t n = s->samples;
    for (int64_t a = 0; a < n; a++) {
        double square = 0;
        const double *x = s->h + a * width, *moved = s->h + (n + a) * width;
        for (int64_t i = 0; i < width; i++)
            square += pow(moved[i] - x[i], 2);
        s->growth[a] += log(square / (double)width / s->distance[a]);
        s->distance[a] = square / (double)width;
        const double q = s->map[layer * (size_t)(n * n) + (size_t)(a * (n + 1))];
        s->chi[a] += log(ub_wide_chi(s->expect, s->wide.layer[layer].weight, q));
    }
}

static void record_all(struct signals *s)
{
    double growth = 0, chi = 0;
    const double count = (double)s->samples * (double)s->wide.hidden;
    for (size_t l = 0; l < s->wide.hidden; l++) {
        const int64_t width = ub_problem_hidden_width(s->problem, (int)l);
        s->h = ub_calloc((size_t)(2 * s->samples * width), sizeof *s->h);
        ub_problem_hidden(s->problem, (int)l, s->moment->theta, s->h);
        if (s->wide.layer[l + 1].weight > 0)
            record_pairs(s, l, width);
        follow_perturbations(s, l, width);
        ub_free(s->h);
    }
    for (int64_t a = 0; a < s->samples; a++) {
        growth += s->growth[a] / count;
        chi += s->chi[a] / count;
    }
    ub_record_value(s->record, s->moment, "correlation-error", 0, s->worst, NAN);
    ub_record_value(s->record, s->moment, "perturbation-growth", 0, growth, NAN);
    ub_record_value(s->record, s->moment, "perturbation-growth-map", 0, chi, NAN);
}

static void clear(struct signals *s)
{
    double *all[] = {s->inputs, s->map, s->distance, s->chi, s->growth};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ub_free(all[i]);
    ub_problem_free(s->problem);
    ub_expectation_free(s->expect);
    ub_wide_clear(&s->wide);
}

static bool open_signals(struct signals *s, const struct ub_call *call, struct ub_error *err)
{
    const struct ub_dataset *d = ub_problem_data(s->moment->problem);
    const int64_t wanted = ub_call_int(call, "samples");
    s->samples = wanted < d->train.count ? wanted : d->train.count;
    s->features = d->features;
    const size_t n = (size_t)s->samples, f = (size_t)d->features;
    s->inputs = ub_calloc(2 * n * f, sizeof *s->inputs);
    s->map = ub_calloc((s->wide.hidden + 1) * n * n, sizeof *s->map);
    s->distance = ub_calloc(n, sizeof *s->distance);
    s->chi = ub_calloc(n, sizeof *s->chi);
    s->growth = ub_calloc(n, sizeof *s->growth);
    for (size_t i = 0; i < n * f; i++)
        s->inputs[i] = d->train.inputs[i];
    perturb(s, s->moment->optimizer->training.seed);
    ub_wide_kernels(&s->wide, s->samples, s->features, s->inputs, s->map, NULL);
    s->expect = ub_expectation_new(s->wide.activation);
    s->problem = ub_problem_on_inputs(s->moment->problem, 2 * s->samples, s->inputs, err);
    return s->problem != NULL;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state;
    struct signals s = {.moment = moment, .record = record};
    if (!ub_problem_wide(moment->problem, &s.wide) || s.wide.hidden == 0) {
        ub_wide_clear(&s.wide);
        return true;
    }
    const bool good = open_signals(&s, call, err);
    if (good)
        record_all(&s);
    clear(&s);
    return good;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call; /* a few samples' activations; programs are no larger than the whole's */
    return ub_problem_bytes(problem, 0);
}

static const char layer_index[] = "hidden layer, from 1";
#define SIGNAL(title, text)                                                                        \
    {                                                                                              \
        .name = title, .index = layer_index, .units = "1", .meaning = text,                        \
        .figure = UB_FIGURE_OVER_INDEX                                                             \
    }
static const struct ub_quantity rows[] = {
    {
        .name = "correlation-error",
        .units = "1",
        .meaning = "largest distance of a correlation from the map of infinite width",
        .headline = true,
        .column = "",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.005},
    },
    SIGNAL("signal-correlation", "mean correlation of samples' pre-activations above the layer"),
    SIGNAL("signal-correlation-map", "the same by the map"),
    SIGNAL("signal-length", "mean variance of the pre-activations above the layer"),
    SIGNAL("signal-length-map", "the same by the map"),
    {
        .name = "perturbation-growth",
        .units = "1",
        .meaning = "mean log growth of a small difference's square by a layer",
        .column = "",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.005},
    },
    {.name = "perturbation-growth-map", .units = "1", .meaning = "mean log chi by the map"},
    {.name = NULL},
};

const struct ub_observable ub_observable_signal = {
    .name = "signal",
    .summary =
        "lengths, correlations and perturbations of inputs through depth, against their maps",
    .units = "1",
    .citation = "Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232",
    .rows = rows,
    .options = options,
    .at = "0",
    .bytes = bytes,
    .measure = measure,
};
