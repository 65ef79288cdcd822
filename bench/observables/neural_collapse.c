/* Neural collapse: the geometry of the last hidden layer's features about their class means
 * (Papyan, Han and Donoho 2020, arXiv:2008.08186). With h_ic the features of sample i of class c,
 * mu_c their class means, m the mean of those, M the matrix of columns mu_c - m (C of them), and W
 * the readout (C x width):
 *
 *     collapse-within        tr(S_w S_b^+) / C, S_w = mean_ic (h_ic - mu_c)(h_ic - mu_c)',
 *                            S_b = MM'/C
 *     collapse-norms         deviation over mean of the norms |mu_c - m|
 *     collapse-angles        mean over pairs of classes of |cos + 1/(C - 1)|
 *     collapse-self-duality  |V'/|V|_F - M/|M|_F|_F, V = W less the mean of its rows
 *     collapse-nearest       share of samples whose nearest class mean is not the class of the
 *                            largest output
 *
 * The readout is centered as the means are. Softmax does not see the mean of W's rows, and weight
 * decay takes it to 0; under squared loss without a bias it is part of the solution, an orthogonal
 * frame of features and readout alike (Tirer and Bruna 2022, arXiv:2202.08087), whose centered
 * parts are the simplex: W itself would stay at sqrt(2 - 2 sqrt(1 - 1/C)) from it.
 *
 * All are 0 where collapse is complete: within-class scatter gone, class means a simplex, the
 * readout parallel to them. Classifications with one target a sample, with a hidden layer, only;
 * self-duality where there is a matrix from the last hidden layer to the outputs. */
#include "bench/observables/shared.h"

#include <cblas.h>
#include <math.h>

struct features {
    int64_t n, width, classes;
    double *h, *mean; /* n x width; classes x width, less their mean; per sample less class mean */
    int64_t *count;
    double *center; /* width: mean of the class means */
    const int32_t *label;
};

static void take_means(struct features *f)
{
    for (int64_t i = 0; i < f->n; i++) {
        f->count[f->label[i]]++;
        cblas_daxpy((int)f->width, 1, f->h + i * f->width, 1, f->mean + f->label[i] * f->width, 1);
    }
    for (int64_t c = 0; c < f->classes; c++) {
        cblas_dscal((int)f->width, 1 / (double)f->count[c], f->mean + c * f->width, 1);
        cblas_daxpy((int)f->width, 1 / (double)f->classes, f->mean + c * f->width, 1, f->center, 1);
    }
    for (int64_t c = 0; c < f->classes; c++)
        cblas_daxpy((int)f->width, -1, f->center, 1, f->mean + c * f->width, 1);
}

static bool every_class_is_there(const struct features *f)
{
    for (int64_t c = 0; c < f->classes; c++)
        if (f->count[c] == 0)
            return false;
    return true;
}

/* sum_k mean_i ((h_i - mu_c) . u_k)^2 / s_k^2 over singular pairs of M: with S_b = MM'/C this is
 * tr(S_w S_b^+) / C. G = M'M has eigenvectors v_k to s_k^2, and u_k = M v_k / s_k. */
static bool within(const struct features *f, double *out, struct ub_error *err)
{
    const int C = (int)f->classes, width = (int)f->width;
    const size_t entries = (size_t)C * (size_t)C;
    double *g = ub_calloc(entries + (size_t)C, sizeof *g), *square = g + entries;
    double *u = ub_calloc((size_t)width, sizeof *u);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, C, C, width, 1, f->mean, width, f->mean,
                width, 0, g, C);
    const bool good = ub_eigen_dense(C, g, square, true, err);
    *out = 0;
    for (int k = 0; good && k < C; k++) {
        if (!(square[k] > 1e-10 * square[C - 1]))
            continue;
        cblas_dgemv(CblasRowMajor, CblasTrans, C, width, 1 / sqrt(square[k]), f->mean, width,
                    g + (size_t)k * (size_t)C, 1, 0, u, 1);
        for (int64_t i = 0; i < f->n; i++) {
            const double *mu = f->mean + f->label[i] * f->width;
            const double along = cblas_ddot(width, f->h + i * f->width, 1, u, 1) -
                                 cblas_ddot(width, f->center, 1, u, 1) -
                                 cblas_ddot(width, mu, 1, u, 1);
            *out += along * along / (square[k] * (double)f->n);
        }
    }
    ub_free(g);
    ub_free(u);
    return good;
}

static void shape_of_means(const struct features *f, double *norms, double *angles)
{
    const int64_t C = f->classes;
    double *norm = ub_calloc((size_t)C, sizeof *norm), mean = 0, square = 0;
    for (int64_t c = 0; c < C; c++) {
        norm[c] = cblas_dnrm2((int)f->width, f->mean + c * f->width, 1);
        mean += norm[c] / (double)C;
    }
    *angles = 0;
    for (int64_t c = 0; c < C; c++) {
        square += (norm[c] - mean) * (norm[c] - mean) / (double)C;
        for (int64_t d = 0; d < c; d++) {
            const double both =
                cblas_ddot((int)f->width, f->mean + c * f->width, 1, f->mean + d * f->width, 1);
            *angles +=
                2 * fabs(both / (norm[c] * norm[d]) + 1 / (double)(C - 1)) / (double)(C * (C - 1));
        }
    }
    *norms = sqrt(square) / mean;
    ub_free(norm);
}

/* The last matrix of the layout that takes the features to the outputs; NULL when none does. */
static const double *readout_of(const struct ub_moment *moment, const struct features *f)
{
    const struct ub_layout *layout = ub_problem_layout(moment->problem);
    for (int64_t i = layout->count - 1; i >= 0; i--) {
        const struct ub_param *p = &layout->params[i];
        if (p->rank == 2 && p->shape[0] == f->classes && p->shape[1] == f->width)
            return moment->theta + p->offset;
    }
    return NULL;
}

static double self_duality(const struct features *f, const double *w)
{
    const int64_t size = f->classes * f->width;
    double *own = ub_calloc((size_t)size, sizeof *own), sum = 0;
    for (int64_t i = 0; i < size; i++) {
        double mean = 0;
        for (int64_t c = 0; c < f->classes; c++)
            mean += w[c * f->width + i % f->width] / (double)f->classes;
        own[i] = w[i] - mean;
    }
    const double a = cblas_dnrm2((int)size, own, 1), b = cblas_dnrm2((int)size, f->mean, 1);
    for (int64_t i = 0; i < size; i++) {
        const double d = own[i] / a - f->mean[i] / b;
        sum += d * d;
    }
    ub_free(own);
    return sqrt(sum);
}

static int64_t largest(const double *x, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}

static double not_nearest(const struct features *f, const double *outputs)
{
    double *near = ub_calloc((size_t)f->classes, sizeof *near);
    int64_t differ = 0;
    for (int64_t i = 0; i < f->n; i++) {
        for (int64_t c = 0; c < f->classes; c++) {
            near[c] = 0;
            for (int64_t j = 0; j < f->width; j++) {
                const double d = f->h[i * f->width + j] - f->center[j] - f->mean[c * f->width + j];
                near[c] -= d * d;
            }
        }
        differ += largest(near, f->classes) != largest(outputs + i * f->classes, f->classes);
    }
    ub_free(near);
    return (double)differ / (double)f->n;
}

static bool record_all(const struct features *f, const struct ub_moment *moment,
                       struct ub_record *record, struct ub_error *err)
{
    double scatter, norms, angles;
    const double *w = readout_of(moment, f);
    double *outputs = ub_calloc((size_t)(f->n * f->classes), sizeof *outputs);
    if (!within(f, &scatter, err))
        return ub_free(outputs), false;
    shape_of_means(f, &norms, &angles);
    ub_problem_outputs(moment->problem, moment->theta, outputs);
    ub_record_value(record, moment, "collapse-within", 0, scatter, NAN);
    ub_record_value(record, moment, "collapse-norms", 0, norms, NAN);
    ub_record_value(record, moment, "collapse-angles", 0, angles, NAN);
    if (w)
        ub_record_value(record, moment, "collapse-self-duality", 0, self_duality(f, w), NAN);
    ub_record_value(record, moment, "collapse-nearest", 0, not_nearest(f, outputs), NAN);
    ub_free(outputs);
    return true;
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)state, (void)call;
    const struct ub_dataset *d = ub_problem_data(moment->problem);
    const int last = ub_problem_hidden_count(moment->problem) - 1;
    if (d->task != UB_CLASSIFICATION || ub_positions(d) > 1 || last < 0 || d->outputs < 2)
        return true;
    struct features f = {.n = d->train.count,
                         .width = ub_problem_hidden_width(moment->problem, last),
                         .classes = d->outputs,
                         .label = d->train.labels};
    f.h = ub_calloc((size_t)(f.n * f.width), sizeof *f.h);
    f.mean = ub_calloc((size_t)(f.classes * f.width), sizeof *f.mean);
    f.count = ub_calloc((size_t)f.classes, sizeof *f.count);
    f.center = ub_calloc((size_t)f.width, sizeof *f.center);
    ub_problem_hidden(moment->problem, last, moment->theta, f.h);
    take_means(&f);
    const bool good =
        !every_class_is_there(&f) || !isfinite(f.center[0]) || record_all(&f, moment, record, err);
    ub_free(f.h);
    ub_free(f.mean);
    ub_free(f.count);
    ub_free(f.center);
    return good;
}

static int64_t bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call;
    const struct ub_dataset *d = ub_problem_data(problem);
    const int last = ub_problem_hidden_count(problem) - 1;
    if (last < 0)
        return 0;
    const int64_t width = ub_problem_hidden_width(problem, last);
    return (int64_t)sizeof(double) *
           (d->train.count * (width + d->outputs) + 2 * d->outputs * (width + d->outputs));
}

static const struct ub_quantity rows[] = {
    {
        .name = "collapse-within",
        .units = "1",
        .meaning = "scatter of features within classes over that between them, tr(Sw Sb^+)/C",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "final-",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.02, .zero = 1e-9},
    },
    {
        .name = "collapse-norms",
        .units = "1",
        .meaning = "deviation over mean of the class means' norms",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "collapse-angles",
        .units = "1",
        .meaning = "mean distance of the class means' cosines from -1/(C - 1)",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "collapse-self-duality",
        .units = "1",
        .meaning = "distance of the readout from the class means, each centered and of norm 1",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {
        .name = "collapse-nearest",
        .units = "1",
        .meaning = "share of samples whose nearest class mean is not of the class predicted",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_neural_collapse = {
    .name = "neural-collapse",
    .summary = "geometry of the last hidden layer's class means, and scatter about them",
    .units = "1",
    .citation = "Papyan, Han and Donoho 2020, arXiv:2008.08186",
    .rows = rows,
    .at = "0+end",
    .bytes = bytes,
    .measure = measure,
};
