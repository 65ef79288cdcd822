/* Which observable's declaration a row of a trace has. */
#include "bench/curvature/curvature.h"
#include "bench/observables/observables.h"

#include <string.h>

const char ub_rank_index[] = "rank, 0 the largest";
const char ub_exponent_index[] =
    "0 exponent, 1 and 2 its 95% interval, 3 prefactor, 4 and 5 first and last rank fitted (from "
    "1), 6 R squared, 7 likeliest form: 0 power, 1 exponential, 2 stretched, 3 log-normal";

/* "hessian", "gauss-newton.fc1": begins with a matrix's name. */
static bool is_operator(const char *word, size_t length)
{
    const char *dot = memchr(word, '.', length);
    const size_t own = dot ? (size_t)(dot - word) : length;
    for (const char *const *name = ub_matrix_names; *name; name++)
        if (strlen(*name) == own && strncmp(*name, word, own) == 0)
            return true;
    return false;
}

/* Whether that word may stand where a declaration has LAYER, WEIGHT or OPERATOR; else any may. */
static bool may_stand(const struct ub_quantity *q, const char *word, size_t length)
{
    const bool has_dot = memchr(word, '.', length) != NULL;
    if (strstr(q->name, "OPERATOR"))
        return is_operator(word, length);
    if (strstr(q->name, "LAYER"))
        return !has_dot && !is_operator(word, length);
    return !strstr(q->name, "WEIGHT") || (has_dot && !is_operator(word, length));
}

const struct ub_quantity *ub_observable_row(const char *row, const struct ub_observable **by)
{
    const struct ub_quantity *best = NULL;
    const size_t whole = strlen(row);
    size_t least = whole + 1;
    for (size_t i = 0; ub_observables[i]; i++)
        for (const struct ub_quantity *q = ub_observables[i]->rows; q && q->name; q++) {
            const char *word;
            size_t length;
            if (!ub_quantity_fits(q, row, &word, &length) || length >= least ||
                (length > 0 && !may_stand(q, word, length)))
                continue;
            best = q;
            least = length;
            if (by)
                *by = ub_observables[i];
        }
    return best;
}
