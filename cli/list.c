/* unibench list: what there is to name. */
#include "cli/list.h"
#include "cli/cli.h"
#include "report/report.h"

#include <string.h>

struct arguments {
    struct ub_error *err;
    const char *category, *name;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {
        {ARGP_KEY_ARG, &a->category}, {ARGP_KEY_ARG, &a->name}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .parser = parse,
    .args_doc =
        "[models|optimizers|losses|inits|datasets|observables|operators|laws|suites [NAME]]\n"
        "columns [markdown|csv]",
    .doc = "Lists what there is, with one line on each; given a NAME, all about it, with its "
           "options. `columns` is the data dictionary: what every column of runs.csv, laws.csv, "
           "data.csv, spectra.csv, series.csv.gz and results.db and every row of a trace is."
           "\v"
           "Examples:\n"
           "  unibench list\n"
           "  unibench list optimizers\n"
           "  unibench list models mlp\n"
           "  unibench list sharpness\n"
           "  unibench list columns csv > dictionary.csv\n",
};

static bool unknown(const char *what, const char *given, const char *const *names, size_t n,
                    struct ub_error *err)
{
    const char *near = ub_suggest(given, names, n);
    if (near)
        return ub_fail(err, UB_INPUT, "nothing called '%s' among the %s; did you mean '%s'?", given,
                       what, near);
    struct ub_text known = {0};
    for (size_t i = 0; i < n; i++)
        ub_text_add(&known, "%s%s", i ? ", " : "", names[i]);
    ub_fail(err, UB_INPUT, "nothing called '%s' among the %s; expected one of %s", given, what,
            known.data ? known.data : "none");
    ub_text_free(&known);
    return false;
}

/* All entries of this name: "gaussian" may be of several kinds. */
static bool show_anywhere(const char *name)
{
    size_t n = 0;
    for (const struct list_kind *k = list_kinds; k->name; k++) {
        const void *entry = ub_registry_find(k->registry, name);
        if (entry && n++)
            printf("\n");
        if (entry)
            list_whole(k, entry);
    }
    return n > 0;
}

static bool list_everything(struct ub_error *err)
{
    for (const struct list_kind *k = list_kinds; k->name; k++) {
        printf("== %s ==\n", k->name);
        list_briefly(k);
        printf("\n");
    }
    printf("== suites ==\n");
    return list_suites(err);
}

static bool list_columns(const char *form, struct ub_error *err)
{
    static const char *const forms[] = {"markdown", "csv"};
    const bool csv = form && strcmp(form, forms[1]) == 0;
    if (form && !csv && strcmp(form, forms[0]) != 0)
        return unknown("forms of columns", form, forms, 2, err);
    struct ub_text text = ub_report_dictionary(!csv);
    cli_print(&text);
    return true;
}

static bool list_kind(const struct list_kind *kind, const char *name, struct ub_error *err)
{
    if (!name)
        return list_all_of(kind), true;
    const void *entry = ub_registry_get(kind->registry, name, "list", err);
    if (entry)
        list_whole(kind, entry);
    return entry != NULL;
}

static bool list_one(const char *what, const char *name, struct ub_error *err)
{
    enum { MOST = 16 };
    const char *names[MOST] = {"suites", "columns"};
    size_t n = 2;
    for (const struct list_kind *k = list_kinds; k->name && n < MOST; k++) {
        names[n++] = k->name;
        if (strcmp(k->name, what) == 0)
            return list_kind(k, name, err);
    }
    if (strcmp(what, "suites") == 0)
        return name ? list_suite(name, err) : list_suites(err);
    if (strcmp(what, "columns") == 0)
        return list_columns(name, err);
    if (!name && show_anywhere(what))
        return true;
    return unknown("lists", what, names, n, err);
}

static int list(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good)
        good = a.category ? list_one(a.category, a.name, &err) : list_everything(&err);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_list = {
    .name = "list",
    .summary = "what there is: models, optimizers, datasets, observables, laws, suites, columns",
    .argp = &argp,
    .run = list,
};
