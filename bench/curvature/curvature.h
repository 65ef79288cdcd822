/* curvature.h - the symmetric matrices that a run has at a point, known through their products.
 *
 *     const struct ub_matrix_point at = {.problem = problem, .theta = theta};
 *     struct ub_matrix *g = ub_matrix_new(&(struct ub_matrix_choice){.kind = "gauss-newton",
 *                                                                    .layer = "fc1"}, &at, &err);
 *     ub_operator_apply(&g->operator, 4, V, GV);             // 4 rows of g->operator.n numbers
 *     ub_matrix_free(g);
 *
 * An item is one position with a target: a sample, or of a sequence each position that is asked
 * for. There are N of them from S samples; item i has k outputs z_i, the loss l_i, J_i =
 * dz_i/dtheta, g_i = dl_i/dtheta, and in the mean loss L the weight w_i: 1/N where every sample has
 * as many items, else 1/S over the items of its sample. `mean` is that by these weights, J the J_i
 * one below the other, W the w_i each k times, g = mean g_i, n parameters:
 *
 *   hessian              H + l2 I: of the objective L + l2/2 |theta|^2, H = d2L/dtheta2       n x n
 *   gauss-newton         G = mean J_i' (d2 l_i/dz_i2) J_i                                       "
 *   residual             H - G: what the model's own curvature adds                             "
 *   fisher               mean E g_i g_i', targets drawn from the model: = G for both losses (ce:
 *                        its softmax; mse: unit Gaussian noise)                                 "
 *   fisher-sampled       the same with one target drawn for each item; its expectation is fisher "
 *   empirical-fisher     C = mean g_i g_i' with the targets as they are                         "
 *   gradient-covariance  C - gg'. The mean gradient of b items drawn with replacement has
 *                        covariance (C - gg')/b; without, that times (N - b)/(N - 1). (Whole
 *                        sequences drawn are not items drawn: theirs go together)               "
 *   class, cross-class, within-class, same-class, same-mean
 *                        parts of gauss-newton by class, below                                  "
 *   ntk                  W^1/2 J J' W^1/2, JJ'/N for equal weights: the empirical neural tangent
 *                        kernel. For mse its eigenvalues but zeros are gauss-newton's    Nk x Nk
 *   ntk-mean             its mean over outputs: entries (1/k) tr of the k x k blocks       N x N
 *   data-covariance      Xc' Xc/(S - 1), X the inputs, Xc less their mean
 *   activation-covariance  the same of a layer's activations (of all positions as one vector)
 *   activation-gram      X X'/S of a layer's activations: the conjugate kernel             S x S
 *   weight-gram          W'W or WW', whichever is smaller; a convolution's W is output channels x
 *                        the rest
 *
 * Coupled decay is a term of the objective that no sample, output or target is part of: its Hessian
 * l2 I is in `hessian` alone. The others are about the loss, so that fisher = G, its parts by class
 * sum to G, and ntk has G's eigenvalues, whatever l2 is. Decoupled decay is in none of them: it
 * contracts the parameters beside the step, and moves the threshold (optimizers/adamw.c).
 *
 * Those n x n may be taken as the optimizer meets them, P^-1/2 A P^-1/2 with P its metric
 * (systems/metric.h; I where it has none), and of one layer alone (the diagonal block of its
 * parameters). The preconditioned Hessian is what sits at the edge of stability: the sharpness is
 * its top eigenvalue. Parameters the optimizer does not move (P = 0) are held: zero rows.
 *
 * Memory. Doubles held beside the problem's programs, for products of b vectors at once, Z = STk
 * the numbers of all outputs: residual and gradient-covariance b n; a layer's block 2 b n;
 * preconditioned 2 n + b n; fisher-sampled Z (b + 1); parts by class Z (b + 2); ntk b (Z + n);
 * ntk-mean b (3 Z + n); those of activations S x width + b max(S, width); weight-gram W + b
 * times its longer side. */
#ifndef UB_CURVATURE_H
#define UB_CURVATURE_H

#include "bench/spectra/operator.h"
#include "systems/metric.h"

/* ---- the curvature at an optimizer's edge ------------------------------------------------------
 */

/* H + l2 I, H the Hessian of the training loss where the problem is linearised. */
struct ub_operator ub_objective_hessian(struct ub_problem *problem, double l2);
/* P^-1/2 A P^-1/2: symmetric, with the eigenvalues of P^-1 A. Scratch 1; the metric must outlive
 * it. Both are freed with ub_operator_free. */
struct ub_operator ub_operator_in_metric(const struct ub_operator *a,
                                         const struct ub_metric *metric);

/* ---- matrices ---------------------------------------------------------------------------------
 */

/* Where: a run's parameters, and what belongs to them. All must outlive the matrix. */
struct ub_matrix_point {
    struct ub_problem *problem;
    const double *theta;
    const double *grad;                   /* at the iterate; NULL: computed where needed */
    const struct ub_optimizer *optimizer; /* NULL: nothing preconditioned, no l2 */
    const double *iterate; /* where the optimizer is, whose metric it is; NULL: at theta */
};

/* What a matrix's rows are, and so what `layer` may name in a choice. */
enum ub_matrix_space {
    UB_OVER_PARAMETERS, /* an entry of the layout, or all that begin with "NAME."; NULL or "all" =
                           every parameter */
    UB_OVER_OUTPUTS,    /* items x outputs, in the order of the data; no layer */
    UB_OVER_ITEMS,      /* items; no layer */
    UB_OVER_FEATURES,   /* numbers of an input; no layer */
    UB_OVER_UNITS,      /* activations: "inputs" or a hidden layer, must be given */
    UB_OVER_SAMPLES,    /* samples, of a layer's activations: likewise */
    UB_OVER_WEIGHT      /* the shorter side of an entry of the layout with two axes or more */
};

enum ub_class_part { /* of Gauss-Newton; defined below */
                     UB_PART_CLASS,
                     UB_PART_CROSS,
                     UB_PART_WITHIN,
                     UB_PART_SAME,
                     UB_PART_SAME_MEAN, /* within UB_PART_SAME */
                     UB_PARTS
};

struct ub_matrix;
struct ub_matrix_kind {
    const char *name, *summary, *citation;
    enum ub_matrix_space space;
    bool semidefinite;
    bool by_class;                                           /* only where there are classes */
    bool (*open)(struct ub_matrix *m, struct ub_error *err); /* makes m->operator */
    enum ub_class_part part;                                 /* for those by class */
};
extern const struct ub_matrix_kind ub_matrix_kinds[]; /* ends with a NULL name */
extern const char *const ub_matrix_names[];           /* their names: choices of an option */
extern const struct ub_registry ub_matrix_registry;
const struct ub_matrix_kind *ub_matrix_find(const char *name);

struct ub_matrix_choice {
    const char *kind, *layer;
    bool preconditioned;
    uint64_t seed; /* of fisher-sampled */
};

enum { UB_MATRIX_STAGES = 8, UB_MATRIX_ARRAYS = 4 };
struct ub_items;
struct ub_outputs;

/* Symmetric by construction; positive semidefinite where kind->semidefinite. */
struct ub_matrix {
    const struct ub_matrix_kind *kind;
    struct ub_operator operator;
    int64_t products; /* vectors it was applied to */

    struct ub_matrix_choice choice; /* from here on private to this folder */
    struct ub_matrix_point at;
    struct ub_operator stage[UB_MATRIX_STAGES];
    double *array[UB_MATRIX_ARRAYS];
    int n_stages, n_arrays;
    struct ub_metric metric;
    int64_t rows, columns; /* of array[0], where that is a matrix */
    struct ub_outputs *outputs;
    struct ub_items *items;
};

/* False, with what was expected, for an unknown kind, and for a layer or metric that the kind
 * cannot have. */
bool ub_matrix_check(const struct ub_matrix_choice *choice, struct ub_error *err);
/* False for kinds by class where there are no classes. */
bool ub_matrix_exists(const struct ub_matrix_kind *kind, const struct ub_problem *problem);
/* Bytes that the matrix will hold for products of `block` vectors at once, its programs included
 * (but for the Hessian's, which ub_problem_bytes has), before any of it is allocated; and rows of
 * the matrix, at most. Unknown layers count as the largest. */
int64_t ub_matrix_bytes(const struct ub_matrix_choice *choice, const struct ub_problem *problem,
                        int64_t block);
int64_t ub_matrix_size(const struct ub_matrix_choice *choice, const struct ub_problem *problem);

/* Linearises the problem at theta; the matrix is that of this point as long as the problem is
 * linearised there. NULL for an unknown kind or layer, a layer or metric where there can be none,
 * parts by class without classes. */
struct ub_matrix *ub_matrix_new(const struct ub_matrix_choice *choice,
                                const struct ub_matrix_point *at, struct ub_error *err);
void ub_matrix_free(struct ub_matrix *m);

/* ---- Gauss-Newton by class ---------------------------------------------------------------------
 *
 * (Papyan 2020, JMLR 21:252, arXiv:2008.11865.) With p_i the softmax of z_i and e_c the unit
 * vectors, G is a sum of squares of the gradients that sample i would have with label c',
 *
 *     G = sum_{i,c'} w_{i,c'} d_{i,c'} d_{i,c'}',   d_{i,c'} = J_i'(e_c' - p_i),  w = p_{i,c'}/N
 *
 * and for mse d_{i,c'} = J_i'e_c', w = 1/N. With c the class of i, m_{c,c'} the w-weighted mean of
 * d over the samples of class c and W_{c,c'} its weight, m_c the mean of the m_{c,c'} over
 * c' != c, each weighing W_{c,c'}, and W_c the sum of those,
 *
 *     class         sum_c W_c m_c m_c'                              rank C at most
 *     cross-class   sum_{c, c' != c} W_{c,c'} (m_{c,c'} - m_c)(.)'  rank C(C - 2) at most
 *     within-class  sum_{i, c' != c} w_{i,c'} (d_{i,c'} - m_{c,c'})(.)'
 *     same-class    sum_{i, c' = c}  w_{i,c'} d_{i,c'} d_{i,c'}'
 *
 * are semidefinite and sum to G: G_class, G_cross, G_within and G_{c=c'} of the paper. Under ce
 * same-class is small once samples are classified well; under mse it is not, and
 *
 *     same-mean     sum_c W_{c,c} m_{c,c} m_{c,c}'                  rank C at most
 *
 * is what its own class means make of it. Samples are items here, each of its label's class. */

/* Eigenvalues of the parts of low rank, descending: from Gram matrices of the class means, which
 * take C^2 products with J' and with J, and C^4 + b (n + 3 Z) doubles with b = 8. */
struct ub_class_structure {
    int64_t classes;
    double *class_values, *same_values; /* classes each */
    double *cross_values;               /* classes (classes - 1) */
};
/* False without classes, or with more than UB_MOST_CLASSES of them. */
enum { UB_MOST_CLASSES = 40 };
bool ub_class_structure_find(struct ub_class_structure *s, const struct ub_matrix_point *at,
                             struct ub_error *err);
void ub_class_structure_clear(struct ub_class_structure *s);

/* u' A u for each part A and each of `count` rows u of n numbers: shares is count x UB_PARTS. For
 * an eigenvector of G the first four sum to its eigenvalue, of which they are shares. */
bool ub_class_shares(const struct ub_matrix_point *at, int64_t count, const double *U,
                     double *shares, struct ub_error *err);

#endif
