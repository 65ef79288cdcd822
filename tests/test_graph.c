/* Every pointwise, shape and product primitive against central differences in f64, to third order,
 * and vmap against one by one. */
#include "graph_examples.h"

#define UNARY(NAME)                                                                                \
    static ub_node f_##NAME(struct ub_graph *g, const ub_node *x)                                  \
    {                                                                                              \
        return ub_##NAME(g, x[0]);                                                                 \
    }
#define BINARY(NAME)                                                                               \
    static ub_node f_##NAME(struct ub_graph *g, const ub_node *x)                                  \
    {                                                                                              \
        return ub_##NAME(g, x[0], x[1]);                                                           \
    }
UNARY(neg)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(recip)
UNARY(tanh)
UNARY(sigmoid)
UNARY(softplus)
UNARY(sin)
UNARY(cos)
UNARY(erf)
UNARY(abs)
UNARY(relu)
UNARY(gelu)
UNARY(silu)
UNARY(log_sum_exp)
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(max)
BINARY(matmul)

static ub_node f_select(struct ub_graph *g, const ub_node *x)
{
    ub_node pick = ub_greater(g, ub_sin(g, ub_scale(g, x[0], 3)), ub_like(g, 0, x[0]));
    return ub_select(g, pick, ub_mul(g, x[0], x[1]), ub_exp(g, x[1]));
}

static ub_node f_reshape(struct ub_graph *g, const ub_node *x)
{
    return ub_mul(g, ub_reshape(g, ub_tanh(g, x[0]), 2, (int64_t[]){6, 2}), x[1]);
}

static ub_node f_transpose(struct ub_graph *g, const ub_node *x)
{
    ub_node t = ub_transpose(g, x[0], (int[]){2, 0, 1});
    return ub_mul(g, t, ub_tanh(g, t));
}

static ub_node f_broadcast(struct ub_graph *g, const ub_node *x)
{
    ub_node wide = ub_broadcast(g, x[0], 3, (int64_t[]){4, 3, 2});
    return ub_mul(g, ub_exp(g, wide), x[1]);
}

static ub_node f_slice(struct ub_graph *g, const ub_node *x)
{
    return ub_exp(g, ub_slice(g, ub_mul(g, x[0], x[0]), 1, 1, 2));
}

static ub_node f_pad(struct ub_graph *g, const ub_node *x)
{
    return ub_exp(g, ub_pad(g, ub_mul(g, x[0], x[0]), 0, 2, 1));
}

static ub_node f_concat(struct ub_graph *g, const ub_node *x)
{
    ub_node parts[3] = {ub_tanh(g, x[0]), x[1], ub_mul(g, x[0], x[0])};
    return ub_exp(g, ub_concat(g, parts, 3, 1));
}

static ub_node f_sum(struct ub_graph *g, const ub_node *x)
{
    return ub_exp(g, ub_sum(g, ub_sin(g, x[0]), UB_AXIS(0) | UB_AXIS(2)));
}

static ub_node f_reduce_max(struct ub_graph *g, const ub_node *x)
{
    return ub_reduce_max(g, ub_mul(g, x[0], ub_exp(g, x[0])), UB_AXIS(1));
}

/* Shared weights on batches, both sides transposed, chained: the forms that models use. */
static ub_node f_products(struct ub_graph *g, const ub_node *x)
{
    ub_node h = ub_tanh(g, ub_matmul(g, x[0], ub_transpose(g, x[1], (int[]){1, 0})));
    ub_node scores = ub_matmul(g, h, ub_transpose(g, h, (int[]){0, 2, 1}));
    return ub_matmul(g, ub_sigmoid(g, scores), h);
}

/* Parts that leave a gap, that overlap, and along another axis: their cotangents are joined. */
static ub_node f_parts(struct ub_graph *g, const ub_node *x)
{
    const ub_node a = ub_slice(g, x[0], 0, 1, 2), b = ub_slice(g, x[0], 0, 3, 2);
    const ub_node c = ub_slice(g, x[0], 0, 2, 2), d = ub_slice(g, x[0], 1, 0, 1);
    const ub_node e = ub_slice(g, x[0], 1, 2, 1);
    const ub_node rows = ub_mul(g, ub_mul(g, a, ub_exp(g, b)), c);
    return ub_add(g, ub_sum_all(g, rows), ub_sum_all(g, ub_mul(g, d, ub_sin(g, e))));
}

/* One weight at every step: the products of its gradient are joined. */
static ub_node f_steps(struct ub_graph *g, const ub_node *x)
{
    ub_node h = x[0];
    for (int t = 0; t < 4; t++)
        h = ub_tanh(g, ub_matmul(g, h, x[1]));
    return h;
}

static ub_node f_left_shared(struct ub_graph *g, const ub_node *x)
{
    return ub_matmul(g, x[0], ub_tanh(g, x[1]));
}

static const struct example examples[] = {
    {"neg", 1, {{1, {5}}}, f_neg, -2, 2},
    {"exp", 1, {{1, {5}}}, f_exp, -1, 1},
    {"log", 1, {{1, {5}}}, f_log, 0.5, 2},
    {"sqrt", 1, {{1, {5}}}, f_sqrt, 0.5, 2},
    {"recip", 1, {{1, {5}}}, f_recip, 0.5, 2},
    {"tanh", 1, {{1, {5}}}, f_tanh, -2, 2},
    {"sigmoid", 1, {{1, {5}}}, f_sigmoid, -2, 2},
    {"softplus", 1, {{1, {5}}}, f_softplus, -2, 2},
    {"sin", 1, {{1, {5}}}, f_sin, -2, 2},
    {"cos", 1, {{1, {5}}}, f_cos, -2, 2},
    {"erf", 1, {{1, {5}}}, f_erf, -2, 2},
    {"abs", 1, {{1, {5}}}, f_abs, 0.2, 2},
    {"abs below zero", 1, {{1, {5}}}, f_abs, -2, -0.2},
    {"relu", 1, {{1, {5}}}, f_relu, 0.2, 2},
    {"relu below zero", 1, {{1, {5}}}, f_relu, -2, -0.2},
    {"gelu", 1, {{1, {5}}}, f_gelu, -2, 2},
    {"silu", 1, {{1, {5}}}, f_silu, -2, 2},
    {"log-sum-exp", 1, {{2, {3, 4}}}, f_log_sum_exp, -2, 2},
    {"add", 2, {{2, {3, 4}}, {1, {4}}}, f_add, -2, 2},
    {"sub", 2, {{2, {3, 1}}, {2, {3, 4}}}, f_sub, -2, 2},
    {"mul", 2, {{2, {3, 4}}, {2, {3, 1}}}, f_mul, -2, 2},
    {"div", 2, {{2, {3, 4}}, {1, {4}}}, f_div, 0.5, 2},
    {"max", 2, {{1, {6}}, {1, {6}}}, f_max, -2, 2},
    {"select", 2, {{1, {6}}, {1, {6}}}, f_select, -1, 1},
    {"reshape", 2, {{2, {3, 4}}, {2, {6, 2}}}, f_reshape, -1, 1},
    {"transpose", 1, {{3, {2, 3, 4}}}, f_transpose, -1, 1},
    {"broadcast", 2, {{2, {3, 1}}, {3, {4, 3, 2}}}, f_broadcast, -1, 1},
    {"slice", 1, {{2, {3, 4}}}, f_slice, -1, 1},
    {"pad", 1, {{2, {3, 4}}}, f_pad, -1, 1},
    {"concat", 2, {{2, {3, 2}}, {2, {3, 3}}}, f_concat, -1, 1},
    {"sum", 1, {{3, {2, 3, 4}}}, f_sum, -1, 1},
    {"reduce-max", 1, {{3, {2, 5, 3}}}, f_reduce_max, 0.1, 2},
    {"matmul", 2, {{2, {3, 4}}, {2, {4, 2}}}, f_matmul, -1, 1},
    {"matmul batched", 2, {{3, {2, 3, 4}}, {3, {2, 4, 2}}}, f_matmul, -1, 1},
    {"matmul stretched batch", 2, {{4, {2, 1, 3, 4}}, {3, {3, 4, 2}}}, f_matmul, -1, 1},
    {"matmul shared right", 2, {{3, {2, 3, 4}}, {2, {4, 2}}}, f_matmul, -1, 1},
    {"matmul shared left", 2, {{2, {3, 4}}, {3, {2, 4, 2}}}, f_left_shared, -1, 1},
    {"parts", 1, {{2, {6, 3}}}, f_parts, -1, 1},
    {"steps", 2, {{2, {2, 3}}, {2, {3, 3}}}, f_steps, -0.4, 0.4},
    {"products", 2, {{3, {2, 3, 4}}, {2, {5, 4}}}, f_products, -1, 1},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static void derivatives_match_differences(void **state)
{
    (void)state;
    check_derivatives(examples, EXAMPLES);
}

static void vmap_matches_one_by_one(void **state)
{
    (void)state;
    check_vmaps(examples, EXAMPLES);
}

static void single_precision_agrees(void **state)
{
    (void)state;
    check_single_precision(examples, EXAMPLES);
}

/* ---- structure ---- */

static void equal_expressions_are_one_node(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    ub_node x = ub_input(g, 1, (int64_t[]){4}), y = ub_input(g, 1, (int64_t[]){4});
    assert_int_equal(ub_add(g, x, y), ub_add(g, y, x));
    assert_int_not_equal(ub_sub(g, x, y), ub_sub(g, y, x));
    assert_int_equal(ub_neg(g, ub_neg(g, x)), x);
    assert_int_equal(ub_scale(g, ub_scale(g, x, 2), 3), ub_scale(g, x, 6));
    assert_int_equal(ub_mul(g, x, ub_like(g, 0, x)), ub_like(g, 0, x));
    int swap[] = {1, 0};
    ub_node m = ub_input(g, 2, (int64_t[]){2, 3});
    assert_int_equal(ub_transpose(g, ub_transpose(g, m, swap), swap), m);
    assert_int_equal(ub_exp(g, ub_like(g, 0, x)), ub_like(g, 1, x));
    ub_graph_free(g);
}

/* ... which needs nothing but x: one value is kept for it, not all that the function is made of. */
static void a_given_derivative_is_one_factor(void **state)
{
    (void)state;
    ub_node (*const function[])(struct ub_graph *, ub_node) = {ub_gelu, ub_silu};
    for (int i = 0; i < 2; i++) {
        struct ub_graph *g = ub_graph_new();
        const ub_node x = ub_input(g, 1, (int64_t[]){4}), t = ub_input(g, 1, (int64_t[]){4});
        const ub_node one = ub_like(g, 1, x);
        ub_node y = function[i](g, x), slope, reverse, forward;
        for (int order = 1; order <= 2; order++) {
            ub_vjp(g, &y, &one, 1, &x, 1, &slope);
            ub_vjp(g, &y, &t, 1, &x, 1, &reverse);
            ub_jvp(g, &y, 1, &x, &t, 1, &forward);
            assert_int_equal(reverse, ub_mul(g, t, slope));
            assert_int_equal(forward, reverse);
            y = slope;
        }
        ub_graph_free(g);
    }
}

static void gradient_of_what_does_not_matter_is_zero(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    ub_node x[2] = {ub_input(g, 1, (int64_t[]){3}), ub_input(g, 1, (int64_t[]){3})}, d[2];
    ub_node s = ub_sum_all(g, ub_mul(g, x[0], ub_stop(g, x[1])));
    ub_grad(g, s, x, 2, d);
    assert_int_equal(d[0], ub_stop(g, x[1]));
    assert_int_equal(d[1], ub_like(g, 0, x[1]));
    ub_graph_free(g);
}

static void diverged_values_stay_visible(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    ub_node x = ub_input(g, 1, (int64_t[]){3});
    ub_node ys[2] = {ub_relu(g, x), ub_reduce_max(g, x, 1)};
    double in[3] = {NAN, 1, -INFINITY}, relu[3], top;
    evaluate(g, &(struct binding){x, in}, 1, ys, 2, (double *[]){relu, &top}, true);
    assert_true(isnan(relu[0]));
    assert_true(relu[1] == 1 && relu[2] == 0);
    assert_true(isnan(top));
    ub_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_match_differences),
        cmocka_unit_test(vmap_matches_one_by_one),
        cmocka_unit_test(single_precision_agrees),
        cmocka_unit_test(equal_expressions_are_one_node),
        cmocka_unit_test(a_given_derivative_is_one_factor),
        cmocka_unit_test(gradient_of_what_does_not_matter_is_zero),
        cmocka_unit_test(diverged_values_stay_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
