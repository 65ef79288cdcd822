/* Totals over all chunks, at which threads meet: programs over many chunks give what one chunk of
 * all samples gives, where the total is a plain sum. Two layers, each normalized over all samples,
 * as batch norm does it, so that statistics and their adjoints follow one another; to the third
 * derivative. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph_support.h"
#include "systems/problem_express.h"
#include "tiny.h"

enum { N = 60, IN = 5, WIDTH = 6, OUT = 3, PARAMS = 5, BLOCK = 3 };
static const struct {
    int rank;
    int64_t dim[2];
} shapes[PARAMS] = {
    {2, {IN, WIDTH}}, {1, {WIDTH}}, {1, {WIDTH}}, {2, {WIDTH, WIDTH}}, {2, {WIDTH, OUT}}};
enum { SIZE = IN * WIDTH + WIDTH + WIDTH + WIDTH * WIDTH + WIDTH * OUT };

struct options {
    int64_t chunk;
    bool single, weighed; /* weighed: by 1 and 0, though no sample may be 0 */
    struct ub_team *team;
    uint64_t keep_limit;
};

struct results {
    double loss, grad[SIZE], hv[BLOCK * SIZE], third[SIZE], statistic[WIDTH], output[N * OUT];
};

/* With one chunk of all samples, the sum over it is the total. */
static ub_node mean_over_samples(struct ub_graph *g, ub_node x, ub_node weight, struct options o)
{
    const bool many = o.chunk < N;
    if (o.weighed)
        x = ub_mul(g, x, ub_reshape(g, weight, 2, (int64_t[]){o.chunk, 1}));
    const ub_node sum = ub_sum(g, x, UB_AXIS(0));
    return ub_scale(g, many ? ub_total(g, sum) : sum, 1.0 / N);
}

/* Over many chunks with the slope that spares reverse mode a total, as batch norm has it; over one
 * plainly. */
static ub_node normalize(struct ub_graph *g, ub_node h, ub_node weight, struct options o)
{
    const ub_node x = ub_sub(g, h, mean_over_samples(g, h, weight, o)), square = ub_mul(g, x, x);
    ub_node variance = mean_over_samples(g, square, weight, o);
    if (o.chunk < N) {
        const ub_node half = mean_over_samples(g, ub_with_slope(g, square, h, x), weight, o);
        variance = ub_with_slope(g, variance, half, ub_like(g, 2, half));
    }
    return ub_mul(g, x, ub_recip(g, ub_sqrt(g, ub_add(g, variance, ub_like(g, 1e-3, variance)))));
}

struct network {
    struct ub_graph *g;
    ub_node w[PARAMS], v[PARAMS], vs[PARAMS], x, t, weight;
    ub_node statistic, output, loss, grad[PARAMS], hvs[PARAMS], third[PARAMS];
};

/* The bias before the first norm leaves the loss as it is: its gradient is a sum of a constant. */
static struct network network_new(struct options o)
{
    struct network n = {.g = ub_graph_new()};
    struct ub_graph *g = n.g;
    for (int i = 0; i < PARAMS; i++) {
        n.w[i] = ub_input(g, shapes[i].rank, shapes[i].dim);
        n.v[i] = ub_input(g, shapes[i].rank, shapes[i].dim);
        const int64_t dim[3] = {BLOCK, shapes[i].dim[0], shapes[i].dim[1]};
        n.vs[i] = ub_input(g, shapes[i].rank + 1, dim);
    }
    n.x = ub_input(g, 2, (int64_t[]){o.chunk, IN});
    n.t = ub_input(g, 2, (int64_t[]){o.chunk, OUT});
    n.weight = ub_input(g, 1, &o.chunk);
    ub_node h = ub_add(g, ub_matmul(g, n.x, n.w[0]), n.w[1]);
    h = ub_tanh(g, ub_mul(g, normalize(g, h, n.weight, o), n.w[2]));
    n.statistic = mean_over_samples(g, h, n.weight, o);
    h = ub_add(g, h, ub_tanh(g, normalize(g, ub_matmul(g, h, n.w[3]), n.weight, o)));
    n.output = ub_matmul(g, h, n.w[4]);
    const ub_node e = ub_sub(g, n.output, n.t);
    const ub_node each =
        ub_add(g, ub_log_sum_exp(g, n.output), ub_sum(g, ub_mul(g, e, e), UB_AXIS(1)));
    n.loss = ub_sum_all(g, ub_mul(g, n.weight, each));
    ub_grad(g, n.loss, n.w, PARAMS, n.grad);
    ub_node hv[PARAMS];
    ub_jvp(g, n.grad, PARAMS, n.w, n.v, PARAMS, hv);
    ub_jvp(g, hv, PARAMS, n.w, n.v, PARAMS, n.third);
    ub_vmap(g, hv, PARAMS, n.v, n.vs, PARAMS, n.hvs);
    return n;
}

static struct ub_program *program_of(const struct network *n, struct options o)
{
    struct ub_program_input in[3 * PARAMS + 3];
    struct ub_program_output out[3 * PARAMS + 3];
    int n_in = 0, n_out = 0;
    for (int64_t i = 0, at = 0; i < PARAMS; at += ub_count(ub_shape_of(n->g, n->w[i++]))) {
        in[n_in++] = (struct ub_program_input){.node = n->w[i], .offset = at};
        in[n_in++] =
            (struct ub_program_input){.node = n->v[i], .slot = 1, .offset = at, .late = true};
        in[n_in++] = (struct ub_program_input){
            .node = n->vs[i], .slot = 1, .offset = at, .stride = SIZE, .late = true};
        out[n_out++] = (struct ub_program_output){.node = n->grad[i], .slot = 1, .offset = at};
        out[n_out++] =
            (struct ub_program_output){.node = n->hvs[i], .slot = 2, .offset = at, .stride = SIZE};
        out[n_out++] = (struct ub_program_output){.node = n->third[i], .slot = 3, .offset = at};
    }
    in[n_in++] = (struct ub_program_input){.node = n->x, .kind = UB_SAMPLES, .slot = 0};
    in[n_in++] = (struct ub_program_input){.node = n->t, .kind = UB_SAMPLES, .slot = 1};
    in[n_in++] = (struct ub_program_input){.node = n->weight, .kind = UB_WEIGHTS};
    out[n_out++] = (struct ub_program_output){.node = n->loss, .slot = 0};
    out[n_out++] = (struct ub_program_output){.node = n->statistic, .slot = 4};
    out[n_out++] = (struct ub_program_output){.node = n->output, .kind = UB_EACH, .slot = 5};
    return ub_program_compile(n->g, &(struct ub_program_spec){.inputs = in,
                                                              .n_inputs = n_in,
                                                              .outputs = out,
                                                              .n_outputs = n_out,
                                                              .samples = N,
                                                              .chunk = o.chunk,
                                                              .single = o.single,
                                                              .team = o.team,
                                                              .keep_limit = o.keep_limit});
}

/* At a point moved by `along` of the last directions; when `turn`, first along others, and along
 * these in the late stage alone. */
static struct results results_from(struct options o, bool turn, double along)
{
    double x[N * IN], t[N * OUT], theta[SIZE], v[BLOCK * SIZE];
    struct results r;
    for (int i = 0; i < N * IN; i++)
        x[i] = sin(3.7 * i) + 0.3 * (i % IN);
    for (int i = 0; i < N * OUT; i++)
        t[i] = cos(2.3 * i);
    for (int i = 0; i < SIZE; i++)
        theta[i] = 0.7 * sin(1.9 * i + 1) + along * cos(0.9 * i);
    struct network n = network_new(o);
    struct ub_program *p = program_of(&n, o);
    ub_program_samples(p, 0, x);
    ub_program_samples(p, 1, t);
    memset(&r, 0, sizeof r);
    for (int late = 0; late <= turn; late++) {
        for (int i = 0; i < BLOCK * SIZE; i++)
            v[i] = cos((late == turn ? 0.9 : 0.4) * i);
        ub_program_run(p, (const double *[]){theta, v},
                       (double *[]){&r.loss, r.grad, r.hv, r.third, r.statistic, r.output},
                       late == 0);
    }
    ub_program_free(p);
    ub_graph_free(n.g);
    return r;
}

static struct results results_of(struct options o, bool turn)
{
    return results_from(o, turn, 0);
}

/* Error relative to the largest number. */
static double worst(const double *a, const double *b, int n)
{
    double w = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        w = fmax(w, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return w / largest;
}

/* `statistic` is the same in every chunk: an output that is a total is added up over chunks. */
static void assert_same(const struct results *a, const struct results *b, double chunks,
                        double tolerance)
{
    const double errors[] = {
        worst(&a->loss, &b->loss, 1),         worst(a->grad, b->grad, SIZE),
        worst(a->hv, b->hv, BLOCK * SIZE),    worst(a->third, b->third, SIZE),
        worst(a->output, b->output, N * OUT),
    };
    for (int i = 0; i < 5; i++)
        if (!(errors[i] <= tolerance))
            fail_msg("result %d is off by %g; expected at most %g", i, errors[i], tolerance);
    for (int i = 0; i < WIDTH; i++)
        assert_true(fabs(a->statistic[i] - chunks * b->statistic[i]) <= tolerance * chunks);
}

/* Rounding of sums of 60 terms through three derivatives: 1e-11 in f64, and as much more in f32 as
 * its unit is larger, 5e8 times: 5e-3. */
static void many_chunks_give_what_one_gives(void **state)
{
    (void)state;
    const struct results whole = results_of((struct options){N, false, false, NULL, 0}, false);
    const int64_t chunks[] = {1, 4, 15, 30, 7, 25, 59}; /* the last three do not divide N */
    for (int i = 0; i < 7; i++) {
        const int64_t count = (N + chunks[i] - 1) / chunks[i];
        struct options o = {chunks[i], false, N % chunks[i] != 0, NULL, 0};
        struct results r = results_of(o, false);
        assert_same(&r, &whole, (double)count, 1e-11);
        o.single = true;
        r = results_of(o, false);
        assert_same(&r, &whole, (double)count, 5e-3);
    }
}

/* More threads than cores, too. */
static void threads_that_meet_give_the_same_bits(void **state)
{
    (void)state;
    const int counts[] = {2, 3, 4, 2 * ub_available_cpus() + 1};
    for (int single = 0; single < 2; single++)
        for (int keep = 0; keep < 2; keep++) {
            struct options o = {7, single, true, NULL, keep ? 0 : 1};
            const struct results one = results_of(o, true);
            for (int i = 0; i < 4; i++) {
                o.team = ub_team_new(counts[i]);
                for (int again = 0; again < 3; again++) {
                    const struct results r = results_of(o, true);
                    assert_memory_equal(&r, &one, sizeof r);
                }
                ub_team_free(o.team);
            }
        }
}

/* New directions at the old point, from values kept or computed again. */
static void the_late_stage_meets_too(void **state)
{
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        const struct options o = {10, false, false, NULL, keep ? 0 : 1};
        const struct results once = results_of(o, false), later = results_of(o, true);
        assert_same(&later, &once, 1, 1e-13);
    }
}

/* Errors of products and third derivatives by central differences of gradients and products. */
static void differ(double h, double errors[2])
{
    const struct options o = {12, false, false, NULL, 0};
    const struct results at = results_from(o, false, 0), up = results_from(o, false, h),
                         down = results_from(o, false, -h);
    double first[SIZE], second[SIZE];
    for (int i = 0; i < SIZE; i++) {
        first[i] = (up.grad[i] - down.grad[i]) / (2 * h);
        second[i] = (up.hv[i] - down.hv[i]) / (2 * h);
    }
    errors[0] = worst(first, at.hv, SIZE);
    errors[1] = worst(second, at.third, SIZE);
}

/* Central differences are off by h^2: a hundredth with a tenth of the step, 1/50 with room; at the
 * smaller step by no more than 1e-5, and by far more if a term were missing. */
static void derivatives_match_differences(void **state)
{
    (void)state;
    double wide[2], narrow[2];
    differ(1e-4, wide);
    differ(1e-5, narrow);
    for (int i = 0; i < 2; i++) {
        print_message("%g, %g\n", wide[i], narrow[i]);
        assert_true(narrow[i] <= 1e-5 && narrow[i] <= wide[i] / 50);
    }
}

/* ---- models ---- */

/* Loss, gradient, products of each kind alone and in a block, with the Jacobian and its transpose,
 * and third derivatives, at one point. */
enum { VECTORS = 4, BOTH = 2 };
static double *everything(struct ub_problem *p, int64_t *count)
{
    const int64_t n = ub_problem_size(p), m = ub_problem_data(p)->train.count * OUT;
    *count = 1 + n + UB_CURVATURES * VECTORS * n + BOTH * m + BOTH * n + BOTH * n;
    double *all = ub_calloc((size_t)*count, sizeof *all), *at = all;
    double *theta = ub_calloc((size_t)n, sizeof *theta), *v = tiny_normals(VECTORS * n, "v");
    double *u = tiny_normals(BOTH * m, "u");
    ub_problem_init(p, 1, theta);
    *at++ = ub_problem_gradient(p, theta, all + 1);
    at += n;
    ub_problem_linearize(p, theta);
    for (int kind = 0; kind < UB_CURVATURES; kind++, at += VECTORS * n)
        ub_problem_product(p, (enum ub_curvature)kind, VECTORS - (kind == 0), v, at);
    ub_problem_jvp(p, BOTH, v, at);
    at += BOTH * m;
    ub_problem_vjp(p, BOTH, u, at);
    at += BOTH * n;
    ub_problem_third(p, v, v + n, at);
    ub_problem_third(p, v, v, at + n);
    ub_free(theta);
    ub_free(v);
    ub_free(u);
    return all;
}

/* Oracle: a ghost batch of all samples, which shares one chunk: plain sums. 120 samples are divided
 * by chunks, 127 are not: the last is filled up, and samples are weighed. */
static void norms_over_the_set_are_those_of_one_ghost_batch(void **state)
{
    (void)state;
    static const char *const models[] = {"resnet:width=4,stages=2,activation=tanh",
                                         "cnn:channels=4x6,norm=batch,pool=mean,activation=tanh",
                                         "resnet:width=4,stages=1,centered=true,activation=tanh"};
    for (int k = 0; k < 6; k++) {
        const int64_t samples = k % 2 ? 127 : 120;
        struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, samples, 0, 36, OUT);
        data->rank = 3;
        memcpy(data->shape, (int64_t[]){1, 6, 6}, 3 * sizeof(int64_t));
        char ghost[128];
        snprintf(ghost, sizeof ghost, "%s,ghost=%d", models[k / 2], (int)samples);
        struct ub_problem *whole = tiny_problem(data, models[k / 2], "ce");
        struct ub_problem *one = tiny_problem(data, ghost, "ce");
        const int64_t chunk = ub_chunk_of(whole, samples, 1);
        assert_true(chunk < samples && (samples % chunk == 0) == (samples == 120));
        assert_int_equal(ub_chunk_of(one, samples, 1), samples);
        int64_t count = 0;
        double *a = everything(whole, &count), *b = everything(one, &count);
        const int64_t n = ub_problem_size(whole);
        double error = 0; /* of each vector, about: relative to its own largest number */
        for (int64_t at = 0; at < count; at += n)
            error = fmax(error, worst(a + at, b + at, (int)(count - at < n ? count - at : n)));
        print_message("%s, %d samples: %g\n", models[k / 2], (int)samples, error);
        assert_true(error <= 1e-11);
        ub_free(a);
        ub_free(b);
        ub_problem_free(whole);
        ub_problem_free(one);
        tiny_free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_chunks_give_what_one_gives),
        cmocka_unit_test(threads_that_meet_give_the_same_bits),
        cmocka_unit_test(the_late_stage_meets_too),
        cmocka_unit_test(derivatives_match_differences),
        cmocka_unit_test(norms_over_the_set_are_those_of_one_ghost_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
