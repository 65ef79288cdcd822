/* Loss collapse: loss curves of networks of different sizes, trained with one decayed schedule,
 * fall on one curve when time and loss are measured in units of their ends, closer than a size's
 * own curves from seed to seed ("supercollapse": Qiu et al. 2025, arXiv:2507.02119).
 * With x = step/steps, size p and seed w,
 *
 *     l(x, p, w) = (L(x, p, w) - L_0) / (L(1, p, w) - L_0)
 *     Delta(x)^2 = V_{p,w}[l] / E_{p,w}[l]^2           how far normalized curves are apart
 *     sigma(x)^2 = E_p V_w[L] / E_w[L - L_0]^2         the noise floor: each size by itself
 *
 * and the law is Delta < sigma: dividing by the own end takes out what a seed does to the whole
 * curve, which a decaying rate makes most of its noise. At a constant rate the end has a noise of
 * its own, of the same size: Delta is sqrt(2) sigma.
 *
 * L_0 is the irreducible loss. They fit it; here it is what the data state: noise^2/2 an output, or
 * the entropy. Loss is that of the test samples. The datum is the ratio of root mean squares of
 * Delta and sigma over x from 1/2 to 9/10: Delta is 0 at x = 1 whatever the curves. Its error: the
 * jackknife over seeds. Sizes are widths; runs may differ in steps, as compute-optimal ones do.
 *
 * Power. Where seeds part by their starts more than by their batches, as in short runs of adam, a
 * constant rate collapses as well: measured 0.98 against 0.94 with decay (batches of 32); by sgd
 * with batches of 8 it is 1.14 against 0.86. Batches of 2 are too noisy for 600 steps of decay to
 * make up for: 1.18. */
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

static const double first_x = 0.5, last_x = 0.9;
enum { PLACES = 17, LEAST_SEEDS = 3 };

static bool decays_online(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "loss") && ub_run_is(frame, row, "dataset.online", "true") &&
           ub_run_is(frame, row, "model.parametrization", "mup") &&
           (ub_run_is(frame, row, "optimizer.schedule", "linear") ||
            ub_run_is(frame, row, "optimizer.schedule", "cosine"));
}

/* ---- curves ---- */

static double irreducible(const struct ub_frame *frame, size_t row)
{
    const struct ub_run *run = &frame->store->runs[row];
    if (ub_run_is(frame, row, "loss", "ce"))
        return ub_run_fact(run, "entropy");
    const double noise = ub_run_fact(run, "noise");
    return noise * noise * ub_run_fact(run, "outputs") / 2;
}

/* Straight from measurement to measurement. */
static double value_at(const struct ub_series *s, double step)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->step[i] >= step && s->step[i - 1] <= step) {
            const double share = (step - s->step[i - 1]) / (s->step[i] - s->step[i - 1]);
            return (1 - share) * s->value[i - 1] + share * s->value[i];
        }
    return (double)NAN;
}

struct curve {
    int width, seed;
    double excess[PLACES], end; /* over L_0, at places x and at x = 1 */
};

static bool read_curve(const struct ub_frame *frame, size_t row, struct curve *c)
{
    const struct ub_run *run = &frame->store->runs[row];
    const double floor = irreducible(frame, row), steps = (double)run->spec.steps;
    if (run->status != UB_RUN_OK)
        return false;
    struct ub_series s = ub_frame_series(frame, row, "test-loss", 0);
    c->width = ub_frame_column(frame, "model.width")->level[row];
    c->seed = ub_frame_column(frame, "seed")->level[row];
    c->end = value_at(&s, steps) - floor;
    bool good = c->end > 0;
    for (int k = 0; k < PLACES; k++) {
        const double x = first_x + (last_x - first_x) * k / (PLACES - 1);
        c->excess[k] = value_at(&s, x * steps) - floor;
        good = good && isfinite(c->excess[k]);
    }
    ub_series_clear(&s);
    return good;
}

/* ---- spreads ---- */

struct moments {
    size_t n;
    double mean, squares;
};

static void add(struct moments *m, double x)
{
    const double before = x - m->mean;
    m->n++;
    m->mean += before / (double)m->n;
    m->squares += before * (x - m->mean);
}

/* Variance over the mean's square. */
static double relative_variance(const struct moments *m)
{
    return m->n > 1 ? m->squares / (double)(m->n - 1) / (m->mean * m->mean) : (double)NAN;
}

/* Mean over widths of the noise floor's square at a place. */
static double floor_at(const struct curve *c, size_t n, int widths, int without, int place)
{
    double sum = 0;
    int kept = 0;
    for (int w = 0; w < widths; w++) {
        struct moments m = {0};
        for (size_t i = 0; i < n; i++)
            if (c[i].width == w && c[i].seed != without)
                add(&m, c[i].excess[place]);
        if (m.n < 2)
            continue;
        sum += relative_variance(&m);
        kept++;
    }
    return sum / kept;
}

/* Of all seeds but `without` (-1: of all). */
static double ratio_of(const struct curve *c, size_t n, int widths, int without)
{
    double apart = 0, floor = 0;
    for (int k = 0; k < PLACES; k++) {
        struct moments m = {0};
        for (size_t i = 0; i < n; i++)
            if (c[i].seed != without)
                add(&m, c[i].excess[k] / c[i].end);
        apart += relative_variance(&m);
        floor += floor_at(c, n, widths, without, k);
    }
    return sqrt(apart / floor);
}

static struct ub_datum ratio_with_error(const struct curve *c, size_t n, int widths, int n_seeds)
{
    double *without = ub_calloc((size_t)n_seeds + 1, sizeof *without);
    size_t seeds = 0;
    for (int s = 0; s < n_seeds; s++) {
        bool there = false;
        for (size_t i = 0; i < n; i++)
            there = there || c[i].seed == s;
        if (there)
            without[seeds++] = ratio_of(c, n, widths, s);
    }
    struct ub_datum d = {.why = "fewer than three seeds, or curves that did not end well"};
    const double spread = ub_deviation(without, seeds), m = (double)seeds;
    if (seeds >= LEAST_SEEDS && isfinite(spread))
        d = (struct ub_datum){
            .value = ratio_of(c, n, widths, -1), .se = spread * (m - 1) / sqrt(m), .df = m - 1};
    ub_free(without);
    return d;
}

static struct ub_datum spread_over_floor(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *width = ub_frame_column(frame, "model.width");
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    struct curve *c = ub_calloc(group->count + 1, sizeof *c);
    size_t n = 0;
    for (size_t i = 0; width && i < group->count; i++)
        n += read_curve(frame, group->row[i], &c[n]);
    struct ub_datum d = {.why = ub_group_why(frame, group, "no curves")};
    if (n > 0)
        d = ratio_with_error(c, n, (int)width->n_words, (int)seed->n_words);
    ub_free(c);
    return d;
}

/* From the first measured step to the end, in units of both ends. */
static bool scaled_curve(const struct ub_frame *frame, size_t row, struct ub_series *measured,
                         struct ub_series *scaled)
{
    const double floor = irreducible(frame, row),
                 steps = (double)frame->store->runs[row].spec.steps;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return false;
    *measured = ub_frame_series(frame, row, "test-loss", 0);
    *scaled = ub_frame_series(frame, row, "test-loss", 0);
    const double end = value_at(scaled, steps) - floor;
    for (size_t i = 0; i < scaled->count; i++) {
        scaled->step[i] /= steps;
        scaled->value[i] = (scaled->value[i] - floor) / end;
    }
    if (end > 0)
        return true;
    ub_series_clear(measured);
    ub_series_clear(scaled);
    return false;
}

static const struct ub_law_curves curves = {.curve = scaled_curve,
                                            .by = "model.width",
                                            .x = "step",
                                            .y = "test loss",
                                            .scaled_x = "step / steps",
                                            .scaled_y = "(L - L_0) / (L at the end - L_0)"};

static const char *const within[] = {"model.width", "steps", NULL};

const struct ub_law ub_law_loss_collapse = {
    .name = "loss-collapse",
    .strand = UB_EMPIRICAL,
    .claim = "with a decayed rate, loss curves of all widths collapse onto one, closer than seeds",
    .formula = "Delta <= sigma, l(x) = (L(x) - L_0)/(L(1) - L_0)",
    .quantity = "spread of normalized curves over the spread from seed to seed",
    .citation = "Qiu et al. 2025, arXiv:2507.02119",
    .who = "networks under mup of several widths, online, at a rate that decays to 0",
    .because = "1 is what tells collapse from noise; at a constant rate theory says 1.41",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "model.width", .least = 3},
              {.axis = "seed", .least = 3}},
    .applies = decays_online,
    .datum = spread_over_floor,
    .curves = &curves,
    .is = {UB_AT_MOST, .target = 1},
};
