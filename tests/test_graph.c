/* Every primitive against central differences in f64, to third order, and vmap against one by one.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph_support.h"

/* ---- one case per primitive and composition ---- */

struct example {
    const char *name;
    int n;
    struct {
        int rank;
        int64_t dim[4];
    } shape[3];
    ub_node (*build)(struct ub_graph *g, const ub_node *x);
    double low, high; /* inputs are uniform in here: away from kinks and poles */
    int order;        /* derivatives checked; 0 = 3 */
};

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

static ub_node f_left_shared(struct ub_graph *g, const ub_node *x)
{
    return ub_matmul(g, x[0], ub_tanh(g, x[1]));
}

static const struct example examples[] = {
    {"neg", 1, {{1, {5}}}, f_neg, -2, 2, 0},
    {"exp", 1, {{1, {5}}}, f_exp, -1, 1, 0},
    {"log", 1, {{1, {5}}}, f_log, 0.5, 2, 0},
    {"sqrt", 1, {{1, {5}}}, f_sqrt, 0.5, 2, 0},
    {"recip", 1, {{1, {5}}}, f_recip, 0.5, 2, 0},
    {"tanh", 1, {{1, {5}}}, f_tanh, -2, 2, 0},
    {"sigmoid", 1, {{1, {5}}}, f_sigmoid, -2, 2, 0},
    {"softplus", 1, {{1, {5}}}, f_softplus, -2, 2, 0},
    {"sin", 1, {{1, {5}}}, f_sin, -2, 2, 0},
    {"cos", 1, {{1, {5}}}, f_cos, -2, 2, 0},
    {"erf", 1, {{1, {5}}}, f_erf, -2, 2, 0},
    {"abs", 1, {{1, {5}}}, f_abs, 0.2, 2, 0},
    {"abs below zero", 1, {{1, {5}}}, f_abs, -2, -0.2, 0},
    {"relu", 1, {{1, {5}}}, f_relu, 0.2, 2, 0},
    {"relu below zero", 1, {{1, {5}}}, f_relu, -2, -0.2, 0},
    {"gelu", 1, {{1, {5}}}, f_gelu, -2, 2, 0},
    {"log-sum-exp", 1, {{2, {3, 4}}}, f_log_sum_exp, -2, 2, 0},
    {"add", 2, {{2, {3, 4}}, {1, {4}}}, f_add, -2, 2, 0},
    {"sub", 2, {{2, {3, 1}}, {2, {3, 4}}}, f_sub, -2, 2, 0},
    {"mul", 2, {{2, {3, 4}}, {2, {3, 1}}}, f_mul, -2, 2, 0},
    {"div", 2, {{2, {3, 4}}, {1, {4}}}, f_div, 0.5, 2, 0},
    {"max", 2, {{1, {6}}, {1, {6}}}, f_max, -2, 2, 0},
    {"select", 2, {{1, {6}}, {1, {6}}}, f_select, -1, 1, 0},
    {"reshape", 2, {{2, {3, 4}}, {2, {6, 2}}}, f_reshape, -1, 1, 0},
    {"transpose", 1, {{3, {2, 3, 4}}}, f_transpose, -1, 1, 0},
    {"broadcast", 2, {{2, {3, 1}}, {3, {4, 3, 2}}}, f_broadcast, -1, 1, 0},
    {"slice", 1, {{2, {3, 4}}}, f_slice, -1, 1, 0},
    {"pad", 1, {{2, {3, 4}}}, f_pad, -1, 1, 0},
    {"concat", 2, {{2, {3, 2}}, {2, {3, 3}}}, f_concat, -1, 1, 0},
    {"sum", 1, {{3, {2, 3, 4}}}, f_sum, -1, 1, 0},
    {"reduce-max", 1, {{3, {2, 5, 3}}}, f_reduce_max, 0.1, 2, 0},
    {"matmul", 2, {{2, {3, 4}}, {2, {4, 2}}}, f_matmul, -1, 1, 0},
    {"matmul batched", 2, {{3, {2, 3, 4}}, {3, {2, 4, 2}}}, f_matmul, -1, 1, 0},
    {"matmul stretched batch", 2, {{4, {2, 1, 3, 4}}, {3, {3, 4, 2}}}, f_matmul, -1, 1, 0},
    {"matmul shared right", 2, {{3, {2, 3, 4}}, {2, {4, 2}}}, f_matmul, -1, 1, 0},
    {"matmul shared left", 2, {{2, {3, 4}}, {3, {2, 4, 2}}}, f_left_shared, -1, 1, 0},
    {"products", 2, {{3, {2, 3, 4}}, {2, {5, 4}}}, f_products, -1, 1, 0},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

/* ---- derivatives along two directions, checked against differences of the order below ---- */

struct setting {
    struct ub_graph *g;
    ub_node x[3], u[3], v[3], w; /* inputs, two directions of tangents, weights of the output */
    ub_node y, s;                /* output; s = sum(w * y) */
    double at[3][64], du[3][64], dv[3][64], weight[256];
};

/* Random points of a grid without repetition, each input's grid a little off the others': no
 * difference of 2e-3 times a normal deviate steps over the kink of a maximum (where two values are
 * equal) or of select (sin 3x = 0). */
static void draw_points(const struct example *e, int input, struct ub_random *r, double at[64])
{
    int64_t cell[64];
    ub_random_permutation(r, 64, cell);
    for (int k = 0; k < 64; k++)
        at[k] = e->low + (e->high - e->low) * ((double)cell[k] + 0.5 + 0.25 * input) / 64;
}

static void open_setting(struct setting *t, const struct example *e, uint64_t seed)
{
    struct ub_random r = ub_random_stream(seed, "test");
    *t = (struct setting){.g = ub_graph_new()};
    for (int i = 0; i < e->n; i++) {
        t->x[i] = ub_input(t->g, e->shape[i].rank, e->shape[i].dim);
        t->u[i] = ub_input(t->g, e->shape[i].rank, e->shape[i].dim);
        t->v[i] = ub_input(t->g, e->shape[i].rank, e->shape[i].dim);
        draw_points(e, i, &r, t->at[i]);
        for (int k = 0; k < 64; k++) {
            t->du[i][k] = ub_random_normal(&r);
            t->dv[i][k] = ub_random_normal(&r);
        }
    }
    for (int k = 0; k < 256; k++)
        t->weight[k] = ub_random_normal(&r);
    t->y = e->build(t->g, t->x);
    struct ub_shape shape = ub_shape_of(t->g, t->y);
    t->w = ub_input(t->g, shape.rank, shape.dim);
    t->s = ub_sum_all(t->g, ub_mul(t->g, t->w, t->y));
}

/* The value of a scalar node at x + eps * direction. */
static double value_at(struct setting *t, int n, ub_node node, double direction[3][64], double eps)
{
    struct binding b[10];
    double moved[3][64];
    int count = 0;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 64; k++)
            moved[i][k] = t->at[i][k] + eps * direction[i][k];
        b[count++] = (struct binding){t->x[i], moved[i]};
        b[count++] = (struct binding){t->u[i], t->du[i]};
        b[count++] = (struct binding){t->v[i], t->dv[i]};
    }
    b[count++] = (struct binding){t->w, t->weight};
    double out;
    evaluate(t->g, b, count, &node, 1, (double *[]){&out}, false);
    return out;
}

/* Fourth-order central difference. */
static double difference(struct setting *t, int n, ub_node node, double direction[3][64])
{
    const double h = 1e-3;
    double a = value_at(t, n, node, direction, h) - value_at(t, n, node, direction, -h);
    double b = value_at(t, n, node, direction, 2 * h) - value_at(t, n, node, direction, -2 * h);
    return (8 * a - b) / (12 * h);
}

static ub_node dot_all(struct ub_graph *g, const ub_node *a, const ub_node *b, int n)
{
    ub_node sum = ub_scalar(g, 0);
    for (int i = 0; i < n; i++)
        sum = ub_add(g, sum, ub_sum_all(g, ub_mul(g, a[i], b[i])));
    return sum;
}

static void check_close(const char *name, const char *what, double got, double expected)
{
    if (!(fabs(got - expected) <= 2e-8 * (1 + fabs(expected))))
        fail_msg("%s: %s is %.12g, differences give %.12g", name, what, got, expected);
}

static void derivatives_match_differences(void **state)
{
    (void)state;
    for (int k = 0; k < EXAMPLES; k++) {
        const struct example *e = &examples[k];
        struct setting t;
        open_setting(&t, e, (uint64_t)k);
        ub_node grad[3], along, second, third, forward;
        ub_grad(t.g, t.s, t.x, e->n, grad);
        along = dot_all(t.g, grad, t.u, e->n);
        ub_jvp(t.g, &t.s, 1, t.x, t.u, e->n, &forward);
        double first = value_at(&t, e->n, along, t.du, 0);
        check_close(e->name, "gradient", first, difference(&t, e->n, t.s, t.du));
        check_close(e->name, "jvp", value_at(&t, e->n, forward, t.du, 0), first);
        ub_jvp(t.g, &along, 1, t.x, t.v, e->n, &second); /* u'Hv, forward over reverse */
        check_close(e->name, "HVP", value_at(&t, e->n, second, t.dv, 0),
                    difference(&t, e->n, along, t.dv));
        ub_node twice[3];
        ub_grad(t.g, along, t.x, e->n, twice); /* Hu, reverse over reverse */
        check_close(e->name, "reverse HVP",
                    value_at(&t, e->n, dot_all(t.g, twice, t.v, e->n), t.dv, 0),
                    value_at(&t, e->n, second, t.dv, 0));
        ub_jvp(t.g, &second, 1, t.x, t.u, e->n, &third);
        check_close(e->name, "third derivative", value_at(&t, e->n, third, t.du, 0),
                    difference(&t, e->n, second, t.du));
        ub_node thrice[3];
        ub_grad(t.g, second, t.x, e->n, thrice); /* grad of u'Hv */
        check_close(e->name, "reverse third derivative",
                    value_at(&t, e->n, dot_all(t.g, thrice, t.u, e->n), t.du, 0),
                    value_at(&t, e->n, third, t.du, 0));
        ub_graph_free(t.g);
    }
}

/* vmap over every subset of the inputs, of the value and of the gradient, against one by one. */
static void check_vmap(const struct example *e, int subset, bool of_gradient, uint64_t seed)
{
    enum { B = 3 };
    struct setting t;
    open_setting(&t, e, seed);
    static double batch[3][B * 64], many[B * 256], one[256];
    ub_node grad[3], target = t.y, xs[3], batched[3], out;
    if (of_gradient) {
        ub_grad(t.g, t.s, t.x, e->n, grad);
        target = grad[0];
    }
    struct ub_random r = ub_random_stream(seed, "batch");
    struct binding b[8];
    int n_batched = 0, count = 0;
    for (int i = 0; i < e->n; i++) {
        int64_t size = ub_count(ub_shape_of(t.g, t.x[i]));
        for (int64_t k = 0; k < B * size; k++)
            batch[i][k] = e->low + (e->high - e->low) * ub_random_uniform(&r);
        if (subset & (1 << i)) {
            struct ub_shape s = ub_shape_of(t.g, t.x[i]);
            int64_t dim[UB_RANK] = {B};
            memcpy(dim + 1, s.dim, (size_t)s.rank * sizeof *dim);
            xs[n_batched] = t.x[i];
            batched[n_batched] = ub_input(t.g, s.rank + 1, dim);
            b[count++] = (struct binding){batched[n_batched++], batch[i]};
        } else {
            b[count++] = (struct binding){t.x[i], t.at[i]};
        }
    }
    b[count++] = (struct binding){t.w, t.weight};
    ub_vmap(t.g, &target, 1, xs, batched, n_batched, &out);
    evaluate(t.g, b, count, &out, 1, (double *[]){many}, false);
    int64_t size = ub_count(ub_shape_of(t.g, target));
    for (int j = 0; j < B; j++) {
        count = 0;
        for (int i = 0; i < e->n; i++) {
            int64_t step = ub_count(ub_shape_of(t.g, t.x[i]));
            bool is_batched = subset & (1 << i);
            b[count++] = (struct binding){t.x[i], is_batched ? batch[i] + j * step : t.at[i]};
        }
        b[count++] = (struct binding){t.w, t.weight};
        evaluate(t.g, b, count, &target, 1, (double *[]){one}, false);
        for (int64_t k = 0; k < size; k++)
            if (fabs(many[j * size + k] - one[k]) > 1e-12 * (1 + fabs(one[k])))
                fail_msg("%s: vmap %d of %s differs: %.17g against %.17g", e->name, subset,
                         of_gradient ? "gradient" : "value", many[j * size + k], one[k]);
    }
    ub_graph_free(t.g);
}

static void vmap_matches_one_by_one(void **state)
{
    (void)state;
    for (int k = 0; k < EXAMPLES; k++)
        for (int subset = 1; subset < 1 << examples[k].n; subset++)
            for (int of_gradient = 0; of_gradient < 2; of_gradient++)
                check_vmap(&examples[k], subset, of_gradient, (uint64_t)k);
}

static void single_precision_agrees(void **state)
{
    (void)state;
    for (int k = 0; k < EXAMPLES; k++) {
        const struct example *e = &examples[k];
        struct setting t;
        open_setting(&t, e, (uint64_t)k);
        double exact[256], single[256];
        struct binding b[4];
        for (int i = 0; i < e->n; i++)
            b[i] = (struct binding){t.x[i], t.at[i]};
        evaluate(t.g, b, e->n, &t.y, 1, (double *[]){exact}, false);
        evaluate(t.g, b, e->n, &t.y, 1, (double *[]){single}, true);
        for (int64_t i = 0; i < ub_count(ub_shape_of(t.g, t.y)); i++)
            if (fabs(exact[i] - single[i]) > 3e-6 * (1 + fabs(exact[i])))
                fail_msg("%s: f32 gives %.9g, f64 %.9g", e->name, single[i], exact[i]);
        ub_graph_free(t.g);
    }
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
        cmocka_unit_test(gradient_of_what_does_not_matter_is_zero),
        cmocka_unit_test(diverged_values_stay_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
