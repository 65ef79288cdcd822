/* One run by the program: train, show, export. */
#define _GNU_SOURCE /* memmem */
#include "tests/cli_support.h"

static void trim(char *line)
{
    line[strcspn(line, "\n")] = '\0';
}

static void test_train_show_export(void **state)
{
    (void)state;
    char *folder = support_folder(), line[256];
    char *run = cli_expect(folder,
                           CLI_TINY "--measure loss --measure sharpness:every=10,top=2 "
                                    "--save-weights --out S",
                           0, "S/runs/");
    trim(run);
    const char *id = strrchr(run, '/') + 1;
    snprintf(line, sizeof line, "show %s", run);
    char *shown = cli_expect(folder, line, 0, "status: ok");
    static const char *const parts[] = {"model: \"mlp:",     "threshold ", "40\n",   "compiler ",
                                        "last measurements", "sharpness",  "seed: 0"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(shown, parts[i]))
            fail_msg("no '%s' in:\n%s", parts[i], shown);
    ub_free(shown);
    snprintf(line, sizeof line, "show S:%.4s", id);
    cli_run(folder, line, 0, "status: ok");
    snprintf(line, sizeof line, "show S/%s", id);
    cli_run(folder, line, 0, "status: ok");
    snprintf(line, sizeof line, "show %.4s --store S", id);
    cli_run(folder, line, 0, "status: ok");
    cli_run(folder, "show S:zz", 2, "no run 'zz'");

    snprintf(line, sizeof line, "export %s --out a.npz", run);
    cli_run(folder, line, 0, "");
    size_t length;
    struct ub_error err = {0};
    char *path = ub_path(folder, "a.npz");
    unsigned char *bytes = ub_read_file(path, 1 << 24, &length, &err);
    static const char *const arrays[] = {"init.fc1.weight.npy", "final.fc2.bias.npy", "inputs.npy",
                                         "targets.npy", "trace.observable.npy"};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        assert_non_null(memmem(bytes, length, arrays[i], strlen(arrays[i])));
    /* again: nothing to do, and the same folder is named */
    char *again = cli_expect(folder,
                             CLI_TINY "--measure sharpness:top=2,every=10 --measure loss "
                                      "--save-weights --out S",
                             0, "1 of 1 runs are in S already");
    trim(again);
    assert_string_equal(run, again);
    ub_free(bytes);
    ub_free(path);
    ub_free(again);
    ub_free(run);
    support_remove(folder);
}

/* init.* of a run without weights is made anew, bit for bit as it was. */
static void test_export_recomputes_init(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = support_folder(), line[256];
    static const char *const flags[] = {"--save-weights", ""};
    unsigned char *bytes[2];
    size_t length[2];
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line, CLI_TINY "--seed 7 --out S%d %s", i, flags[i]);
        char *run = cli_expect(folder, line, 0, "runs/");
        trim(run);
        snprintf(line, sizeof line, "export %s --out a.npz", run);
        cli_run(folder, line, 0, "");
        char *path = ub_path(folder, "a.npz");
        bytes[i] = ub_read_file(path, 1 << 24, &length[i], &err);
        ub_free(path);
        ub_free(run);
    }
    /* the members init.* come first: equal up to the first other one */
    const unsigned char *end = memmem(bytes[0], length[0], "final.", 6);
    assert_non_null(end);
    assert_null(memmem(bytes[1], length[1], "final.", 6));
    assert_memory_equal(bytes[0], bytes[1], (size_t)(end - bytes[0]) - 30);
    ub_free(bytes[0]);
    ub_free(bytes[1]);
    support_remove(folder);
}

static char *trace_of(const char *folder, const char *run)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s/trace.csv.gz", run);
    char *text = cli_read(folder, name.data);
    ub_text_free(&name);
    return text;
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    char *folder = support_folder(), line[512], *trace[3];
    for (int i = 0; i < 3; i++) {
        snprintf(
            line, sizeof line,
            "train --dataset digits --model mlp:widths=16 --loss ce --optimizer gd:lr=0.1 "
            "--steps 20 --measure loss:every=1 --measure sharpness:every=10,top=2 --threads %d "
            "--out S%d",
            1 << i, i);
        char *run = cli_expect(folder, line, 0, "runs/");
        trim(run);
        trace[i] = trace_of(folder, run);
        assert_non_null(strstr(trace[i], "\n20,loss,0,"));
        ub_free(run);
    }
    assert_string_equal(trace[0], trace[1]);
    assert_string_equal(trace[0], trace[2]);
    for (int i = 0; i < 3; i++)
        ub_free(trace[i]);
    support_remove(folder);
}

static void test_divergence_is_data(void **state)
{
    (void)state;
    char *folder = support_folder(), line[256];
    char *run = cli_expect(folder, CLI_TINY "--optimizer gd:lr=1e6 --out S", 0, "diverged");
    trim(run);
    snprintf(line, sizeof line, "show %s", run);
    cli_run(folder, line, 0, "status: diverged");
    char *trace = trace_of(folder, run);
    assert_non_null(strstr(trace, "\n0,loss,0,"));
    ub_free(trace);
    ub_free(run);
    support_remove(folder);
}

/* An infinite loss of single precision is no "-nan" but an overflow, with a way out; double
 * precision goes on. */
static void test_overflow_is_named(void **state)
{
    (void)state;
    char *folder = support_folder();
    static const char line[] = CLI_TINY "--optimizer gd:lr=1e22 --precision %s --out S-%s";
    const char *precisions[] = {"f32", "f64"};
    for (int i = 0; i < 2; i++) {
        char text[256], show[256];
        snprintf(text, sizeof text, line, precisions[i], precisions[i]);
        char *run = cli_expect(folder, text, 0, "diverged");
        trim(run);
        snprintf(show, sizeof show, "show %s", run);
        cli_run(folder, show, 0,
                i == 0 ? "stopped at step 1: the loss overflowed in f32; expected a smaller "
                         "learning rate, or f64"
                       : "above 1e6 times the initial loss");
        ub_free(run);
    }
    support_remove(folder);
}

/* Where the CPU has no bfloat16, or is held to older instructions, nothing is trained. */
static void test_bf16x3_needs_its_instructions(void **state)
{
    (void)state;
    char *folder = support_folder();
    setenv("UNIBENCH_KERNELS", "v3", 1);
    cli_run(folder, CLI_TINY "--precision bf16x3 --out S", 2, "expected f32 or f64");
    unsetenv("UNIBENCH_KERNELS");
    support_remove(folder);
}

/* Gradients that a mini-batch run is only looked at by are no training, nor is a run's last. */
static void test_measured_gradients_are_no_training(void **state)
{
    (void)state;
    char *folder = support_folder(), show[256];
    const struct {
        const char *train, *training, *measuring;
    } cases[] = {
        {CLI_TINY "--optimizer sgd:lr=0.05,batch=4 --measure loss:every=5 --out S", "20", "5"},
        {CLI_TINY "--measure loss:every=5 --out T", "20", "1"}};
    for (int i = 0; i < 2; i++) {
        char *run = cli_expect(folder, cases[i].train, 0, "ok");
        trim(run);
        snprintf(show, sizeof show, "%s/run.yaml", run);
        char *text = cli_read(folder, show);
        char training[64], measuring[64];
        snprintf(training, sizeof training, "\n  gradients: %s\n", cases[i].training);
        snprintf(measuring, sizeof measuring, "\n  gradients.measuring: %s\n", cases[i].measuring);
        assert_non_null(strstr(text, training));
        assert_non_null(strstr(text, measuring));
        ub_free(text);
        ub_free(run);
    }
    support_remove(folder);
}

/* An error of the run itself, seen only when it is made: told, and nothing kept. */
static void test_failed_train(void **state)
{
    (void)state;
    char *folder = cli_folder_with("flat.csv", "a,y\n0,0\n0,0\n");
    cli_run(folder,
            "train --dataset csv:file=flat.csv,label=y,task=regression --model linear:bias=false "
            "--loss mse --optimizer gd:lr=relative(0.5) --steps 5 --out S",
            2, "initial sharpness is 0");
    assert_int_equal(cli_count_runs(folder, "S", false), 0);
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_show_export),
        cmocka_unit_test(test_export_recomputes_init),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_divergence_is_data),
        cmocka_unit_test(test_overflow_is_named),
        cmocka_unit_test(test_bf16x3_needs_its_instructions),
        cmocka_unit_test(test_measured_gradients_are_no_training),
        cmocka_unit_test(test_failed_train),
    };
    return cmocka_run_group_tests_name("cli_train", tests, NULL, NULL);
}
