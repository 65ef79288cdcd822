/* Sweeps as people run them: resumption, interruption, and runs that go wrong. */
#include "tests/cli_support.h"

#include <sys/stat.h>

/* One run that takes hours, and one that takes none of it. */
static const char endless[] = "name: endless\n"
                              "defaults: {dataset: digits, loss: mse, optimizer: 'gd:lr=0.01'}\n"
                              "runs:\n"
                              "  - {model: 'mlp:widths=64', steps: 100000000,\n"
                              "     measure: {loss: {every: 1000000}}}\n"
                              "  - {model: linear, steps: 5}\n";

/* ---- sweeps ----------------------------------------------------------------------------- */

/* All traces of a store, in order of id. */
static char *all_traces(const char *folder, const char *store)
{
    struct ub_text path = {0}, out = {0};
    ub_text_add(&path, "%s/%s/runs", folder, store);
    struct dirent **entries = NULL;
    int n = scandir(path.data, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            char *run = ub_path(path.data, entries[i]->d_name),
                 *file = ub_path(run, "trace.csv.gz");
            struct ub_error err = {0};
            size_t length;
            char *text = (char *)ub_read_file(file, 1 << 24, &length, &err);
            ub_text_add(&out, "%s\n%s", entries[i]->d_name, text);
            ub_free(text);
            ub_free(file);
            ub_free(run);
        }
        free(entries[i]);
    }
    free(entries);
    ub_text_free(&path);
    return out.data ? out.data : ub_strdup("");
}

static void expect_same_traces(const char *folder, const char *a, const char *b)
{
    char *x = all_traces(folder, a), *y = all_traces(folder, b);
    assert_true(strlen(x) > 1000);
    assert_string_equal(x, y);
    ub_free(x);
    ub_free(y);
}

static void test_smoke(void **state)
{
    (void)state;
    char *folder = support_folder();
    cli_run(folder, "run smoke --out S --dry-run", 0, "8 runs, 8 to be made");
    assert_false(cli_exists(folder, "S"));
    cli_run(folder, "run smoke --out S --jobs 2 --summary", 0, "edge-of-stability: undecided");
    assert_int_equal(cli_count_runs(folder, "S", false), 8);
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    static const char *const files[] = {"S/suite.yaml", "S/manifest.csv", "S/runs.csv"};
    for (size_t i = 0; i < 3; i++)
        assert_true(cli_exists(folder, files[i]));
    cli_run(folder, "run smoke --out S --dry-run", 0, "8 runs, 0 to be made");
    cli_run(folder, "report S --out page", 0, "page/report.md");
    static const char *const pages[] = {"page/report.md", "page/runs.csv", "page/laws.csv"};
    for (size_t i = 0; i < 3; i++)
        assert_true(cli_exists(folder, pages[i]));
    cli_run(folder, "compare S S", 0, "");
    cli_run(folder, "compare S/runs.csv S --csv drift.csv", 0, "");
    assert_true(cli_exists(folder, "drift.csv"));
    support_remove(folder);
}

static ino_t inode_of(const char *folder, const char *name)
{
    struct stat s = {0};
    char *path = ub_path(folder, name);
    assert_int_equal(stat(path, &s), 0);
    ub_free(path);
    return s.st_ino;
}

static void test_resume(void **state)
{
    (void)state;
    struct ub_error err = {0};
    char *folder = cli_folder_with("sweep.yaml", CLI_SWEEP);
    cli_run(folder, "run sweep.yaml --out S --filter *mse*", 0, "3 runs: 3 ok");
    char *list = cli_expect(folder, "run sweep.yaml --out S --dry-run", 0, "6 runs, 3 to be made");
    const char *line = strstr(list, "  ok  ");
    while (line > list && line[-1] != '\n')
        line--;
    char kept[64];
    snprintf(kept, sizeof kept, "S/runs/%.16s", line);
    ub_free(list);
    ino_t before = inode_of(folder, kept);
    cli_run(folder, "run sweep.yaml --out S", 0, "3 of 6 runs are in S already");
    assert_int_equal(cli_count_runs(folder, "S", false), 6);
    assert_true(inode_of(folder, kept) == before);

    char *path = ub_path(folder, kept);
    assert_true(ub_remove_tree(path, &err));
    cli_run(folder, "run sweep.yaml --out S --dry-run", 0, "6 runs, 1 to be made");
    cli_run(folder, "run sweep.yaml --out S", 0, "6 runs: 6 ok");
    assert_true(ub_exists(path));
    before = inode_of(folder, kept);
    cli_run(folder, "run sweep.yaml --out S --again --filter *mse*", 0, "6 runs: 6 ok");
    assert_true(inode_of(folder, kept) != before);
    ub_free(path);
    support_remove(folder);
}

static void test_kill_and_resume(void **state)
{
    (void)state;
    char *folder = cli_folder_with("sweep.yaml", CLI_SWEEP);
    cli_run(folder, "run sweep.yaml --out whole --jobs 2", 0, "6 runs: 6 ok");
    pid_t pid = cli_start(folder, "run sweep.yaml --out S --jobs 2");
    cli_wait_for_runs(folder, "S", 2);
    kill(pid, SIGKILL);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 1000 + SIGKILL);
    cli_clear(&o);
    cli_pause(0.2); /* for a worker that was within its last system call */
    size_t left = cli_count_runs(folder, "S", false);
    assert_in_range(left, 2, 5);
    char *counts = cli_expect(folder, "report S", 0, "missing"); /* readable as it is */
    ub_free(counts);
    char part[64];
    snprintf(part, sizeof part, "%zu of 6 runs are in S already", left);
    cli_run(folder, "run sweep.yaml --out S --jobs 2", 0, part);
    assert_int_equal(cli_count_runs(folder, "S", false), 6);
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    expect_same_traces(folder, "whole", "S");
    support_remove(folder);
}

static void test_interrupt_and_resume(void **state)
{
    (void)state;
    char *folder = cli_folder_with("sweep.yaml", CLI_SWEEP);
    cli_run(folder, "run sweep.yaml --out whole --jobs 1", 0, "6 runs: 6 ok");
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        size_t before = cli_count_runs(folder, "S", false);
        pid_t pid = cli_start(folder, "run sweep.yaml --out S --jobs 2");
        cli_wait_for_runs(folder, "S", before + 1);
        kill(pid, signals[i]);
        struct cli_outcome o = cli_wait(folder, pid);
        assert_int_equal(o.code, 130);
        assert_non_null(strstr(o.err, "the same command goes on"));
        assert_int_equal(cli_count_runs(folder, "S", true), 0);
        cli_clear(&o);
    }
    cli_run(folder, "run sweep.yaml --out S --jobs 2", 0, "6 runs: 6 ok");
    expect_same_traces(folder, "whole", "S");
    support_remove(folder);
}

/* ---- runs that go wrong ----------------------------------------------------------------- */

static void test_timeout(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    cli_run(folder, "run endless.yaml --out S --timeout 0.3", 0, "1 ok, 1 timeout");
    char *list = cli_expect(folder, "run endless.yaml --out S --dry-run --timeout 0.3", 0,
                            "2 runs, 0 to be made");
    assert_non_null(strstr(list, "timeout"));
    ub_free(list);
    cli_run(folder, "run endless.yaml --out S --dry-run --timeout 0.4", 0, "2 runs, 1 to be made");
    cli_run(folder, "run endless.yaml --out S --dry-run", 0, "2 runs, 1 to be made");
    char *traces = all_traces(folder, "S");
    assert_non_null(strstr(traces, "\n0,loss,0,")); /* what was measured is kept */
    ub_free(traces);
    support_remove(folder);
}

/* Starts the endless sweep, waits until only the endless run is left, and finds its worker. */
static pid_t start_endless(const char *folder, const char *arguments, pid_t *worker)
{
    pid_t pid = cli_start(folder, arguments);
    *worker = cli_await_maker(folder, "S", 1);
    return pid;
}

static void test_crash(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker, pid = start_endless(folder, "run endless.yaml --out S --jobs 2", &worker);
    kill(worker, SIGKILL);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 0);
    assert_non_null(strstr(o.out, "2 runs: 1 ok, 1 failed"));
    assert_non_null(strstr(o.err, "killed by SIGKILL"));
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    cli_clear(&o);
    cli_run(folder, "run endless.yaml --out S --dry-run", 0, "2 runs, 1 to be made");
    support_remove(folder);
}

/* A worker that no longer comes to a step is killed: 1 s and a grace of 2.5 s. */
static void test_hang(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker,
        pid = start_endless(folder, "run endless.yaml --out S --jobs 2 --timeout 1", &worker);
    kill(worker, SIGSTOP);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 0);
    assert_non_null(strstr(o.out, "1 ok, 1 timeout"));
    assert_non_null(strstr(o.err, "killed: no step ended"));
    cli_clear(&o);
    support_remove(folder);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One Ctrl-C ends runs at their next step, not at their end, nor by force ten seconds later. */
static void test_interrupt_is_quick(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker, pid = start_endless(folder, "run endless.yaml --out S --jobs 2", &worker);
    double start = now();
    kill(pid, SIGINT);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 130);
    assert_true(now() - start < 5);
    assert_int_equal(cli_count_runs(folder, "S", false), 1);
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    cli_clear(&o);
    support_remove(folder);
}

/* Workers do not outlive a killed parent, even those that have hours to go. */
static void test_workers_die_with_parent(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker, pid = start_endless(folder, "run endless.yaml --out S --jobs 2", &worker);
    kill(pid, SIGKILL);
    struct cli_outcome o = cli_wait(folder, pid);
    cli_clear(&o);
    bool gone = false;
    for (int i = 0; i < 300 && !gone; i++) {
        /* a zombie, where no init takes it in, has no memory map */
        char path[64], line[8];
        snprintf(path, sizeof path, "/proc/%d/maps", (int)worker);
        FILE *maps = fopen(path, "re");
        gone = !maps || !fgets(line, sizeof line, maps);
        if (maps)
            fclose(maps);
        cli_pause(0.01);
    }
    if (!gone)
        kill(worker, SIGKILL);
    assert_true(gone);
    support_remove(folder);
}

/* The second Ctrl-C does not wait for a worker that does not listen. */
static void test_second_interrupt(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless);
    pid_t worker, pid = start_endless(folder, "run endless.yaml --out S --jobs 2", &worker);
    kill(worker, SIGSTOP);
    kill(pid, SIGINT);
    cli_pause(0.3);
    assert_int_equal(kill(pid, 0), 0); /* it waits */
    double start = now();
    kill(pid, SIGINT);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 130);
    assert_true(now() - start < 5);
    assert_int_equal(cli_count_runs(folder, "S", false), 1);
    assert_int_equal(cli_count_runs(folder, "S", true), 0);
    cli_clear(&o);
    support_remove(folder);
}

static void test_second_writer(void **state)
{
    (void)state;
    char *folder = cli_folder_with("endless.yaml", endless), *other = support_folder(), line[512];
    pid_t pid = cli_start(folder, "run endless.yaml --out S --jobs 2");
    cli_wait_for_runs(folder, "S", 1);
    snprintf(line, sizeof line, "run smoke --out %s/S", folder);
    cli_run(other, line, 2, "another unibench is writing to this store");
    kill(pid, SIGINT);
    struct cli_outcome o = cli_wait(folder, pid);
    assert_int_equal(o.code, 130);
    cli_clear(&o);
    support_remove(folder);
    support_remove(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smoke),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_kill_and_resume),
        cmocka_unit_test(test_interrupt_and_resume),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_interrupt_is_quick),
        cmocka_unit_test(test_workers_die_with_parent),
        cmocka_unit_test(test_second_interrupt),
        cmocka_unit_test(test_second_writer),
    };
    return cmocka_run_group_tests_name("sweeps", tests, NULL, NULL);
}
