#include "report/laws/symmetry.h"
#include "report/laws/group.h"

#include <string.h>

/* Variances of units are 1e-2 and more: what is left of a scale is 1e-7 and less. */
static const double negligible = 1e-9;
/* Of outputs, on doubling a weight: far above epsilon's part, far below a weight's that has a
 * scale. */
static const double unchanged = 1e-2;

bool ub_is_normed(const struct ub_frame *frame, size_t row)
{
    const char *norm = ub_frame_word(frame, row, "model.norm");
    return *norm && strcmp(norm, "none") != 0 &&
           ub_frame_number(frame, row, "model.epsilon") <= negligible;
}

bool *ub_scale_free_weights(const struct ub_trace *t, size_t *count)
{
    size_t n = 0, found = 0;
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->observable[i], "weight-norm") == 0 && (size_t)t->index[i] >= n)
            n = (size_t)t->index[i] + 1;
    bool *is_free = ub_calloc(n + 1, sizeof *is_free);
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->observable[i], "scale-change") == 0 && (size_t)t->index[i] < n &&
            t->value[i] < unchanged) {
            is_free[t->index[i]] = true;
            found++;
        }
    for (size_t i = 0; found == 0 && i < n; i++)
        is_free[i] = true;
    *count = n;
    return is_free;
}
