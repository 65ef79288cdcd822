/* trace.h - traces and Frobenius norms of symmetric operators from a few products.
 *
 *     struct ub_estimate trace;
 *     if (!ub_trace_xtrace(&hessian, 60, seed, &trace, &err))
 *         return false;
 *     printf("%g +- %g (95%%)\n", trace.value, ub_estimate_margin(trace, 0.95));
 *
 * Which one: Hutchinson's error falls as 1 / sqrt(products), but its samples are independent, so
 * that the interval is Student's. Hutch++ and XTrace first take out the operator's largest part,
 * and with decaying spectra are far more exact; XTrace uses every product twice and is the best of
 * the three there. Its samples share their test vectors, so that their scatter is not its error
 * (intervals from it cover 84 to 94% at 95%); its interval is the jackknife's, which is on the safe
 * side. Measured coverage of 95% intervals, a table that tests/test_trace.c prints:
 *     Hutchinson, Hutch++    94 to 96% with flat spectra or 60 products; as little as 86 to 92%
 *                            with 8 samples dominated by one eigenvalue, whose errors are skewed
 *     XTrace                 96 to 100%; up to twice too wide with decaying spectra
 *
 * Probes are normal vectors scaled to the length that makes the mean exact. Where the products
 * allowed reach n, the trace is exact instead, from n products with the identity. Products not
 * finite, or too few to be an estimate: false. */
#ifndef UB_TRACE_H
#define UB_TRACE_H

#include "bench/spectra/estimate.h"
#include "bench/spectra/operator.h"

/* Hutchinson (1990), with directions uniform on the sphere: tr A = n E v'Av, and from the same
 * products |A|_F^2 = n E |Av|^2. Either may be NULL. probes >= 2. Memory: 16 n doubles. */
bool ub_trace_hutchinson(const struct ub_operator *a, int64_t probes, uint64_t seed,
                         struct ub_estimate *trace, struct ub_estimate *squares,
                         struct ub_error *err);

/* Hutch++ (Meyer, Musco, Musco and Woodruff 2021, arXiv:2010.09649): a third of the products finds
 * an orthonormal Q near A's range, a third its trace tr QAQ', and the rest estimates what is left
 * by Hutchinson, whose standard error it is. products >= 6. Memory: products n doubles. */
bool ub_trace_hutchpp(const struct ub_operator *a, int64_t products, uint64_t seed,
                      struct ub_estimate *trace, struct ub_error *err);

/* XTrace (Epperly, Tropp and Webber 2024, arXiv:2301.07825): Hutch++'s estimate from all test
 * vectors but one, checked with that one, over all choices of it; half of the products are with
 * the test vectors, half with the basis. The standard error is the jackknife's: the estimate is
 * made anew without each test vector in turn, which needs no further product. On average its square
 * is no less than the variance of the estimate from one test vector fewer (Efron and Stein 1981,
 * doi:10.1214/aos/1176345462), so it is too large rather than too small. Cost beyond products:
 * 2 m n operations a product and 16 m^3 in all, m = products / 2.
 * products >= 4. Memory: 2 products n doubles. */
bool ub_trace_xtrace(const struct ub_operator *a, int64_t products, uint64_t seed,
                     struct ub_estimate *trace, struct ub_error *err);

#endif
