/* Copies that are never made: products read what is cut out of an array where it lies, and write
 * their part of another, with the numbers that copies would give. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph_support.h"

enum { N = 7, CHUNK = 3, STEPS = 5, HEADS = 2, SIZE = 3, WIDTH = HEADS * SIZE, PARTS = 3 };
enum { IN = STEPS * PARTS * WIDTH };

static double x[N * IN];

static void fill_samples(void)
{
    for (int i = 0; i < N * IN; i++)
        x[i] = sin(1.7 * i) + 0.1 * cos(0.3 * i);
}

static double at(int n, int step, int part, int head, int k)
{
    return x[((n * STEPS + step) * PARTS + part) * WIDTH + head * SIZE + k];
}

/* (chunk, heads, steps, size) of each of three parts of the samples' (chunk, steps, 3 width). */
static void split_heads(struct ub_graph *g, ub_node samples, ub_node part[PARTS])
{
    ub_node all = ub_reshape(g, samples, 5, (int64_t[]){CHUNK, STEPS, PARTS, HEADS, SIZE});
    all = ub_transpose(g, all, (int[]){2, 0, 3, 1, 4});
    for (int i = 0; i < PARTS; i++)
        part[i] =
            ub_reshape(g, ub_slice(g, all, 0, i, 1), 4, (int64_t[]){CHUNK, HEADS, STEPS, SIZE});
}

/* Runs a program of one output by sample on the samples; how many copies a chunk makes, the
 * output's own apart. */
static int run(struct ub_graph *g, ub_node samples, ub_node y, bool single, double *out)
{
    const struct ub_program_input in = {.node = samples, .kind = UB_SAMPLES};
    const struct ub_program_output o = {.node = y, .kind = UB_EACH};
    struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = &in,
                                                                           .n_inputs = 1,
                                                                           .outputs = &o,
                                                                           .n_outputs = 1,
                                                                           .samples = N,
                                                                           .chunk = CHUNK,
                                                                           .single = single});
    ub_program_samples(p, 0, x);
    ub_program_run(p, NULL, &out, true);
    int copies = -1;
    for (int i = 0; i < ub_program_parts(p); i++)
        copies += ub_program_part(p, i).kind == UB_PART_COPY;
    ub_program_free(p);
    return copies;
}

/* What head `head` of q k' v is. */
static double attended(int n, int step, int head, int k)
{
    double sum = 0;
    for (int u = 0; u < STEPS; u++) {
        double score = 0;
        for (int j = 0; j < SIZE; j++)
            score += at(n, step, 0, head, j) * at(n, u, 1, head, j);
        sum += score * at(n, u, 2, head, k);
    }
    return sum;
}

static void heads_are_read_and_written_in_place(void **state)
{
    (void)state;
    for (int single = 0; single < 2; single++) {
        struct ub_graph *g = ub_graph_new();
        const ub_node samples = ub_input(g, 3, (int64_t[]){CHUNK, STEPS, PARTS * WIDTH});
        ub_node part[PARTS];
        split_heads(g, samples, part);
        const ub_node keys = ub_transpose(g, part[1], (int[]){0, 1, 3, 2});
        ub_node y = ub_matmul(g, ub_matmul(g, part[0], keys), part[2]);
        y = ub_reshape(g, ub_transpose(g, y, (int[]){0, 2, 1, 3}), 3,
                       (int64_t[]){CHUNK, STEPS, WIDTH});
        double out[N * STEPS * WIDTH];
        assert_int_equal(run(g, samples, y, single, out), 0);
        for (int n = 0; n < N; n++)
            for (int t = 0; t < STEPS; t++)
                for (int k = 0; k < WIDTH; k++)
                    assert_true(fabs(out[(n * STEPS + t) * WIDTH + k] -
                                     attended(n, t, k / SIZE, k % SIZE)) < (single ? 1e-4 : 1e-12));
        ub_graph_free(g);
    }
}

/* Heads of a product, of the copy q, and of another product, joined and turned back: two products
 * write their parts, q is moved once. */
static void parts_of_a_joined_array_are_written_in_place(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    const ub_node samples = ub_input(g, 3, (int64_t[]){CHUNK, STEPS, PARTS * WIDTH});
    ub_node part[PARTS], joined[PARTS];
    split_heads(g, samples, part);
    const ub_node keys = ub_transpose(g, part[1], (int[]){0, 1, 3, 2});
    const ub_node scores = ub_matmul(g, part[0], keys);
    joined[0] = ub_matmul(g, scores, part[2]);
    joined[1] = part[0];
    joined[2] = ub_matmul(g, scores, part[0]);
    for (int i = 0; i < PARTS; i++)
        joined[i] = ub_reshape(g, joined[i], 5, (int64_t[]){1, CHUNK, HEADS, STEPS, SIZE});
    ub_node y = ub_transpose(g, ub_concat(g, joined, PARTS, 0), (int[]){1, 3, 0, 2, 4});
    y = ub_reshape(g, y, 3, (int64_t[]){CHUNK, STEPS, PARTS * WIDTH});
    double out[N * IN];
    assert_int_equal(run(g, samples, y, false, out), 1);
    for (int n = 0; n < N; n++)
        for (int t = 0; t < STEPS; t++)
            for (int k = 0; k < WIDTH; k++) {
                const double *o = out + (n * STEPS + t) * PARTS * WIDTH + k;
                assert_true(fabs(o[0] - attended(n, t, k / SIZE, k % SIZE)) < 1e-12);
                assert_true(o[WIDTH] == at(n, t, 0, k / SIZE, k % SIZE));
            }
    ub_graph_free(g);
}

/* What a sum reads is made, and what two read is not written in place of either. */
static void what_cannot_be_read_in_place_is_copied(void **state)
{
    (void)state;
    struct ub_graph *g = ub_graph_new();
    const ub_node samples = ub_input(g, 3, (int64_t[]){CHUNK, STEPS, PARTS * WIDTH});
    ub_node part[PARTS];
    split_heads(g, samples, part);
    const ub_node keys = ub_transpose(g, part[1], (int[]){0, 1, 3, 2});
    const ub_node scores = ub_matmul(g, part[0], keys); /* read turned, and as it is */
    const ub_node turned = ub_transpose(g, ub_matmul(g, scores, part[2]), (int[]){0, 2, 1, 3});
    const ub_node twice[] = {turned, turned};
    const ub_node y = ub_add(g, ub_sum(g, ub_concat(g, twice, 2, 3), UB_AXIS(2) | UB_AXIS(3)),
                             ub_sum(g, keys, UB_AXIS(1) | UB_AXIS(2)));
    double out[N * STEPS];
    run(g, samples, y, false, out);
    for (int n = 0; n < N; n++)
        for (int t = 0; t < STEPS; t++) {
            double sum = 0;
            for (int k = 0; k < WIDTH; k++)
                sum += 2 * attended(n, t, k / SIZE, k % SIZE) + at(n, t, 1, k / SIZE, k % SIZE);
            assert_true(fabs(out[n * STEPS + t] - sum) < 1e-11);
        }
    ub_graph_free(g);
}

int main(void)
{
    fill_samples();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_and_written_in_place),
        cmocka_unit_test(parts_of_a_joined_array_are_written_in_place),
        cmocka_unit_test(what_cannot_be_read_in_place_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
