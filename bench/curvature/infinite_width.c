#include "bench/curvature/infinite_width.h"
#include "bench/spectra/quadrature_rules.h"

#include <math.h>
#include <string.h>

/* ---- expectations ---- */

enum { NODES = 64, PAIRS = NODES * NODES };

struct ub_expectation {
    const struct ub_activation *activation;
    double node[NODES], weight[NODES]; /* of N(0, 1) */
    double *at, *value, *slope;        /* NODES values of u, then PAIRS of v */
    struct ub_program *program;
};

/* phi and phi' as a program over points: derivatives come from the graph, as everywhere. */
static struct ub_program *compile(const struct ub_activation *a)
{
    struct ub_graph *g = ub_graph_new();
    const int64_t dim[] = {NODES, 1};
    const ub_node x = ub_input(g, 2, dim), one = ub_fill(g, 1, 2, dim);
    const ub_node y = a->build(g, x);
    ub_node slope;
    ub_jvp(g, &y, 1, &x, &one, 1, &slope);
    const struct ub_program_input input = {.node = x, .kind = UB_SAMPLES};
    const struct ub_program_output outputs[] = {{.node = y, .kind = UB_EACH, .slot = 0},
                                                {.node = slope, .kind = UB_EACH, .slot = 1}};
    struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = &input,
                                                                           .n_inputs = 1,
                                                                           .outputs = outputs,
                                                                           .n_outputs = 2,
                                                                           .samples = NODES + PAIRS,
                                                                           .chunk = NODES});
    ub_graph_free(g);
    return p;
}

/* Hermite polynomials of N(0, 1): He_{k+1} = x He_k - k He_{k-1} (Golub and Welsch 1969). */
static void set_rule(struct ub_expectation *e)
{
    double beta[NODES] = {0};
    for (int k = 1; k < NODES; k++)
        beta[k - 1] = sqrt(k);
    memset(e->node, 0, sizeof e->node);
    ub_gauss_rule(NODES, e->node, beta, 1, e->weight);
}

struct ub_expectation *ub_expectation_new(const struct ub_activation *activation)
{
    struct ub_expectation *e = ub_calloc(1, sizeof *e);
    e->activation = activation;
    if (!activation)
        return e;
    set_rule(e);
    e->at = ub_calloc(NODES + PAIRS, sizeof *e->at);
    e->value = ub_calloc(NODES + PAIRS, sizeof *e->value);
    e->slope = ub_calloc(NODES + PAIRS, sizeof *e->slope);
    e->program = compile(activation);
    return e;
}

void ub_expectation_free(struct ub_expectation *e)
{
    if (!e)
        return;
    ub_program_free(e->program);
    ub_free(e->at);
    ub_free(e->value);
    ub_free(e->slope);
    ub_free(e);
}

/* v = (uv/uu) u + sqrt(vv - uv^2/uu) w with w independent of u. */
void ub_expectation_by_quadrature(struct ub_expectation *e, double uu, double uv, double vv,
                                  double *value, double *slope)
{
    const double along = uu > 0 ? uv / uu : 0, across = sqrt(fmax(0, vv - along * uv));
    for (int i = 0; i < NODES; i++) {
        e->at[i] = sqrt(uu) * e->node[i];
        for (int j = 0; j < NODES; j++)
            e->at[NODES + i * NODES + j] = along * e->at[i] + across * e->node[j];
    }
    ub_program_samples(e->program, 0, e->at);
    ub_program_run(e->program, NULL, (double *[]){e->value, e->slope}, true);
    *value = *slope = 0;
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++) {
            const double w = e->weight[i] * e->weight[j];
            *value += w * e->value[i] * e->value[NODES + i * NODES + j];
            *slope += w * e->slope[i] * e->slope[NODES + i * NODES + j];
        }
}

void ub_expectation_pair(struct ub_expectation *e, double uu, double uv, double vv, double *value,
                         double *slope)
{
    if (!e->activation) {
        *value = uv;
        *slope = 1;
    } else if (e->activation->expect) {
        e->activation->expect(uu, uv, vv, value, slope);
    } else {
        ub_expectation_by_quadrature(e, uu, uv, vv, value, slope);
    }
}

double ub_wide_chi(struct ub_expectation *e, double weight, double q)
{
    double value, slope;
    ub_expectation_pair(e, q, q, q, &value, &slope);
    return weight * slope;
}

/* ---- kernels ---- */

/* x.x'/d through the first layer, in place of E phi phi' of the layers above. */
static void first_layer(const struct ub_wide *wide, int64_t count, int64_t features,
                        const double *inputs, double *s, double *k)
{
    const struct ub_wide_layer *layer = &wide->layer[0];
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < count; j++) {
            double dot = 0;
            for (int64_t f = 0; f < features; f++)
                dot += inputs[i * features + f] * inputs[j * features + f];
            s[i * count + j] = layer->weight * dot / (double)features + layer->bias;
            k[i * count + j] = layer->weight_rate * dot / (double)features + layer->bias_rate;
        }
}

static void next_layer(struct ub_expectation *e, const struct ub_wide_layer *layer, int64_t count,
                       const double *s, double *next, double *k)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = i; j < count; j++) {
            double value, slope;
            ub_expectation_pair(e, s[i * count + i], s[i * count + j], s[j * count + j], &value,
                                &slope);
            next[i * count + j] = next[j * count + i] = layer->weight * value + layer->bias;
            k[i * count + j] = layer->weight_rate * value + layer->bias_rate +
                               layer->weight * slope * k[i * count + j];
            k[j * count + i] = k[i * count + j];
        }
}

void ub_wide_kernels(const struct ub_wide *wide, int64_t count, int64_t features,
                     const double *inputs, double *covariance, double *ntk)
{
    const size_t entries = (size_t)(count * count), bytes = entries * sizeof(double);
    double *s = ub_calloc(entries, sizeof *s), *next = ub_calloc(entries, sizeof *next);
    double *k = ub_calloc(entries, sizeof *k);
    struct ub_expectation *e = ub_expectation_new(wide->activation);
    first_layer(wide, count, features, inputs, s, k);
    if (covariance)
        memcpy(covariance, s, bytes);
    for (size_t l = 1; l <= wide->hidden; l++) {
        next_layer(e, &wide->layer[l], count, s, next, k);
        memcpy(s, next, bytes);
        if (covariance)
            memcpy(covariance + l * entries, s, bytes);
    }
    if (ntk)
        memcpy(ntk, k, bytes);
    ub_expectation_free(e);
    ub_free(s);
    ub_free(next);
    ub_free(k);
}
