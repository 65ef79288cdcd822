#include "report/laws/decay.h"

#include <math.h>
#include <string.h>

const char *const exponent_matrices[EXPONENT_MATRICES] = {
    [OF_INPUTS] = "inputs", [OF_FIRST_LAYER] = "first layer",   [OF_LAST_LAYER] = "last layer",
    [OF_KERNEL] = "NTK",    [OF_GAUSS_NEWTON] = "Gauss-Newton", [OF_HESSIAN] = "Hessian",
};

static const double normal_quantile = 1.959963984540054;

/* ---- rows ------------------------------------------------------------------------------- */

double first_step_of(const struct ub_trace *trace, const char *observable)
{
    struct ub_series s = ub_trace_series(trace, observable, 0);
    const double step = s.count ? s.step[0] : (double)NAN;
    ub_series_clear(&s);
    return step;
}

double last_step_of(const struct ub_trace *trace, const char *observable)
{
    struct ub_series rows = ub_trace_series(trace, observable, 0);
    const double step = rows.count ? rows.step[rows.count - 1] : -1;
    ub_series_clear(&rows);
    return step;
}

void fit_at(const struct ub_trace *trace, const char *exponent, double step,
            double fit[UB_EXPONENT_ROWS])
{
    struct ub_series rows = ub_trace_spectrum(trace, exponent, (int64_t)step);
    for (size_t i = 0; i < UB_EXPONENT_ROWS; i++)
        fit[i] = i < rows.count ? rows.value[i] : (double)NAN;
    ub_series_clear(&rows);
}

/* ---- which of them ---------------------------------------------------------------------- */

static const char *const kernels[] = {"kernel-spectrum.ntk-mean", "spectrum.ntk-mean",
                                      "kernel-spectrum.ntk", "spectrum.ntk", NULL};
static const char *const gauss_newtons[] = {"spectrum.gauss-newton", NULL};
static const char *const hessians[] = {"spectrum.hessian", "hessian-spectrum", NULL};
static const char *const inputs[] = {"covariance-spectrum.inputs", "spectrum.data-covariance",
                                     NULL};

static const char *first_measured(const struct ub_trace *trace, const char *const *names)
{
    for (; *names; names++)
        for (size_t k = 0; k < trace->n_names; k++)
            if (strcmp(trace->names[k], *names) == 0)
                return *names;
    return NULL;
}

const char *decay_row(const struct ub_trace *trace, enum matrix_of matrix)
{
    static const char prefix[] = "covariance-spectrum.";
    const char *first = NULL, *last = NULL;
    if (matrix == OF_INPUTS)
        return first_measured(trace, inputs);
    if (matrix == OF_KERNEL)
        return first_measured(trace, kernels);
    if (matrix == OF_GAUSS_NEWTON)
        return first_measured(trace, gauss_newtons);
    if (matrix == OF_HESSIAN)
        return first_measured(trace, hessians);
    for (size_t k = 0; k < trace->n_names; k++) { /* layers are in the network's order */
        const char *name = trace->names[k];
        if (strncmp(name, prefix, sizeof prefix - 1) != 0 || strcmp(name, inputs[0]) == 0)
            continue;
        first = first ? first : name;
        last = name;
    }
    return matrix == OF_FIRST_LAYER ? first : last != first ? last : NULL;
}

/* "spectrum.hessian" and "weight-spectrum.fc1" have "exponent.hessian" and "exponent.fc1", and
 * "kernel-spectrum.ntk" has "exponent.kernel.ntk". */
static char *exponent_row(const char *values)
{
    struct ub_text name = {0};
    if (strcmp(values, "hessian-spectrum") == 0)
        return ub_strdup("hessian-exponent");
    const bool kernel = strncmp(values, "kernel-", 7) == 0;
    ub_text_add(&name, "exponent.%s%s", kernel ? "kernel." : "", strchr(values, '.') + 1);
    return name.data;
}

struct decay decay_at(const struct ub_trace *trace, const char *values, double step)
{
    struct decay d = {.fate = NOT_FITTED};
    char *exponent = exponent_row(values);
    fit_at(trace, exponent, step, d.fit);
    ub_free(exponent);
    d.se = (d.fit[UB_EXPONENT_HIGH] - d.fit[UB_EXPONENT_LOW]) / (2 * normal_quantile);
    if (isfinite(d.fit[UB_EXPONENT]) && isfinite(d.se))
        d.fate = d.fit[UB_EXPONENT_BEST] == UB_DECAY_POWER ? POWER_FITS : RIVAL_FITS;
    return d;
}

struct decay decay_last(const struct ub_trace *trace, enum matrix_of matrix)
{
    const char *values = decay_row(trace, matrix);
    return values ? decay_at(trace, values, last_step_of(trace, values))
                  : (struct decay){.fate = NOT_MEASURED};
}
