/* powerlaw_models.c - four forms of decay fitted to the logarithms of a spectrum, through GSL. */
#include "bench/spectra/powerlaw_models.h"

#include <gsl/gsl_fit.h>
#include <gsl/gsl_multifit.h>
#include <math.h>

static const double LEAST_STRETCH = 0.05, MOST_STRETCH = 1;

int ub_decay_parameters(int form)
{
    return form == UB_DECAY_STRETCHED || form == UB_DECAY_LOGNORMAL ? 3 : 2;
}

/* Straight line through (x, y); returns the sum of squares. */
static double fit_line(const double *x, const double *y, int64_t n, double *residuals)
{
    double at, slope, c00, c01, c11, unused, squares = 0;
    gsl_fit_linear(x, 1, y, 1, (size_t)n, &at, &slope, &c00, &c01, &c11, &unused);
    for (int64_t i = 0; i < n; i++) {
        residuals[i] = y[i] - at - slope * x[i];
        squares += residuals[i] * residuals[i];
    }
    return squares;
}

/* Line through (k^beta, y). The abscissa is (k/last)^beta, which only rescales the slope. */
static double fit_stretched(const double *y, int64_t n, int64_t first, double beta, double *x,
                            double *residuals)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = pow((double)(first + i) / (double)(first + n - 1), beta);
    return fit_line(x, y, n, residuals);
}

/* Least squares over beta too: the best of a grid, which need not be unimodal, then golden
 * section around it. */
static double best_stretched(const double *y, int64_t n, int64_t first, double *x,
                             double *residuals)
{
    enum { GRID = 39, SECTIONS = 40 };
    const double step = (MOST_STRETCH - LEAST_STRETCH) / (GRID - 1), golden = (sqrt(5) - 1) / 2;
    double beta = LEAST_STRETCH, least = INFINITY;
    for (int i = 0; i < GRID; i++) {
        const double b = LEAST_STRETCH + step * i, q = fit_stretched(y, n, first, b, x, residuals);
        if (q < least) {
            least = q;
            beta = b;
        }
    }
    double low = fmax(beta - step, LEAST_STRETCH), high = fmin(beta + step, MOST_STRETCH);
    for (int i = 0; i < SECTIONS; i++) {
        const double width = golden * (high - low), left = high - width, right = low + width;
        if (fit_stretched(y, n, first, left, x, residuals) <=
            fit_stretched(y, n, first, right, x, residuals))
            high = right;
        else
            low = left;
    }
    const double refined = (low + high) / 2;
    const double q = fit_stretched(y, n, first, refined, x, residuals);
    return q < least ? q : fit_stretched(y, n, first, beta, x, residuals);
}

static double fit_quadratic(const double *x, const double *y, int64_t n, double *residuals)
{
    double middle = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        middle += x[i] / (double)n;
    gsl_matrix *design = gsl_matrix_alloc((size_t)n, 3);
    for (int64_t i = 0; i < n; i++)
        for (size_t j = 0; j < 3; j++)
            gsl_matrix_set(design, (size_t)i, j, pow(x[i] - middle, (double)j));
    gsl_vector *coefficients = gsl_vector_alloc(3), *rest = gsl_vector_alloc((size_t)n);
    gsl_matrix *covariance = gsl_matrix_alloc(3, 3);
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc((size_t)n, 3);
    const gsl_vector_const_view response = gsl_vector_const_view_array(y, (size_t)n);
    gsl_multifit_linear(design, &response.vector, coefficients, covariance, &squares, work);
    gsl_multifit_linear_residuals(design, &response.vector, coefficients, rest);
    for (int64_t i = 0; i < n; i++)
        residuals[i] = gsl_vector_get(rest, (size_t)i);
    gsl_multifit_linear_free(work);
    gsl_matrix_free(covariance);
    gsl_vector_free(rest);
    gsl_vector_free(coefficients);
    gsl_matrix_free(design);
    return squares;
}

void ub_decay_fits(const double *y, int64_t n, int64_t first, double *residuals,
                   double squares[UB_DECAYS])
{
    double *x = ub_calloc((size_t)n, sizeof *x);
    squares[UB_DECAY_STRETCHED] =
        best_stretched(y, n, first, x, residuals + UB_DECAY_STRETCHED * n);
    for (int64_t i = 0; i < n; i++)
        x[i] = (double)(first + i);
    squares[UB_DECAY_EXPONENTIAL] = fit_line(x, y, n, residuals + UB_DECAY_EXPONENTIAL * n);
    for (int64_t i = 0; i < n; i++)
        x[i] = log((double)(first + i));
    squares[UB_DECAY_POWER] = fit_line(x, y, n, residuals + UB_DECAY_POWER * n);
    squares[UB_DECAY_LOGNORMAL] = fit_quadratic(x, y, n, residuals + UB_DECAY_LOGNORMAL * n);
    ub_free(x);
}

/* For residuals of a regression on `parameters` smooth regressors, the estimate falls short by
 * about (parameters (1 + rho) + 2 rho)/n: Kendall 1954 (doi:10.1093/biomet/41.3-4.403) has
 * (1 + 3 rho)/n for the mean alone; each further regressor removes one more slow component. */
double ub_lag_one(const double *residuals, int64_t n, int parameters)
{
    double products = 0, squares = residuals[0] * residuals[0];
    for (int64_t i = 1; i < n; i++) {
        products += residuals[i] * residuals[i - 1];
        squares += residuals[i] * residuals[i];
    }
    if (!(squares > 0))
        return 0;
    const double rho = products / squares, p = parameters;
    return fmax(-0.5, fmin(0.98, ((double)n * rho + p) / fmax((double)n - p - 2, 1)));
}
