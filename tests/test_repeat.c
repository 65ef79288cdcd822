/* Repeat commands: what a report prints is what a shell runs, whatever is in a path or an option.
 */
#include "report/digest/digest.h"
#include "report/report.h"
#include "tests/cli_support.h"
#include "tests/sample_store.h"

static const char *const hostile[] = {
    "a b",         "it's",       "say \"hi\"", "$HOME",    "$(touch x)", "`touch x`",  "new\nline",
    "-rf",         "--out=/tmp", "*",          "?.csv",    "[ab]",       "~",          "~root/x",
    "a;b",         "a&b",        "a|b",        "<in",      ">out",       "(sub)",      "{a,b}",
    "back\\slash", "trailing\\", "!history",   "#comment", "tab\there",  "naïve-日本", "''",
    "'\"'\"'",     "",           "\r",         "a=b c",    "$'x'",       "\\'",        " ",
    "```",         "\n",         "-",          "\xff\xfe", "%s %n",
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

/* Runs `command` in `folder` by sh, where `unibench` is a script that writes its arguments, each
 * ended by a NUL, to the file `words`. */
static char *words_of(const char *folder, const char *command, size_t *length)
{
    struct ub_error err = {0};
    struct ub_text line = {0};
    static const char script[] = "#!/bin/sh\nprintf '%s\\0' \"$@\" > words\n";
    support_write(folder, "unibench", script, sizeof script - 1);
    ub_text_add(&line, "chmod +x unibench; PATH=.:$PATH; export PATH\n%s\n", command);
    support_write(folder, "line.sh", line.data, line.length);
    ub_text_free(&line);
    const pid_t pid = fork();
    if (pid == 0) {
        if (chdir(folder) == 0)
            execl("/bin/sh", "sh", "line.sh", (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    char *path = ub_path(folder, "words");
    char *words = (char *)ub_read_file(path, 1 << 20, length, &err);
    assert_non_null(words);
    ub_free(path);
    return words;
}

/* `option` is among the words, and the next one is `value`, byte for byte. */
static void expect_word(const char *words, size_t length, const char *option, const char *value)
{
    for (const char *at = words; at < words + length; at += strlen(at) + 1)
        if (strcmp(at, option) == 0) {
            assert_string_equal(at + strlen(at) + 1, value);
            return;
        }
    fail_msg("no %s", option);
}

static struct ub_run_spec hostile_spec(int i, char **dataset)
{
    struct ub_run_spec spec = sample_spec(0);
    struct ub_text text = {0};
    ub_text_add(&text, "csv:file=%s,label=y", hostile[i]);
    *dataset = spec.dataset = text.data;
    spec.optimizer = (char *)hostile[i];
    return spec;
}

static void a_shell_reads_back_what_was_meant(void **state)
{
    (void)state;
    char *folder = support_folder();
    assert_true(HOSTILE >= 30);
    for (int i = 0; i < HOSTILE; i++) {
        char *dataset;
        size_t length;
        const struct ub_run_spec spec = hostile_spec(i, &dataset);
        char *command = train_command(&spec), *words = words_of(folder, command, &length);
        assert_string_equal(words, "train");
        expect_word(words, length, "--dataset", dataset);
        expect_word(words, length, "--optimizer", hostile[i]);
        expect_word(words, length, "--steps", "10");
        expect_word(words, length, "--out", "STORE");
        ub_free(words);
        ub_free(command);
        ub_free(dataset);
    }
    assert_false(cli_exists(folder, "x")); /* nothing was substituted */
    support_remove(folder);
}

/* The block of commands in a page, whatever fences are inside the commands. */
static char *commands_of(const char *page)
{
    const char *fence = strstr(page, "sh\n") - 1;
    while (*fence != '`')
        fence = strstr(fence + 2, "sh\n") - 1;
    const char *start = fence + 4;
    size_t ticks = 0;
    for (; *fence == '`'; fence--)
        ticks++;
    char end[64];
    snprintf(end, sizeof end, "\n%.*s\n", (int)ticks, "````````````````");
    const char *stop = strstr(start, end);
    assert_non_null(stop);
    char *block = ub_strdup(start);
    block[stop - start] = '\0';
    return block;
}

/* The page and runs.csv carry them unharmed: a path with a fence of Markdown in it, quotes, lines.
 */
static void a_page_keeps_commands_whole(void **state)
{
    (void)state;
    static const char name[] = "csv:file=a'b\n```\n$(touch x)\n\"c\",label=d";
    struct ub_error err = {0};
    char *store = support_folder(), *report = ub_path(store, "report");
    struct ub_run_spec spec = sample_spec(0);
    spec.dataset = (char *)name;
    write_run(store, &spec, UB_RUN_OK, "", 1);
    struct ub_store *s = open_good(store);
    if (!ub_report_write(s, report, &err))
        fail_msg("%s", err.text);
    char *page = cli_read(report, "runs.md"), *block = commands_of(page);
    size_t length;
    char *words = words_of(store, block, &length);
    expect_word(words, length, "--dataset", name);
    ub_free(words);
    char *csv_path = ub_path(report, "runs.csv");
    struct ub_csv *csv = ub_csv_read(csv_path, true, &err);
    assert_non_null(csv);
    words = words_of(store, ub_csv_cell(csv, 0, (size_t)ub_csv_column(csv, "command")), &length);
    expect_word(words, length, "--dataset", name);
    ub_free(words);
    ub_csv_free(csv);
    ub_free(csv_path);
    ub_free(block);
    ub_free(page);
    ub_free(report);
    ub_store_free(s);
    support_remove(store);
}

/* Of many systems the page has the first 500 commands and says so, the table each. */
static void a_page_of_commands_ends(void **state)
{
    (void)state;
    enum { SYSTEMS = 503, SHOWN = 500 };
    struct ub_error err = {0};
    char *store = support_folder(), *report = ub_path(store, "report");
    for (int i = 0; i < SYSTEMS; i++) {
        struct ub_run_spec spec = sample_spec(0);
        spec.steps = 10 + (uint64_t)i;
        write_run(store, &spec, UB_RUN_OK, "", 1);
    }
    struct ub_store *s = open_good(store);
    if (!ub_report_write(s, report, &err))
        fail_msg("%s", err.text);
    char *page = cli_read(report, "runs.md"), *csv_path = ub_path(report, "runs.csv");
    size_t commands = 0;
    for (const char *at = page; (at = strstr(at, "\nunibench train ")); at++)
        commands++;
    assert_int_equal(commands, SHOWN);
    assert_non_null(strstr(page, "Commands of the first 500 systems of 503"));
    struct ub_csv *csv = ub_csv_read(csv_path, true, &err);
    assert_non_null(csv);
    const size_t column = (size_t)ub_csv_column(csv, "command");
    assert_int_equal(csv->rows, SYSTEMS);
    for (size_t i = 0; i < csv->rows; i++)
        assert_memory_equal(ub_csv_cell(csv, i, column), "unibench train ", 15);
    ub_csv_free(csv);
    ub_free(csv_path);
    ub_free(page);
    ub_free(report);
    ub_store_free(s);
    support_remove(store);
}

/* The command that `show` prints makes the very run, by sh and by this program. */
static void what_show_prints_makes_the_run_again(void **state)
{
    (void)state;
    static const char rows[] = "x,y\n1,0\n2,1\n3,0\n4,1\n";
    char *folder = support_folder();
    support_write(folder, "it's $a.csv", rows, sizeof rows - 1);
    struct ub_text line = {0};
    ub_text_add(&line,
                "'%s' train --dataset \"csv:file=it's \\$a.csv,label=y\" --model linear --loss mse "
                "--optimizer gd:lr=0.1 --steps 2 --out 'one store' >first && "
                "'%s' show \"$(cat first)\" | sed -n '/^repeat$/,$p' | sed 1d >again.sh && "
                "ln -s '%s' unibench && PATH=.:$PATH && export PATH && . ./again.sh >second",
                UNIBENCH_PROGRAM, UNIBENCH_PROGRAM, UNIBENCH_PROGRAM);
    support_write(folder, "line.sh", line.data, line.length);
    ub_text_free(&line);
    const pid_t pid = fork();
    if (pid == 0) {
        if (chdir(folder) == 0)
            execl("/bin/sh", "sh", "line.sh", (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    char *first = cli_read(folder, "first"), *second = cli_read(folder, "second");
    assert_true(strncmp(first, "one store/runs/", 15) == 0);
    assert_true(strncmp(second, "STORE/runs/", 11) == 0);
    assert_string_equal(first + 15, second + 11);
    ub_free(first);
    ub_free(second);
    support_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shell_reads_back_what_was_meant),
        cmocka_unit_test(a_page_keeps_commands_whole),
        cmocka_unit_test(a_page_of_commands_ends),
        cmocka_unit_test(what_show_prints_makes_the_run_again),
    };
    return cmocka_run_group_tests_name("repeat", tests, NULL, NULL);
}
