#include "datasets/chain.h"

#include <math.h>

enum { MOST_CONTEXTS = 1 << 16 };

/* Gamma(shape, 1) by Marsaglia and Tsang 2000, doi:10.1145/358407.358414. */
static double draw_gamma(struct ub_random *r, double shape)
{
    if (shape < 1)
        return draw_gamma(r, shape + 1) * pow(1 - ub_random_uniform(r), 1 / shape);
    const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = ub_random_normal(r), v = pow(1 + c * x, 3);
        const double u = 1 - ub_random_uniform(r);
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

static int64_t after(const struct ub_chain *c, int64_t context, int64_t next)
{
    return (context * c->states + next) % c->contexts;
}

static void find_stationary(struct ub_chain *c)
{
    double *moved = ub_calloc((size_t)c->contexts, sizeof *moved), change = 1;
    for (int64_t i = 0; i < c->contexts; i++)
        c->stationary[i] = 1 / (double)c->contexts;
    /* Half a step at a time: converges for periodic chains, too. */
    for (int k = 0; k < 100000 && change > 1e-15; k++) {
        change = 0;
        for (int64_t i = 0; i < c->contexts; i++)
            moved[i] = 0.5 * c->stationary[i];
        for (int64_t i = 0; i < c->contexts; i++)
            for (int64_t j = 0; j < c->states; j++)
                moved[after(c, i, j)] += 0.5 * c->stationary[i] * c->next[i * c->states + j];
        for (int64_t i = 0; i < c->contexts; i++) {
            change = fmax(change, fabs(moved[i] - c->stationary[i]));
            c->stationary[i] = moved[i];
        }
    }
    ub_free(moved);
}

static void draw_rows(struct ub_chain *c, double concentration, uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "data.chain");
    for (int64_t i = 0; i < c->contexts; i++) {
        double sum = 0;
        for (int64_t j = 0; j < c->states; j++) {
            c->next[i * c->states + j] = draw_gamma(&r, concentration) + 1e-300;
            sum += c->next[i * c->states + j];
        }
        for (int64_t j = 0; j < c->states; j++)
            c->next[i * c->states + j] /= sum;
    }
}

static void sum_joint(struct ub_chain *c)
{
    c->joint = ub_calloc((size_t)c->order + 1, sizeof *c->joint);
    int64_t shorter = 1;
    for (int k = 0; k <= c->order; k++, shorter *= c->states) {
        c->joint[k] = ub_calloc((size_t)(shorter * c->states), sizeof **c->joint);
        for (int64_t i = 0; i < c->contexts; i++)
            for (int64_t j = 0; j < c->states; j++)
                c->joint[k][i % shorter * c->states + j] +=
                    c->stationary[i] * c->next[i * c->states + j];
    }
}

bool ub_chain_new(struct ub_chain *c, int64_t states, int order, double concentration,
                  uint64_t seed, const char *where, struct ub_error *err)
{
    *c = (struct ub_chain){.states = states, .contexts = 1, .order = order};
    for (int k = 0; k < order; k++) {
        if (c->contexts > MOST_CONTEXTS / states)
            return ub_fail(err, UB_INPUT,
                           "%s: %lld^%d contexts; expected %d at most: fewer states, or a lower "
                           "order",
                           where, (long long)states, order, MOST_CONTEXTS);
        c->contexts *= states;
    }
    c->next = ub_calloc((size_t)(c->contexts * states), sizeof *c->next);
    c->stationary = ub_calloc((size_t)c->contexts, sizeof *c->stationary);
    draw_rows(c, concentration, seed);
    find_stationary(c);
    sum_joint(c);
    return true;
}

void ub_chain_clear(struct ub_chain *c)
{
    for (int k = 0; c->joint && k <= c->order; k++)
        ub_free(c->joint[k]);
    ub_free(c->joint);
    ub_free(c->next);
    ub_free(c->stationary);
    *c = (struct ub_chain){0};
}

static int64_t contexts_of(const struct ub_chain *c, int k)
{
    int64_t n = 1;
    for (int i = 0; i < k; i++)
        n *= c->states;
    return n;
}

/* The rows themselves where the whole context is seen: the sums' rounding stays out. */
static double probability(const struct ub_chain *c, int k, int64_t seen, int64_t next)
{
    if (k == c->order)
        return c->next[seen * c->states + next];
    double row = 0;
    for (int64_t j = 0; j < c->states; j++)
        row += c->joint[k][seen * c->states + j];
    return row > 0 ? c->joint[k][seen * c->states + next] / row : 0;
}

double ub_chain_entropy(const struct ub_chain *c, int k)
{
    double sum = 0;
    for (int64_t i = 0; i < contexts_of(c, k); i++)
        for (int64_t j = 0; j < c->states; j++) {
            const double p = probability(c, k, i, j);
            const double joint = c->joint[k][i * c->states + j];
            sum -= joint > 0 ? joint * log(p) : 0;
        }
    return sum;
}

double ub_chain_floor(const struct ub_chain *c, int64_t length)
{
    const double whole = ub_chain_entropy(c, c->order);
    double more = 0;
    for (int k = 1; k < c->order && k <= length; k++)
        more += ub_chain_entropy(c, k) - whole;
    return whole + more / (double)length;
}

double ub_chain_surprise(const struct ub_chain *c, int k, int64_t context, int64_t next)
{
    return -log(probability(c, k, context % contexts_of(c, k), next));
}

static int64_t draw_from(const double *p, int64_t n, struct ub_random *r)
{
    double u = ub_random_uniform(r);
    for (int64_t i = 0; i < n - 1; i++) {
        if (u < p[i])
            return i;
        u -= p[i];
    }
    return n - 1;
}

int64_t ub_chain_start(const struct ub_chain *c, struct ub_random *r)
{
    return draw_from(c->stationary, c->contexts, r);
}

int64_t ub_chain_step(const struct ub_chain *c, int64_t context, struct ub_random *r)
{
    return after(c, context, draw_from(c->next + context * c->states, c->states, r));
}
