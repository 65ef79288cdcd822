/* The program as people run it: commands, bad input, one run. */
#define _GNU_SOURCE /* memmem */
#include "report/laws/law.h"
#include "tests/cli_support.h"

#include <sys/stat.h>

#define TINY                                                                                       \
    "train --dataset chebyshev --model mlp:widths=8 --loss mse --optimizer gd:lr=0.05 "            \
    "--steps 20 "

/* Six runs of some tenths of a second. */
static const char sweep[] = "name: sweep\n"
                            "runs:\n"
                            "  dataset: digits\n"
                            "  model: mlp:widths=32\n"
                            "  loss: [mse, ce]\n"
                            "  optimizer: gd:lr=0.05\n"
                            "  steps: 400\n"
                            "  seed: 0..2\n"
                            "  measure: {loss: {every: 10}, sharpness: {every: 100}}\n";

static void trim(char *line)
{
    line[strcspn(line, "\n")] = '\0';
}

/* ---- help and lists --------------------------------------------------------------------- */

static void test_help(void **state)
{
    (void)state;
    char *folder = support_folder();
    cli_run(folder, "--help", 0, "unibench train --dataset digits");
    cli_run(folder, "", 2, "Usage: unibench COMMAND");
    cli_run(folder, "--version", 0, "unibench 0.");
    static const char *const commands[] = {"run",  "train",  "report",  "list",
                                           "show", "export", "compare", "spectra"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char line[64];
        snprintf(line, sizeof line, "%s --help", commands[i]);
        char *out = cli_expect(folder, line, 0, "Usage: unibench ");
        assert_non_null(strstr(out, "Example"));
        ub_free(out);
    }
    static const char *const files[] = {"report.md",     "law-NAME.md",   "topics.md",
                                        "runs.md",       "runs.csv",      "laws.csv",
                                        "data.csv",      "spectra.csv",   "dictionary.csv",
                                        "dictionary.md", "series.csv.gz", "results.db"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        cli_run(folder, "report --help", 0, files[i]);
    cli_run(folder, "--help", 0, "results.db");
    cli_run(folder, "--help", 0, "unibench list columns");
    support_remove(folder);
}

/* A name near to no other: few are named, of many the command that lists them; never half a name.
 */
static void unknown_names_say_where_names_are(void **state)
{
    (void)state;
    char *folder = support_folder();
    cli_run(folder, "list laws zzzzzzzzzzzz", 2,
            "list: unknown law 'zzzzzzzzzzzz'; 'unibench list laws' shows them\n");
    cli_run(folder, "list losses zzzzzzzzzzzz", 2, "expected one of mse, ce\n");
    support_remove(folder);
}

/* What is written among runs would be taken for one. */
static void reports_keep_out_of_the_runs(void **state)
{
    (void)state;
    static const char *const inside[] = {"S/runs", "S/runs/report", "S/../S/runs/./a/b"};
    char *folder = support_folder();
    cli_run(folder, TINY "--out S", 0, "");
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        struct ub_text line = {0};
        ub_text_add(&line, "report S --out %s", inside[i]);
        cli_run(folder, line.data, 2, ": is in the folder of the store's runs; expected a folder");
        ub_text_free(&line);
    }
    assert_int_equal(cli_count_runs(folder, "S", false), 1);
    cli_run(folder, "report S --out S/runs-report", 0, "S: 1 run: 1 ok");
    char *page = cli_read(folder, "S/runs-report/report.md");
    assert_non_null(strstr(page, "\n## Runs\n\nThe only one ended as it should.\n"));
    ub_free(page);
    support_remove(folder);
}

static void test_list(void **state)
{
    (void)state;
    char *folder = support_folder();
    static const char *const cases[][2] = {
        {"list", "== suites =="},
        {"list models", "deep-linear"},
        {"list optimizers", "heavy-ball"},
        {"list datasets", "digits"},
        {"list observables", "hessian-spectrum"},
        {"list laws", "edge-of-stability"},
        {"list suites", "smoke"},
        {"list losses", "mse"},
        {"list inits", "xavier-normal"},
        {"list models mlp", "widths (default: 64x64)"},
        {"list optimizers nesterov", "lr(1 + 2 beta)"},
        {"list observables sharpness", "every (default"},
        {"list suites smoke", "runs: 8"},
        {"list sharpness", "every (default"},
        {"list sharpness", "in runs.csv: final-sharpness"},
        {"list columns", "| runs.csv | final-sharpness | number |"},
        {"list columns csv", "runs.csv,final-sharpness,number,"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cli_run(folder, cases[i][0], 0, cases[i][1]);
    cli_run(folder, "list columns cvs", 2, "did you mean 'csv'?");
    cli_run(folder, "list modles", 2, "did you mean 'models'?");
    cli_run(folder, "list models mpl", 2, "did you mean 'mlp'?");
    support_remove(folder);
}

/* Every law says what a reader asks of it, on 100 columns. */
static void test_list_laws(void **state)
{
    (void)state;
    enum { COLUMNS = 100 };
    char *folder = support_folder();
    for (size_t i = 0; ub_laws[i]; i++) {
        const struct ub_law *l = ub_laws[i];
        if (!l->formula || !*l->formula || strcmp(l->formula, l->claim) == 0)
            fail_msg("law %s lacks .formula (report/laws/law.h)", l->name);
        if (!l->claim || !l->quantity || !l->who || !l->because || !l->citation)
            fail_msg("law %s lacks a claim, quantity, who, because or citation", l->name);
    }
    char *out = cli_expect(folder, "list laws", 0, "formula: rho(t) = lambda_max(t) / threshold");
    for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > COLUMNS)
            fail_msg("more than %d columns: %.*s", COLUMNS, (int)strcspn(line, "\n"), line);
    ub_free(out);
    static const char *const cases[][2] = {
        {"list laws ntk-drift", "a group: runs equal in all but seeds and model.width\n"},
        {"list laws ntk-drift",
         "a suite must have: measure kernel-drift; in a group 4 different model.width\n"},
        {"list laws ntk-drift", "margin: within 0.15 of the prediction; 0.15 tells"},
        {"list ntk-drift", "citation: Jacot"},
        {"list laws edge-of-stability", "a suite must have: rows of edge-ratio\n"},
        {"list laws spectral-decay-hessian", "groups or more that differ in nothing but model"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cli_run(folder, cases[i][0], 0, cases[i][1]);
    cli_run(folder, "list laws edge-of-stabilty", 2,
            "unknown law 'edge-of-stabilty'; did you mean 'edge-of-stability'?");
    support_remove(folder);
}

/* ---- bad input -------------------------------------------------------------------------- */

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
        {TINY "--out S extra", "'extra' is one argument too many"},
        {TINY "--out S --model mpl", "--model: unknown model 'mpl'; did you mean 'mlp'?"},
        {TINY "--out S --model mlp:widths=-3", "--model: "},
        {TINY "--out S --model mlp:widths=0", "--model: "},
        {TINY "--out S --model mlp:width=3", "--model: "},
        {TINY "--out S --model mlp:widths=99999999999999999999", "--model: "},
        {TINY "--out S --model mlp:widths=1000000x1000000", "more than"},
        {TINY "--out S --dataset digit", "did you mean 'digits'?"},
        {TINY "--out S --optimizer gd", "--optimizer: "},
        {TINY "--out S --optimizer gd:lr=nan", "--optimizer: "},
        {TINY "--out S --optimizer gd:lr=-1", "--optimizer: "},
        {TINY "--out S --loss ce", "ce"}, /* of a regression */
        {TINY "--out S --steps 0", "--steps: '0'"},
        {TINY "--out S --steps 1e3", "--steps: '1e3'"},
        {TINY "--out S --seed -1", "--seed: '-1'"},
        {TINY "--out S --seed 99999999999999999999", "--seed: "},
        {TINY "--out S --precision f16", "--precision: 'f16'"},
        {TINY "--out S --measure los", "did you mean 'loss'?"},
        {TINY "--out S --measure loss --measure loss:every=3", "measured twice"},
        {TINY "--out S --threads 0", "--threads: '0'"},
        {TINY "--out S --timeout -1", "--timeout: '-1'"},
        {TINY "--out S --data nowhere", "--data: 'nowhere'"},
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
        {TINY "--out ''", "--out: empty; expected STORE"},
        {TINY "--out=", "--out: empty; expected STORE"},
        {TINY "-o ''", "--out: empty; expected STORE"},
        {TINY "--out S --data ''", "--data: empty; expected DIR"},
        {TINY "--out S --model ''", "--model: empty; expected CALL"},
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
        ub_text_add(&line, TINY "--out S --dataset csv:label=y,file=%s", name.data);
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
        ub_text_add(&line, TINY "--out S --dataset csv:label=y,file=%s", name.data);
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
        {TINY "--out S --dataset csv:file=nan.csv,label=y", "nan.csv:3: "},
        {TINY "--out S --dataset csv:file=short.csv,label=y", "short.csv:3: "},
        {TINY "--out S --dataset csv:file=good.csv.gz,label=y", "truncated gzip"},
        {TINY "--out S --dataset csv:file=none.csv,label=y", "none.csv"},
        {TINY "--out S --dataset csv:file=nan.csv,label=z", "z"},
        {TINY "--out S --dataset mnist --data .", "magic number"},
        {TINY "--out S --dataset gaussian:features=99999999,samples=99999999", "gaussian"},
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
    expect_bad(folder, TINY "--out file", "file");
    expect_bad(folder, TINY "--out file/S", "file");
    expect_bad(folder, TINY "--out /dev/null/S", "/dev/null");
    expect_bad(folder, "run smoke --out /dev/null/S", "/dev/null");
    if (geteuid() != 0) { /* root writes anywhere */
        assert_int_equal(chmod(folder, 0500), 0);
        expect_bad(folder, TINY "--out S", "Permission denied");
        assert_int_equal(chmod(folder, 0700), 0);
    }
    support_remove(folder);
}

/* A disk that fills: the file-size limit makes write() fail just as. */
static void test_full_disk(void **state)
{
    (void)state;
    char *folder = cli_folder_with("sweep.yaml", sweep);
    static const char *const commands[] = {TINY "--out S --save-weights",
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

/* ---- one run ---------------------------------------------------------------------------- */

static void test_train_show_export(void **state)
{
    (void)state;
    char *folder = support_folder(), line[256];
    char *run = cli_expect(folder,
                           TINY "--measure loss --measure sharpness:every=10,top=2 "
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
                             TINY "--measure sharpness:top=2,every=10 --measure loss "
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
        snprintf(line, sizeof line, TINY "--seed 7 --out S%d %s", i, flags[i]);
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
    char *run = cli_expect(folder, TINY "--optimizer gd:lr=1e6 --out S", 0, "diverged");
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
    static const char line[] = TINY "--optimizer gd:lr=1e22 --precision %s --out S-%s";
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

/* Gradients that a mini-batch run is only looked at by are no training, nor is a run's last. */
static void test_measured_gradients_are_no_training(void **state)
{
    (void)state;
    char *folder = support_folder(), show[256];
    const struct {
        const char *train, *training, *measuring;
    } cases[] = {{TINY "--optimizer sgd:lr=0.05,batch=4 --measure loss:every=5 --out S", "20", "5"},
                 {TINY "--measure loss:every=5 --out T", "20", "1"}};
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
        cmocka_unit_test(test_help),
        cmocka_unit_test(unknown_names_say_where_names_are),
        cmocka_unit_test(reports_keep_out_of_the_runs),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_laws),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_empty_arguments),
        cmocka_unit_test(test_names_in_other_encodings),
        cmocka_unit_test(test_names_in_any_letters),
        cmocka_unit_test(test_bad_data),
        cmocka_unit_test(test_bad_suite),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_train_show_export),
        cmocka_unit_test(test_export_recomputes_init),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_divergence_is_data),
        cmocka_unit_test(test_overflow_is_named),
        cmocka_unit_test(test_measured_gradients_are_no_training),
        cmocka_unit_test(test_failed_train),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
