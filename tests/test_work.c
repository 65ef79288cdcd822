/* What a program says it does, against counts by hand: products and their sizes, flops, bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "systems/graph/graph.h"

enum { CHUNK = 6, CHUNKS = 3, SAMPLES = CHUNK * CHUNKS - 2, REAL = sizeof(float) };

struct counts {
    int products, convolutions, copies;
    double flops, bytes; /* of a run; bytes are arithmetic's */
};

/* Also runs every part alone, on two threads: nothing may be out of bounds. */
static struct counts count(struct ub_program *p)
{
    struct counts c = {0};
    for (int i = 0; i < ub_program_parts(p); i++) {
        const struct ub_program_part part = ub_program_part(p, i);
        c.products += part.kind == UB_PART_PRODUCT;
        c.convolutions += part.kind == UB_PART_CONVOLUTION;
        c.copies += part.kind == UB_PART_COPY;
        c.flops += part.flops * part.calls;
        c.bytes += part.kind == UB_PART_ARITHMETIC ? part.bytes * part.calls : 0;
        ub_program_repeat(p, i, 2);
    }
    return c;
}

/* The program of a loss and its derivatives by parameters w, after a run. */
struct trained {
    struct ub_graph *g;
    struct ub_team *team;
    struct ub_program *p;
    double streamed, streamed_late;
};

/* A watched run gives the same numbers, and its parts take no longer than it does. */
static void watch(struct ub_program *p, const double *const *vectors, double *const *results,
                  int64_t size)
{
    double *before = ub_calloc((size_t)size, sizeof *before), spent = 0;
    memcpy(before, results[1], (size_t)size * sizeof *before);
    memset(results[1], 0, (size_t)size * sizeof *before);
    assert_true(ub_program_spent(p, 0) == 0);
    ub_program_watch(p);
    const double start = ub_seconds();
    ub_program_run(p, vectors, results, true);
    const double run = ub_seconds() - start;
    for (int i = 0; i < ub_program_parts(p); i++) {
        assert_true(ub_program_spent(p, i) >= 0);
        spent += ub_program_spent(p, i);
    }
    assert_memory_equal(before, results[1], (size_t)size * sizeof *before);
    assert_true(spent > 0 && spent <= 2 * run);
    ub_free(before);
}

static struct trained train(struct ub_graph *g, ub_node x, ub_node loss, const ub_node *w, int n)
{
    struct ub_program_input inputs[8] = {{.node = x, .kind = UB_SAMPLES}};
    struct ub_program_output outputs[8] = {{.node = loss, .slot = 0}};
    ub_node gradient[4];
    double *values = NULL;
    int64_t size = 0;
    ub_grad(g, loss, w, n, gradient);
    for (int i = 0; i < n; i++) {
        inputs[1 + i] = (struct ub_program_input){.node = w[i], .offset = size};
        outputs[1 + i] = (struct ub_program_output){.node = gradient[i], .slot = 1, .offset = size};
        size += ub_count(ub_shape_of(g, w[i]));
    }
    struct trained t = {.g = g, .team = ub_team_new(2)};
    t.p = ub_program_compile(g, &(struct ub_program_spec){.inputs = inputs,
                                                          .n_inputs = n + 1,
                                                          .outputs = outputs,
                                                          .n_outputs = n + 1,
                                                          .samples = SAMPLES,
                                                          .chunk = CHUNK,
                                                          .single = true,
                                                          .team = t.team});
    const int64_t features = ub_count(ub_shape_of(g, x)) / CHUNK;
    const int64_t most = size > SAMPLES * features ? size : SAMPLES * features;
    values = ub_calloc((size_t)most, sizeof *values);
    for (int64_t i = 0; i < most; i++)
        values[i] = 0.01 * (double)(i % 17);
    ub_program_samples(t.p, 0, values);
    double loss_value = 0, *out = ub_calloc((size_t)size, sizeof *out);
    const double *vectors[] = {values};
    double *results[] = {&loss_value, out};
    ub_program_run(t.p, vectors, results, true);
    watch(t.p, vectors, results, size);
    t.streamed = ub_program_streamed(t.p, true);
    t.streamed_late = ub_program_streamed(t.p, false);
    ub_free(values);
    ub_free(out);
    /* samples, padding included, as floats; parameters, their gradient and the loss as doubles */
    assert_true(t.streamed == (double)(CHUNK * CHUNKS * features * REAL + (2 * size + 1) * 8));
    assert_true(t.streamed_late == 0);
    return t;
}

static void trained_free(struct trained *t)
{
    ub_program_free(t->p);
    ub_team_free(t->team);
    ub_graph_free(t->g);
}

/* tanh(x A) B, squared: with R rows in all the products are R x IN x HIDDEN forward and for A's
 * gradient, and R x HIDDEN x OUT forward, for B's gradient and for the cotangent of the
 * activations. The rest by hand, in numbers: tanh reads and writes R HIDDEN; the square reads R OUT
 * and sums to one a chunk; the outputs' cotangent, twice the outputs, reads and writes R OUT; that
 * through tanh reads R HIDDEN twice and writes it; the loss's total is read, and read and written.
 */
static void mlp(void **state)
{
    enum { IN = 5, HIDDEN = 7, OUT = 3 };
    (void)state;
    struct ub_graph *g = ub_graph_new();
    const ub_node x = ub_input(g, 2, (int64_t[]){CHUNK, IN});
    const ub_node w[] = {ub_input(g, 2, (int64_t[]){IN, HIDDEN}),
                         ub_input(g, 2, (int64_t[]){HIDDEN, OUT})};
    const ub_node h = ub_tanh(g, ub_matmul(g, x, w[0])), y = ub_matmul(g, h, w[1]);
    struct trained t = train(g, x, ub_sum_all(g, ub_mul(g, y, y)), w, 2);
    const struct counts c = count(t.p);
    const double rows = CHUNK * CHUNKS;
    assert_int_equal(c.products, 5);
    assert_int_equal(c.convolutions, 0);
    assert_true(c.flops == 2 * rows * (2 * IN * HIDDEN + 3 * HIDDEN * OUT));
    const double numbers = rows * (2 * HIDDEN + 3 * OUT + 3 * HIDDEN) + CHUNKS * (1 + 3);
    print_message("mlp: %g bytes, by hand %g\n", c.bytes, numbers * REAL);
    assert_true(c.bytes == numbers * REAL);
    trained_free(&t);
}

/* One convolution of CHUNK images, its squares' gradient by the weights: forward and weight
 * gradient, each of H W pixels times O channels times 3 3 C numbers of a patch. */
static void convolution(void **state)
{
    enum { H = 5, W = 4, C = 2, O = 3, K = 3 };
    (void)state;
    struct ub_graph *g = ub_graph_new();
    const struct ub_patch window = {.height = K, .width = K, .stride = 1, .pad = 1, .groups = 1};
    const ub_node x = ub_input(g, 4, (int64_t[]){CHUNK, H, W, C});
    const ub_node w = ub_input(g, 4, (int64_t[]){O, K, K, C});
    const ub_node y = ub_conv(g, x, w, window);
    struct trained t = train(g, x, ub_sum_all(g, ub_mul(g, y, y)), &w, 1);
    const struct counts c = count(t.p);
    assert_int_equal(c.convolutions, 2);
    assert_true(c.flops == 2 * 2.0 * (CHUNK * CHUNKS * H * W) * O * (K * K * C));
    for (int i = 0; i < ub_program_parts(t.p); i++) {
        const struct ub_program_part part = ub_program_part(t.p, i);
        if (part.kind != UB_PART_CONVOLUTION)
            continue;
        const int64_t pixels = CHUNK * H * W, patch = K * K * C;
        assert_true(part.batch == 1 && part.m * part.n * part.k == pixels * patch * O);
        assert_true(part.ta ? part.m == O && part.k == pixels : part.m == pixels && part.n == O);
    }
    trained_free(&t);
}

/* softmax(q k') v with q = k = v = x A, squared. Forward: T x D x D for all samples as one product,
 * T x T x D and T x D x T of each; backward: two products for each of the latter (one is the same
 * for q and k but for being transposed), one for A. */
static void attention(void **state)
{
    enum { T = 4, D = 5 };
    (void)state;
    struct ub_graph *g = ub_graph_new();
    const ub_node x = ub_input(g, 3, (int64_t[]){CHUNK, T, D});
    const ub_node w = ub_input(g, 2, (int64_t[]){D, D});
    const ub_node v = ub_matmul(g, x, w);
    const ub_node scores = ub_matmul(g, v, ub_transpose(g, v, (int[]){0, 2, 1}));
    const ub_node y = ub_matmul(g, ub_softmax(g, scores), v);
    struct trained t = train(g, x, ub_sum_all(g, ub_mul(g, y, y)), &w, 1);
    const struct counts c = count(t.p);
    const double samples = CHUNK * CHUNKS;
    int of_samples = 0, of_all = 0;
    for (int i = 0; i < ub_program_parts(t.p); i++) {
        const struct ub_program_part part = ub_program_part(t.p, i);
        of_samples += part.kind == UB_PART_PRODUCT && part.batch == CHUNK;
        of_all += part.kind == UB_PART_PRODUCT && part.batch == 1;
        assert_true(!part.late && part.calls == (part.shared ? 1 : CHUNKS));
    }
    assert_int_equal(of_samples, 6);
    assert_int_equal(of_all, 2);
    assert_true(c.flops == 2 * samples * (6 * T * T * D + 2 * T * D * D));
    trained_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mlp), cmocka_unit_test(convolution),
                                       cmocka_unit_test(attention)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
