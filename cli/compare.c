/* unibench compare: drift of one store against another. */
#include "cli/cli.h"
#include "report/report.h"

enum { CSV = 256, HISTORY, TIMES };

static const struct argp_option options[] = {
    {"csv", CSV, "FILE", 0, "write every comparison there, one a row", 0},
    {"history", HISTORY, "FILE", 0,
     "keep the history of nightlies there: add this comparison, and say since when what drifts", 0},
    {"times", TIMES, "FILE", 0,
     "hold times against this runs.csv (or store), made on the same CPU model, in place of BASE",
     0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *base, *new_store, *csv, *history, *times;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {
        {CSV, &a->csv},           {HISTORY, &a->history},        {TIMES, &a->times},
        {ARGP_KEY_ARG, &a->base}, {ARGP_KEY_ARG, &a->new_store}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "BASE NEW",
    .doc =
        "Prints, as Markdown, what has drifted from BASE to NEW: each a store's folder, or the "
        "runs.csv of one. Runs of equal seeds are compared in pairs, against the scale of such "
        "pairs' differences; systems without a seed in common over their seeds, against the "
        "spread from seed to seed. Of stores that do not differ at most 5% show drift. Words say "
        "which laws, observables and times changed, in which systems and by how much; times are "
        "advice, and no drift."
        "\v"
        "Exit code: 0 no drift, 1 drift (runs and values of BASE that NEW lacks are drift), "
        "2 bad input, 4 nothing compared: no baseline, no system in common, or single runs of "
        "different seeds.\n\n"
        "Example:\n"
        "  unibench compare results/quick/runs.csv out/quick --csv drift.csv\n",
};

static int compare(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.new_store)
        good = ub_fail(&err, UB_INPUT, "expected two stores: unibench compare BASE NEW");
    if (!good)
        return ub_report(&err);
    const struct ub_comparing how = {
        .out = stdout, .csv_path = a.csv, .history_path = a.history, .times_path = a.times};
    const int code = ub_report_compare(a.base, a.new_store, &how, &err);
    if (err.code != UB_OK) {
        fflush(stdout);
        ub_report(&err);
    }
    return code;
}

const struct cli_command cli_compare = {
    .name = "compare",
    .summary = "drift of one store against another",
    .argp = &argp,
    .run = compare,
};
