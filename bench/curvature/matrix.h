/* matrix.h - how the files of this folder make matrices. Private to this folder. */
#ifndef UB_CURVATURE_MATRIX_H
#define UB_CURVATURE_MATRIX_H

#include "bench/curvature/curvature.h"

/* Keeps an operator, which is freed with the matrix, and makes it m->operator. */
struct ub_operator *ub_matrix_stage(struct ub_matrix *m, struct ub_operator a);
/* Doubles that are freed with the matrix, zeroed. */
double *ub_matrix_array(struct ub_matrix *m, int64_t count);
/* An operator of the matrix itself. */
struct ub_operator ub_matrix_leaf(struct ub_matrix *m, int64_t n,
                                  void (*apply)(void *, int64_t, const double *, double *));
/* Numbers in all outputs on the training samples. */
int64_t ub_matrix_outputs(const struct ub_matrix *m);

/* parameters.c */
bool ub_open_hessian(struct ub_matrix *m, struct ub_error *err);
bool ub_open_gauss_newton(struct ub_matrix *m, struct ub_error *err);
bool ub_open_residual(struct ub_matrix *m, struct ub_error *err);
bool ub_open_fisher_sampled(struct ub_matrix *m, struct ub_error *err);
bool ub_open_empirical_fisher(struct ub_matrix *m, struct ub_error *err);
bool ub_open_gradient_covariance(struct ub_matrix *m, struct ub_error *err);
/* out = J' middle(J V), row by row. */
void ub_apply_between(struct ub_matrix *m, int64_t count, const double *V, double *out,
                      void (*middle)(const struct ub_matrix *m, double *t));
/* classes.c */
bool ub_open_class_part(struct ub_matrix *m, struct ub_error *err);
/* kernels.c */
bool ub_open_ntk(struct ub_matrix *m, struct ub_error *err);
bool ub_open_ntk_mean(struct ub_matrix *m, struct ub_error *err);
/* activations.c */
bool ub_open_data_covariance(struct ub_matrix *m, struct ub_error *err);
bool ub_open_activation_covariance(struct ub_matrix *m, struct ub_error *err);
bool ub_open_activation_gram(struct ub_matrix *m, struct ub_error *err);
bool ub_open_weight_gram(struct ub_matrix *m, struct ub_error *err);

#endif
