/* unibench report: a store's pages. */
#include "report/report.h"
#include "cli/cli.h"

#include <string.h>

enum { SUMMARY = 256 };

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "folder of the report (default: STORE/report)", 0},
    {"summary", SUMMARY, NULL, 0, "print the verdicts, too", 0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *store, *out;
    bool summary;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {{'o', &a->out}, {ARGP_KEY_ARG, &a->store}, {0, NULL}};
    if (key != SUMMARY)
        return cli_parse_texts(key, text, texts, a->err);
    a->summary = true;
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "STORE",
    .doc =
        "Writes the report of STORE, and prints where: report.md with the verdicts and figures "
        "(PNG and SVG); with it law-NAME.md (a page a law: groups, controls, figures), "
        "topics.md (what was measured and is no law's) and runs.md (how runs ended, and how to "
        "repeat them). index.html has all of it to explore in a browser: filters, series, scatter, "
        "phase diagrams, spectra; it needs no network. For other programs: runs.csv (one row a "
        "run), laws.csv (one row a law), "
        "data.csv (one row a law and group of runs), spectra.csv (one row a spectrum, where "
        "runs have any), series.csv.gz (one row a measured number), results.db (these tables in "
        "SQLite, of the series the last values) and dictionary.md and dictionary.csv (what each "
        "column is; "
        "'unibench list columns')."
        "\v"
        "Example:\n"
        "  unibench report out/quick --summary\n",
};

static bool write_report(const struct arguments *a, const struct ub_store *store)
{
    char *folder = a->out ? ub_strdup(a->out) : ub_path(a->store, "report");
    char *page = ub_path(folder, "report.md"), *explore = ub_path(folder, "index.html");
    char *counts = cli_counts(store);
    cli_warn(store);
    bool good = ub_report_write(store, folder, a->err);
    char *summary = good && a->summary ? ub_report_summary(store, a->err) : NULL;
    good = good && (!a->summary || summary);
    if (summary)
        printf("%s\n", summary);
    if (good)
        printf("%s: %s\nreport: %s\nto explore: %s\n", a->store, counts, page, explore);
    ub_free(summary);
    ub_free(counts);
    ub_free(page);
    ub_free(explore);
    ub_free(folder);
    return good;
}

static int report(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.store)
        good = ub_fail(&err, UB_INPUT, "no store given; expected a folder of results");
    struct ub_store *store = good ? ub_store_open(a.store, &err) : NULL;
    good = store && (!a.out || cli_check_beside_runs("--out", a.out, a.store, &err)) &&
           write_report(&a, store);
    ub_store_free(store);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_report = {
    .name = "report",
    .summary = "write a store's report: verdicts, tables, figures",
    .argp = &argp,
    .run = report,
};
