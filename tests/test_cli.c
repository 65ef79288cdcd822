/* The program as people meet it: help, lists, where reports go. */
#include "report/laws/law.h"
#include "tests/cli_support.h"

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
    cli_run(folder, CLI_TINY "--out S", 0, "");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(unknown_names_say_where_names_are),
        cmocka_unit_test(reports_keep_out_of_the_runs),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_laws),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
