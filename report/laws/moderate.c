#include "report/laws/moderate.h"
#include "report/statistics/moderated.h"

#include <math.h>

static bool is_mean(const struct ub_datum *d)
{
    return !d->why && d->runs > 0 && isfinite(d->value);
}

/* Of single runs about their mean. */
static double variance_of(const struct ub_datum *d)
{
    return d->runs > 1 && isfinite(d->se) ? d->se * d->se * (double)d->runs : 0;
}

static void set_error(struct ub_datum *d, const struct ub_variance_prior *prior)
{
    const double own = variance_of(d);
    const struct ub_variance v = ub_variance_moderated(prior, own, (double)d->runs - 1);
    const double se = sqrt(fmax(v.value, own) / (double)d->runs); /* fmax passes over NAN */
    if (d->own_se >= se && d->own_se > 0) {
        d->se = d->own_se;
        d->df = d->own_df;
    } else if (isfinite(v.value)) {
        d->se = se;
        d->df = v.df;
    }
}

void ub_data_moderate(struct ub_datum *data, size_t n)
{
    double *variance = ub_calloc(2 * n + 1, sizeof *variance), *df = variance + n;
    for (size_t i = 0; i < n; i++) {
        variance[i] = is_mean(&data[i]) ? variance_of(&data[i]) : 0;
        df[i] = is_mean(&data[i]) ? (double)data[i].runs - 1 : 0;
    }
    const struct ub_variance_prior prior = ub_variance_prior_fit(variance, df, n);
    for (size_t i = 0; i < n; i++)
        if (is_mean(&data[i]))
            set_error(&data[i], &prior);
    ub_free(variance);
}
