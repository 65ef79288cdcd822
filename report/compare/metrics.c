/* The scale on which a number is compared, as who writes it declares (bench/store/quantity.h). */
#include "report/compare/compare.h"

#include <math.h>
#include <string.h>

const struct ub_comparison *metric_of(const char *fact)
{
    const struct ub_quantity *q = digest_quantity(fact);
    return q && q->compared.kind != UB_NOT_COMPARED ? &q->compared : NULL;
}

double metric_scaled(const struct ub_comparison *m, double value)
{
    return m->scale == UB_SCALE_LOG ? asinh(value / (2 * m->zero)) : value;
}

double metric_unscaled(const struct ub_comparison *m, double scaled)
{
    return m->scale == UB_SCALE_LOG ? 2 * m->zero * sinh(scaled) : scaled;
}

char *metric_condition(const struct ub_comparison *m, const char *fact)
{
    if (!m->given)
        return NULL;
    const char *suffix = strrchr(fact, '.');
    struct ub_text text = {0};
    ub_text_add(&text, "%.*s.%s", suffix ? (int)(suffix - fact) : 0, fact, m->given);
    return text.data;
}

bool exact_values_agree(double a, double b)
{
    static const double tolerance = 1e-3;
    return a == b || fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b));
}
