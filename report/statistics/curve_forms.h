/* curve_forms.h - which form a falling curve has: a power, an exponential or a logarithm.
 *
 *     double rss[UB_FORMS];
 *     ub_curve_forms(n, log_error, count, rss);
 *     delta = count * log(rss[UB_FORM_EXPONENTIAL] / rss[UB_FORM_POWER]);    // of BIC
 *
 * Each form has two parameters, so that a difference of BIC is that of the fits alone, count times
 * the log of a ratio of residual sums (normal residuals of log y of one unknown size). */
#ifndef UB_STATISTICS_CURVE_FORMS_H
#define UB_STATISTICS_CURVE_FORMS_H

#include <stddef.h>

enum ub_curve_form {
    UB_FORM_POWER,       /* log y = a - b log x */
    UB_FORM_EXPONENTIAL, /* log y = a - b x */
    UB_FORM_LOGARITHM,   /* y = e^a (1 - b log(x/x_1)), x_1 the least x; b >= 0, y > 0 everywhere */
    UB_FORMS
};

/* Least sums of squared residuals of log y, one a form; NAN with fewer than three points. No sum is
 * below count x 1e-24, which is rounding. x > 0, in any order, not all the same. */
void ub_curve_forms(const double *x, const double *log_y, size_t count, double rss[UB_FORMS]);

#endif
