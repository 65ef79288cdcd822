/* Critical batch size: the steps that stochastic gradient descent takes to a target loss, at the
 * best rate of each batch size B, fall with it as
 *
 *     S(B) = S_min (1 + B_c/B)
 *
 * (McCandlish et al. 2018, arXiv:1812.06162, section 2; Ma, Bassily and Belkin 2018,
 * arXiv:1712.06559). Where it comes from: a step at its best rate lowers the loss by
 * (|G|^4/2)/(G'H G + tr(H Sigma)/B), Sigma the covariance of the gradients of single samples, so
 * that steps are those of the full batch times 1 + tr(H Sigma)/(G'H G B).
 *
 * What B_c is: not that ratio at the target, nor tr(Sigma)/|G|^2 (observable noise-scale), which
 * change along the way. At one rate for the whole training the cost of small batches in samples,
 * S_min B_c, is min over T of T N(T)/(L* - L(T)), with L(T) the loss of the flow after the time
 * T = lr S and lr N(T)/B what noise has added by then: on a quadratic N(T) =
 * sum_k Sigma_kk (1 - exp(-2 h_k T))/4. For spectra 1/k^alpha this is within 2% of the exact cost,
 * where tr(H Sigma)/(G'H G) at the target is up to 14 times B_c, and tr(Sigma)/|G|^2 up to 4
 * times, down to a sixth of it (tests/test_critical_batch.c). So the law is about the form alone.
 *
 * The target is a tenth of the way from the least loss that any run came to up to the first one:
 * L = L_least + (L_0 - L_least)/10, of means over seeds. Steps are where the mean curve first is
 * there, best is the rate where they are fewest, refined by the parabola through it and its
 * neighbors (log S over log rate); it has to be inside the rates. The form is fitted to log S by
 * least squares; the datum is the share R^2 of its variance that the fit explains, the error the
 * jackknife's over seeds. Where all S are within a tenth there is nothing to explain, and R^2 is
 * 0: without noise the law says nothing that the mean does not, the control that must fail. */
#include "report/laws/group.h"

#include <math.h>

enum { LEAST_RATES = 5, LEAST_BATCHES = 5 };
static const double share = 0.1, least_spread = 1.1;

/* ---- which runs ----------------------------------------------------------------------------- */

static const char *const within[] = {"optimizer.lr", "optimizer.batch", "optimizer.batch-seed",
                                     "steps", NULL};

static void count_level(int *seen, size_t *n, size_t most, int level)
{
    for (size_t i = 0; i < *n; i++)
        if (seen[i] == level)
            return;
    if (*n < most)
        seen[(*n)++] = level;
}

/* Several rates and batches: other suites have one or two of them. */
static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *rate = ub_frame_column(frame, "optimizer.lr");
    const struct ub_column *batch = ub_frame_column(frame, "optimizer.batch");
    int rates[LEAST_RATES], batches[LEAST_BATCHES];
    size_t n_rates = 0, n_batches = 0;
    for (size_t i = 0; i < group->count; i++) {
        count_level(rates, &n_rates, LEAST_RATES, rate->level[group->row[i]]);
        count_level(batches, &n_batches, LEAST_BATCHES, batch->level[group->row[i]]);
    }
    return n_rates == LEAST_RATES && n_batches == LEAST_BATCHES;
}

static bool draws_batches(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "sgd") &&
           ub_frame_number(frame, row, "optimizer.batch") > 0 &&
           ub_run_rate_is_constant(frame, row) && ub_run_measures(frame, row, "loss");
}

/* ---- curves --------------------------------------------------------------------------------- */

/* A run's loss; past its end, if it diverged, infinite. */
struct curve {
    struct ub_series loss;
    double batch, rate;
    int rate_word, seed;
};

static struct curve *curves_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *rate = ub_frame_column(frame, "optimizer.lr");
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    struct curve *c = ub_calloc(group->count + 1, sizeof *c);
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        c[i] = (struct curve){.loss = ub_frame_series(frame, row, "loss", 0),
                              .batch = ub_frame_number(frame, row, "optimizer.batch"),
                              .rate = rate->number[row],
                              .rate_word = rate->level[row],
                              .seed = seed->level[row]};
    }
    return c;
}

static void free_curves(struct curve *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ub_series_clear(&c[i].loss);
    ub_free(c);
}

/* Of runs of one batch and rate, but for one seed: their mean loss at the steps of the longest. */
struct mean_curve {
    size_t n;
    double *step, *loss;
    double rate;
};

static bool is_of(const struct curve *c, const struct curve *like, int without)
{
    return c->batch == like->batch && c->rate_word == like->rate_word && c->seed != without;
}

static struct mean_curve mean_of(const struct curve *c, size_t n, const struct curve *like,
                                 int without)
{
    const struct ub_series *longest = &like->loss;
    struct mean_curve m = {0};
    double runs = 0;
    for (size_t i = 0; i < n; i++)
        if (is_of(&c[i], like, without)) {
            longest = c[i].loss.count > longest->count ? &c[i].loss : longest;
            m.rate += c[i].rate;
            runs++;
        }
    m.rate /= runs;
    m.n = longest->count;
    m.step = ub_calloc(m.n + 1, sizeof *m.step);
    m.loss = ub_calloc(m.n + 1, sizeof *m.loss);
    for (size_t k = 0; k < m.n; k++) {
        m.step[k] = (double)longest->step[k];
        for (size_t i = 0; i < n; i++)
            if (is_of(&c[i], like, without))
                m.loss[k] += (k < c[i].loss.count ? c[i].loss.value[k] : INFINITY) / runs;
    }
    return m;
}

static void free_mean(struct mean_curve *m)
{
    ub_free(m->step);
    ub_free(m->loss);
}

/* ---- steps to the target -------------------------------------------------------------------- */

static bool is_first(const struct curve *c, size_t i, bool rates, int without)
{
    for (size_t k = 0; k < i; k++)
        if (c[k].batch == c[i].batch && c[k].seed != without &&
            (!rates || c[k].rate_word == c[i].rate_word))
            return false;
    return c[i].seed != without;
}

static double target_of(const struct curve *c, size_t n, int without)
{
    double least = INFINITY, first = 0, runs = 0;
    for (size_t i = 0; i < n; i++) {
        if (c[i].seed == without || c[i].loss.count == 0)
            continue;
        first += c[i].loss.value[0];
        runs++;
        if (!is_first(c, i, true, without))
            continue;
        struct mean_curve m = mean_of(c, n, &c[i], without);
        for (size_t k = 0; k < m.n; k++)
            least = fmin(least, m.loss[k]);
        free_mean(&m);
    }
    return least + share * (first / runs - least);
}

struct sweep {
    size_t n;
    double *rate, *steps; /* ascending rates; INFINITY: never there */
    bool coarse;          /* some rate was there before the second measurement */
};

static struct sweep sweep_of(const struct curve *c, size_t n, double batch, double target,
                             int without)
{
    struct sweep s = {.rate = ub_calloc(2 * n + 2, sizeof *s.rate)};
    s.steps = s.rate + n + 1;
    for (size_t i = 0; i < n; i++) {
        if (c[i].batch != batch || !is_first(c, i, true, without))
            continue;
        struct mean_curve m = mean_of(c, n, &c[i], without);
        const double at = ub_first_reach(m.step, m.loss, m.n, target);
        size_t k = s.n++;
        for (; k > 0 && s.rate[k - 1] > m.rate; k--) {
            s.rate[k] = s.rate[k - 1];
            s.steps[k] = s.steps[k - 1];
        }
        s.rate[k] = m.rate;
        s.steps[k] = isfinite(at) ? at : INFINITY;
        s.coarse = s.coarse || (m.n > 1 && at < m.step[1] && m.step[1] > 1);
        free_mean(&m);
    }
    return s;
}

/* Fewest steps, at the vertex of the parabola through the least and its neighbors; NAN, and why,
 * where there is no telling. */
static double fewest(const struct sweep *s, const char **why)
{
    size_t best = 0;
    for (size_t k = 1; k < s->n; k++)
        best = s->steps[k] < s->steps[best] ? k : best;
    if (!isfinite(s->steps[best]))
        *why = "some batch size never comes to the target";
    else if (s->coarse)
        *why = "some batch size is at the target before the second measurement";
    else if (s->n < 3 || best == 0)
        *why = "the least rate is best at some batch size";
    else if (best == s->n - 1)
        *why = "the largest rate is best at some batch size";
    if (*why)
        return (double)NAN;
    if (!isfinite(s->steps[best - 1]) || !isfinite(s->steps[best + 1]) || s->steps[best] <= 0)
        return s->steps[best];
    const double y = log(s->steps[best]);
    const double left = log(s->rate[best - 1] / s->rate[best]);
    const double right = log(s->rate[best + 1] / s->rate[best]);
    const double a = (log(s->steps[best - 1]) - y) / left;
    const double b = (log(s->steps[best + 1]) - y) / right;
    const double curvature = (b - a) / (right - left), slope = a - curvature * left;
    return curvature > 0 ? exp(y - slope * slope / (4 * curvature)) : s->steps[best];
}

/* ---- the form ------------------------------------------------------------------------------- */

/* Sum of squares of log S - log(1 + c/B) about its mean. */
static double unexplained(const double *batch, const double *steps, size_t n, double c)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        const double y = log(steps[i]) - log1p(c / batch[i]);
        sum += y;
        squares += y * y;
    }
    return squares - sum * sum / (double)n;
}

/* Over log c by golden sections, from far below the least batch to far above the largest. */
static double critical_batch(const double *batch, const double *steps, size_t n)
{
    const double golden = 0.6180339887498949;
    double low = log(1e-4 * batch[0]), high = log(1e4 * batch[0]);
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, log(1e-4 * batch[i]));
        high = fmax(high, log(1e4 * batch[i]));
    }
    for (int k = 0; k < 100; k++) {
        const double a = high - golden * (high - low), b = low + golden * (high - low);
        if (unexplained(batch, steps, n, exp(a)) < unexplained(batch, steps, n, exp(b)))
            high = b;
        else
            low = a;
    }
    return exp(0.5 * (low + high));
}

static double r_squared(const double *batch, const double *steps, size_t n)
{
    double least = steps[0], most = steps[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, steps[i]);
        most = fmax(most, steps[i]);
    }
    if (!(most > least_spread * least))
        return 0;
    const double c = critical_batch(batch, steps, n);
    return 1 - unexplained(batch, steps, n, c) / unexplained(batch, steps, n, 0);
}

/* NAN, and why, where some batch has no best rate. */
static double explained(const struct curve *c, size_t n, int without, const char **why)
{
    const double target = target_of(c, n, without);
    double *batch = ub_calloc(2 * n + 2, sizeof *batch), *steps = batch + n + 1;
    size_t batches = 0;
    *why = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!is_first(c, i, false, without))
            continue;
        struct sweep s = sweep_of(c, n, c[i].batch, target, without);
        batch[batches] = c[i].batch;
        steps[batches++] = fewest(&s, why);
        ub_free(s.rate);
    }
    if (batches < LEAST_BATCHES)
        *why = "too few batch sizes";
    const double value = *why ? (double)NAN : r_squared(batch, steps, batches);
    ub_free(batch);
    return value;
}

static struct ub_datum fit(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    struct curve *c = curves_of(frame, group);
    double *without = ub_calloc(seed->n_words + 1, sizeof *without);
    struct ub_datum d = {.se = (double)NAN};
    const char *ignored;
    size_t n = 0;
    d.value = explained(c, group->count, -1, &d.why);
    for (int k = 0; !d.why && k < (int)seed->n_words; k++) {
        bool is_there = false;
        for (size_t i = 0; i < group->count; i++)
            is_there = is_there || c[i].seed == k;
        if (is_there)
            without[n++] = explained(c, group->count, k, &ignored);
    }
    if (n >= 3) {
        d.se = ub_deviation(without, n) * (double)(n - 1) / sqrt((double)n);
        d.df = (double)n - 1;
    }
    ub_free(without);
    free_curves(c, group->count);
    return d.why ? (struct ub_datum){.why = ub_group_why(frame, group, d.why)} : d;
}

const struct ub_law ub_law_critical_batch = {
    .name = "critical-batch",
    .strand = UB_HYPERPARAMETERS,
    .claim = "steps to a target loss at the best rate fall with the batch as 1 + B_c/B",
    .formula = "S(B) = S_min (1 + B_c/B)",
    .quantity = "share of the variance of log steps that the form explains",
    .citation = "McCandlish et al. 2018, arXiv:1812.06162",
    .who = "stochastic gradient descent over five batch sizes and five rates or more",
    .because = "steps that fall as the root of the batch would have 0.93 over batches of 1 to 64",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "optimizer.batch", .least = LEAST_BATCHES},
              {.axis = "optimizer.lr", .least = LEAST_RATES}},
    .applies = draws_batches,
    .concerns = has_sweep,
    .datum = fit,
    .is = {UB_AT_LEAST, .target = 0.95},
};
