/* shared.h - what the observables of one run compute once for all of them; private to this folder.
 *
 * An observable that needs the curvature says so in its join(); from the first measurement on one
 * tracker follows as many eigenpairs, as exactly, as the most demanding observable asked for. At
 * one step everything here is computed at most once, however many ask for it. */
#ifndef UB_OBSERVABLES_SHARED_H
#define UB_OBSERVABLES_SHARED_H

#include "bench/observables/ball_maximum.h"
#include "bench/observables/observables.h"
#include "bench/observables/path.h"
#include "bench/spectra/eigen.h"

struct ub_shared *ub_shared_new(void);
void ub_shared_free(struct ub_shared *s);
/* A new moment: nothing is known of it. */
void ub_shared_renew(struct ub_shared *s);

/* ---- curvature: top eigenpairs of the preconditioned Hessian (curvature/curvature.h), that is of
 * P^-1/2 (H + l2 I) P^-1/2, P the optimizer's metric and l2 its coupled decay --------------------
 */

void ub_shared_ask_curvature(struct ub_shared *s, int64_t top, double tolerance, int64_t products);
/* The same where only the values are read, to an accuracy (eigen.h). */
void ub_shared_ask_values(struct ub_shared *s, int64_t top, double accuracy, int64_t products);
void ub_shared_ask_starts(struct ub_shared *s, int64_t starts);
/* For an optimizer that descends over the ball of a norm: the generalized sharpness in place of the
 * one eigenvalue, its maximizer as vector and its spread as residual (ball_maximum.h), scaled by
 * the optimizer's factor. Records also its cost: facts hvps.sharpness, measurements.sharpness and
 * unconverged.sharpness (measurements whose products ran out; their residuals say how exact they
 * are). */
bool ub_shared_curvature(const struct ub_moment *moment, struct ub_record *record,
                         struct ub_eigen_result *result, struct ub_error *err);
/* With the Hessian at another point than the moment's, whose metric it is. */
bool ub_shared_curvature_at(const struct ub_moment *moment, const double *theta,
                            struct ub_record *record, struct ub_eigen_result *result,
                            struct ub_error *err);
/* The same unscaled, of an optimizer that has a ball at this moment. */
bool ub_shared_ball(const struct ub_moment *moment, struct ub_record *record,
                    struct ub_ball_result *result, struct ub_error *err);
/* Edge ratios over this many times the threshold: for controls of laws, which must find it out. */
void ub_shared_misstate_edge(struct ub_shared *s, double factor);
/* Writes the row edge-ratio of this moment unless it is written already, or has no threshold. */
bool ub_shared_write_edge_ratio(const struct ub_moment *moment, struct ub_record *record,
                                struct ub_error *err);

/* P^-1/2 g and (P^-1/2 (H + l2 I) P^-1/2) P^-1/2 g: the objective's gradient and the curvature
 * along it, in the coordinates in which the optimizer descends plainly. */
bool ub_shared_along(const struct ub_moment *moment, double *gradient, double *product,
                     struct ub_error *err);

struct ub_path *ub_shared_path(struct ub_shared *s); /* path.h */

/* ---- passes over a split: loss and accuracy, NAN where there is none ------------------------- */

void ub_shared_evaluate(const struct ub_moment *moment, bool test, double *loss, double *accuracy);

/* ---- small things that observables have in common -------------------------------------------- */

void ub_record_value(struct ub_record *record, const struct ub_moment *moment, const char *name,
                     int64_t index, double value, double error);
/* What a tracker of one eigenpair holds (eigen.h). */
enum { UB_TRACKER_VECTORS = 88 };
double ub_norm(int64_t n, const double *x);
/* Whether the run is gradient descent of the whole training set at a constant rate, without decay,
 * on squared loss of one target a sample: what is linear of it has closed forms. */
bool ub_moment_is_plain_descent(const struct ub_moment *moment);
/* H + l2 I at moment->theta, where the problem is linearised; release with ub_operator_free. */
struct ub_operator ub_moment_hessian(const struct ub_moment *moment);

/* Options that say which ranks of a spectrum a power law is fitted to, and the fit's rows. Values
 * come with bounds on their errors: ranks from the first whose value is not above ten times its
 * bound on are not fitted. */
#define UB_FIT_OPTIONS                                                                             \
    {"first", UB_OPTION_INT, "0", 0, 1e9, NULL, "first rank fitted, from 1; 0 = by the rule"},     \
    {                                                                                              \
        "last", UB_OPTION_INT, "0", 0, 1e9, NULL, "last rank fitted; 0 = by the rule"              \
    }
bool ub_check_fit(const struct ub_call *call, const char *where, struct ub_error *err);
void ub_record_exponent(struct ub_record *record, const struct ub_moment *moment,
                        const struct ub_call *call, const char *name, const double *values,
                        const double *bounds, int64_t n);
/* Their declarations: `name` as "exponent.LAYER", `of` as "of the layer's covariance". */
#define UB_EXPONENT_ROW(NAME, OF, ...)                                                             \
    {                                                                                              \
        .name = NAME, .index = ub_exponent_index, .units = "1",                                    \
        .meaning = "exponent of the power-law decay of the eigenvalues " OF, .column = "",         \
        .compared = {.kind = UB_COMPARED_MEASURED, .floor = 0.05}, __VA_ARGS__                     \
    }
#define UB_SCALAR_ROWS(WORD, OF)                                                                   \
    {.name = "stable-rank." WORD,                                                                  \
     .units = "1",                                                                                 \
     .meaning = "trace over the largest eigenvalue " OF},                                          \
        {.name = "participation-ratio." WORD,                                                      \
         .units = "1",                                                                             \
         .meaning = "squared trace over the trace of the square " OF},                             \
    {                                                                                              \
        .name = "entropy-rank." WORD, .units = "1",                                                \
        .meaning = "exponential of the eigenvalues' entropy " OF                                   \
    }
/* Written by what follows the sharpness. */
#define UB_EDGE_RATIO_ROW(...)                                                                     \
    {                                                                                              \
        .name = "edge-ratio", .units = "1",                                                        \
        .meaning = "sharpness over the optimizer's stability threshold",                           \
        .figure = UB_FIGURE_OVER_STEPS, .column = "final-", __VA_ARGS__                            \
    }
/* Rows stable-rank.TITLE, participation-ratio.TITLE and entropy-rank.TITLE of all eigenvalues of a
 * semidefinite matrix (scalars.h). */
void ub_record_scalars(struct ub_record *record, const struct ub_moment *moment, const char *title,
                       const double *values, int64_t n);

#endif
