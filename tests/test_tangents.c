/* Hessian-vector products from fewer kept numbers: tangents whose factors are gathered, and
 * functions that state their derivatives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "systems/graph/transforms.h"

enum {
    N = 48,
    CHUNK = 16,
    IN = 4,
    HIDDEN = 16,
    PARAMS = 4,
    WEIGHTS = 2 * HIDDEN * IN + HIDDEN * IN + HIDDEN
};

typedef ub_node between(struct ub_graph *g, const ub_node *z, ub_node gain);
typedef void tangents(struct ub_graph *g, const ub_node *ys, int n_ys, const ub_node *xs,
                      const ub_node *ts, int n_xs, ub_node *out);

/* GELU as made of its parts. */
static ub_node gelu(struct ub_graph *g, const ub_node *z, ub_node gain)
{
    (void)gain;
    const ub_node x = ub_add(g, z[0], z[1]), e = ub_erf(g, ub_scale(g, x, sqrt(0.5)));
    return ub_mul(g, ub_scale(g, x, 0.5), ub_add(g, ub_like(g, 1, x), e));
}

static ub_node gate(struct ub_graph *g, const ub_node *z, ub_node gain)
{
    const ub_node open = ub_sigmoid(g, z[0]);
    return ub_add(g, ub_mul(g, open, ub_tanh(g, z[1])), ub_mul(g, gain, ub_mul(g, open, open)));
}

/* A gain by column: a short factor. */
static ub_node gains(struct ub_graph *g, const ub_node *z, ub_node gain)
{
    return ub_tanh(g, ub_mul(g, ub_tanh(g, ub_add(g, z[0], z[1])), gain));
}

/* Maxima of maxima: where they are reached is asked on the way there and back. */
static ub_node pools(struct ub_graph *g, const ub_node *z, ub_node gain)
{
    (void)gain;
    const int64_t dim[4] = {CHUNK, HIDDEN / 4, 2, 2}, column[3] = {CHUNK, HIDDEN / 4, 1};
    const int64_t full[3] = {CHUNK, HIDDEN / 4, 4}, whole[2] = {CHUNK, HIDDEN};
    const ub_node h = ub_reshape(g, ub_relu(g, ub_add(g, z[0], z[1])), 4, dim);
    const ub_node most = ub_reduce_max(g, ub_reduce_max(g, h, UB_AXIS(3)), UB_AXIS(2));
    return ub_reshape(g, ub_broadcast(g, ub_reshape(g, most, 3, column), 3, full), 2, whole);
}

/* Over all but the first few columns: what is masked is 0, and moves nothing. */
static ub_node columns_seen(struct ub_graph *g)
{
    return ub_greater(g, ub_iota(g, HIDDEN), ub_scalar(g, 2.5));
}

static ub_node attention(struct ub_graph *g, const ub_node *z, ub_node gain)
{
    (void)gain;
    return ub_masked_softmax(g, ub_add(g, z[0], z[1]), columns_seen(g));
}

static ub_node attention_by_parts(struct ub_graph *g, const ub_node *z, ub_node gain)
{
    (void)gain;
    const ub_node x = ub_add(g, z[0], z[1]);
    const ub_node e = ub_select(g, columns_seen(g), ub_exp(g, x), ub_like(g, 0, x));
    const ub_node scale = ub_recip(g, ub_sum(g, e, UB_AXIS(1)));
    return ub_mul(g, e, ub_reshape(g, scale, 2, (int64_t[]){CHUNK, 1}));
}

/* Two weights into the hidden layer, one out of it, and a gain; bytes are kept between stages. */
static int64_t product(between *layer, tangents *along, double *out)
{
    static const struct ub_shape shapes[PARAMS] = {
        {2, {IN, HIDDEN}}, {2, {IN, HIDDEN}}, {2, {HIDDEN, IN}}, {1, {HIDDEN}}};
    struct ub_graph *g = ub_graph_new();
    ub_node w[PARAMS], v[PARAMS], grad[PARAMS], hv[PARAMS];
    for (int i = 0; i < PARAMS; i++) {
        w[i] = ub_input(g, shapes[i].rank, shapes[i].dim);
        v[i] = ub_input(g, shapes[i].rank, shapes[i].dim);
    }
    const ub_node x = ub_input(g, 2, (int64_t[]){CHUNK, IN});
    const ub_node z[2] = {ub_matmul(g, x, w[0]), ub_matmul(g, x, w[1])};
    const ub_node y = ub_matmul(g, layer(g, z, w[3]), w[2]);
    ub_grad(g, ub_sum_all(g, ub_log_sum_exp(g, y)), w, PARAMS, grad);
    along(g, grad, PARAMS, w, v, PARAMS, hv);
    struct ub_program_input in[2 * PARAMS + 1] = {{.node = x, .kind = UB_SAMPLES}};
    struct ub_program_output to[PARAMS];
    for (int64_t i = 0, at = 0; i < PARAMS; at += ub_count(shapes[i++])) {
        in[2 * i + 1] = (struct ub_program_input){.node = w[i], .offset = at};
        in[2 * i + 2] =
            (struct ub_program_input){.node = v[i], .slot = 1, .offset = at, .late = true};
        to[i] = (struct ub_program_output){.node = hv[i], .offset = at};
    }
    struct ub_program *p =
        ub_program_compile(g, &(struct ub_program_spec){.inputs = in,
                                                        .n_inputs = 2 * PARAMS + 1,
                                                        .outputs = to,
                                                        .n_outputs = PARAMS,
                                                        .samples = N,
                                                        .chunk = CHUNK});
    double data[N * IN], vectors[2][WEIGHTS];
    struct ub_random r = ub_random_stream(1, "tangents");
    for (int i = 0; i < N * IN; i++)
        data[i] = ub_random_normal(&r);
    for (int i = 0; i < 2 * WEIGHTS; i++)
        vectors[i / WEIGHTS][i % WEIGHTS] = 0.5 * ub_random_normal(&r);
    ub_program_samples(p, 0, data);
    const double *at[] = {vectors[0], vectors[1]};
    ub_program_run(p, at, &out, true);
    const int64_t kept = ub_program_facts(p).kept_bytes;
    ub_program_free(p);
    ub_graph_free(g);
    return kept;
}

/* How many arrays of the hidden layer's size fewer the second keeps, for the same product. */
static double fewer(between *first, tangents *along_first, between *second, tangents *along_second)
{
    double a[WEIGHTS], b[WEIGHTS], scale = 0;
    const int64_t before = product(first, along_first, a);
    const int64_t after = product(second, along_second, b);
    for (int i = 0; i < WEIGHTS; i++)
        scale = fmax(scale, fabs(a[i]));
    assert_true(scale > 0.1);
    for (int i = 0; i < WEIGHTS; i++)
        assert_true(fabs(b[i] - a[i]) <= 1e-13 * scale);
    return (double)(before - after) / (N * HIDDEN * (double)sizeof(double));
}

static double saved(between *layer)
{
    return fewer(layer, ub_jvp, layer, ub_jvp_gathered);
}

/* Kept are gelu(z), its derivative, that times the cotangent, and the second derivative's. */
static void of_gelu_four_arrays_are_kept_rather_than_eight(void **state)
{
    (void)state;
    assert_true(saved(gelu) == 4);
}

/* Of a gate and its square more is kept where factors are gathered: then they are not. */
static void the_way_that_keeps_less_is_taken(void **state)
{
    (void)state;
    assert_true(saved(gate) < 0);
    assert_true(fewer(gate, ub_jvp, gate, ub_linearize) == 0);
    assert_true(fewer(gelu, ub_jvp, gelu, ub_linearize) == 4);
}

static void factors_that_are_read_anyway_stay_apart(void **state)
{
    (void)state;
    assert_true(saved(pools) >= 0);
}

/* At most one array more, of the derivative that was made again from tanh; not one for each gain.
 */
static void short_factors_stay_short(void **state)
{
    (void)state;
    assert_true(saved(gains) >= -1);
}

/* Softmax states its derivative: neither exponentials nor sums of rows are kept beside it. */
static void of_softmax_itself_is_kept(void **state)
{
    (void)state;
    const double less = fewer(attention_by_parts, ub_jvp, attention, ub_jvp);
    assert_true(less > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_gelu_four_arrays_are_kept_rather_than_eight),
        cmocka_unit_test(the_way_that_keeps_less_is_taken),
        cmocka_unit_test(factors_that_are_read_anyway_stay_apart),
        cmocka_unit_test(short_factors_stay_short),
        cmocka_unit_test(of_softmax_itself_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
