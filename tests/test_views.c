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

/* ---- views behind views ---- */

enum { MOST_BEHIND = 2, SPLIT_ROWS = 256, SPLIT_SAMPLES = 4 };

/* y of the samples and of weights, by way of some copies. */
struct behind {
    const char *name;
    struct ub_shape samples, weight;
    ub_node (*build)(struct ub_graph *g, ub_node x, ub_node w, ub_node copies[MOST_BEHIND]);
    bool single, split;
};

/* A column, whose transposition's rows are not adjacent. */
static ub_node of_turned_column(struct ub_graph *g, ub_node a, ub_node w, ub_node *copy)
{
    copy[0] = ub_reshape(g, ub_slice(g, a, 3, 2, 1), 3, (int64_t[]){CHUNK, 4, 6});
    return ub_matmul(g, ub_transpose(g, copy[0], (int[]){0, 2, 1}), w);
}

/* The exponential is asked last, and has made what the product was to read through. */
static ub_node read_once_more(struct ub_graph *g, ub_node a, ub_node w, ub_node *copy)
{
    copy[0] = ub_transpose(g, a, (int[]){0, 2, 1});
    const ub_node wide = ub_reshape(g, copy[0], 4, (int64_t[]){CHUNK, 4, 2, 3});
    copy[1] = ub_transpose(g, wide, (int[]){0, 3, 1, 2});
    const ub_node p = ub_sum(g, ub_matmul(g, copy[1], w), UB_AXIS(1) | UB_AXIS(2) | UB_AXIS(3));
    return ub_add(g, p, ub_sum(g, ub_exp(g, copy[0]), UB_AXIS(1) | UB_AXIS(2)));
}

/* One row, of numbers that are not adjacent. */
static ub_node of_one_row(struct ub_graph *g, ub_node a, ub_node w, ub_node *copy)
{
    copy[0] = ub_reshape(g, ub_slice(g, a, 2, 1, 1), 3, (int64_t[]){CHUNK, 1, 7});
    return ub_matmul(g, copy[0], w);
}

static ub_node of_turned_slice(struct ub_graph *g, ub_node a, ub_node w, ub_node *copy)
{
    copy[0] = ub_slice(g, a, 2, 3, SPLIT_ROWS);
    return ub_matmul(g, ub_transpose(g, copy[0], (int[]){0, 2, 1}), w);
}

/* y of each sample; with the copies as outputs, too, they are made. */
static double *outputs_of(const struct behind *b, bool made, int64_t *count)
{
    struct ub_graph *g = ub_graph_new();
    const ub_node a = ub_input(g, b->samples.rank, b->samples.dim);
    const ub_node w = ub_input(g, b->weight.rank, b->weight.dim);
    const int64_t chunk = b->samples.dim[0], samples = b->split ? SPLIT_SAMPLES : N;
    ub_node copy[MOST_BEHIND];
    for (int i = 0; i < MOST_BEHIND; i++)
        copy[i] = -1;
    const ub_node y = b->build(g, a, w, copy);
    const struct ub_program_input in[] = {{.node = a, .kind = UB_SAMPLES}, {.node = w}};
    struct ub_program_output to[1 + MOST_BEHIND] = {{.node = y, .kind = UB_EACH}};
    double *out[1 + MOST_BEHIND] = {NULL};
    int n = 1;
    for (int i = 0; made && i < MOST_BEHIND && copy[i] != -1; i++, n++)
        to[n] = (struct ub_program_output){.node = copy[i], .kind = UB_EACH, .slot = n};
    for (int i = 0; i < n; i++)
        out[i] = ub_alloc((size_t)(ub_count(ub_shape_of(g, to[i].node)) / chunk * samples) *
                          sizeof **out);
    struct ub_program *p = ub_program_compile(g, &(struct ub_program_spec){.inputs = in,
                                                                           .n_inputs = 2,
                                                                           .outputs = to,
                                                                           .n_outputs = n,
                                                                           .samples = samples,
                                                                           .chunk = chunk,
                                                                           .single = b->single,
                                                                           .split = b->split});
    const int64_t numbers = ub_count(b->samples) / chunk * samples, weights = ub_count(b->weight);
    double *data = ub_alloc((size_t)(numbers + weights) * sizeof *data);
    for (int64_t i = 0; i < numbers + weights; i++)
        data[i] = sin(1.7 * (double)i) + 0.1 * cos(0.3 * (double)i);
    const double *const shared[] = {data + numbers};
    ub_program_samples(p, 0, data);
    ub_program_run(p, shared, out, true);
    *count = ub_count(ub_shape_of(g, y)) / chunk * samples;
    for (int i = 1; i < n; i++)
        ub_free(out[i]);
    ub_free(data);
    ub_program_free(p);
    ub_graph_free(g);
    return out[0];
}

static void views_behind_views_give_what_copies_give(void **state)
{
    (void)state;
    static const struct behind cases[] = {
        {"a turned column", {4, {CHUNK, 4, 6, 5}}, {2, {4, 3}}, of_turned_column, false, false},
        {"one read once more", {3, {CHUNK, 6, 4}}, {2, {2, 5}}, read_once_more, false, false},
        {"one row", {3, {CHUNK, 7, 5}}, {2, {7, 9}}, of_one_row, false, false},
        {"one row, f32", {3, {CHUNK, 7, 5}}, {2, {7, 9}}, of_one_row, true, false},
        {"a turned slice, split",
         {3, {2, SPLIT_ROWS, 2 * SPLIT_ROWS}},
         {2, {SPLIT_ROWS, SPLIT_ROWS}},
         of_turned_slice,
         true,
         true},
    };
    struct ub_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].split && !ub_split_available(&err))
            continue;
        int64_t count;
        double *copied = outputs_of(&cases[i], true, &count);
        double *viewed = outputs_of(&cases[i], false, &count);
        for (int64_t k = 0; k < count; k++)
            if (!(fabs(viewed[k] - copied[k]) <= (cases[i].single ? 1e-3 : 1e-12)))
                fail_msg("%s: number %d is %.9g, not %.9g", cases[i].name, (int)k, viewed[k],
                         copied[k]);
        ub_free(copied);
        ub_free(viewed);
    }
}

int main(void)
{
    fill_samples();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_and_written_in_place),
        cmocka_unit_test(parts_of_a_joined_array_are_written_in_place),
        cmocka_unit_test(what_cannot_be_read_in_place_is_copied),
        cmocka_unit_test(views_behind_views_give_what_copies_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
