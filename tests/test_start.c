/* Weights kept at steps, and runs that start from them. Oracles: one run of twice the length, bit
 * by bit; a frozen layer drawn from another seed, which would compute another function. */
#include "cli_support.h"

#include "bench/arrays/arrays.h"

#define MODEL "--model mlp:widths=6x5 "
#define DATA  "train --dataset digits:size=40,scale=center --loss mse --out S "
#define GD    "--optimizer gd:lr=0.3 "

struct wanted {
    const char *prefix;
    int64_t count;
    double values[4096];
};

static bool take(void *context, const struct ub_array *a, struct ub_error *err)
{
    (void)err;
    struct wanted *w = context;
    const size_t n = strlen(w->prefix);
    if (strncmp(a->name, w->prefix, n) != 0 || a->name[n] != '.')
        return true;
    assert_true(w->count + a->size <= 4096);
    memcpy(w->values + w->count, a->values, (size_t)a->size * sizeof(double));
    w->count += a->size;
    return true;
}

/* Runs the program, which prints the run's folder; without the end of its line. */
static char *run_of(const char *folder, const char *arguments)
{
    char *run = cli_expect(folder, arguments, 0, "S/runs/");
    run[strcspn(run, "\n")] = '\0';
    return run;
}

/* All weights of one prefix, in order, of a run's file or an export. */
static struct wanted *weights(const char *folder, const char *file, const char *prefix)
{
    struct ub_error err = {0};
    struct wanted *w = ub_calloc(1, sizeof *w);
    char *path = ub_path(folder, file);
    w->prefix = prefix;
    if (!ub_arrays_each(path, take, w, &err))
        fail_msg("%s", err.text);
    ub_free(path);
    assert_true(w->count > 0);
    return w;
}

static bool same_weights(const char *folder, const char *run, const char *prefix, const char *other,
                         const char *other_prefix)
{
    char file[2][256];
    snprintf(file[0], sizeof file[0], "%s/weights.npz", run);
    snprintf(file[1], sizeof file[1], "%s/weights.npz", other);
    struct wanted *a = weights(folder, file[0], prefix),
                  *b = weights(folder, file[1], other_prefix);
    assert_int_equal(a->count, b->count);
    const bool same = memcmp(a->values, b->values, (size_t)a->count * sizeof(double)) == 0;
    ub_free(a);
    ub_free(b);
    return same;
}

static void halves_make_the_whole(void **state)
{
    (void)state;
    static const char *const precisions[] = {"f32", "f64"};
    char *folder = support_folder(), line[512];
    int apart = 0;
    for (int p = 0; p < 2; p++) {
        snprintf(line, sizeof line,
                 DATA MODEL GD "--steps 20 --precision %s --save-weights "
                               "--measure weights:at=10+end",
                 precisions[p]);
        char *whole = run_of(folder, line);
        snprintf(line, sizeof line,
                 DATA MODEL GD "--steps 10 --seed 5 --precision %s --save-weights "
                               "--start-from %s@10",
                 precisions[p], whole);
        char *half = run_of(folder, line);
        apart += !same_weights(folder, whole, "step10", half, "init");
        apart += !same_weights(folder, whole, "final", half, "final");
        apart += !same_weights(folder, whole, "final", whole, "step20");
        assert_false(same_weights(folder, whole, "final", half, "init"));
        ub_free(whole);
        ub_free(half);
    }
    assert_oracle("observable weights",
                  "a run's end, and its second half made by itself, bit by bit: those apart", apart,
                  0);
    support_remove(folder);
}

/* Momentum is not taken over: one step after the start the two have parted. */
static void optimizers_start_anew(void **state)
{
    (void)state;
    char *folder = support_folder(), line[512];
    char *whole = run_of(folder, DATA MODEL "--optimizer heavy-ball:lr=0.1 --steps 11 "
                                            "--measure weights:at=10+11");
    snprintf(line, sizeof line,
             DATA MODEL "--optimizer heavy-ball:lr=0.1 --steps 1 --measure weights "
                        "--start-from %s@10",
             whole);
    char *next = run_of(folder, line);
    assert_true(same_weights(folder, whole, "step10", next, "step0"));
    assert_false(same_weights(folder, whole, "step11", next, "step1"));
    snprintf(line, sizeof line, /* as plain descent: the first step of any momentum */
             DATA MODEL "--optimizer gd:lr=0.1 --steps 1 --measure weights --start-from %s@10",
             whole);
    char *plain = run_of(folder, line);
    assert_true(same_weights(folder, plain, "step1", next, "step1"));
    ub_free(whole);
    ub_free(next);
    ub_free(plain);
    support_remove(folder);
}

/* Frozen parameters come along, whatever the seed. */
static void frozen_weights_come_along(void **state)
{
    (void)state;
    char *folder = support_folder(), line[512];
    char *old = run_of(folder, DATA "--model random-features:width=9 " GD
                                    "--steps 7 --save-weights --measure loss");
    snprintf(line, sizeof line,
             DATA "--model random-features:width=9 " GD
                  "--steps 1 --seed 9 --measure loss --measure weights --start-from %s",
             old);
    char *next = run_of(folder, line);
    assert_true(same_weights(folder, old, "frozen", next, "frozen"));
    assert_true(same_weights(folder, old, "final", next, "step0"));
    snprintf(line, sizeof line, "export %s --out a.npz", next);
    cli_run(folder, line, 0, "");
    struct wanted *exported = weights(folder, "a.npz", "step1");
    assert_int_equal(exported->count, 9 * 10);
    ub_free(exported);
    ub_free(old);
    ub_free(next);
    support_remove(folder);
}

static void copy(const char *folder, const char *from, const char *to)
{
    struct ub_error err = {0};
    size_t length;
    char *in = ub_path(folder, from), *out = ub_path(folder, to);
    unsigned char *bytes = ub_read_file(in, 1 << 24, &length, &err);
    assert_true(bytes && ub_write_file(out, bytes, length, &err));
    ub_free(bytes);
    ub_free(in);
    ub_free(out);
}

/* What the start holds is part of what a run is; where it lies is not. */
static void identity_is_the_content(void **state)
{
    (void)state;
    char *folder = support_folder(), line[512], file[256];
    char *old[2], *next[4];
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, DATA MODEL GD "--steps 3 --seed %d --measure weights", i);
        old[i] = run_of(folder, line);
        snprintf(file, sizeof file, "%s/weights.npz", old[i]);
        copy(folder, file, i ? "b.npz" : "a.npz");
    }
    static const char *const from[] = {"a.npz", "c.npz", "c.npz"};
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            copy(folder, i == 1 ? "a.npz" : "b.npz", "c.npz");
        snprintf(line, sizeof line, DATA MODEL GD "--steps 3 --init from-run:file=%s,at=3",
                 from[i]);
        next[i] = run_of(folder, line);
    }
    assert_string_equal(next[0], next[1]);
    assert_string_not_equal(next[0], next[2]);
    snprintf(line, sizeof line, DATA MODEL GD "--steps 3 --start-from %s@3", old[0]);
    next[3] = run_of(folder, line);
    assert_string_equal(next[0], next[3]);
    for (int i = 0; i < 4; i++)
        ub_free(next[i]);
    ub_free(old[0]);
    ub_free(old[1]);
    support_remove(folder);
}

static void suites_start_from_files(void **state)
{
    (void)state;
    char *folder = cli_folder_with("s.yaml", "name: x\n"
                                             "runs:\n"
                                             "  - dataset: {digits: {size: 40, scale: center}}\n"
                                             "    model: {mlp: {widths: 6x5}}\n"
                                             "    loss: mse\n"
                                             "    init: {from-run: {file: a.npz, at: [0, 4]}}\n"
                                             "    optimizer: {gd: {lr: [0.1, 0.2]}}\n"
                                             "    steps: 2\n"
                                             "    measure: {loss: {at: end}}\n");
    cli_run(folder, "run s.yaml --out T", 2, "a.npz: cannot open");
    assert_int_equal(cli_count_runs(folder, "T", false), 0);
    char *old = run_of(folder, DATA MODEL GD "--steps 4 --measure weights"), file[256];
    snprintf(file, sizeof file, "%s/weights.npz", old);
    copy(folder, file, "a.npz");
    cli_run(folder, "run s.yaml --out T", 0, "");
    assert_int_equal(cli_count_runs(folder, "T", false), 4);
    cli_run(folder, "run s.yaml --out T", 0, "");
    assert_int_equal(cli_count_runs(folder, "T", false), 4);
    ub_free(old);
    support_remove(folder);
}

/* One line each, and nothing written. */
static void bad_starts_are_refused(void **state)
{
    (void)state;
    char *folder = support_folder(), line[512];
    char *old = run_of(folder, DATA MODEL GD "--steps 4 --measure weights:at=2+4");
    char *bare = run_of(folder, DATA MODEL GD "--steps 4 --measure loss");
    static const struct {
        const char *model, *from, *says;
    } cases[] = {
        {MODEL, "--start-from S:zz@3", "no run 'zz'"},
        {MODEL, "--start-from BARE@2", "kept no weights"},
        {MODEL, "--start-from OLD@3",
         "no weights 'step3.*'; expected one of the steps that it "
         "holds: start, 2, 4"},
        {MODEL, "--start-from OLD", "no weights 'final.*'"},
        {MODEL, "--start-from OLD@x", "at=x; expected a step, start or end"},
        {"--model mlp:widths=7x5 ", "--start-from OLD@2",
         "'step2.fc1.weight' is (6, 64); expected (7, 64)"},
        {"--model mlp:widths=6x5x5 ", "--start-from OLD@2", "is (10, 5); expected (5, 5)"},
        {"--model mlp:widths=6x5,bias=false ", "--start-from OLD@2", "none of the model's"},
        {"--model mlp:widths=6x5,parametrization=ntk ", "--start-from OLD@2",
         "counts times 1 there"},
        {"--model mlp:widths=6x5,centered=true ", "--start-from OLD@2", "centered=false"},
        {MODEL, "--init from-run:file=OLD/run.yaml", "expected"},
        {MODEL, "--init from-run:file=none.npz", "none.npz: cannot open"},
        {MODEL, "--init from-run", "file"},
        {MODEL, "--init he --start-from OLD@2", "given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ub_text from = {0};
        const char *at = cases[i].from, *name;
        while ((name = strstr(at, "OLD")) || (name = strstr(at, "BARE"))) {
            ub_text_append(&from, at, (size_t)(name - at));
            ub_text_add(&from, "%s", *name == 'O' ? old : bare);
            at = name + (*name == 'O' ? 3 : 4);
        }
        ub_text_add(&from, "%s", at);
        snprintf(line, sizeof line, DATA GD "--steps 3 %s%s", cases[i].model, from.data);
        cli_run(folder, line, 2, cases[i].says);
        ub_text_free(&from);
    }
    assert_int_equal(cli_count_runs(folder, "S", false), 2);
    ub_free(old);
    ub_free(bare);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_make_the_whole),     cmocka_unit_test(optimizers_start_anew),
        cmocka_unit_test(frozen_weights_come_along), cmocka_unit_test(identity_is_the_content),
        cmocka_unit_test(suites_start_from_files),   cmocka_unit_test(bad_starts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
