/* Bad input to the program: arguments, data, suites, disks. */
#include "tests/cli_support.h"

#include <sys/stat.h>

/* Exit code 2, one line that says what, and no store. */
static void expect_bad(const char *folder, const char *arguments, const char *part)
{
    struct cli_outcome o = cli_finish(folder, arguments);
    size_t length = strlen(o.err);
    bool one_line = length > 0 && strchr(o.err, '\n') == o.err + length - 1;
    if (o.code != 2 || !one_line || *o.out || strncmp(o.err, "unibench: ", 10) != 0 ||
        !strstr(o.err, part))
        fail_msg("unibench %s\n  code %d; expected 2 and one line with '%s':\n%s%s", arguments,
                 o.code, part, o.out, o.err);
    assert_false(cli_exists(folder, "S"));
    cli_clear(&o);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    char *folder = support_folder();
    static const char *const cases[][2] = {
        {"trian", "did you mean 'train'?"},
        {"--bogus", "unknown option"},
        {"train --out S", "no --dataset given"},
        {CLI_TINY "--out S extra", "'extra' is one argument too many"},
        {CLI_TINY "--out S --model mpl", "--model: unknown model 'mpl'; did you mean 'mlp'?"},
        {CLI_TINY "--out S --model mlp:widths=-3", "--model: "},
        {CLI_TINY "--out S --model mlp:widths=0", "--model: "},
        {CLI_TINY "--out S --model mlp:width=3", "--model: "},
        {CLI_TINY "--out S --model mlp:widths=99999999999999999999", "--model: "},
        {CLI_TINY "--out S --model mlp:widths=1000000x1000000", "more than"},
        {CLI_TINY "--out S --dataset digit", "did you mean 'digits'?"},
        {CLI_TINY "--out S --optimizer gd", "--optimizer: "},
        {CLI_TINY "--out S --optimizer gd:lr=nan", "--optimizer: "},
        {CLI_TINY "--out S --optimizer gd:lr=-1", "--optimizer: "},
        {CLI_TINY "--out S --loss ce", "ce"}, /* of a regression */
        {CLI_TINY "--out S --steps 0", "--steps: '0'"},
        {CLI_TINY "--out S --steps 1e3", "--steps: '1e3'"},
        {CLI_TINY "--out S --seed -1", "--seed: '-1'"},
        {CLI_TINY "--out S --seed 99999999999999999999", "--seed: "},
        {CLI_TINY "--out S --precision f16", "--precision: 'f16'"},
        {CLI_TINY "--out S --measure los", "did you mean 'loss'?"},
        {CLI_TINY "--out S --measure loss --measure loss:every=3", "measured twice"},
        {CLI_TINY "--out S --threads 0", "--threads: '0'"},
        {CLI_TINY "--out S --timeout -1", "--timeout: '-1'"},
        {CLI_TINY "--out S --data nowhere", "--data: 'nowhere'"},
        {"run", "no suite given"},
        {"run smoek --out S", "did you mean 'smoke'?"},
        {"run no.yaml --out S", "no.yaml: "},
        {"run smoke --out S --jobs 0", "--jobs: '0'"},
        {"run smoke --out S --filter nothing", "selects none of the 8 runs"},
        {"report S", "S: no such folder"},
        {"report", "no store given"},
        {"show", "no run given"},
        {"show S", "'S' names no run"},
        {"show S:12", "S: no such folder"},
        {"show S/runs/12", "S: no such folder"},
        {"show 12 --store S", "S: no such folder"},
        {"export S:12", "no --out given"},
        {"export S:12 --out a.npz", "S: no such folder"},
        {"compare S", "expected two stores"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(folder, cases[i][0], cases[i][1]);
    support_remove(folder);
}

/* The empty text is where every path begins: the file system's root. */
static void test_empty_arguments(void **state)
{
    (void)state;
    char *folder = support_folder();
    static const char *const cases[][2] = {
        {CLI_TINY "--out ''", "--out: empty; expected STORE"},
        {CLI_TINY "--out=", "--out: empty; expected STORE"},
        {CLI_TINY "-o ''", "--out: empty; expected STORE"},
        {CLI_TINY "--out S --data ''", "--data: empty; expected DIR"},
        {CLI_TINY "--out S --model ''", "--model: empty; expected CALL"},
        {"run ''", "an argument is empty"},
        {"run smoke --out ''", "--out: empty; expected STORE"},
        {"run smoke --out S --data ''", "--data: empty"},
        {"run smoke --out S --filter ''", "--filter: empty"},
        {"report ''", "an argument is empty"},
        {"report S --out ''", "--out: empty; expected DIR"},
        {"seal ''", "an argument is empty"},
        {"show ''", "an argument is empty"},
        {"show 12 --store ''", "--store: empty"},
        {"export S:12 --out ''", "--out: empty"},
        {"export 12 --store '' --out a.npz", "--store: empty"},
        {"export S:12 --out a.npz --data ''", "--data: empty"},
        {"compare '' S", "an argument is empty"},
        {"compare S ''", "an argument is empty"},
        {"compare S S --csv ''", "--csv: empty"},
        {"spectra --weights ''", "--weights: empty"},
        {"spectra --weights w.npy --out ''", "--out: empty"},
        {"list ''", "an argument is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(folder, cases[i][0], cases[i][1]);
    support_remove(folder);
}

/* A run is kept as YAML, which is UTF-8: refused before there is one. */
static void test_names_in_other_encodings(void **state)
{
    (void)state;
    static const char table[] = "a,y\n1,0\n2,1\n3,0\n4,1\n";
    static const char *const names[] = {
        "\xff", "\xc3(", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
    char *folder = support_folder();
    struct ub_text name = {0}, line = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ub_text_add(&name, "%s.csv", names[i]);
        support_write(folder, name.data, table, sizeof table - 1);
        ub_text_add(&line, CLI_TINY "--out S --dataset csv:label=y,file=%s", name.data);
        char byte[32];
        snprintf(byte, sizeof byte, "byte 18 is 0x%02x; expected UTF-8", (unsigned char)*names[i]);
        expect_bad(folder, line.data, byte);
        ub_text_free(&line);
        ub_text_add(&line,
                    "name: s\nruns:\n  - {dataset: 'csv:label=y,file=%s', model: linear,\n"
                    "     loss: mse, optimizer: 'gd:lr=1', steps: 5}\n",
                    name.data);
        support_write(folder, "s.yaml", line.data, line.length);
        expect_bad(folder, "run s.yaml --out S", "s.yaml:3: ");
        ub_text_free(&line);
        ub_text_free(&name);
    }
    support_remove(folder);
}

/* Names that YAML does not show as they are: controls, line breaks, a byte order mark, the least
 * and the last code point of each length. */
static void test_names_in_any_letters(void **state)
{
    (void)state;
    static const char *const names[] = {"\x01",
                                        "a\nb",
                                        "a\rb",
                                        "\x7f",
                                        "\xc2\x80",
                                        "\xc2\x85",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "\xef\xbf\xbd",
                                        "\xef\xbf\xbf",
                                        "\xed\x9f\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf"};
    enum { NAMES = sizeof names / sizeof *names };
    char *folder = support_folder();
    struct ub_text name = {0}, line = {0}, table = {0};
    for (int i = 0; i < NAMES; i++) { /* other contents, another run */
        ub_text_add(&name, "%s.csv", names[i]);
        ub_text_add(&table, "a,y\n1,0\n2,1\n3,0\n%d,1\n", i + 4);
        support_write(folder, name.data, table.data, table.length);
        ub_text_add(&line, CLI_TINY "--out S --dataset csv:label=y,file=%s", name.data);
        cli_run(folder, line.data, 0, "");
        ub_text_free(&line);
        ub_text_free(&table);
        ub_text_free(&name);
    }
    char all[32];
    snprintf(all, sizeof all, "%d runs: %d ok\n", NAMES, NAMES);
    cli_run(folder, "report S", 0, all);
    support_remove(folder);
}

static void test_bad_data(void **state)
{
    (void)state;
    char *folder = support_folder();
    support_write(folder, "nan.csv", "a,y\n1,0\nnan,1\n", 14);
    support_write(folder, "short.csv", "a,y\n1,0\n2\n", 10);
    support_write(folder, "good.csv.gz", "a,y\n1,0\n2,1\n", 12);
    char *path = ub_path(folder, "good.csv.gz");
    assert_int_equal(truncate(path, 20), 0);
    ub_free(path);
    support_write(folder, "train-images-idx3-ubyte", "\0\0\x08\x01\0\0\0\1\0\0\0\1\0\0\0\1", 16);
    support_write(folder, "train-labels-idx1-ubyte", "\0\0\x08\x01\0\0\0\1", 8);
    static const char *const cases[][2] = {
        {CLI_TINY "--out S --dataset csv:file=nan.csv,label=y", "nan.csv:3: "},
        {CLI_TINY "--out S --dataset csv:file=short.csv,label=y", "short.csv:3: "},
        {CLI_TINY "--out S --dataset csv:file=good.csv.gz,label=y", "truncated gzip"},
        {CLI_TINY "--out S --dataset csv:file=none.csv,label=y", "none.csv"},
        {CLI_TINY "--out S --dataset csv:file=nan.csv,label=z", "z"},
        {CLI_TINY "--out S --dataset mnist --data .", "magic number"},
        {CLI_TINY "--out S --dataset gaussian:features=99999999,samples=99999999", "gaussian"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(folder, cases[i][0], cases[i][1]);
    support_remove(folder);
}

static void test_bad_suite(void **state)
{
    (void)state;
    char *folder =
        cli_folder_with("s.yaml", "name: s\nruns:\n  - dataset: digits\n    model: mpl\n");
    expect_bad(folder, "run s.yaml --out S", "s.yaml:4: unknown model 'mpl'; did you mean 'mlp'?");
    static const char misfit[] =
        "name: s\nruns:\n  - {dataset: chebyshev, model: linear, loss: [mse, ce], "
        "optimizer: 'gd:lr=1', steps: 5}\n";
    support_write(folder, "s.yaml", misfit, strlen(misfit));
    expect_bad(folder, "run s.yaml --out S", "s.yaml:3: linear");
    support_remove(folder);
}

static void test_unwritable(void **state)
{
    (void)state;
    char *folder = cli_folder_with("file", "x");
    expect_bad(folder, CLI_TINY "--out file", "file");
    expect_bad(folder, CLI_TINY "--out file/S", "file");
    expect_bad(folder, CLI_TINY "--out /dev/null/S", "/dev/null");
    expect_bad(folder, "run smoke --out /dev/null/S", "/dev/null");
    if (geteuid() != 0) { /* root writes anywhere */
        assert_int_equal(chmod(folder, 0500), 0);
        expect_bad(folder, CLI_TINY "--out S", "Permission denied");
        assert_int_equal(chmod(folder, 0700), 0);
    }
    support_remove(folder);
}

/* A disk that fills: the file-size limit makes write() fail just as. */
static void test_full_disk(void **state)
{
    (void)state;
    char *folder = cli_folder_with("sweep.yaml", CLI_SWEEP);
    static const char *const commands[] = {CLI_TINY "--out S --save-weights",
                                           "run sweep.yaml --out S --filter *ce*"};
    /* weights of 97 numbers need more than 1 kB, the trace of a sweep's run a little less */
    for (int i = 0; i < 2; i++) {
        pid_t pid = cli_start_limited(folder, commands[i], 900);
        struct cli_outcome o = cli_wait(folder, pid);
        assert_int_equal(o.code, 2);
        if (!strstr(o.err, "cannot write: File too large"))
            fail_msg("unibench %s\n%s", commands[i], o.err);
        assert_int_equal(cli_count_runs(folder, "S", false), 0);
        assert_int_equal(cli_count_runs(folder, "S", true), 0);
        cli_clear(&o);
    }
    struct stat s;
    if (stat("/dev/full", &s) == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            int full = open("/dev/full", O_WRONLY), null = open("/dev/null", O_WRONLY);
            dup2(full, STDOUT_FILENO);
            dup2(null, STDERR_FILENO);
            execl(UNIBENCH_PROGRAM, UNIBENCH_PROGRAM, "list", (char *)NULL);
            _exit(127);
        }
        struct cli_outcome o = cli_wait(folder, pid);
        assert_int_equal(o.code, 2);
        cli_clear(&o);
    }
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_empty_arguments),
        cmocka_unit_test(test_names_in_other_encodings),
        cmocka_unit_test(test_names_in_any_letters),
        cmocka_unit_test(test_bad_data),
        cmocka_unit_test(test_bad_suite),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests_name("cli_input", tests, NULL, NULL);
}
