/* Every kind of matrix: one entry here, and a function that opens it. */
#include "bench/curvature/matrix.h"

static const char gauss_newton[] = "Schraudolph 2002, doi:10.1162/08997660260028683; Martens 2014, "
                                   "arXiv:1412.1193";
static const char papyan[] = "Papyan 2020, arXiv:2008.11865";
static const char kernel[] = "Jacot et al. 2018, arXiv:1806.07572";

const struct ub_matrix_kind ub_matrix_kinds[] = {
    {
        .name = "hessian",
        .summary = "second derivatives of the loss, and of coupled decay",
        .citation = "Sagun et al. 2017, arXiv:1706.04454",
        .space = UB_OVER_PARAMETERS,
        .open = ub_open_hessian,
    },
    {
        .name = "gauss-newton",
        .summary = "curvature of the loss in the outputs, pulled back",
        .citation = gauss_newton,
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .open = ub_open_gauss_newton,
    },
    {
        .name = "residual",
        .summary = "Hessian less Gauss-Newton",
        .citation = gauss_newton,
        .space = UB_OVER_PARAMETERS,
        .open = ub_open_residual,
    },
    {
        .name = "fisher",
        .summary = "second moment of gradients with targets from the model",
        .citation = "Amari 1998, doi:10.1162/089976698300017746; Martens 2014, arXiv:1412.1193",
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .open = ub_open_gauss_newton,
    },
    {
        .name = "fisher-sampled",
        .summary = "fisher with one target drawn for each position",
        .citation = "Kunstner et al. 2019, arXiv:1905.12558",
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .open = ub_open_fisher_sampled,
    },
    {
        .name = "empirical-fisher",
        .summary = "second moment of the gradients of samples, or positions of sequences",
        .citation = "Kunstner et al. 2019, arXiv:1905.12558",
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .open = ub_open_empirical_fisher,
    },
    {
        .name = "gradient-covariance",
        .summary = "covariance of the gradients of samples, or positions of sequences",
        .citation = "McCandlish et al. 2018, arXiv:1812.06162",
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .open = ub_open_gradient_covariance,
    },
    {
        .name = "class",
        .summary = "Gauss-Newton of the class means",
        .citation = papyan,
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .by_class = true,
        .open = ub_open_class_part,
        .part = UB_PART_CLASS,
    },
    {
        .name = "cross-class",
        .summary = "Gauss-Newton of the cross-class means around them",
        .citation = papyan,
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .by_class = true,
        .open = ub_open_class_part,
        .part = UB_PART_CROSS,
    },
    {
        .name = "within-class",
        .summary = "Gauss-Newton of samples around the cross-class means",
        .citation = papyan,
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .by_class = true,
        .open = ub_open_class_part,
        .part = UB_PART_WITHIN,
    },
    {
        .name = "same-class",
        .summary = "Gauss-Newton of the labels' own outputs",
        .citation = papyan,
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .by_class = true,
        .open = ub_open_class_part,
        .part = UB_PART_SAME,
    },
    {
        .name = "same-mean",
        .summary = "class means of same-class",
        .citation = papyan,
        .space = UB_OVER_PARAMETERS,
        .semidefinite = true,
        .by_class = true,
        .open = ub_open_class_part,
        .part = UB_PART_SAME_MEAN,
    },
    {
        .name = "ntk",
        .summary = "neural tangent kernel over samples, or positions of sequences, and outputs",
        .citation = kernel,
        .space = UB_OVER_OUTPUTS,
        .semidefinite = true,
        .open = ub_open_ntk,
    },
    {
        .name = "ntk-mean",
        .summary = "neural tangent kernel over samples or positions, mean over outputs",
        .citation = kernel,
        .space = UB_OVER_ITEMS,
        .semidefinite = true,
        .open = ub_open_ntk_mean,
    },
    {
        .name = "data-covariance",
        .summary = "covariance of the inputs",
        .citation = "Bahri et al. 2024, doi:10.1073/pnas.2311878121",
        .space = UB_OVER_FEATURES,
        .semidefinite = true,
        .open = ub_open_data_covariance,
    },
    {
        .name = "activation-covariance",
        .summary = "covariance of a layer's activations",
        .citation = "Stringer et al. 2019, doi:10.1038/s41586-019-1346-5",
        .space = UB_OVER_UNITS,
        .semidefinite = true,
        .open = ub_open_activation_covariance,
    },
    {
        .name = "activation-gram",
        .summary = "conjugate kernel of a layer",
        .citation = "Fan and Wang 2020, arXiv:2005.11879",
        .space = UB_OVER_SAMPLES,
        .semidefinite = true,
        .open = ub_open_activation_gram,
    },
    {
        .name = "weight-gram",
        .summary = "squared singular values of a weight matrix",
        .citation = "Martin and Mahoney 2018, arXiv:1810.01075",
        .space = UB_OVER_WEIGHT,
        .semidefinite = true,
        .open = ub_open_weight_gram,
    },
    {.name = NULL},
};

const char *const ub_matrix_names[] = {
    "hessian",
    "gauss-newton",
    "residual",
    "fisher",
    "fisher-sampled",
    "empirical-fisher",
    "gradient-covariance",
    "class",
    "cross-class",
    "within-class",
    "same-class",
    "same-mean",
    "ntk",
    "ntk-mean",
    "data-covariance",
    "activation-covariance",
    "activation-gram",
    "weight-gram",
    NULL,
};

static const void *kind(size_t i)
{
    const size_t n = sizeof ub_matrix_kinds / sizeof *ub_matrix_kinds - 1;
    return i < n ? &ub_matrix_kinds[i] : NULL;
}

const struct ub_registry ub_matrix_registry = {"operator", kind, NULL, NULL};

const struct ub_matrix_kind *ub_matrix_find(const char *name)
{
    return ub_registry_find(&ub_matrix_registry, name);
}
