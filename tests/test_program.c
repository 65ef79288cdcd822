/* Streaming, staging and threads: programs over chunks give what one whole evaluation gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph_support.h"

enum {
    N = 103,
    IN = 5,
    HIDDEN = 7,
    OUT = 3,
    WEIGHTS = HIDDEN * IN + OUT * HIDDEN + OUT,
    BLOCK = 4
};

/* A two-layer network on a chunk of samples: loss, gradient, and a block of HVPs. */
struct network {
    struct ub_graph *g;
    ub_node w[3], x, t, weight, vs[3];
    ub_node output, loss, grad[3], hvs[3];
};

static const int64_t offset_of[3] = {0, HIDDEN *IN, HIDDEN *IN + OUT *HIDDEN};

static struct network network_new(int64_t chunk)
{
    struct network n = {.g = ub_graph_new()};
    struct ub_graph *g = n.g;
    n.w[0] = ub_input(g, 2, (int64_t[]){HIDDEN, IN});
    n.w[1] = ub_input(g, 2, (int64_t[]){OUT, HIDDEN});
    n.w[2] = ub_input(g, 1, (int64_t[]){OUT});
    n.x = ub_input(g, 2, (int64_t[]){chunk, IN});
    n.t = ub_input(g, 2, (int64_t[]){chunk, OUT});
    n.weight = ub_input(g, 1, (int64_t[]){chunk});
    int swap[] = {1, 0};
    ub_node h = ub_tanh(g, ub_matmul(g, n.x, ub_transpose(g, n.w[0], swap)));
    n.output = ub_add(g, ub_matmul(g, h, ub_transpose(g, n.w[1], swap)), n.w[2]);
    ub_node e = ub_sub(g, n.output, n.t);
    ub_node each = ub_sum(g, ub_mul(g, e, e), UB_AXIS(1));
    ub_node ce = ub_log_sum_exp(g, n.output);
    n.loss = ub_sum_all(g, ub_mul(g, n.weight, ub_add(g, ce, ub_scale(g, each, 0.5))));
    ub_grad(g, n.loss, n.w, 3, n.grad);
    ub_node v[3], hv[3];
    for (int i = 0; i < 3; i++) {
        struct ub_shape s = ub_shape_of(g, n.w[i]);
        int64_t dim[3] = {BLOCK, s.dim[0], s.rank == 2 ? s.dim[1] : 0};
        v[i] = ub_input(g, s.rank, s.dim);
        n.vs[i] = ub_input(g, s.rank + 1, dim);
    }
    ub_jvp(g, n.grad, 3, n.w, v, 3, hv);
    ub_vmap(g, hv, 3, v, n.vs, 3, n.hvs);
    return n;
}

struct data {
    double x[N * IN], t[N * OUT], theta[WEIGHTS], v[BLOCK * WEIGHTS];
};

static struct data data_new(void)
{
    struct data d;
    struct ub_random r = ub_random_stream(1, "test");
    for (int i = 0; i < N * IN; i++)
        d.x[i] = ub_random_normal(&r);
    for (int i = 0; i < N * OUT; i++)
        d.t[i] = ub_random_normal(&r);
    for (int i = 0; i < WEIGHTS; i++)
        d.theta[i] = 0.5 * ub_random_normal(&r);
    for (int i = 0; i < BLOCK * WEIGHTS; i++)
        d.v[i] = ub_random_normal(&r);
    return d;
}

/* loss, gradient, outputs by sample, and a block of HVPs. */
struct results {
    double loss, grad[WEIGHTS], output[N * OUT], hv[BLOCK * WEIGHTS];
};

struct options {
    int64_t chunk;
    bool single;
    struct ub_team *team;
    uint64_t keep_limit;
};

static struct ub_program *network_program(const struct network *n, const struct data *d,
                                          struct options o)
{
    struct ub_program_input in[9];
    struct ub_program_output out[8];
    int n_in = 0, n_out = 0;
    for (int i = 0; i < 3; i++) {
        in[n_in++] = (struct ub_program_input){.node = n->w[i], .offset = offset_of[i]};
        in[n_in++] = (struct ub_program_input){
            .node = n->vs[i], .slot = 1, .offset = offset_of[i], .stride = WEIGHTS, .late = true};
        out[n_out++] =
            (struct ub_program_output){.node = n->grad[i], .slot = 1, .offset = offset_of[i]};
        out[n_out++] = (struct ub_program_output){
            .node = n->hvs[i], .slot = 3, .offset = offset_of[i], .stride = WEIGHTS};
    }
    in[n_in++] = (struct ub_program_input){.node = n->x, .kind = UB_SAMPLES, .slot = 0};
    in[n_in++] = (struct ub_program_input){.node = n->t, .kind = UB_SAMPLES, .slot = 1};
    in[n_in++] = (struct ub_program_input){.node = n->weight, .kind = UB_WEIGHTS};
    out[n_out++] = (struct ub_program_output){.node = n->loss, .slot = 0};
    out[n_out++] = (struct ub_program_output){.node = n->output, .kind = UB_EACH, .slot = 2};
    struct ub_program *p =
        ub_program_compile(n->g, &(struct ub_program_spec){.inputs = in,
                                                           .n_inputs = n_in,
                                                           .outputs = out,
                                                           .n_outputs = n_out,
                                                           .samples = N,
                                                           .chunk = o.chunk,
                                                           .single = o.single,
                                                           .team = o.team,
                                                           .keep_limit = o.keep_limit});
    ub_program_samples(p, 0, d->x);
    ub_program_samples(p, 1, d->t);
    return p;
}

static void run(struct ub_program *p, const struct data *d, struct results *r, bool first)
{
    const double *vectors[] = {d->theta, d->v};
    double *results[] = {&r->loss, r->grad, r->output, r->hv};
    ub_program_run(p, vectors, results, first);
}

static struct results run_network(const struct data *d, struct options o)
{
    struct results r;
    struct network n = network_new(o.chunk);
    struct ub_program *p = network_program(&n, d, o);
    run(p, d, &r, true);
    ub_program_free(p);
    ub_graph_free(n.g);
    return r;
}

static double worst(const double *a, const double *b, int n)
{
    double w = 0;
    for (int i = 0; i < n; i++)
        w = fmax(w, fabs(a[i] - b[i]) / (1 + fabs(b[i])));
    return w;
}

static void assert_same(const struct results *a, const struct results *b, double tolerance)
{
    assert_true(worst(&a->loss, &b->loss, 1) <= tolerance);
    assert_true(worst(a->grad, b->grad, WEIGHTS) <= tolerance);
    assert_true(worst(a->output, b->output, N * OUT) <= tolerance);
    assert_true(worst(a->hv, b->hv, BLOCK * WEIGHTS) <= tolerance);
}

static void chunks_sum_to_the_whole(void **state)
{
    (void)state;
    struct data d = data_new();
    struct results whole = run_network(&d, (struct options){N, false, NULL, 0});
    const int64_t chunks[] = {1, 8, 10, 52, 100, 128};
    for (int i = 0; i < 6; i++) {
        struct results r = run_network(&d, (struct options){chunks[i], false, NULL, 0});
        assert_same(&r, &whole, 1e-12);
        r = run_network(&d, (struct options){chunks[i], true, NULL, 0});
        assert_same(&r, &whole, 2e-4);
    }
}

static void threads_give_the_same_bits(void **state)
{
    (void)state;
    struct data d = data_new();
    for (int single = 0; single < 2; single++) {
        struct results one = run_network(&d, (struct options){5, single, NULL, 0});
        for (int threads = 2; threads <= 4; threads++) {
            struct ub_team *team = ub_team_new(threads);
            for (int again = 0; again < 5; again++) {
                struct results r = run_network(&d, (struct options){5, single, team, 0});
                assert_memory_equal(&r, &one, sizeof r);
            }
            ub_team_free(team);
        }
    }
}

/* New tangents at the old point: only the late stage runs, from kept values or by doing the first
 * stage again when nothing may be kept. */
static void late_stage_alone_gives_the_same(void **state)
{
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        struct ub_team *team = ub_team_new(2);
        struct options o = {10, false, team, keep ? 0 : 1};
        struct data d = data_new(), other = d;
        struct network n = network_new(o.chunk);
        struct ub_program *p = network_program(&n, &d, o);
        assert_true((ub_program_facts(p).kept_bytes > 0) == keep);
        struct results r, expected;
        run(p, &d, &r, true);
        for (int i = 0; i < BLOCK * WEIGHTS; i++)
            other.v[i] = sin(i);
        run(p, &other, &r, false);
        expected = run_network(&other, o);
        assert_same(&r, &expected, 1e-14);
        ub_program_free(p);
        ub_graph_free(n.g);
        ub_team_free(team);
    }
}

static void block_products_match_differences_of_the_gradient(void **state)
{
    (void)state;
    struct data d = data_new();
    struct options o = {10, false, NULL, 0};
    struct results r = run_network(&d, o);
    const double h = 1e-5;
    for (int b = 0; b < BLOCK; b++) {
        struct data up = d, down = d;
        for (int i = 0; i < WEIGHTS; i++) {
            up.theta[i] += h * d.v[b * WEIGHTS + i];
            down.theta[i] -= h * d.v[b * WEIGHTS + i];
        }
        struct results above = run_network(&up, o), below = run_network(&down, o);
        for (int i = 0; i < WEIGHTS; i++) {
            double expected = (above.grad[i] - below.grad[i]) / (2 * h);
            assert_true(fabs(r.hv[b * WEIGHTS + i] - expected) < 1e-6 * (1 + fabs(expected)));
        }
    }
}

static void pointwise_chains_are_fused(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    ub_node x = ub_input(g, 1, (int64_t[]){5000}), y = x;
    for (int i = 0; i < 10; i++)
        y = ub_tanh(g, ub_add(g, ub_mul(g, y, y), x));
    struct ub_program *p = ub_program_compile(
        g, &(struct ub_program_spec){.inputs = &(struct ub_program_input){.node = x},
                                     .n_inputs = 1,
                                     .outputs = &(struct ub_program_output){.node = y},
                                     .n_outputs = 1});
    assert_int_equal(ub_program_facts(p).fused_blocks, 1);
    assert_int_equal(ub_program_facts(p).steps_once, 1);
    static double in[5000], out[5000];
    for (int i = 0; i < 5000; i++)
        in[i] = sin(i);
    ub_program_run(p, (const double *[]){in}, (double *[]){out}, true);
    for (int i = 0; i < 5000; i++) {
        double v = in[i];
        for (int k = 0; k < 10; k++)
            v = tanh(v * v + in[i]);
        assert_true(fabs(out[i] - v) < 1e-13);
    }
    ub_program_free(p);
    ub_graph_free(g);
}

/* Sums over each group of axes of a chain, of sizes around that of a block, and a reader of one. */
static void sums_join_the_block_of_what_they_sum(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{7, 1500, 1}, {1, 700, 8}, {3, 257, 24}, {2, 2, 1030},
                                       {5, 1, 300},  {1, 65, 64}, {2050, 2, 1}, {300, 8, 1},
                                       {129, 16, 1}, {300, 2, 8}, {90, 3, 4},   {70, 2, 16},
                                       {50, 5, 32},  {60, 8, 8},  {99, 3, 24},  {1, 1, 1}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int64_t a = sizes[k][0], r = sizes[k][1], b = sizes[k][2], n = a * r * b;
        struct ub_graph *g = ub_graph_new();
        ub_node x = ub_input(g, 3, sizes[k]), y = ub_add(g, ub_mul(g, x, x), x);
        ub_node sum = ub_reshape(g, ub_sum(g, y, UB_AXIS(1)), 3, (int64_t[]){a, 1, b});
        struct ub_program_output outputs[] = {{.node = sum, .slot = 0},
                                              {.node = ub_sub(g, y, sum), .slot = 1}};
        struct ub_program *p = ub_program_compile(
            g, &(struct ub_program_spec){.inputs = &(struct ub_program_input){.node = x},
                                         .n_inputs = 1,
                                         .outputs = outputs,
                                         .n_outputs = 2});
        double *in = ub_calloc((size_t)n, sizeof *in), *out = ub_calloc((size_t)n, sizeof *out);
        double *sums = ub_calloc((size_t)(a * b), sizeof *sums);
        double *expected = ub_calloc((size_t)(a * b), sizeof *expected);
        for (int64_t i = 0; i < n; i++) {
            in[i] = sin((double)i);
            expected[i / (r * b) * b + i % b] += in[i] * in[i] + in[i];
        }
        ub_program_run(p, (const double *[]){in}, (double *[]){sums, out}, true);
        for (int64_t i = 0; i < a * b; i++)
            assert_true(fabs(sums[i] - expected[i]) < 1e-11);
        for (int64_t i = 0; i < n; i++)
            assert_true(fabs(out[i] - (in[i] * in[i] + in[i]) + expected[i / (r * b) * b + i % b]) <
                        1e-11);
        assert_true(ub_program_facts(p).steps_once <= 2); /* with the sum, and what reads it */
        ub_program_free(p);
        ub_graph_free(g);
        ub_free(in);
        ub_free(out);
        ub_free(sums);
        ub_free(expected);
    }
}

/* Sums of one product under different factors, in different shapes, are one sum; and are right. */
static void factors_come_out_of_sums(void **state)
{
    (void)state;
    enum { IMAGES = 5, PIXELS = 4, C = 3, ROWS = IMAGES * PIXELS };
    struct ub_graph *g = ub_graph_new();
    ub_node x = ub_input(g, 3, (int64_t[]){IMAGES, PIXELS, C}),
            y = ub_input(g, 2, (int64_t[]){ROWS, C});
    ub_node w = ub_input(g, 1, (int64_t[]){C}), u = ub_input(g, 2, (int64_t[]){1, C});
    ub_node flat = ub_reshape(g, ub_mul(g, x, w), 2, (int64_t[]){ROWS, C});
    ub_node deep = ub_reshape(g, ub_mul(g, y, u), 3, (int64_t[]){IMAGES, PIXELS, C});
    ub_node sums[] = {ub_sum(g, ub_mul(g, flat, y), UB_AXIS(0)),
                      ub_sum(g, ub_mul(g, deep, x), UB_AXIS(0) | UB_AXIS(1)),
                      ub_sum(g, ub_neg(g, ub_sub(g, flat, ub_mul(g, y, u))), UB_AXIS(0)),
                      ub_sum(g, ub_mul(g, w, x), UB_AXIS(2))};
    const ub_node inputs[] = {x, y, w, u};
    struct ub_program_input in[4];
    struct ub_program_output out[4];
    for (int i = 0; i < 4; i++) {
        in[i] = (struct ub_program_input){.node = inputs[i], .slot = i};
        out[i] = (struct ub_program_output){.node = sums[i], .slot = i};
    }
    struct ub_program *p = ub_program_compile(
        g, &(struct ub_program_spec){.inputs = in, .n_inputs = 4, .outputs = out, .n_outputs = 4});
    double X[ROWS * C], Y[ROWS * C], W[C] = {1.5, -2, 0.25}, U[C] = {3, 0.5, -1}, r[4][ROWS];
    double expected[4][ROWS] = {{0}};
    for (int i = 0; i < ROWS * C; i++) {
        const int k = i % C;
        X[i] = sin(i);
        Y[i] = cos(2 * i);
        expected[0][k] += X[i] * W[k] * Y[i];
        expected[1][k] += Y[i] * U[k] * X[i];
        expected[2][k] -= X[i] * W[k] - Y[i] * U[k];
        expected[3][i / C] += W[k] * X[i];
    }
    ub_program_run(p, (const double *[]){X, Y, W, U}, (double *[]){r[0], r[1], r[2], r[3]}, true);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < (i < 3 ? C : ROWS); k++)
            assert_true(fabs(r[i][k] - expected[i][k]) < 1e-13);
    assert_int_equal(ub_sum(g, ub_mul(g, x, w), UB_AXIS(0) | UB_AXIS(1)),
                     ub_mul(g, ub_sum(g, x, UB_AXIS(0) | UB_AXIS(1)), w));
    ub_program_free(p);
    ub_graph_free(g);
}

/* The gradient of a layer's (out, in) weights is a product of its own, with nothing to move. */
static void transposed_products_are_products(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    const int swap[] = {1, 0};
    ub_node a = ub_input(g, 2, (int64_t[]){3, 4}), b = ub_input(g, 2, (int64_t[]){4, 5});
    assert_int_equal(ub_transpose(g, ub_matmul(g, a, b), swap),
                     ub_matmul(g, ub_transpose(g, b, swap), ub_transpose(g, a, swap)));
    ub_graph_free(g);
}

/* Steps that each multiply one row a sample want several samples at once. */
static void recurrent_work_is_thin(void **state)
{
    (void)state;
    enum { STEPS = 64, WIDTH = 16 };
    struct ub_graph *g = ub_graph_new();
    ub_node x = ub_input(g, 3, (int64_t[]){1, STEPS, WIDTH});
    ub_node w = ub_input(g, 2, (int64_t[]){WIDTH, WIDTH});
    ub_node parallel = ub_matmul(g, x, w), h = ub_slice(g, parallel, 1, 0, 1);
    for (int t = 1; t < STEPS; t++)
        h = ub_tanh(g, ub_add(g, ub_matmul(g, h, w), ub_slice(g, parallel, 1, t, 1)));
    struct ub_sample_sizes flat = ub_graph_sizes(g, parallel, x), deep = ub_graph_sizes(g, h, x);
    assert_int_equal(flat.rows, STEPS);
    assert_int_equal(deep.rows, STEPS);
    assert_false(flat.thin);
    assert_true(deep.thin);
    flat.widest = deep.widest = 1 << 20;
    assert_int_equal(ub_chunk_size(256, flat, 0), 2);
    assert_int_equal(ub_chunk_size(256, deep, 0), 8);
    const ub_node plain = ub_tanh(g, x);
    struct ub_sample_sizes none = ub_graph_sizes(g, plain, x);
    assert_int_equal(none.rows, 0);
    none.widest = 1;
    assert_int_equal(ub_chunk_size(1000, none, 0), 250);
    none.widest = 1000;
    assert_int_equal(ub_chunk_size(1000, none, 0), 125);
    ub_graph_free(g);
}

/* Vectors longer than the pieces in which threads carry them in and out, a batch of them with room
 * between its members, and an output that depends on no sample. Oracle: loops over whole numbers,
 * so sums are exact. */
static void long_vectors_are_carried_whole(void **state)
{
    (void)state;
    enum { LONG = 10007, MEMBERS = 3, APART = LONG + 13, SAMPLES = 21 };
    struct ub_graph *g = ub_graph_new();
    const ub_node x = ub_input(g, 2, (int64_t[]){4, 1}), weight = ub_input(g, 1, (int64_t[]){4});
    const ub_node w = ub_input(g, 1, (int64_t[]){LONG});
    const ub_node v = ub_input(g, 3, (int64_t[]){MEMBERS, 1, LONG});
    const ub_node real = ub_mul(g, x, ub_reshape(g, weight, 2, (int64_t[]){4, 1}));
    const struct ub_program_input in[] = {{.node = w},
                                          {.node = v, .slot = 1, .stride = APART, .late = true},
                                          {.node = x, .kind = UB_SAMPLES},
                                          {.node = weight, .kind = UB_WEIGHTS}};
    const struct ub_program_output out[] = {
        {.node = ub_sum(g, ub_mul(g, real, w), UB_AXIS(0))},
        {.node = ub_sum(g, ub_mul(g, real, v), UB_AXIS(1)), .slot = 1, .stride = APART},
        {.node = ub_scale(g, w, 2), .slot = 2}};
    static double W[LONG], V[MEMBERS * APART], r0[LONG], r1[MEMBERS * APART], r2[LONG];
    double X[SAMPLES], sum = 0;
    for (int i = 0; i < SAMPLES; i++)
        sum += X[i] = i % 5 - 1;
    for (int i = 0; i < LONG; i++)
        W[i] = i % 100;
    for (int i = 0; i < MEMBERS * APART; i++)
        V[i] = i % 91;
    for (int threads = 1; threads <= 3; threads++) {
        struct ub_team *team = ub_team_new(threads);
        struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = in,
                                                                               .n_inputs = 4,
                                                                               .outputs = out,
                                                                               .n_outputs = 3,
                                                                               .samples = SAMPLES,
                                                                               .chunk = 4,
                                                                               .single = true,
                                                                               .team = team});
        ub_program_samples(p, 0, X);
        memset(r1, 0, sizeof r1);
        ub_program_run(p, (const double *[]){W, V}, (double *[]){r0, r1, r2}, true);
        for (int i = 0; i < LONG; i++) {
            assert_true(r0[i] == sum * W[i] && r2[i] == 2 * W[i]);
            for (int m = 0; m < MEMBERS; m++)
                assert_true(r1[m * APART + i] == sum * V[m * APART + i]);
        }
        for (int i = LONG; i < APART; i++)
            assert_true(r1[i] == 0);
        ub_program_free(p);
        ub_team_free(team);
    }
    ub_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_sum_to_the_whole),
        cmocka_unit_test(threads_give_the_same_bits),
        cmocka_unit_test(late_stage_alone_gives_the_same),
        cmocka_unit_test(block_products_match_differences_of_the_gradient),
        cmocka_unit_test(pointwise_chains_are_fused),
        cmocka_unit_test(sums_join_the_block_of_what_they_sum),
        cmocka_unit_test(factors_come_out_of_sums),
        cmocka_unit_test(transposed_products_are_products),
        cmocka_unit_test(recurrent_work_is_thin),
        cmocka_unit_test(long_vectors_are_carried_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
