/* The options that every dataset takes, in this order: classes kept, samples chosen, a part held
 * out, inputs scaled. */
#include "datasets/modes.h"
#include "datasets/source.h"

#include <math.h>
#include <string.h>

/* Keeps the samples at `index`, in that order. */
static struct ub_split take(const struct ub_dataset *d, const struct ub_split *from,
                            const int64_t *index, int64_t count)
{
    struct ub_split s = {.count = count};
    const size_t features = (size_t)d->features, target = (size_t)ub_target_width(d);
    const size_t positions = (size_t)ub_positions(d);
    s.inputs = ub_calloc((size_t)count * features + 1, sizeof *s.inputs);
    s.targets = ub_calloc((size_t)count * target + 1, sizeof *s.targets);
    if (from->labels)
        s.labels = ub_calloc((size_t)count * positions + 1, sizeof *s.labels);
    for (size_t i = 0; i < (size_t)count; i++) {
        const size_t k = (size_t)index[i];
        memcpy(s.inputs + i * features, from->inputs + k * features, features * sizeof *s.inputs);
        memcpy(s.targets + i * target, from->targets + k * target, target * sizeof *s.targets);
        if (s.labels)
            memcpy(s.labels + i * positions, from->labels + k * positions,
                   positions * sizeof *s.labels);
    }
    return s;
}

/* ---- classes ---- */

static int64_t place_of(const int64_t *classes, size_t n, int64_t label)
{
    for (size_t i = 0; i < n; i++)
        if (classes[i] == label)
            return (int64_t)i;
    return -1;
}

static bool has_class(const struct ub_split *split, int64_t label)
{
    for (int64_t i = 0; i < split->count; i++)
        if (split->labels[i] == label)
            return true;
    return false;
}

static void keep_in_split(const struct ub_dataset *d, struct ub_split *split,
                          const int64_t *classes, size_t n)
{
    int64_t *index = ub_calloc((size_t)split->count + 1, sizeof *index), count = 0;
    for (int64_t i = 0; i < split->count; i++)
        if (place_of(classes, n, split->labels[i]) >= 0)
            index[count++] = i;
    struct ub_split kept = take(d, split, index, count);
    ub_free(index);
    ub_split_clear(split);
    ub_free(kept.targets);
    kept.targets = ub_calloc((size_t)count * n + 1, sizeof *kept.targets);
    for (int64_t i = 0; i < count; i++) {
        int64_t place = place_of(classes, n, kept.labels[i]);
        kept.labels[i] = (int32_t)place;
        kept.targets[i * (int64_t)n + place] = 1;
    }
    *split = kept;
}

/* What the kept classes are called. */
static void keep_names(struct ub_dataset *d, const int64_t *classes, size_t n)
{
    const char *kept[UB_CLASSES_KEPT];
    struct ub_dataset before = *d;
    for (size_t i = 0; i < n && before.class_names; i++)
        kept[i] = before.class_names[classes[i]];
    d->class_names = NULL;
    d->outputs = (int64_t)n;
    if (before.class_names)
        ub_class_names_set(d, kept);
    ub_class_names_free(&before);
}

static bool keep_classes(struct ub_dataset *d, const struct ub_call *call, const char *where,
                         struct ub_error *err)
{
    int64_t classes[UB_CLASSES_KEPT];
    const char *text = ub_call_get(call, "classes");
    if (strcmp(text, "none") == 0)
        return true;
    if (d->task != UB_CLASSIFICATION)
        return ub_fail(err, UB_INPUT, "%s: classes=%s on a regression task; expected none", where,
                       text);
    if (ub_positions(d) > 1)
        return ub_fail(err, UB_INPUT,
                       "%s: classes=%s on a task with targets at several positions; expected none",
                       where, text);
    const int n = ub_classes_wanted(d, call, where, classes, err);
    if (n < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (!has_class(&d->train, classes[i]))
            return ub_fail(err, UB_INPUT,
                           "%s: no sample is of class %lld; expected classes that are there", where,
                           (long long)classes[i]);
    keep_in_split(d, &d->train, classes, (size_t)n);
    if (d->test.count > 0)
        keep_in_split(d, &d->test, classes, (size_t)n);
    keep_names(d, classes, (size_t)n);
    return true;
}

/* ---- samples ---- */

/* The number of a `test-samples` option, 0 where the source has none. */
static int64_t drawn_for_test(const struct ub_call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], "test-samples") == 0)
            return ub_call_int(call, "test-samples");
    return 0;
}

static bool choose_samples(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                           const char *where, struct ub_error *err)
{
    const int64_t all = d->train.count, size = ub_call_int(call, "size");
    const double fraction = ub_call_real(call, "test");
    if (fraction > 0 && drawn_for_test(call) > 0)
        return ub_fail(err, UB_INPUT, "%s: both test and test-samples; expected one of them",
                       where);
    if (size > all)
        return ub_fail(err, UB_INPUT, "%s: size=%lld; expected at most %lld, all there are", where,
                       (long long)size, (long long)all);
    const int64_t count = size > 0 ? size : all;
    const int64_t held = (int64_t)llround(fraction * (double)count);
    char part[UB_REAL_TEXT];
    ub_real_text(fraction, part);
    if (count - held < 1 || (fraction > 0 && held < 1))
        return ub_fail(err, UB_INPUT,
                       "%s: test=%s holds out %lld of %lld samples; expected one at least for "
                       "training and for test",
                       where, part, (long long)held, (long long)count);
    if (count == all && fraction == 0)
        return true; /* in the source's order */
    int64_t *order = ub_calloc((size_t)all + 1, sizeof *order);
    struct ub_random r = ub_random_stream(seed, "data.subset");
    ub_random_permutation(&r, all, order);
    struct ub_split train = take(d, &d->train, order, count - held);
    if (held > 0) {
        ub_split_clear(&d->test);
        d->test = take(d, &d->train, order + count - held, held);
    }
    ub_free(order);
    ub_split_clear(&d->train);
    d->train = train;
    return true;
}

/* ---- missing inputs ---- */

/* The mean of a feature over the training samples that have it; false when none does. */
static bool mean_of_present(const struct ub_dataset *d, int64_t feature, double *mean)
{
    int64_t n = 0;
    *mean = 0;
    for (int64_t i = 0; i < d->train.count; i++) {
        const double x = d->train.inputs[i * d->features + feature];
        if (!isnan(x))
            *mean += (x - *mean) / (double)++n;
    }
    return n > 0;
}

static void put_mean(const struct ub_dataset *d, struct ub_split *split, int64_t feature,
                     double mean)
{
    for (int64_t i = 0; i < split->count; i++) {
        double *x = &split->inputs[i * d->features + feature];
        *x = isnan(*x) ? mean : *x;
    }
}

/* After the choice of samples: nothing of those held out enters the means. */
static bool fill_missing(struct ub_dataset *d, const char *where, struct ub_error *err)
{
    for (int64_t k = 0; d->missing && k < d->features; k++) {
        double mean;
        if (!mean_of_present(d, k, &mean))
            return ub_fail(err, UB_INPUT,
                           "%s: input %lld is missing in all of %lld training samples; expected a "
                           "value to take the mean of",
                           where, (long long)k + 1, (long long)d->train.count);
        put_mean(d, &d->train, k, mean);
        put_mean(d, &d->test, k, mean);
    }
    d->missing = false;
    return true;
}

/* What was planted in the source's inputs and targets does not hold of others. */
static void forget_population(struct ub_dataset *d)
{
    ub_planted_free(d->population);
    ub_committee_free(d->committee);
    d->population = NULL;
    d->committee = NULL;
}

/* ---- scale ---- */

struct scale {
    double *mean, *deviation; /* by feature */
};

/* Welford's update, feature by feature. */
static struct scale measure_features(const struct ub_dataset *d)
{
    const size_t n = (size_t)d->features;
    struct scale s = {ub_calloc(n + 1, sizeof(double)), ub_calloc(n + 1, sizeof(double))};
    for (int64_t i = 0; i < d->train.count; i++)
        for (size_t k = 0; k < n; k++) {
            const double x = d->train.inputs[(size_t)i * n + k], before = x - s.mean[k];
            s.mean[k] += before / (double)(i + 1);
            s.deviation[k] += before * (x - s.mean[k]);
        }
    for (size_t k = 0; k < n; k++)
        s.deviation[k] = sqrt(s.deviation[k] / (double)d->train.count);
    return s;
}

/* One mean and deviation over all features: variance within features plus that between them. */
static void make_global(struct scale *s, size_t n)
{
    double mean = 0, square = 0;
    for (size_t k = 0; k < n; k++)
        mean += s->mean[k] / (double)n;
    for (size_t k = 0; k < n; k++) {
        const double off = s->mean[k] - mean;
        square += (s->deviation[k] * s->deviation[k] + off * off) / (double)n;
    }
    for (size_t k = 0; k < n; k++) {
        s->mean[k] = mean;
        s->deviation[k] = sqrt(square);
    }
}

/* False when a number leaves the range of doubles. */
static bool apply_scale(const struct ub_dataset *d, struct ub_split *split, const struct scale *s,
                        bool divide)
{
    const size_t n = (size_t)d->features;
    bool finite = true;
    for (size_t i = 0; i < (size_t)split->count; i++)
        for (size_t k = 0; k < n; k++) {
            double *x = &split->inputs[i * n + k];
            *x -= s->mean[k];
            /* A feature that rounding alone makes vary is constant. */
            bool constant = s->deviation[k] <= 1e-12 * fabs(s->mean[k]) || s->deviation[k] == 0;
            if (divide)
                *x = constant ? 0 : *x / s->deviation[k];
            finite = finite && isfinite(*x);
        }
    return finite;
}

static bool scale_inputs(struct ub_dataset *d, const char *how, const char *where,
                         struct ub_error *err)
{
    if (strcmp(how, "none") == 0)
        return true;
    forget_population(d);
    if (d->tokens > 0)
        return ub_fail(err, UB_INPUT, "%s: scale=%s of token indices; expected none", where, how);
    struct scale s = measure_features(d);
    if (strcmp(how, "global") == 0)
        make_global(&s, (size_t)d->features);
    const bool whiten = strcmp(how, "whiten") == 0;
    const bool divide = !whiten && strcmp(how, "center") != 0;
    const bool finite =
        apply_scale(d, &d->train, &s, divide) && apply_scale(d, &d->test, &s, divide);
    ub_free(s.mean);
    ub_free(s.deviation);
    if (!finite)
        return ub_fail(err, UB_INPUT,
                       "%s: scale=%s overflows; expected inputs of magnitude below 1e150", where,
                       how);
    return !whiten || ub_whiten(d, where, err);
}

/* ---- clone ---- */

static bool clone_inputs(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                         const char *where, struct ub_error *err)
{
    if (strcmp(ub_call_get(call, "clone"), "none") == 0)
        return true;
    forget_population(d);
    return ub_clone_classes(d, seed, where, err);
}

/* ---- target ---- */

static void aim_at_inputs(const struct ub_dataset *d, struct ub_split *split)
{
    const size_t bytes = (size_t)(split->count * d->features) * sizeof *split->targets;
    ub_free(split->labels);
    ub_free(split->targets);
    split->labels = NULL;
    split->targets = ub_alloc(bytes + sizeof *split->targets);
    memcpy(split->targets, split->inputs, bytes);
}

/* The split's rows, `first` the number of its first sample, of the orthonormal cosines of type II
 * over `count` samples, scaled to mean square 1. */
static bool aim_at_basis(struct ub_split *split, int64_t first, int64_t count, const char *where,
                         struct ub_error *err)
{
    if (!ub_size_fits(split->count, count, sizeof *split->targets, UB_DATA_BYTES))
        return ub_fail(err, UB_INPUT,
                       "%s: target=basis of %lld samples is too large; expected fewer", where,
                       (long long)count);
    ub_free(split->labels);
    ub_free(split->targets);
    split->labels = NULL;
    split->targets = ub_calloc((size_t)(split->count * count) + 1, sizeof *split->targets);
    for (int64_t i = 0; i < split->count; i++)
        for (int64_t j = 0; j < count; j++) {
            /* The angle is reduced in whole numbers: exact for any size. */
            const int64_t quarters = j * (2 * (first + i) + 1) % (4 * count);
            split->targets[i * count + j] =
                j == 0 ? 1 : sqrt(2) * cos(M_PI * (double)quarters / (double)(2 * count));
        }
    return true;
}

/* Moves whole rows. */
static void shuffle_targets(struct ub_dataset *d, uint64_t seed)
{
    const int64_t n = d->train.count;
    int64_t *order = ub_calloc((size_t)n, sizeof *order);
    struct ub_random r = ub_random_stream(seed, "data.shuffled");
    ub_random_permutation(&r, n, order);
    struct ub_split moved = take(d, &d->train, order, n);
    ub_free(order);
    ub_free(moved.inputs);
    ub_free(d->train.targets);
    ub_free(d->train.labels);
    d->train.targets = moved.targets;
    d->train.labels = moved.labels;
}

static bool choose_target(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                          const char *where, struct ub_error *err)
{
    const char *target = ub_call_get(call, "target");
    const int64_t count = d->train.count + d->test.count;
    const bool basis = strcmp(target, "basis") == 0;
    if (strcmp(target, "shuffled") == 0)
        shuffle_targets(d, seed);
    if (strcmp(target, "labels") == 0 || strcmp(target, "shuffled") == 0)
        return true;
    if (d->tokens > 0)
        return ub_fail(err, UB_INPUT, "%s: target=%s of tokens; expected labels", where, target);
    if (basis && (!aim_at_basis(&d->train, 0, count, where, err) ||
                  !aim_at_basis(&d->test, d->train.count, count, where, err)))
        return false;
    if (!basis)
        aim_at_inputs(d, &d->train);
    if (!basis && d->test.count > 0)
        aim_at_inputs(d, &d->test);
    ub_class_names_free(d);
    forget_population(d);
    d->noise = basis ? 0 : (double)NAN;
    d->task = UB_REGRESSION;
    d->outputs = basis ? count : d->features;
    d->positions = 1;
    return true;
}

/* Of one class there is nothing to learn: each model predicts it from the start, with loss 0. */
static bool check_classes(const struct ub_dataset *d, const char *where, struct ub_error *err)
{
    if (d->task != UB_CLASSIFICATION || d->outputs > 1)
        return true;
    return ub_fail(err, UB_INPUT, "%s: one class%s%s; expected two at least, to tell apart", where,
                   d->class_names ? ", " : "", d->class_names ? d->class_names[0] : "");
}

/* Fresh samples are the source's own. */
static bool check_online(const struct ub_dataset *d, const struct ub_call *call, const char *where,
                         struct ub_error *err)
{
    static const char *const plain[][2] = {
        {"scale", "none"}, {"target", "labels"}, {"clone", "none"}};
    for (size_t i = 0; d->fresh && i < sizeof plain / sizeof *plain; i++)
        if (strcmp(ub_call_get(call, plain[i][0]), plain[i][1]) != 0)
            return ub_fail(err, UB_INPUT, "%s: %s=%s of data drawn online; expected %s", where,
                           plain[i][0], ub_call_get(call, plain[i][0]), plain[i][1]);
    return true;
}

/* What is known of the source's own test samples is not of others, or of some of them. */
static void forget_test_entropy(struct ub_dataset *d, const struct ub_call *call)
{
    if (ub_call_real(call, "test") > 0 || strcmp(ub_call_get(call, "classes"), "none") != 0)
        d->test_entropy = NAN;
}

bool ub_dataset_prepare(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                        const char *where, struct ub_error *err)
{
    forget_test_entropy(d, call);
    return check_online(d, call, where, err) && keep_classes(d, call, where, err) &&
           choose_samples(d, call, seed, where, err) && fill_missing(d, where, err) &&
           scale_inputs(d, ub_call_get(call, "scale"), where, err) &&
           clone_inputs(d, call, seed, where, err) && choose_target(d, call, seed, where, err) &&
           check_classes(d, where, err);
}
