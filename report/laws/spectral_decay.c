/* Spectral decay: eigenvalues fall as a power of their rank, and the power is the data's: the same
 * for every model that is trained on them (Bahri et al. 2024, arXiv:2102.06701; Fan and Wang 2020,
 * arXiv:2005.11879; Stringer et al. 2019).
 *
 * One law a matrix. A group is one model on one dataset under one loss: the random-effects mean of
 * its runs' exponents at the end, over optimizers and seeds. Only spectra that a power law fits
 * best (BIC) have an exponent; what others have is no more than a mean slope. Models are compared
 * within a dataset and loss: the spread tau of their exponents, beyond their errors.
 *
 * A linear model's kernel is X X', and its Gauss-Newton matrix under squared loss X'X/n: the same
 * eigenvalues as those of the data. So are those of wide linear networks in the NTK parametrization
 * at their start: controls that must hold; and linear models of two datasets must differ. An
 * orthogonal first layer, no narrower than the inputs, has activations of the inputs' own spectrum,
 * and so have all linear layers after it: controls of the layers' laws. */
#include "report/laws/spectral_decay.h"
#include "report/laws/group.h"

#include <math.h>
#include <string.h>

/* What a run must measure for a matrix: an observable, and which of it (NULL: any). */
static const struct source {
    enum matrix_of matrix;
    const char *observable, *operator;
} sources[] = {
    {OF_FIRST_LAYER, "covariance-spectrum", NULL}, {OF_LAST_LAYER, "covariance-spectrum", NULL},
    {OF_KERNEL, "kernel-spectrum", NULL},          {OF_KERNEL, "spectrum", "ntk"},
    {OF_KERNEL, "spectrum", "ntk-mean"},           {OF_GAUSS_NEWTON, "spectrum", "gauss-newton"},
    {OF_HESSIAN, "spectrum", "hessian"},           {OF_HESSIAN, "hessian-spectrum", NULL},
};

/* And the data's own spectrum: not every run that looks for eigenvalues asks how they fall. */
static bool measures(const struct ub_frame *frame, size_t row, enum matrix_of matrix)
{
    if (!ub_run_measures(frame, row, "covariance-spectrum"))
        return false;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (sources[i].matrix == matrix && ub_run_measures_with(frame, row, sources[i].observable,
                                                                "operator", sources[i].operator))
            return true;
    return false;
}

static const char *const reasons[] = {[NOT_MEASURED] = "has no such spectrum",
                                      [NOT_FITTED] = "no fit",
                                      [RIVAL_FITS] = "another form than a power law fits better"};

static struct ub_datum exponent(const struct ub_frame *frame, const struct ub_rows *group,
                                enum matrix_of matrix)
{
    double *mean = ub_calloc(2 * group->count + 1, sizeof *mean), *se = mean + group->count;
    enum fate best = NOT_MEASURED;
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const struct ub_trace *trace = ub_frame_trace(frame, row);
        if (!trace || frame->store->runs[row].status != UB_RUN_OK)
            continue;
        const struct decay d = decay_last(trace, matrix);
        best = d.fate > best ? d.fate : best;
        mean[n] = d.fit[UB_EXPONENT];
        se[n] = d.se;
        n += d.fate == POWER_FITS;
    }
    const struct ub_interval all = ub_random_effects(mean, se, n).mean;
    ub_free(mean);
    if (n == 0)
        return (struct ub_datum){.why = ub_group_why(frame, group, reasons[best])};
    return (struct ub_datum){.value = all.estimate, .se = all.se, .df = n > 1 ? (double)n - 1 : 0};
}

/* ---- one of each for every matrix --------------------------------------------------------- */

static bool has_first_layer(const struct ub_frame *frame, size_t row)
{
    return measures(frame, row, OF_FIRST_LAYER);
}

static bool has_kernel(const struct ub_frame *frame, size_t row)
{
    return measures(frame, row, OF_KERNEL);
}

static bool has_gauss_newton(const struct ub_frame *frame, size_t row)
{
    return measures(frame, row, OF_GAUSS_NEWTON);
}

static bool has_hessian(const struct ub_frame *frame, size_t row)
{
    return measures(frame, row, OF_HESSIAN);
}

static struct ub_datum of_first_layer(const struct ub_frame *frame, const struct ub_rows *group)
{
    return exponent(frame, group, OF_FIRST_LAYER);
}

static struct ub_datum of_last_layer(const struct ub_frame *frame, const struct ub_rows *group)
{
    return exponent(frame, group, OF_LAST_LAYER);
}

static struct ub_datum of_kernel(const struct ub_frame *frame, const struct ub_rows *group)
{
    return exponent(frame, group, OF_KERNEL);
}

static struct ub_datum of_gauss_newton(const struct ub_frame *frame, const struct ub_rows *group)
{
    return exponent(frame, group, OF_GAUSS_NEWTON);
}

static struct ub_datum of_hessian(const struct ub_frame *frame, const struct ub_rows *group)
{
    return exponent(frame, group, OF_HESSIAN);
}

/* ---- the laws ------------------------------------------------------------------------------- */

static const char *const within[] = {"optimizer", NULL};
static const char because[] =
    "exponents 0.15 apart are a factor of 1.4 in the eigenvalue of rank 10 over that of rank 1";
static const char who[] = "spectra that a power law fits best, of models on one dataset and loss "
                          "that measure the matrix's own eigenvalues, too";
static const char quantity[] = "exponent of the decay of eigenvalues, at the end";

const struct ub_law ub_law_spectral_decay_first_layer = {
    .name = "spectral-decay-first-layer",
    .strand = UB_UNIVERSAL,
    .claim = "the first layer's activations decay with one exponent in all models of one dataset",
    .formula = "lambda_k ~ k^-alpha, lambda_k of the first layer's covariance; alpha the same in "
               "all models of one dataset",
    .quantity = quantity,
    .citation = "Stringer et al. 2019, doi:10.1038/s41586-019-1346-5",
    .who = who,
    .because = because,
    .within = within,
    .needs = {{.observable = "covariance-spectrum"}},
    .applies = has_first_layer,
    .datum = of_first_layer,
    .is = {UB_SAME, .margin = 0.15},
    .across = "model",
};

const struct ub_law ub_law_spectral_decay_last_layer = {
    .name = "spectral-decay-last-layer",
    .strand = UB_UNIVERSAL,
    .claim = "the last layer's activations decay with one exponent in all models of one dataset",
    .formula = "lambda_k ~ k^-alpha, lambda_k of the last hidden layer's covariance; alpha the "
               "same in all models of one dataset",
    .quantity = quantity,
    .citation = "Stringer et al. 2019, doi:10.1038/s41586-019-1346-5",
    .who = who,
    .because = because,
    .within = within,
    .needs = {{.observable = "covariance-spectrum"}},
    .applies = has_first_layer,
    .datum = of_last_layer,
    .is = {UB_SAME, .margin = 0.15},
    .across = "model",
};

const struct ub_law ub_law_spectral_decay_kernel = {
    .name = "spectral-decay-kernel",
    .strand = UB_UNIVERSAL,
    .claim = "neural tangent kernels decay with one exponent in all models of one dataset",
    .formula = "lambda_k ~ k^-alpha, lambda_k of J J'; alpha the same in all models of one dataset",
    .quantity = quantity,
    .citation = "Bahri et al. 2024, arXiv:2102.06701; Fan and Wang 2020, arXiv:2005.11879",
    .who = who,
    .because = because,
    .within = within,
    .needs = {{.observable = "covariance-spectrum"}},
    .applies = has_kernel,
    .datum = of_kernel,
    .is = {UB_SAME, .margin = 0.15},
    .across = "model",
};

const struct ub_law ub_law_spectral_decay_gauss_newton = {
    .name = "spectral-decay-gauss-newton",
    .strand = UB_UNIVERSAL,
    .claim = "Gauss-Newton matrices decay with one exponent in all models of one dataset",
    .formula = "lambda_k ~ k^-alpha, lambda_k of J'(d2 loss)J/n; alpha the same in all models of "
               "one dataset",
    .quantity = quantity,
    .citation = "Bahri et al. 2024, arXiv:2102.06701",
    .who = who,
    .because = because,
    .within = within,
    .needs = {{.observable = "covariance-spectrum"}},
    .applies = has_gauss_newton,
    .datum = of_gauss_newton,
    .is = {UB_SAME, .margin = 0.15},
    .across = "model",
};

const struct ub_law ub_law_spectral_decay_hessian = {
    .name = "spectral-decay-hessian",
    .strand = UB_UNIVERSAL,
    .claim = "Hessians decay with one exponent in all models of one dataset",
    .formula =
        "lambda_k ~ k^-alpha, lambda_k of the Hessian; alpha the same in all models of one dataset",
    .quantity = quantity,
    .citation = "Bahri et al. 2024, arXiv:2102.06701",
    .who = who,
    .because = because,
    .within = within,
    .needs = {{.observable = "covariance-spectrum"}},
    .applies = has_hessian,
    .datum = of_hessian,
    .is = {UB_SAME, .margin = 0.15},
    .across = "model",
};

const struct ub_law *const spectral_decay_laws[EXPONENT_MATRICES] = {
    [OF_FIRST_LAYER] = &ub_law_spectral_decay_first_layer,
    [OF_LAST_LAYER] = &ub_law_spectral_decay_last_layer,
    [OF_KERNEL] = &ub_law_spectral_decay_kernel,
    [OF_GAUSS_NEWTON] = &ub_law_spectral_decay_gauss_newton,
    [OF_HESSIAN] = &ub_law_spectral_decay_hessian,
};
