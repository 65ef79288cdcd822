/* The values of one metric in one system, and why others are left out. */
#include "report/compare/compare.h"

#include <math.h>

struct reader {
    const struct system *s;
    const struct ub_comparison *m;
    const char *fact;
    char *condition;
    struct values *v;
    bool out_of_regime; /* some run without a partner */
};

static double fact_of(const struct reader *r, const struct ub_run *run)
{
    return ub_run_fact(run, r->fact);
}

static bool regime_not_reached(const struct reader *r, const struct ub_run *run)
{
    return r->condition && ub_run_fact(run, r->condition) == 0;
}

static void keep(const struct reader *r, int side, double value)
{
    struct values *v = r->v;
    v->x[side][v->n[side]++] =
        r->m->kind == UB_COMPARED_MEASURED ? metric_scaled(r->m, value) : value;
}

static bool same_seeds(const struct ub_run *a, const struct ub_run *b)
{
    return a->spec.seed == b->spec.seed && a->spec.data_seed == b->spec.data_seed;
}

/* ---- partners ------------------------------------------------------------------------------- */

static void count_partner(struct values *v, double x, double y)
{
    v->eligible[0]++;
    v->eligible[1]++;
    v->present[0] += isfinite(x) ? 1 : 0;
    v->present[1] += isfinite(y) ? 1 : 0;
    v->partners++;
}

/* As of what is computed before training: floors are for what chance may move. */
static bool differ(const struct ub_comparison *m, double x, double y)
{
    return !exact_values_agree(x, y) && fabs(x - y) > m->zero;
}

static void count_changed(const struct reader *r, size_t pair, double x, double y)
{
    struct values *v = r->v;
    if (!differ(r->m, x, y) || !bytes_are_due(r->s, pair, r->m, r->fact))
        return;
    if (v->changed++ > 0)
        return;
    v->changed_from = x;
    v->changed_to = y;
}

static void read_partners(const struct reader *r, size_t pair)
{
    struct values *v = r->v;
    const struct ub_run *a = r->s->run[0][pair], *b = r->s->run[1][pair];
    const double x = fact_of(r, a), y = fact_of(r, b);
    if (isnan(x) && isnan(y))
        return;
    if (a->status != b->status && !r->m->initial)
        v->left_out[OUT_ENDED] = true;
    else if (isnan(x) != isnan(y) && regime_not_reached(r, isnan(x) ? a : b))
        v->left_out[OUT_REGIME] = true;
    else if (isnan(x))
        v->left_out[OUT_NEW] = true;
    else {
        count_partner(v, x, y);
        v->vanished += isnan(y) ? 1 : 0;
        if (!isnan(y) && x != y && (isinf(x) || isinf(y)))
            v->infinite++;
        if (isfinite(x) && isfinite(y)) {
            keep(r, 0, x);
            keep(r, 1, y);
            v->sensitivity[v->n_pairs++] = sensitivity_of(r->s, pair, r->fact);
            count_changed(r, pair, x, y);
        }
    }
}

/* ---- runs without a partner ------------------------------------------------------------------ */

static bool any_ok(const struct system *s)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < s->n[side]; i++)
            if (s->run[side][i]->status == UB_RUN_OK)
                return true;
    return false;
}

/* A second run of the same seeds, which measured something else, tells nothing new. */
static bool is_repeated(const struct system *s, int side, size_t i)
{
    const struct ub_run *run = s->run[side][i];
    bool repeated = i > s->n_pairs && same_seeds(s->run[side][i - 1], run);
    for (size_t k = 0; k < s->n_pairs && !repeated; k++)
        repeated = same_seeds(s->run[side][k], run);
    return repeated;
}

static void read_single(struct reader *r, int side, const struct ub_run *run, bool needs_ok)
{
    struct values *v = r->v;
    const double x = fact_of(r, run);
    if (needs_ok && run->status != UB_RUN_OK && !r->m->initial) {
        v->left_out[OUT_ENDED] = v->left_out[OUT_ENDED] || !isnan(x);
    } else if (isnan(x) && regime_not_reached(r, run)) {
        r->out_of_regime = true;
    } else {
        v->eligible[side]++;
        v->present[side] += isfinite(x) ? 1 : 0;
        if (isfinite(x))
            keep(r, side, x);
    }
}

struct values values_of(const struct system *s, const struct ub_comparison *m, const char *fact,
                        double *work)
{
    struct values v = {.x = {work, work + s->n[0]}, .sensitivity = work + s->n[0] + s->n[1]};
    struct reader r = {s, m, fact, metric_condition(m, fact), &v, false};
    for (size_t i = 0; i < s->n_pairs; i++)
        if (i == 0 || !same_seeds(s->run[0][i - 1], s->run[0][i]))
            read_partners(&r, i);
    const bool needs_ok = any_ok(s);
    for (int side = 0; side < 2; side++)
        for (size_t i = s->n_pairs; i < s->n[side]; i++)
            if (!is_repeated(s, side, i))
                read_single(&r, side, s->run[side][i], needs_ok);
    if (r.out_of_regime && v.present[0] + v.present[1] > 0)
        v.left_out[OUT_REGIME] = true;
    ub_free(r.condition);
    return v;
}
