/* unibench list: what there is to name. Each registry is a list of entries; an entry is shown in
 * one line, or whole with its options. */
#include "bench/curvature/curvature.h"
#include "bench/observables/observables.h"
#include "cli/cli.h"
#include "report/laws/law.h"
#include "report/report.h"
#include "report/tables/table.h"
#include "systems/systems.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 120 };
static const double unbounded = 1e18; /* an option's maximum beyond this is none */

struct arguments {
    struct ub_error *err;
    const char *category, *name;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const char **places[] = {&a->category, &a->name};
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    return cli_positional(text, places, 2, a->err) ? 0 : EINVAL;
}

static const struct argp argp = {
    .parser = parse,
    .args_doc =
        "[models|optimizers|losses|inits|datasets|observables|operators|laws|suites [NAME]]\n"
        "columns [markdown|csv]",
    .doc = "Lists what there is, with one line on each; given a NAME, all about it, with its "
           "options. `columns` is the data dictionary: what every column of runs.csv, laws.csv, "
           "data.csv and spectra.csv and every row of a trace is."
           "\v"
           "Examples:\n"
           "  unibench list\n"
           "  unibench list optimizers\n"
           "  unibench list models mlp\n"
           "  unibench list sharpness\n"
           "  unibench list columns csv > dictionary.csv\n",
};

/* ---- entries ---------------------------------------------------------------------------- */

struct entry {
    const char *name, *summary;
    struct ub_pair detail[4];           /* name NULL: none */
    const struct ub_option *options[2]; /* NULL: none */
};

struct category {
    const char *name;
    bool (*entry)(size_t i, struct entry *out); /* false beyond the last */
};

static struct ub_pair detail(const char *name, const char *text)
{
    return (struct ub_pair){.name = text ? (char *)name : NULL, .text = (char *)text};
}

static bool model(size_t i, struct entry *out)
{
    const struct ub_model *m = ub_models[i];
    if (m)
        *out = (struct entry){m->name,
                              m->summary,
                              {detail("citation", m->citation)},
                              {m->options, ub_model_common_options}};
    return m != NULL;
}

static bool optimizer(size_t i, struct entry *out)
{
    const struct ub_optimizer_kind *o = ub_optimizers[i];
    if (o)
        *out = (struct entry){o->name,
                              o->summary,
                              {detail("citation", o->citation),
                               detail("edge of stability at sharpness", o->edge_formula),
                               detail("edge from", o->edge_citation)},
                              {o->options, ub_optimizer_common_options}};
    return o != NULL;
}

static bool loss(size_t i, struct entry *out)
{
    const struct ub_loss *l = ub_losses[i];
    if (l)
        *out = (struct entry){l->name, l->summary, {detail("citation", l->citation)}, {NULL}};
    return l != NULL;
}

static bool init(size_t i, struct entry *out)
{
    const struct ub_init *n = ub_inits[i];
    if (n)
        *out = (struct entry){n->name, n->summary, {detail("citation", n->citation)}, {n->options}};
    return n != NULL;
}

static bool dataset(size_t i, struct entry *out)
{
    const struct ub_dataset_source *d = ub_dataset_sources[i];
    if (d)
        *out = (struct entry){
            d->name,
            d->summary,
            {detail("citation", d->citation),
             detail("needs", d->needs_files ? "files in the folder of --data" : NULL)},
            {d->options, ub_dataset_common_options}};
    return d != NULL;
}

static bool observable(size_t i, struct entry *out)
{
    const struct ub_observable *o = ub_observables[i];
    if (o)
        *out = (struct entry){o->name,
                              o->summary,
                              {detail("units", o->units), detail("citation", o->citation)},
                              {o->options, ub_schedule_options}};
    return o != NULL;
}

static bool law(size_t i, struct entry *out)
{
    const struct ub_law *l = ub_laws[i];
    if (l)
        *out = (struct entry){l->name,
                              l->claim,
                              {detail("quantity", l->quantity), detail("speaks of", l->who),
                               detail("margin", l->because), detail("citation", l->citation)},
                              {NULL}};
    return l != NULL;
}

static bool operator(size_t i, struct entry *out)
{
    const struct ub_matrix_kind *k = &ub_matrix_kinds[i];
    static const char *const spaces[] = {
        [UB_OVER_PARAMETERS] = "parameters: all, or of layer=NAME",
        [UB_OVER_OUTPUTS] = "training samples x positions x outputs",
        [UB_OVER_ITEMS] = "training samples x positions",
        [UB_OVER_FEATURES] = "numbers of an input",
        [UB_OVER_UNITS] = "activations of layer=NAME",
        [UB_OVER_SAMPLES] = "training samples; of layer=NAME",
        [UB_OVER_WEIGHT] = "shorter side of the weight layer=NAME",
    };
    if (k->name)
        *out = (struct entry){k->name,
                              k->summary,
                              {detail("rows", spaces[k->space]), detail("citation", k->citation)},
                              {NULL}};
    return k->name != NULL;
}

static const struct category categories[] = {
    {"models", model}, {"optimizers", optimizer}, {"losses", loss}, {"inits", init},
    {"datasets", dataset}, {"observables", observable}, {"laws", law},
    {
        "operators",
        operator},
    };
enum { CATEGORIES = sizeof categories / sizeof *categories };

/* ---- one category ----------------------------------------------------------------------- */

static void list_entries(const struct category *category)
{
    struct table *t = table_new((const char *const[]){"name", "summary"}, "ll");
    struct entry e;
    for (size_t i = 0; category->entry(i, &e); i++) {
        table_cell(t, "%s", e.name);
        table_cell(t, "%s", e.summary);
    }
    struct ub_text text = {0};
    table_plain(t, WIDTH, &text);
    table_free(t);
    cli_print(&text);
}

/* ---- one entry -------------------------------------------------------------------------- */

static void add_bound(struct ub_text *text, double bound)
{
    char number[UB_REAL_TEXT];
    ub_real_text(bound, number);
    ub_text_add(text, "%s", number);
}

/* "number, 0 to 1" */
static struct ub_text kind_text(const struct ub_option *option)
{
    static const char *const names[] = {
        [UB_OPTION_INT] = "whole number",
        [UB_OPTION_REAL] = "number",
        [UB_OPTION_NAME] = "",
        [UB_OPTION_SIZES] = "sizes, 64x64, or none",
        [UB_OPTION_RATE] = "rate: number, edge(S) or relative(R)",
        [UB_OPTION_FLAG] = "true or false",
        [UB_OPTION_TEXT] = "text",
    };
    struct ub_text text = {0};
    ub_text_add(&text, "%s", names[option->kind]);
    const enum ub_option_kind kind = ub_option_kind(option);
    bool ranged = kind == UB_OPTION_INT || kind == UB_OPTION_REAL;
    if (ranged && (option->min != 0 || option->max != 0)) {
        ub_text_add(&text, ", ");
        add_bound(&text, option->min);
        if (option->max >= unbounded)
            ub_text_add(&text, " or more");
        else
            ub_text_add(&text, " to ");
        if (option->max < unbounded)
            add_bound(&text, option->max);
    }
    for (size_t i = 0; kind == UB_OPTION_NAME && option->choices[i]; i++)
        ub_text_add(&text, "%s%s", i ? ", " : "", option->choices[i]);
    return text;
}

static void show_options(const struct ub_option *const tables[2])
{
    size_t n = 0;
    for (int k = 0; k < 2; k++)
        for (const struct ub_option *o = tables[k]; o && o->key; o++, n++) {
            struct ub_text kind = kind_text(o);
            if (n == 0)
                printf("\noptions\n");
            printf("  %s", o->key);
            if (o->fallback)
                printf(" (default: %s)", o->fallback);
            printf("\n      %s\n      %s\n", o->help ? o->help : "", kind.data);
            ub_text_free(&kind);
        }
    if (n == 0)
        printf("\nno options\n");
}

static void show_rows(const struct ub_quantity *q)
{
    if (q)
        printf("\nrows\n");
    for (; q && q->name; q++) {
        printf("  %s (%s)%s\n      %s\n", q->name, q->units, q->headline ? ", its headline" : "",
               q->meaning);
        if (q->index)
            printf("      index: %s\n", q->index);
        if (q->column)
            printf("      in runs.csv: %s%s\n", q->column, q->name);
    }
}

static void show_entry(const struct entry *e)
{
    printf("%s: %s\n", e->name, e->summary);
    for (size_t i = 0; i < sizeof e->detail / sizeof *e->detail; i++)
        if (e->detail[i].name)
            printf("%s: %s\n", e->detail[i].name, e->detail[i].text);
    show_options(e->options);
    const struct ub_observable *o = ub_observable_find(e->name);
    if (o && o->summary == e->summary) /* no other list's entry of that name */
        show_rows(o->rows);
}

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

static bool find_entry(const struct category *category, const char *name, struct entry *out)
{
    for (size_t i = 0; category->entry(i, out); i++)
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

static bool show_named(const struct category *category, const char *name, struct ub_error *err)
{
    struct entry e;
    if (find_entry(category, name, &e))
        return show_entry(&e), true;
    const char **names = NULL;
    size_t n = 0;
    for (; category->entry(n, &e); n++) {
        names = ub_realloc(names, (n + 1) * sizeof *names);
        names[n] = e.name;
    }
    unknown(category->name, name, names, n, err);
    ub_free(names);
    return false;
}

/* All entries of this name: "gaussian" may be of several kinds. */
static bool show_anywhere(const char *name)
{
    size_t n = 0;
    struct entry e;
    for (size_t i = 0; i < CATEGORIES; i++)
        if (find_entry(&categories[i], name, &e)) {
            if (n++)
                printf("\n");
            show_entry(&e);
        }
    return n > 0;
}

static void print_defaults(const char *start, const struct ub_option *o)
{
    if (!o || !o->key)
        return;
    printf("%s", start);
    for (; o->key; o++)
        printf("%s=%s%s", o->key, o->fallback ? o->fallback : "(needed)", o[1].key ? " " : "\n");
}

/* Every entry of a list with its options at their defaults and where it comes from. */
static void show_all(const struct category *category)
{
    struct entry e;
    const struct ub_option *common = NULL;
    for (size_t i = 0; category->entry(i, &e); i++) {
        printf("%s: %s\n", e.name, e.summary);
        print_defaults("    ", e.options[0]);
        common = e.options[1] ? e.options[1] : common;
        for (size_t k = 0; k < sizeof e.detail / sizeof *e.detail; k++)
            if (e.detail[k].name)
                printf("    %s: %s\n", e.detail[k].name, e.detail[k].text);
    }
    print_defaults("options of all: ", common);
}

/* ---- suites ----------------------------------------------------------------------------- */

/* One column of lines that a description's line breaks would tear apart. */
static char *one_line(const char *text)
{
    char *line = ub_strdup(text);
    size_t length = strlen(line);
    while (length > 0 && strchr("\r\n ", line[length - 1]))
        line[--length] = '\0';
    for (char *c = line; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return line;
}

static bool add_suite(struct table *t, const char *name, struct ub_error *err)
{
    char *path = ub_suite_find(name, err);
    struct ub_suite *suite = path ? ub_suite_read(path, err) : NULL;
    if (suite) {
        char *line = one_line(suite->description);
        table_cell(t, "%s", name);
        table_cell(t, "%zu", suite->count);
        table_cell(t, "%s", line);
        ub_free(line);
    }
    ub_free(path);
    bool good = suite != NULL;
    ub_suite_free(suite);
    return good;
}

static bool list_suites(struct ub_error *err)
{
    size_t n;
    char **names = ub_suite_names(&n);
    struct table *t = table_new((const char *const[]){"name", "runs", "description"}, "lrl");
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        good = good && add_suite(t, names[i], err);
        ub_free(names[i]);
    }
    ub_free(names);
    struct ub_text text = {0};
    if (good)
        table_plain(t, WIDTH, &text);
    table_free(t);
    cli_print(&text);
    return good;
}

static bool show_suite(const char *name, struct ub_error *err)
{
    char *path = ub_suite_find(name, err);
    struct ub_suite *suite = path ? ub_suite_read(path, err) : NULL;
    bool good = suite && cli_check_controls(suite, err);
    if (good) {
        size_t controls = 0;
        for (size_t i = 0; i < suite->count; i++)
            controls += suite->cells[i].control != NULL;
        printf("%s: %s\nfile: %s\nruns: %zu", suite->name, suite->description, path, suite->count);
        printf(" (%zu excluded, %zu duplicates left out)\n", suite->excluded, suite->duplicates);
        printf("controls: %zu\n", controls);
    }
    ub_suite_free(suite);
    ub_free(path);
    return good;
}

/* ---- the command ------------------------------------------------------------------------ */

static bool list_all(struct ub_error *err)
{
    for (size_t i = 0; i < CATEGORIES; i++) {
        printf("== %s ==\n", categories[i].name);
        list_entries(&categories[i]);
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

static bool list(const char *category, const char *name, struct ub_error *err)
{
    const char *names[CATEGORIES + 2];
    for (size_t i = 0; i < CATEGORIES; i++) {
        names[i] = categories[i].name;
        if (strcmp(names[i], category) != 0)
            continue;
        if (name)
            return show_named(&categories[i], name, err);
        show_all(&categories[i]);
        return true;
    }
    if (strcmp(category, "suites") == 0)
        return name ? show_suite(name, err) : list_suites(err);
    if (strcmp(category, "columns") == 0)
        return list_columns(name, err);
    names[CATEGORIES] = "suites";
    names[CATEGORIES + 1] = "columns";
    if (!name && show_anywhere(category))
        return true;
    return unknown("lists", category, names, CATEGORIES + 2, err);
}

int cli_list(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good)
        good = a.category ? list(a.category, a.name, &err) : list_all(&err);
    return good ? UB_OK : ub_report(&err);
}
