/* unibench publish: a store's report for papers. */
#include "cli/cli.h"
#include "report/report.h"

enum { TO = 256 };

static const struct argp_option options[] = {
    {"to", TO, "DIR", 0, "the folder to write: a new one, or one that publish wrote", 0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *store, *to;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {{TO, &a->to}, {ARGP_KEY_ARG, &a->store}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "STORE --to DIR",
    .doc = "Writes the report of STORE for papers, to DIR: figures/NAME-1col and NAME-2col (.png, "
           ".svg, .pdf: 3.25 and 6.75 inches wide, no text smaller than 7 points), tables/NAME "
           "(.csv, .md, .tex: booktabs and siunitx), runs.csv, references.bib (keys law:NAME, "
           "optimizer:NAME, ..., and results and unibench: runs.csv and the program) and main.tex, "
           "which includes all of it. DIR is written whole or not at all; one "
           "that publish wrote is replaced, what LaTeX made of its main.tex with it."
           "\v"
           "Example:\n"
           "  unibench publish out/quick --to paper/results\n"
           "  cd paper/results; pdflatex main; bibtex main; pdflatex main; pdflatex main\n",
};

static bool publish_store(const struct arguments *a)
{
    struct ub_store *store = ub_store_open(a->store, a->err);
    bool good = store && cli_check_beside_runs("--to", a->to, a->store, a->err);
    if (good)
        cli_warn(store);
    good = good && ub_report_publish(store, a->to, a->err);
    char *counts = good ? cli_counts(store) : NULL;
    if (good)
        printf("%s: %s\npublished: %s/main.tex\n", a->store, counts, a->to);
    ub_free(counts);
    ub_store_free(store);
    return good;
}

static int publish(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && (!a.store || !a.to))
        good = ub_fail(&err, UB_INPUT, "no %s given; expected unibench publish STORE --to DIR",
                       a.store ? "--to" : "store");
    return good && publish_store(&a) ? UB_OK : ub_report(&err);
}

const struct cli_command cli_publish = {
    .name = "publish",
    .summary = "figures and tables of a store for papers: PDF, LaTeX, BibTeX",
    .argp = &argp,
    .run = publish,
};
