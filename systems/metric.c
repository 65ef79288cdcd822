#include "systems/metric.h"

#include <math.h>
#include <string.h>

/* ---- making ---- */

void ub_metric_clear(struct ub_metric *m)
{
    ub_free(m->values);
    ub_free(m->scale);
    *m = (struct ub_metric){0};
}

void ub_metric_identity(struct ub_metric *m, int64_t n)
{
    ub_metric_clear(m);
    m->n = n;
}

double *ub_metric_values(struct ub_metric *m, int64_t n)
{
    if (!m->values || m->n != n) {
        ub_metric_clear(m);
        m->values = ub_calloc((size_t)n, sizeof *m->values);
        m->scale = ub_calloc((size_t)n, sizeof *m->scale);
    }
    m->n = n;
    m->bases = NULL;
    return m->values;
}

bool ub_metric_ready(struct ub_metric *m, const char *whose, struct ub_error *err)
{
    for (int64_t i = 0; i < m->n; i++) {
        const double p = m->values[i];
        if (p < 0)
            return ub_fail(err, UB_INTERNAL,
                           "optimizer '%s': entry %lld of its preconditioner is %g; expected no "
                           "negative number",
                           whose, (long long)i, p);
        m->scale[i] = p == 0 ? 0 : isfinite(p) ? 1 / sqrt(p) : (double)NAN;
    }
    return true;
}

/* ---- powers ---- */

static double power_of(double scale, enum ub_power power)
{
    switch (power) {
    case UB_INVERSE:
        return scale * scale;
    case UB_INVERSE_ROOT:
        return scale;
    default:
        return scale == 0 ? 0 : 1 / scale;
    }
}

static void rotate(const struct ub_metric *m, bool back, const double *x, double *out)
{
    for (int64_t k = 0; m->bases && k < m->bases->count; k++) {
        const struct ub_tensor *t = &m->bases->tensors[k];
        ub_tensor_rotate(m->bases, t, back, x + t->offset, out + t->offset);
    }
}

void ub_metric_apply(const struct ub_metric *m, enum ub_power power, int64_t count, const double *V,
                     double *out)
{
    if (out != V)
        memcpy(out, V, (size_t)(count * m->n) * sizeof *out);
    for (int64_t r = 0; m->values && r < count; r++) {
        double *row = out + r * m->n;
        rotate(m, false, row, row);
        for (int64_t i = 0; i < m->n; i++)
            row[i] *= power_of(m->scale[i], power);
        rotate(m, true, row, row);
    }
}
