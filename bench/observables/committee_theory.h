/* committee_theory.h - soft committee machines on many inputs: what gradient descent on samples
 * each seen once comes to (Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225; Goldt et al. 2019,
 * arXiv:1906.08632); private to this folder.
 *
 *     struct ub_overlaps o = {.students = 2, .teachers = 2, .product = C};
 *     const struct ub_committee_descent descent = {.lr = 0.5, .batch = 1, .noise = 0.1};
 *     if (ub_committee_advance(&o, &descent, 0.1))       // 0.1 D steps further
 *         printf("%g\n", ub_committee_error(&o));
 *
 * Student sum_i g(x_i), teacher sum_n g(y_n), g(u) = erf(u/sqrt(2)), x_i = J_i . xi, y_n = b_n .
 * xi, xi of D normal numbers. All z = (x, y) are jointly normal, of covariance C: the overlaps Q =
 * J J', R = J b', T = b b'. A step J_i <- J_i - (lr/D) d/dJ_i (f - y)^2/2 on a fresh sample (or the
 * mean of `batch`), D to infinity and alpha = steps/D, makes them follow
 *
 *     dR_in/dalpha = -lr sum_a s_a <g'(x_i) y_n g(z_a)>
 *     dQ_ik/dalpha = -lr sum_a s_a (<g'(x_i) x_k g(z_a)> + <g'(x_k) x_i g(z_a)>)
 *                    + lr^2/batch (sum_ab s_a s_b <g'(x_i) g'(x_k) g(z_a) g(z_b)>
 *                                  + noise^2 <g'(x_i) g'(x_k)>)
 *
 * s = 1 for students and -1 for teachers. tests/test_committee.c has the four means by quadrature
 * and sampling. */
#ifndef UB_OBSERVABLES_COMMITTEE_THEORY_H
#define UB_OBSERVABLES_COMMITTEE_THEORY_H

#include <stdbool.h>
#include <stdint.h>

struct ub_overlaps {
    int students, teachers;
    double *product; /* C, square of students + teachers, row-major, students first */
};
struct ub_committee_descent {
    double lr, batch, noise; /* noise: standard deviation of that on the targets */
};

/* Means over normal z of covariance C (`order` x `order`), in closed form:
 * <g'(a) g'(b)>, <g'(a) b g(c)>, <g'(a) g'(b) g(c) g(d)>, and <g(a) g(b)>. */
double ub_committee_slopes(const double *C, int order, int a, int b);
double ub_committee_three(const double *C, int order, int a, int b, int c);
double ub_committee_four(const double *C, int order, int a, int b, int c, int d);
double ub_committee_two(const double *C, int order, int a, int b);

/* The generalization error <(student - teacher)^2>/2; exact at any D. */
double ub_committee_error(const struct ub_overlaps *o);
/* dC/dalpha; zero between teachers. */
void ub_committee_flow(const struct ub_overlaps *o, const struct ub_committee_descent *descent,
                       double *out);
/* Follows the equations over `alpha`, to 1e-9 of each overlap; false when they leave what is
 * finite. */
bool ub_committee_advance(struct ub_overlaps *o, const struct ub_committee_descent *descent,
                          double alpha);

#endif
