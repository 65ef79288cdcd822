/* What a problem holds: programs that share samples and memory to work in give the same bits as
 * those that do not; samples are rounded once, and in place where nobody else reads them; and the
 * bytes that programs say they need are those that a process is seen to use. */
#include "tests/support.h"
#include "tests/tiny.h"

#include <stdio.h>

enum { N = 23, TEST = 9, FEATURES = 6, OUTPUTS = 3, LONGEST = 4000 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHADOWED true
#endif
#endif
#if !defined(SHADOWED)
#define SHADOWED false /* memory is what the program asked for, no sanitizer's notes beside it */
#endif

static struct ub_problem *problem_of(const struct ub_dataset *data, const char *model, bool precise,
                                     int threads)
{
    struct ub_error err = {0};
    struct ub_problem *p =
        ub_problem_new(&(struct ub_problem_spec){.model = model,
                                                 .loss = "ce",
                                                 .data = data,
                                                 .precision = precise ? UB_F64 : UB_F32,
                                                 .threads = threads},
                       &err);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

/* ---- the same numbers ---- */

/* Appends what one kind of computation gives. */
struct numbers {
    double *at;
    int64_t n; /* parameters */
};

enum { KINDS = 6 };

static void compute(struct ub_problem *p, int kind, const double *theta, const double *V,
                    struct numbers *out)
{
    ub_problem_linearize(p, theta);
    switch (kind) {
    case 0:
        out->at[0] = ub_problem_gradient(p, theta, out->at + 1);
        out->at++;
        break;
    case 1:
        ub_problem_hvp(p, 1, V, out->at);
        break;
    case 2:
        ub_problem_hvp(p, 4, V, out->at);
        out->at += 3 * out->n;
        break;
    case 3:
        ub_problem_third(p, V, V, out->at);
        break;
    case 4:
        ub_problem_product(p, UB_GAUSS_NEWTON, 1, V, out->at);
        break;
    default:
        for (int test = 0; test < 2; test++, out->at += 2)
            ub_problem_evaluate(p, test, theta, out->at, out->at + 1);
        return;
    }
    out->at += out->n;
}

struct start {
    double *theta, *V;
};

static struct start start_of(struct ub_problem *p)
{
    const int64_t n = ub_problem_size(p);
    struct start s = {ub_calloc((size_t)n, sizeof *s.theta),
                      ub_calloc((size_t)(4 * n), sizeof *s.V)};
    struct ub_random r = ub_random_stream(5, "memory");
    ub_problem_init(p, 0, s.theta);
    for (int64_t i = 0; i < 4 * n; i++)
        s.V[i] = ub_random_normal(&r);
    return s;
}

static void start_free(struct start *s)
{
    ub_free(s->theta);
    ub_free(s->V);
}

/* All kinds in turns, twice, by one problem, whose programs work in the same memory; and each by a
 * problem of its own. */
static void programs_that_work_in_one_place_leave_each_other_alone(void **state)
{
    (void)state;
    static const char *const models[] = {"mlp:widths=7x5", "cnn:channels=3,norm=batch"};
    for (int k = 0; k < 8; k++) {
        struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, N, TEST, 16, OUTPUTS);
        if (k & 1) {
            data->rank = 3;
            data->shape[0] = 1;
            data->shape[1] = data->shape[2] = 4;
        }
        const bool precise = k & 2;
        const int threads = k & 4 ? 3 : 1;
        struct ub_problem *p = problem_of(data, models[k & 1], precise, threads);
        struct start s = start_of(p);
        double *together = ub_calloc(2 * LONGEST, sizeof *together);
        double *alone = ub_calloc(2 * LONGEST, sizeof *alone);
        struct numbers a = {together, ub_problem_size(p)}, b = {alone, a.n};
        for (int round = 0; round < 2; round++)
            for (int kind = 0; kind < KINDS; kind++) {
                struct ub_problem *lone = problem_of(data, models[k & 1], precise, threads);
                struct start same = start_of(lone);
                compute(p, kind, s.theta, s.V, &a);
                compute(lone, kind, same.theta, s.V, &b);
                start_free(&same);
                ub_problem_free(lone);
            }
        assert_true(a.at - together == b.at - alone && a.at - together <= 2 * LONGEST);
        assert_memory_equal(together, alone, (size_t)(a.at - together) * sizeof *together);
        ub_free(together);
        ub_free(alone);
        start_free(&s);
        ub_problem_free(p);
        tiny_free(data);
    }
}

/* ---- samples ---- */

static void all_of(struct ub_problem *p, const struct start *s, double *out)
{
    struct numbers numbers = {out, ub_problem_size(p)};
    for (int kind = 0; kind < KINDS; kind++)
        compute(p, kind, s->theta, s->V, &numbers);
}

/* A problem that took its inputs over, before or after it had computed, and mini-batches and the
 * test problem of it, against one that did not. */
static void inputs_taken_over_are_the_same(void **state)
{
    (void)state;
    struct ub_error err = {0};
    const int64_t some[] = {21, 3, 3, 0, 14};
    double *before = ub_calloc(3 * LONGEST, sizeof *before);
    double *after = ub_calloc(3 * LONGEST, sizeof *after);
    for (int late = 0; late < 2; late++) {
        for (int taken = 0; taken < 2; taken++) {
            double *out = taken ? after : before;
            struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, N, TEST, FEATURES, OUTPUTS);
            struct ub_problem *p = problem_of(data, "mlp:widths=7x5", false, 1);
            struct start s = start_of(p);
            if (late)
                all_of(p, &s, out);
            if (taken)
                ub_problem_take_inputs(p, data);
            assert_true((data->train.inputs == NULL) == taken);
            assert_true((data->test.inputs == NULL) == taken);
            all_of(p, &s, out);
            struct ub_problem *batch = ub_problem_batch_new(p, 5, &err);
            struct ub_problem *test = ub_problem_test_new(p, &err);
            assert_non_null(batch);
            assert_non_null(test);
            out[LONGEST] = ub_problem_gradient(batch, s.theta, out + LONGEST + 1);
            ub_problem_take(batch, some);
            out[2 * LONGEST] = ub_problem_gradient(batch, s.theta, out + 2 * LONGEST + 1);
            out[3 * LONGEST - 1] = ub_problem_loss(test, s.theta);
            ub_problem_free(test);
            ub_problem_free(batch);
            start_free(&s);
            ub_problem_free(p);
            tiny_free(data);
        }
        assert_memory_equal(before, after, 3 * LONGEST * sizeof *before);
    }
    ub_free(before);
    ub_free(after);
}

static void inputs_that_are_read_in_double_precision_stay(void **state)
{
    (void)state;
    struct ub_dataset *data = tiny_dataset(UB_CLASSIFICATION, N, TEST, FEATURES, OUTPUTS);
    struct ub_problem *p = problem_of(data, "mlp:widths=7x5", true, 1);
    ub_problem_take_inputs(p, data);
    assert_non_null(data->train.inputs);
    assert_non_null(data->test.inputs);
    ub_problem_free(p);
    tiny_free(data);
}

/* ---- what is said and what is used ---- */

/* The number after WHAT in the output of unibench-perf. */
static double number_of(const char *text, const char *what)
{
    const size_t length = strlen(what);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, what, length) == 0 && line[length] == ' ')
            return strtod(line + length, NULL);
    }
    fail_msg("no line '%s' in\n%s", what, text);
    return NAN;
}

static double part_of(const char *text, const char *program, const char *part)
{
    char what[64];
    snprintf(what, sizeof what, "%s-%s", program, part);
    return number_of(text, what);
}

/* MiB by what programs say, and as seen. */
static void compare(const char *name, int threads)
{
    static const char *const programs[] = {"gradient", "hvp", "hvp8", "third"};
    enum { MOST = 4096 };
    char command[1024], text[MOST];
    snprintf(command, sizeof command, "%s memory %s %d", UNIBENCH_PERF, name, threads);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    text[fread(text, 1, MOST - 1, pipe)] = 0;
    assert_int_equal(pclose(pipe), 0);
    double work = 0, said = number_of(text, "samples") + number_of(text, "vectors");
    for (int i = 0; i < 4; i++) {
        said += part_of(text, programs[i], "held");
        work = fmax(work, part_of(text, programs[i], "shared") +
                              threads * part_of(text, programs[i], "thread"));
    }
    said = (said + work) / (1 << 20);
    const double seen = number_of(text, "memory");
    print_message("%s on %d: %.1f MiB by what programs say, %.1f seen\n", name, threads, said,
                  seen);
    assert_near(seen, said, 0.1 * said + 16);
}

static void programs_need_what_they_say(void **state)
{
    (void)state;
    if (SHADOWED)
        skip();
    compare("mlp", 1);
    compare("lstm", 2);
    compare("cnn", 1);
    compare("mlp-large", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_that_work_in_one_place_leave_each_other_alone),
        cmocka_unit_test(inputs_taken_over_are_the_same),
        cmocka_unit_test(inputs_that_are_read_in_double_precision_stay),
        cmocka_unit_test(programs_need_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
