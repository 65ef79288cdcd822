/* The power law of a measured spectrum, and its scalars, as rows. */
#include "bench/observables/shared.h"
#include "bench/spectra/powerlaw.h"
#include "bench/spectra/scalars.h"

#include <math.h>
#include <string.h>

/* A value within a tenth of its error bound away from its place bends a log-log line by less than
 * 0.1 at that rank; smaller ones are noise. */
static const double least_ratio = 10;

bool ub_check_fit(const struct ub_call *call, const char *where, struct ub_error *err)
{
    enum { LEAST_RANKS = 5 }; /* what ub_powerlaw_fit needs */
    const int64_t first = ub_call_int(call, "first"), last = ub_call_int(call, "last");
    if (last == 0 || last >= (first > 0 ? first : 1) + LEAST_RANKS - 1)
        return true;
    return ub_fail(err, UB_INPUT, "%s: %s: first=%lld,last=%lld; expected at least %d ranks", where,
                   call->name, (long long)first, (long long)last, LEAST_RANKS);
}

static int64_t index_of_best(const char *best)
{
    static const char *const names[] = {[UB_DECAY_POWER] = "power",
                                        [UB_DECAY_EXPONENTIAL] = "exponential",
                                        [UB_DECAY_STRETCHED] = "stretched",
                                        [UB_DECAY_LOGNORMAL] = "log-normal"};
    _Static_assert(sizeof names / sizeof *names == UB_DECAY_FORMS, "every form has a name");
    for (int64_t i = 0; best && i < UB_DECAY_FORMS; i++)
        if (strcmp(names[i], best) == 0)
            return i;
    return -1;
}

void ub_record_exponent(struct ub_record *record, const struct ub_moment *moment,
                        const struct ub_call *call, const char *name, const double *values,
                        const double *bounds, int64_t n)
{
    int64_t known = 0;
    while (known < n && values[known] > 0 && values[known] >= least_ratio * bounds[known])
        known++;
    const int64_t last = ub_call_int(call, "last");
    const struct ub_powerlaw fit =
        ub_powerlaw_fit(values, known, ub_call_int(call, "first"), last < known ? last : known, 0);
    if (!fit.valid)
        return;
    const double rows[UB_EXPONENT_ROWS] = {
        [UB_EXPONENT] = fit.exponent,
        [UB_EXPONENT_LOW] = fit.low,
        [UB_EXPONENT_HIGH] = fit.high,
        [UB_EXPONENT_PREFACTOR] = fit.prefactor,
        [UB_EXPONENT_FIRST] = (double)fit.first,
        [UB_EXPONENT_LAST] = (double)fit.last,
        [UB_EXPONENT_R_SQUARED] = fit.r_squared,
        [UB_EXPONENT_BEST] = (double)index_of_best(fit.best),
    };
    for (int64_t i = 0; i < UB_EXPONENT_ROWS; i++)
        ub_record_value(record, moment, name, i, rows[i],
                        i == UB_EXPONENT ? (fit.high - fit.low) / 2 : (double)NAN);
}

void ub_record_scalars(struct ub_record *record, const struct ub_moment *moment, const char *title,
                       const double *values, int64_t n)
{
    const struct ub_scalars s = ub_spectrum_scalars(values, n);
    const struct {
        const char *name;
        double value;
    } rows[] = {{"stable-rank", s.stable_rank},
                {"participation-ratio", s.participation_ratio},
                {"entropy-rank", s.entropy_rank}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[UB_TITLE + 32];
        snprintf(name, sizeof name, "%s.%s", rows[i].name, title);
        if (isfinite(rows[i].value))
            ub_record_value(record, moment, name, 0, rows[i].value, NAN);
    }
}
