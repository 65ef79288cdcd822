/* The whole spectrum of any matrix of the run as a density, by stochastic Lanczos quadrature
 * (Ubaru, Chen and Saad 2017, doi:10.1137/16M1104974; of Hessians: Ghorbani, Krishnan and Xiao
 * 2019, arXiv:1901.10159; Papyan 2018, arXiv:1811.07062), after the `deflate` eigenvalues largest
 * in size were found and taken out; traces of its powers, and what lies below zero.
 *
 * The matrix is that of the run's own training set: a run with fewer samples has another.
 *
 * Errors are half the widths of 95% intervals (quadrature.h). A density has none where its
 * smoothing is narrower than the quadrature resolves, or with one probe.
 *
 * The negative fraction is the number of eigenvalues less than -1e-5 of the largest one's size (so
 * that the many that are zero, and single precision's rounding of them, do not count), over the
 * number of all. Value and error are the middle and half the length of an interval that holds it
 * whatever lies between the nodes: long where many eigenvalues crowd about zero and steps are few,
 * and exact up to the probes' scatter with as many steps as there are distinct eigenvalues. */
#include "base/clock.h"
#include "bench/observables/operators.h"
#include "bench/spectra/quadrature.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_OPERATOR_OPTIONS,
    {"steps", UB_OPTION_INT, "100", 2, 2000, NULL, "Lanczos steps of each probe"},
    {"probes", UB_OPTION_INT, "5", 1, 1000, NULL,
     "random vectors; a density's error bars need two"},
    {"deflate", UB_OPTION_INT, "0", 0, 10000, NULL,
     "eigenvalues that are found first and taken out of the density"},
    {"points", UB_OPTION_INT, "200", 2, 10000, NULL, "points of the density's grid"},
    {"width", UB_OPTION_REAL, "0", 0, 1e30, NULL,
     "standard deviation of its smoothing; 0 = the grid's length over the steps"},
    {"shift", UB_OPTION_REAL, "0", 0, 1e30, NULL,
     "s of log det(A + s) and of the effective dimension tr A/(A + s), for semidefinite A; 0 = "
     "neither"},
    {"tolerance", UB_OPTION_REAL, "0.0001", 1e-12, 0.5, NULL,
     "residual bound of what is taken out, relative to the largest"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static const double rounding = 1e-5; /* of the largest eigenvalue's size */
static const double level = 0.95;

/* What one measurement's rows are written from. */
struct writer {
    const struct ub_call *call;
    const struct ub_moment *moment;
    struct ub_record *record;
    const struct ub_quadrature *q;
    char title[UB_TITLE];
};

static void write_row(const struct writer *w, const char *what, int64_t index, double value,
                      double error)
{
    char name[UB_TITLE + 32];
    snprintf(name, sizeof name, "%s.%s", what, w->title);
    if (isfinite(value))
        ub_record_value(w->record, w->moment, name, index, value, error);
}

static void write_estimate(const struct writer *w, const char *what, int64_t index,
                           struct ub_estimate e, double scale)
{
    write_row(w, what, index, e.value * scale, ub_estimate_margin(e, level) * scale);
}

/* ---- rows ---- */

/* The least smoothing that hides that nodes are no eigenvalues; none where each probe's rule is its
 * whole measure. */
static double resolution_of(const struct ub_quadrature *q)
{
    bool closed = true;
    for (int64_t p = 0; p < q->probes; p++)
        closed = closed && !(q->beta[p * q->steps + q->count[p] - 1] > 0);
    return closed ? 0 : (q->above - q->below) / (double)q->steps;
}

static void write_density(const struct writer *w)
{
    const int64_t points = ub_call_int(w->call, "points");
    const double length = w->q->above - w->q->below, given = ub_call_real(w->call, "width");
    const double width = given > 0 ? given : length / (double)ub_call_int(w->call, "steps");
    double *grid = ub_calloc((size_t)points, sizeof *grid);
    double *density = ub_calloc((size_t)points, sizeof *density);
    double *margin = ub_calloc((size_t)points, sizeof *margin);
    if (width > 0) {
        for (int64_t i = 0; i < points; i++)
            grid[i] =
                w->q->below - 3 * width + (length + 6 * width) * (double)i / (double)(points - 1);
        ub_quadrature_density(w->q, width, false, points, grid, level, density, margin);
    }
    const bool known = w->q->probes > 1 && width >= 0.999 * resolution_of(w->q);
    for (int64_t i = 0; width > 0 && i < points; i++) {
        write_row(w, "density-grid", i, grid[i], NAN);
        write_row(w, "density", i, density[i], known ? margin[i] : (double)NAN);
    }
    for (int64_t i = 0; i < w->q->outliers; i++)
        write_row(w, "density-outlier", i, w->q->atom[i], NAN);
    ub_free(grid);
    ub_free(density);
    ub_free(margin);
}

static void write_negatives(const struct writer *w, double largest)
{
    const double n = (double)w->q->n;
    const struct ub_range count = ub_quadrature_below(w->q, -rounding * largest, level);
    write_row(w, "negative-fraction", 0, (count.low + count.high) / 2 / n,
              (count.high - count.low) / 2 / n);
    double margin;
    const double mass = ub_quadrature_negative_mass(w->q, level, &margin);
    write_row(w, "negative-mass", 0, mass, margin);
}

static double damped(const void *context, double x)
{
    const double *shift = context;
    return x / (x + *shift);
}

static void write_scalars(const struct writer *w, bool semidefinite)
{
    enum { MOMENTS = 4 };
    const double shift = ub_call_real(w->call, "shift");
    const double largest = fmax(fabs(w->q->low), fabs(w->q->high));
    for (int p = 1; p <= MOMENTS; p++)
        write_estimate(w, "moment", p, ub_quadrature_moment(w->q, p), 1);
    if (semidefinite && shift > 0) {
        write_estimate(w, "log-det", 0, ub_quadrature_log_det(w->q, shift), 1);
        write_estimate(w, "effective-dimension", 0, ub_quadrature_sum(w->q, damped, &shift), 1);
    }
    if (semidefinite)
        return;
    write_negatives(w, largest);
}

/* ---- measuring ---- */

/* Probes side by side, within 64 MiB of their vectors: first touches of memory cost more than
 * blocks of large products save. */
static int64_t together_of(int64_t n, int64_t steps, int64_t probes)
{
    const int64_t most = ((int64_t)1 << 26) / ub_quadrature_bytes(n, steps);
    return most < 1 ? 1 : most < probes ? most : probes;
}

static bool find_outliers(struct ub_leading *l, const struct ub_matrix *m,
                          const struct ub_call *call, bool *known, struct ub_error *err)
{
    *known = true;
    if (ub_call_int(call, "deflate") == 0)
        return l->measurements++, true;
    const struct ub_lanczos_options o = {.count = ub_call_int(call, "deflate"),
                                         .which = UB_LARGEST_MAGNITUDE,
                                         .tolerance = ub_call_real(call, "tolerance"),
                                         .max_products = 10000,
                                         .seed = (uint64_t)ub_call_int(call, "seed")};
    return ub_leading_find(l, m, o, known, err);
}

/* *known false: a product was not finite. Counts what it costs with what finding outliers did. */
static bool find_quadrature(struct ub_leading *l, const struct ub_matrix *m,
                            const struct ub_call *call, struct ub_quadrature *q, bool *known,
                            struct ub_error *err)
{
    struct ub_error cause = {0};
    if (!find_outliers(l, m, call, known, err) || !*known)
        return err->code == UB_OK;
    const double start = ub_seconds();
    const int64_t before = m->products, probes = ub_call_int(call, "probes");
    const int64_t steps = ub_call_int(call, "steps");
    const struct ub_quadrature_options o = {.steps = steps,
                                            .probes = probes,
                                            .together = together_of(m->operator.n, steps, probes),
                                            .seed = (uint64_t)ub_call_int(call, "seed"),
                                            .outliers = l->found.count,
                                            .value = l->found.value,
                                            .vectors = l->found.vectors};
    *known = ub_quadrature_new(&m->operator, & o, q, &cause);
    l->seconds += ub_seconds() - start;
    l->products += m->products - before;
    return *known || cause.code == UB_INPUT || ub_fail(err, cause.code, "%s", cause.text);
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    struct ub_leading *leading = state;
    const struct ub_matrix_choice choice = ub_call_choice(call);
    const struct ub_matrix_point at = ub_moment_point(moment);
    if (!ub_matrix_exists(ub_matrix_find(choice.kind), moment->problem))
        return true;
    struct ub_matrix *m = ub_matrix_new(&choice, &at, err);
    if (!m)
        return false;
    struct ub_quadrature q = {0};
    char name[UB_TITLE + 16];
    bool known;
    const bool good = find_quadrature(leading, m, call, &q, &known, err);
    if (good && known) {
        struct writer w = {.call = call, .moment = moment, .record = record, .q = &q};
        ub_operator_title(call, w.title);
        write_density(&w);
        write_scalars(&w, m->kind->semidefinite);
        snprintf(name, sizeof name, "density.%s", w.title);
        ub_leading_cost(leading, record, name);
        ub_quadrature_free(&q);
    }
    ub_matrix_free(m);
    return good;
}

/* The probes' vectors (quadrature.h), and finding what is taken out. */
static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    const struct ub_matrix_choice choice = ub_call_choice(call);
    const int64_t n = ub_matrix_size(&choice, problem), steps = ub_call_int(call, "steps");
    const int64_t together = together_of(n, steps, ub_call_int(call, "probes"));
    const int64_t deflate = ub_call_int(call, "deflate");
    return together * ub_quadrature_bytes(n, steps) +
           (deflate > 0 ? ub_leading_bytes(&choice, problem, deflate)
                        : ub_matrix_bytes(&choice, problem, together));
}

static void close(void *state)
{
    ub_leading_clear(state);
}

static const struct ub_quantity rows[] = {
    {
        .name = "density.OPERATOR",
        .index = "point of the grid",
        .units = "1 per unit of the matrix",
        .meaning = "smoothed density of all eigenvalues",
        .figure = UB_FIGURE_OVER_INDEX,
    },
    {
        .name = "density-grid.OPERATOR",
        .index = "point of the grid",
        .units = "the matrix's",
        .meaning = "where the density is given",
    },
    {
        .name = "density-outlier.OPERATOR",
        .index = "as found, largest magnitude first",
        .units = "the matrix's",
        .meaning = "eigenvalues taken out of the density",
    },
    {
        .name = "moment.OPERATOR",
        .index = "the power, 1 to 4",
        .units = "the matrix's, to that power",
        .meaning = "trace of the matrix's power",
    },
    {
        .name = "log-det.OPERATOR",
        .units = "1",
        .meaning = "log determinant of the shifted matrix",
    },
    {
        .name = "effective-dimension.OPERATOR",
        .units = "1",
        .meaning = "sum of x/(x + shift) over the eigenvalues x",
    },
    {
        .name = "negative-fraction.OPERATOR",
        .units = "1",
        .meaning = "share of eigenvalues below zero",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.01},
    },
    {
        .name = "negative-mass.OPERATOR",
        .units = "1",
        .meaning = "share of negative eigenvalues in the sum of magnitudes",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_density = {
    .name = "density",
    .summary = "density of all eigenvalues of any matrix of the run, traces, share below zero",
    .units = "1 per unit of the matrix; the matrix's",
    .citation = "Ubaru, Chen and Saad 2017, doi:10.1137/16M1104974; Ghorbani et al. 2019, "
                "arXiv:1901.10159",
    .rows = rows,
    .options = options,
    .at = "0+end",
    .state_bytes = sizeof(struct ub_leading),
    .check = ub_check_operator,
    .title = ub_operator_title,
    .bytes = bytes,
    .measure = measure,
    .close = close,
};
