/* What is compared, on which scale, and how small a difference nobody objects to. */
#include "report/compare/compare.h"

#include <math.h>
#include <string.h>

/* The first pattern that fits counts. Losses below 1e-12 and curvatures below 1e-9 are zero to
 * rounding in single precision. */
static const struct metric metrics[] = {
    {.pattern = "lr",
     .kind = METRIC_EXACT,
     .floor = 1e-3,
     .least = 1e-30,
     .initial = true,
     .of_rate = true},
    {.pattern = "threshold",
     .kind = METRIC_EXACT,
     .floor = 1e-3,
     .least = 1e-30,
     .initial = true,
     .of_rate = true},
    {.pattern = "parameters", .kind = METRIC_EXACT, .initial = true},
    {.pattern = "samples", .kind = METRIC_EXACT, .initial = true},
    {.pattern = "classes", .kind = METRIC_EXACT, .initial = true},
    {.pattern = "*.reached", .kind = METRIC_SHARE},
    {.pattern = "*.plateau", .kind = METRIC_MEASURED, .floor = 0.01, .given = "reached"},
    {.pattern = "initial-loss",
     .kind = METRIC_MEASURED,
     .floor = 0.01,
     .least = 1e-12,
     .initial = true},
    {.pattern = "initial-sharpness",
     .kind = METRIC_MEASURED,
     .floor = 0.01,
     .least = 1e-9,
     .initial = true},
    {.pattern = "final-loss", .kind = METRIC_MEASURED, .floor = 0.02, .least = 1e-12},
    {.pattern = "final-test-loss", .kind = METRIC_MEASURED, .floor = 0.02, .least = 1e-12},
    {.pattern = "final-accuracy", .kind = METRIC_MEASURED, .floor = 0.005, .counted = true},
    {.pattern = "final-test-accuracy", .kind = METRIC_MEASURED, .floor = 0.005, .counted = true},
    {.pattern = "final-sharpness", .kind = METRIC_MEASURED, .floor = 0.01, .least = 1e-9},
    {.pattern = "final-distance", .kind = METRIC_MEASURED, .floor = 0.01, .least = 1e-9},
    {.pattern = "hessian-exponent", .kind = METRIC_MEASURED, .floor = 0.05},
    {.pattern = "exponent.*", .kind = METRIC_MEASURED, .floor = 0.05},
};

const struct metric *metric_of(const char *fact)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (ub_glob(metrics[i].pattern, fact))
            return &metrics[i];
    return NULL;
}

double metric_scaled(const struct metric *m, double value)
{
    return m->least > 0 ? asinh(value / (2 * m->least)) : value;
}

double metric_unscaled(const struct metric *m, double scaled)
{
    return m->least > 0 ? 2 * m->least * sinh(scaled) : scaled;
}

char *metric_condition(const struct metric *m, const char *fact)
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
