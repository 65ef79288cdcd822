/* Form of learning curves: test error falls with the number of samples n as a power of it, and
 * neither exponentially nor as a logarithm does (Hestness et al. 2017, arXiv:1712.00409, of
 * networks; Spigler et al. 2019, arXiv:1905.10843, of kernels on MNIST and CIFAR-10). Unlike
 * data-scaling (data_scaling.c) it needs no population: it is a question to data of any origin.
 *
 * A group is one kernel on one dataset at all n; of each n the mean over draws of log test error.
 * Each form has two parameters (report/statistics/curve_forms.h), so BIC differs by
 * N ln(rss rival/rss power) over N sizes: the datum is that of the better rival, its error the
 * jackknife's over draws. Residuals are a form's misfit and what draws leave of noise, which brings
 * the datum to 0: few draws leave it undecided, they do not make a power law.
 *
 * Noise would add a floor: systems with some are no part of it. Controls: Gaussian data of
 * power-law spectrum and target, whose error is a power by theorem (data_scaling.c); and isotropic
 * ones of p features below n = p, whose error is proportional to 1 - n/p (Hastie et al. 2019,
 * arXiv:1903.08560): a line, which falls slower than any power first, and then faster. */
#include "report/laws/group.h"
#include "report/statistics/curve_forms.h"

#include <math.h>

enum { LEAST_SIZES = 5, LEAST_DRAWS = 4 };

static bool is_kernel_regression(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "loss") && ub_run_is(frame, row, "optimizer", "ridge") &&
           !(ub_frame_number(frame, row, "dataset.noise") > 0);
}

/* Other suites' kernel regressions are at a few sizes. */
static bool has_curve(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *size = ub_frame_column(frame, "dataset.size");
    size_t different = 0;
    for (size_t i = 0; i < group->count; i++) {
        size_t k = 0;
        while (k < i && size->level[group->row[k]] != size->level[group->row[i]])
            k++;
        different += k == i && size->level[group->row[i]] >= 0;
    }
    return different >= LEAST_SIZES;
}

struct point {
    double n, log_error;
    int draw;
};

struct curve {
    size_t count;
    struct point *point;
};

static struct curve curve_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct ub_column *draw = ub_frame_column(frame, "data-seed");
    struct curve c = {.point = ub_calloc(group->count + 1, sizeof *c.point)};
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const double n = ub_frame_number(frame, row, "samples");
        const double log_error = log(ub_run_last(frame, row, "test-loss"));
        if (n > 0 && isfinite(log_error))
            c.point[c.count++] = (struct point){n, log_error, draw->level[row]};
    }
    return c;
}

/* N ln(rss rival/rss power) of means without one draw (-1: of all); NAN with too few sizes. */
static double preference(const struct curve *c, int without)
{
    double *x = ub_calloc(3 * c->count + 1, sizeof *x), *y = x + c->count, *times = y + c->count;
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        size_t k = 0;
        if (c->point[i].draw == without)
            continue;
        while (k < count && x[k] != c->point[i].n)
            k++;
        count += k == count;
        x[k] = c->point[i].n;
        y[k] += (c->point[i].log_error - y[k]) / ++times[k];
    }
    double rss[UB_FORMS];
    ub_curve_forms(x, y, count, rss);
    ub_free(x);
    return count < LEAST_SIZES
               ? (double)NAN
               : (double)count * log(fmin(rss[UB_FORM_EXPONENTIAL], rss[UB_FORM_LOGARITHM]) /
                                     rss[UB_FORM_POWER]);
}

/* The draws in `out` (of c->count); how many. */
static size_t draws_of(const struct curve *c, int *out)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        size_t k = 0;
        while (k < n && out[k] != c->point[i].draw)
            k++;
        out[k] = c->point[i].draw;
        n += k == n;
    }
    return n;
}

static struct ub_datum evidence(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct curve c = curve_of(frame, group);
    int *draw = ub_calloc(c.count + 1, sizeof *draw);
    const size_t n = draws_of(&c, draw);
    const double value = preference(&c, -1);
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) { /* Welford */
        const double left = preference(&c, draw[i]), off = left - mean;
        mean += off / (double)(i + 1);
        squares += off * (left - mean);
    }
    ub_free(draw);
    ub_free(c.point);
    if (n < LEAST_DRAWS || !isfinite(value) || !isfinite(squares))
        return (struct ub_datum){.why = ub_group_why(frame, group, "too few sizes or draws")};
    return (struct ub_datum){
        .value = value, .se = sqrt(squares * (double)(n - 1) / (double)n), .df = (double)n - 1};
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    const struct ub_column *draw = ub_frame_column(frame, "data-seed");
    for (size_t i = 0; i < group->count; i++)
        ub_trend_add(trend, (struct ub_axis_point){ub_frame_number(frame, group->row[i], "samples"),
                                                   ub_run_last(frame, group->row[i], "test-loss"),
                                                   draw->level[group->row[i]]});
}

static const struct ub_law_trend trend = {.points = points, .x = "samples", .y = "test loss"};

static const char *const within[] = {"dataset.size", "dataset.test", NULL};

const struct ub_law ub_law_data_scaling_form = {
    .name = "data-scaling-form",
    .strand = UB_EMPIRICAL,
    .claim = "test error falls with samples as a power, not as an exponential or a logarithm",
    .formula = "min(BIC(e^-cn), BIC(a - b ln n)) - BIC(n^-b) >= 2, of the mean log error at each n",
    .quantity = "BIC of the better rival of a power law less that of the power law",
    .citation = "Hestness et al. 2017, arXiv:1712.00409; Spigler et al. 2019, arXiv:1905.10843",
    .who = "kernel regression on data without noise of any origin, at five sizes or more",
    .because = "2 is what Kass and Raftery (1995, JASA 90:773) call positive evidence",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "dataset.size", .least = LEAST_SIZES},
              {.axis = "data-seed", .least = LEAST_DRAWS}},
    .applies = is_kernel_regression,
    .concerns = has_curve,
    .datum = evidence,
    .trend = &trend,
    .is = {UB_AT_LEAST, .target = 2},
};
