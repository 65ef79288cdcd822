/* Names of systems for people: no two systems of a store share one, whatever options tell them
 * apart; they say what differs and no more, and are short enough for a legend. */
#include "published.h"
#include "report/digest/digest.h"
#include "report/frame/factor.h"
#include "support.h"

#include <string.h>

static struct ub_run run_of(const char *dataset, const char *model, const char *init,
                            const char *optimizer)
{
    return (struct ub_run){.spec = {.dataset = (char *)(uintptr_t)dataset,
                                    .model = (char *)(uintptr_t)model,
                                    .loss = (char *)(uintptr_t) "mse",
                                    .init = (char *)(uintptr_t)init,
                                    .optimizer = (char *)(uintptr_t)optimizer,
                                    .steps = 100}};
}

static struct ub_frame *frame_of(struct ub_store *store, struct ub_run *runs, size_t n)
{
    struct ub_error err = {0};
    *store = (struct ub_store){.path = (char *)(uintptr_t) "", .count = n, .runs = runs};
    struct ub_frame *f = ub_frame_new(store, &err);
    if (!f)
        fail_msg("%s", err.text);
    return f;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts them. */
static void check_distinct(char **names, size_t n, const char *where)
{
    if (n)
        qsort(names, n, sizeof *names, by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            fail_msg("%s: two systems are called '%s'", where, names[i]);
}

static void names_say_what_differs_as_people_do(void **state)
{
    (void)state;
    static const char digits[] = "digits:scale=center,size=200", init[] = "pytorch:gain=1";
    struct {
        const char *activation, *widths, *optimizer, *name;
    } cases[] = {
        {"tanh", "64x64", "adam:lr=edge(40)", "MLP tanh 64x64, Adam, lr edge 40, digits"},
        {"tanh", "64x64", "adam:lr=0.001", "MLP tanh 64x64, Adam, lr 0.001, digits"},
        {"tanh", "128x128", "adam:lr=0.001", "MLP tanh, width 128, Adam, digits"},
        {"tanh", "64x64x64", "adam:lr=0.001", "MLP tanh 64x64x64, Adam, digits"},
        {"relu", "64x64", "adam:lr=0.001", "MLP relu, width 64, Adam, digits"},
        {"relu", "64x32", "adam:lr=0.001", "MLP relu 64x32, Adam, digits"},
        {"relu", "64x32", "sgd:batch=8,lr=0.1,nesterov=true", "MLP, SGD, digits"},
        {"relu", "64x32", "sgd:batch=8,lr=0.1,nesterov=true,replacement=true",
         "MLP, SGD, replacement, digits"},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct ub_run runs[CASES];
    char model[CASES][128];
    for (size_t i = 0; i < CASES; i++) {
        snprintf(model[i], sizeof model[i],
                 "mlp:activation=%s,bias=true,parametrization=sp,widths=%s", cases[i].activation,
                 cases[i].widths);
        runs[i] = run_of(digits, model[i], init, cases[i].optimizer);
    }
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, runs, CASES);
    struct ub_groups systems = ub_frame_group(f, NULL, NULL);
    char **names = ub_frame_system_names(f, &systems);
    assert_int_equal(systems.count, CASES);
    for (size_t i = 0; i < CASES; i++)
        print_message("%s\n", names[i]);
    for (size_t i = 0; i < CASES; i++)
        assert_string_equal(names[i], cases[i].name);
    ub_names_free(names, systems.count);
    ub_groups_clear(&systems);
    ub_frame_free(f);
}

/* Options of one key and of several axes: values that go without what they are of would be the same
 * for another system. */
static void options_of_one_key_are_told_apart(void **state)
{
    (void)state;
    static const char *const data[] = {"teacher-student:gain=1", "teacher-student:gain=2"},
                             *const inits[] = {"he:gain=1", "he:gain=2"},
                             *const models[] = {"committee:gain=1", "committee:gain=2"};
    enum { ALL = 8 };
    struct ub_run runs[ALL];
    for (int some = 1; some < 1 << ALL; some++) { /* every set of these systems */
        size_t n = 0;
        for (int i = 0; i < ALL; i++)
            if (some >> i & 1)
                runs[n++] = run_of(data[i & 1], models[i >> 1 & 1], inits[i >> 2], "gd:lr=0.1");
        struct ub_store store;
        struct ub_frame *f = frame_of(&store, runs, n);
        struct ub_groups systems = ub_frame_group(f, NULL, NULL);
        char **names = ub_frame_system_names(f, &systems);
        assert_int_equal(systems.count, n);
        check_distinct(names, n, "gains");
        ub_names_free(names, n);
        ub_groups_clear(&systems);
        ub_frame_free(f);
    }
}

/* Drawn systems: names are one to one with specs. */
static void drawn_systems_have_names_of_their_own(void **state)
{
    (void)state;
    enum { N = 300, ROUNDS = 20 };
    static const char *const norms[] = {"none", "layer"}, *const words[] = {"tanh", "relu"},
                             *const inits[] = {"he:gain=1", "lecun:gain=2", "pytorch:gain=1"},
                             *const data[] = {"digits:size=100", "digits:size=200",
                                              "gaussian:alpha=1,samples=100,size=0",
                                              "gaussian:alpha=2,samples=100,size=50"};
    struct ub_random r = ub_random_stream(7, "names");
    struct ub_run runs[N];
    static char text[N][2][96];
    size_t longest = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++) {
            snprintf(text[i][0], sizeof text[i][0], "mlp:activation=%s,norm=%s,widths=%dx%d",
                     words[ub_random_below(&r, 2)], norms[ub_random_below(&r, 2)],
                     8 << ub_random_below(&r, 2), 8 << ub_random_below(&r, 2));
            snprintf(text[i][1], sizeof text[i][1], "sgd:batch=%d,lr=relative(%g),nesterov=%s",
                     1 << ub_random_below(&r, 2), 0.5 * (double)(1 + ub_random_below(&r, 2)),
                     ub_random_below(&r, 2) ? "true" : "false");
            runs[i] = run_of(data[ub_random_below(&r, 4)], text[i][0],
                             inits[ub_random_below(&r, 3)], text[i][1]);
            runs[i].spec.steps = 100 * (1 + ub_random_below(&r, 2));
            runs[i].spec.precision = ub_random_below(&r, 8) == 0 ? UB_F64 : UB_F32;
        }
        struct ub_store store;
        struct ub_frame *f = frame_of(&store, runs, N);
        struct ub_groups systems = ub_frame_group(f, NULL, NULL);
        char **names = ub_frame_system_names(f, &systems);
        check_distinct(names, systems.count, "drawn");
        for (size_t i = 0; i < systems.count; i++)
            longest = strlen(names[i]) > longest ? strlen(names[i]) : longest;
        ub_names_free(names, systems.count);
        ub_groups_clear(&systems);
        ub_frame_free(f);
    }
    print_message("longest name: %zu characters\n", longest);
}

static size_t check_results(const char *path)
{
    struct ub_error err = {0};
    struct digest *d = digest_open(path, &err);
    if (!d)
        fail_msg("%s", err.text);
    struct ub_store store;
    struct ub_frame *f = frame_of(&store, d->runs, d->count);
    struct ub_groups systems = ub_frame_group(f, NULL, NULL);
    char **names = ub_frame_system_names(f, &systems);
    const size_t n = systems.count;
    size_t length = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        length += strlen(names[i]);
        longest = strlen(names[i]) > strlen(names[longest]) ? i : longest;
    }
    print_message("%s: %zu systems, %zu characters a name; the longest: %s; some: %s; %s; %s\n",
                  path + strlen(UNIBENCH_SOURCE), n, length / (n ? n : 1), names[longest], names[0],
                  names[n / 3], names[n * 2 / 3]);
    check_distinct(names, n, path);
    ub_names_free(names, n);
    ub_groups_clear(&systems);
    ub_frame_free(f);
    digest_free(d);
    return n;
}

static void published_systems_have_names_of_their_own(void **state)
{
    (void)state;
    assert_true(published_each(check_results) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_what_differs_as_people_do),
        cmocka_unit_test(options_of_one_key_are_told_apart),
        cmocka_unit_test(drawn_systems_have_names_of_their_own),
        cmocka_unit_test(published_systems_have_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
