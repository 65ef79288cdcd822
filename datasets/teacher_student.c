/* Teacher-student regression: normal inputs, targets from a random tanh network (Saad and Solla
 * 1995, doi:10.1103/PhysRevE.52.4225). The teacher's weights are normal with variance
 * gain^2/fan-in, its outputs scaled to mean square 1 over the training samples. */
#include "base/option_units.h"
#include "datasets/source.h"

#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 16, MOST_WEIGHTS = 1 << 27 /* 1 GiB */ };

static const struct ub_option options[] = {
    {.key = "samples",
     .kind = UB_OPTION_INT | UB_OPTION_OF_SAMPLES,
     .fallback = "1000",
     .min = 1,
     .max = 1e8,
     .help = "samples"},
    {.key = "features",
     .kind = UB_OPTION_INT,
     .fallback = "20",
     .min = 1,
     .max = 1e5,
     .help = "numbers in an input"},
    {.key = "outputs",
     .kind = UB_OPTION_INT,
     .fallback = "1",
     .min = 1,
     .max = 1e4,
     .help = "targets"},
    {.key = "teacher",
     .kind = UB_OPTION_SIZES,
     .fallback = "16",
     .min = 1,
     .max = 1e4,
     .help = "hidden widths of the teacher"},
    {.key = "gain",
     .kind = UB_OPTION_REAL,
     .fallback = "2",
     .min = 1e-6,
     .max = 1e6,
     .help = "scale of the teacher's weights: larger is less linear"},
    {.key = "noise",
     .kind = UB_OPTION_REAL | UB_OPTION_OF_OUTPUT,
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of noise on the targets"},
    UB_TEST_SAMPLES_NONE,
    {.key = NULL},
};

struct teacher {
    int64_t layers, width[MOST_LAYERS + 2], widest; /* width[0]: inputs; width[layers]: outputs */
    double *weight[MOST_LAYERS + 1];                /* (width[l + 1], width[l]) */
};

static bool draw_teacher(struct teacher *t, const struct ub_dataset *d, const struct ub_call *call,
                         uint64_t seed, struct ub_error *err)
{
    const size_t hidden = ub_call_sizes(call, "teacher", t->width + 1, MOST_LAYERS);
    if (hidden > MOST_LAYERS)
        return ub_fail(err, UB_INPUT, "%s: %zu layers in the teacher; expected at most %d",
                       call->name, hidden, MOST_LAYERS);
    t->layers = (int64_t)hidden + 1;
    t->width[0] = d->features;
    t->width[t->layers] = d->outputs;
    int64_t weights = 0;
    for (int64_t l = 0; l < t->layers; l++)
        weights += t->width[l] * t->width[l + 1]; /* at most 17 x 1e5 x 1e4: no overflow */
    if (weights > MOST_WEIGHTS)
        return ub_fail(err, UB_INPUT, "%s: %lld weights in the teacher; expected at most %d",
                       call->name, (long long)weights, MOST_WEIGHTS);
    struct ub_random r = ub_random_stream(seed, "data.teacher");
    const double gain = ub_call_real(call, "gain");
    for (int64_t l = 0; l < t->layers; l++) {
        const int64_t n = t->width[l] * t->width[l + 1];
        t->widest = t->width[l + 1] > t->widest ? t->width[l + 1] : t->widest;
        t->weight[l] = ub_calloc((size_t)n, sizeof(double));
        const double deviation = gain / sqrt((double)t->width[l]);
        for (int64_t i = 0; i < n; i++)
            t->weight[l][i] = deviation * ub_random_normal(&r);
    }
    return true;
}

/* `work`: 2 x widest. */
static void answer(const struct teacher *t, const double *x, double *work, double *y)
{
    const double *in = x;
    for (int64_t l = 0; l < t->layers; l++) {
        const bool last = l == t->layers - 1;
        double *out = last ? y : work + (l % 2) * t->widest;
        for (int64_t j = 0; j < t->width[l + 1]; j++) {
            double sum = 0;
            for (int64_t k = 0; k < t->width[l]; k++)
                sum += t->weight[l][j * t->width[l] + k] * in[k];
            out[j] = last ? sum : tanh(sum);
        }
        in = out;
    }
}

static void answer_all(const struct ub_dataset *d, struct ub_split *split, const struct teacher *t,
                       struct ub_random r)
{
    double *work = ub_calloc((size_t)(2 * t->widest), sizeof *work);
    for (int64_t i = 0; i < split->count * d->features; i++)
        split->inputs[i] = ub_random_normal(&r);
    for (int64_t i = 0; i < split->count; i++)
        answer(t, split->inputs + i * d->features, work, split->targets + i * d->outputs);
    ub_free(work);
}

static double mean_square(int64_t n, const double *y)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += y[i] * y[i] / (double)n;
    return square;
}

static void finish_targets(const struct ub_dataset *d, struct ub_split *split, double scale,
                           struct ub_random r)
{
    for (int64_t i = 0; i < split->count * d->outputs; i++)
        split->targets[i] = split->targets[i] / scale + d->noise * ub_random_normal(&r);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    struct teacher t = {0};
    d->task = UB_REGRESSION;
    d->rank = 1;
    d->shape[0] = d->features = ub_call_int(call, "features");
    d->outputs = ub_call_int(call, "outputs");
    d->noise = ub_call_real(call, "noise");
    if (!ub_split_new(d, ub_call_int(call, "samples"), call->name, &d->train, err) ||
        !ub_split_new_test(d, call, 0, err) || !draw_teacher(&t, d, call, seed, err))
        return false;
    answer_all(d, &d->train, &t, ub_random_stream(seed, "data.inputs"));
    answer_all(d, &d->test, &t, ub_random_stream(seed, "data.test"));
    for (int64_t l = 0; l < t.layers; l++)
        ub_free(t.weight[l]);
    const double scale = sqrt(mean_square(d->train.count * d->outputs, d->train.targets));
    finish_targets(d, &d->train, scale, ub_random_stream(seed, "data.noise"));
    finish_targets(d, &d->test, scale, ub_random_stream(seed, "data.test-noise"));
    return true;
}

const struct ub_dataset_source ub_dataset_teacher_student = {
    .name = "teacher-student",
    .summary = "normal inputs, targets from a random tanh network",
    .citation = "Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225",
    .options = options,
    .load = load,
};
