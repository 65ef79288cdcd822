/* Balance between layers: with W_l the matrices of a chain (units by rows) and b_l their biases,
 *
 *     D_l = W_{l+1}'W_{l+1} - W_l W_l' - b_l b_l'
 *
 * is conserved by gradient flow: all of it where nothing stands between the layers
 * (Arora, Cohen and Hazan 2018, arXiv:1802.06509), its diagonal where activations are
 * homogeneous of degree 1, as relu (Du, Hu and Lee 2018, arXiv:1806.00900): for each unit the flow
 * along incoming weights and bias, W_l G_l' + b_l g_l', is that along outgoing ones,
 * W_{l+1}'G_{l+1}. In a step of gradient descent, l2 its coupled decay, the same makes terms of
 * first order cancel:
 *
 *     D(t+1) = (1 - eta l2)^2 D(t) + eta^2 (G_{l+1}'G_{l+1} - G_l G_l' - g_l g_l')
 *
 * exactly, G and g the loss's gradients, all in the weights w that are trained. (With w' = c w -
 * eta G, c = 1 - eta l2: w'w'' = c^2 ww' - c eta (wG' + Gw') + eta^2 GG', whose middle terms of the
 * two layers are equal.) For layers l from 0, between l and l + 1:
 *
 *     balance-residual           what the identity misses in the step that led here, Frobenius norm
 *     balance-residual.diagonal  the same of its diagonal
 *     balance-step               its term eta^2 (...), to see whether it is tested at all
 *     balance-drift              D_l(t) - D_l(0)
 *     balance-drift.diagonal     the same of its diagonal
 *
 * all over |W_{l+1}|^2 + |W_l|^2 + |b_l|^2 at the start (over 1 where that is 0). Residuals and
 * step need the iterate before: written where that was measured, too. Left out where the model is
 * no chain of two matrices or more. The identity is that of gradient descent: other optimizers miss
 * it. */
#include "bench/observables/shared.h"
#include "systems/weight_chain.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static const struct ub_option options[] = {
    {"biases", UB_OPTION_FLAG, "true", 0, 0, NULL,
     "whether biases count among a unit's incoming weights, as they must"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

struct junction { /* between two layers; matrices are units x units */
    int units;
    double scale, *start, *now, *expected, *second;
};
struct state {
    bool open, none;
    struct ub_weight_chain chain;
    struct junction *junction; /* chain.count - 1 */
    int64_t next;              /* the step that `expected` is of; 0 = none */
};

/* out = W_{l+1}'W_{l+1} - W_l W_l' - b_l b_l' of weights, or of gradients, at x. */
static void balance_of(const struct state *s, int64_t l, bool biases, const double *x, double *out)
{
    const struct ub_param *in = s->chain.weight[l], *next = s->chain.weight[l + 1];
    const struct ub_param *bias = biases ? s->chain.bias[l] : NULL;
    const int units = s->junction[l].units, before = (int)in->shape[1];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, units, units, before, -1, x + in->offset,
                before, x + in->offset, before, 0, out, units);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, units, units, (int)next->shape[0], 1,
                x + next->offset, units, x + next->offset, units, 1, out, units);
    if (bias)
        cblas_dger(CblasRowMajor, units, units, -1, x + bias->offset, 1, x + bias->offset, 1, out,
                   units);
}

static double square_of(const struct ub_param *p, const double *x)
{
    return p ? cblas_ddot((int)p->size, x + p->offset, 1, x + p->offset, 1) : 0;
}

static void open_state(struct state *s, const struct ub_moment *moment, bool biases)
{
    s->open = true;
    s->none = !ub_weight_chain_find(ub_problem_layout(moment->problem),
                                    ub_problem_data(moment->problem), &s->chain) ||
              s->chain.count < 2;
    if (s->none)
        return;
    s->junction = ub_calloc((size_t)s->chain.count, sizeof *s->junction);
    for (int64_t l = 0; l + 1 < s->chain.count; l++) {
        struct junction *j = &s->junction[l];
        j->units = (int)s->chain.weight[l]->shape[0];
        const size_t square = (size_t)j->units * (size_t)j->units;
        double **matrix[] = {&j->start, &j->now, &j->expected, &j->second};
        for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++)
            *matrix[i] = ub_calloc(square, sizeof **matrix[i]);
        balance_of(s, l, biases, moment->theta0, j->start);
        j->scale = square_of(s->chain.weight[l], moment->theta0) +
                   square_of(s->chain.weight[l + 1], moment->theta0) +
                   square_of(s->chain.bias[l], moment->theta0);
        j->scale = j->scale > 0 ? j->scale : 1; /* all zero: nothing to compare with */
    }
}

/* Of a - b: of the whole, or of the diagonal. */
static double distance(const struct junction *j, const double *a, const double *b, bool diagonal)
{
    const int64_t n = j->units, count = diagonal ? n : n * n, apart = diagonal ? n + 1 : 1;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        const double d = a[i * apart] - (b ? b[i * apart] : 0);
        sum += d * d;
    }
    return sqrt(sum) / j->scale;
}

static void record_junction(const struct state *s, int64_t l, const struct ub_moment *moment,
                            struct ub_record *record)
{
    const struct junction *j = &s->junction[l];
    ub_record_value(record, moment, "balance-drift", l, distance(j, j->now, j->start, false), NAN);
    ub_record_value(record, moment, "balance-drift.diagonal", l,
                    distance(j, j->now, j->start, true), NAN);
    if (s->next != moment->step || moment->step == 0)
        return;
    ub_record_value(record, moment, "balance-residual", l, distance(j, j->now, j->expected, false),
                    NAN);
    ub_record_value(record, moment, "balance-residual.diagonal", l,
                    distance(j, j->now, j->expected, true), NAN);
    ub_record_value(record, moment, "balance-step", l, distance(j, j->second, NULL, false), NAN);
}

/* What the step to come must lead to. */
static void expect(struct state *s, int64_t l, bool biases, const struct ub_moment *moment)
{
    struct junction *j = &s->junction[l];
    const double eta = moment->optimizer->lr, kept = 1 - eta * moment->optimizer->l2;
    const int64_t square = (int64_t)j->units * j->units;
    balance_of(s, l, biases, moment->grad, j->second);
    for (int64_t i = 0; i < square; i++) {
        j->second[i] *= eta * eta;
        j->expected[i] = kept * kept * j->now[i] + j->second[i];
    }
}

static bool measure(void *state, const struct ub_call *call, const struct ub_moment *moment,
                    struct ub_record *record, struct ub_error *err)
{
    (void)err;
    struct state *s = state;
    const bool biases = ub_call_flag(call, "biases");
    if (!s->open)
        open_state(s, moment, biases);
    for (int64_t l = 0; !s->none && l + 1 < s->chain.count; l++) {
        balance_of(s, l, biases, moment->theta, s->junction[l].now);
        record_junction(s, l, moment, record);
        expect(s, l, biases, moment);
    }
    s->next = moment->step + 1;
    return true;
}

static void close(void *state)
{
    struct state *s = state;
    for (int64_t l = 0; s->junction && l + 1 < s->chain.count; l++) {
        ub_free(s->junction[l].start);
        ub_free(s->junction[l].now);
        ub_free(s->junction[l].expected);
        ub_free(s->junction[l].second);
    }
    ub_free(s->junction);
}

static const char junction_index[] = "layer, 0 between the first and the second";
static const struct ub_quantity rows[] = {
    {
        .name = "balance-residual",
        .index = junction_index,
        .units = "1",
        .meaning = "what the step's identity of balance misses",
    },
    {
        .name = "balance-residual.diagonal",
        .index = junction_index,
        .units = "1",
        .meaning = "the same of each unit by itself",
    },
    {
        .name = "balance-step",
        .index = junction_index,
        .units = "1",
        .meaning = "term of second order of that identity",
    },
    {
        .name = "balance-drift",
        .index = junction_index,
        .units = "1",
        .meaning = "change of the balance of two layers since the start",
        .headline = true,
        .figure = UB_FIGURE_OVER_STEPS,
        .column = "",
        .compared =
            {.kind = UB_COMPARED_MEASURED, .scale = UB_SCALE_LOG, .floor = 0.05, .zero = 1e-9},
    },
    {
        .name = "balance-drift.diagonal",
        .index = junction_index,
        .units = "1",
        .meaning = "the same of each unit by itself",
        .figure = UB_FIGURE_OVER_STEPS,
    },
    {.name = NULL},
};

const struct ub_observable ub_observable_balancedness = {
    .name = "balancedness",
    .summary = "balance of neighboring layers: its exact step, and its drift",
    .units = "1",
    .citation = "Du, Hu and Lee 2018, arXiv:1806.00900; Arora et al. 2018, arXiv:1802.06509",
    .rows = rows,
    .options = options,
    .every = "1",
    .state_bytes = sizeof(struct state),
    .measure = measure,
    .close = close,
};
