/* The data dictionary: what every column of every file for other programs is, from the declarations
 * of who writes it. */
#include "bench/store/axes.h"
#include "report/digest/digest.h"
#include "report/digest/options.h"
#include "report/pages/database.h"
#include "report/pages/series.h"
#include "report/report.h"
#include "report/sections/exponents.h"

#include <string.h>

static const struct column heads[] = {
    {"file", COLUMN_TEXT, "", "of the report, or the trace of a run"},
    {"column", COLUMN_TEXT, "", "its name; of a trace, of its rows"},
    {"type", COLUMN_TEXT, "", "text, flag, whole or number"},
    {"units", COLUMN_TEXT, "", "of numbers; 1: none"},
    {"index", COLUMN_TEXT, "", "of a trace's rows: what their index counts; else which of them"},
    {"meaning", COLUMN_TEXT, "", "what it is"},
    {"source", COLUMN_TEXT, "", "who writes it"},
    {.name = NULL},
};
enum { HEADS = sizeof heads / sizeof *heads - 1 };

/* Some numbers have two sources, which agree: the first counts. */
static bool has(const struct table *t, const char *file, const char *column)
{
    for (size_t i = 0; i < t->cells; i += HEADS)
        if (strcmp(t->cell[i], file) == 0 && strcmp(t->cell[i + 1], column) == 0)
            return true;
    return false;
}

static void add_columns(struct table *t, const char *file, const struct column *c,
                        const char *source)
{
    for (; c->name; c++) {
        const char *const cells[HEADS] = {
            file, c->name, column_type_name(c->type), c->units, "", c->meaning, source};
        for (size_t i = 0; i < HEADS; i++)
            table_cell(t, "%s", cells[i]);
    }
}

static void add_quantity(struct table *t, const char *file, const char *prefix,
                         const struct ub_quantity *q, const char *index, const char *source)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s%s", prefix, q->name);
    const char *const cells[HEADS] = {
        file,     name.data, column_type_name(q->whole ? COLUMN_WHOLE : COLUMN_NUMBER),
        q->units, index,     q->meaning,
        source};
    const bool known = has(t, file, name.data);
    for (size_t i = 0; i < HEADS && !known; i++)
        table_cell(t, "%s", cells[i]);
    ub_text_free(&name);
}

/* Of runs.csv what is at index 0, of a trace all. */
static void add_observable(struct table *t, const struct ub_observable *o)
{
    struct ub_text source = {0};
    ub_text_add(&source, "observable %s", o->name);
    for (const struct ub_quantity *q = o->rows; q && q->name; q++)
        if (q->column)
            add_quantity(t, "runs.csv", q->column, q, q->index ? "0, last step" : "last step",
                         source.data);
    for (const struct ub_quantity *q = o->rows; q && q->name; q++)
        add_quantity(t, "trace.csv.gz", "", q, q->index ? q->index : "", source.data);
    ub_text_free(&source);
}

static enum column_type type_of(const struct ub_run_axis *axis)
{
    const bool text = axis->kind != UB_AXIS_COUNT && axis->kind != UB_AXIS_SEED;
    return text ? COLUMN_TEXT : COLUMN_WHOLE;
}

static const char *units_of(const struct ub_run_axis *axis)
{
    return axis->kind == UB_AXIS_COUNT ? "steps" : axis->kind == UB_AXIS_SEED ? "1" : "";
}

static void add_options(struct table *t, const char *file, const struct ub_run_axis *axis)
{
    struct column *options = axis->kind == UB_AXIS_CALL ? option_descriptions(axis->name) : NULL;
    if (options)
        add_columns(t, file, options, "spec");
    for (size_t i = 0; options && options[i].name; i++) {
        ub_free((char *)(uintptr_t)options[i].name);
        ub_free((char *)(uintptr_t)options[i].units);
        ub_free((char *)(uintptr_t)options[i].meaning);
    }
    ub_free(options);
}

static void add_axes(struct table *t)
{
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        const struct ub_run_axis *axis = &ub_run_axes[i];
        char label[UB_LABEL_COLUMN];
        const struct column columns[] = {
            {axis->name, type_of(axis), units_of(axis), axis->meaning},
            {axis->label ? ub_label_column(axis, label) : NULL, COLUMN_TEXT, "", "its short form"},
            {.name = NULL},
        };
        add_columns(t, "runs.csv", columns, "spec");
        add_options(t, "runs.csv", axis);
    }
}

/* Of groups of runs: axes and options as in runs.csv. */
static void add_data(struct table *t)
{
    add_columns(t, "data.csv", data_keys, "law");
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        const struct ub_run_axis *axis = &ub_run_axes[i];
        struct ub_text meaning = {0};
        ub_text_add(&meaning, "%s; empty where runs of the group differ", axis->meaning);
        const struct column columns[] = {
            {axis->name, type_of(axis), units_of(axis), meaning.data},
            {.name = NULL},
        };
        add_columns(t, "data.csv", columns, "spec");
        add_options(t, "data.csv", axis);
        ub_text_free(&meaning);
    }
    add_columns(t, "data.csv", data_columns, "law");
}

static struct table *dictionary(void)
{
    static const struct column provenance[] = {
        {"provenance.KEY", COLUMN_TEXT, "", "where, when and with what the run was made"},
        {.name = NULL},
    };
    struct table *t = table_of_columns(heads);
    add_columns(t, "runs.csv", digest_spec_columns, "spec");
    add_axes(t);
    for (const struct ub_quantity *q = ub_run_facts; q->name; q++)
        add_quantity(t, "runs.csv", "", q, "", "run");
    for (const struct ub_quantity *q = digest_law_facts; q->name; q++)
        add_quantity(t, "runs.csv", "", q, "", "law");
    for (size_t i = 0; ub_observables[i]; i++)
        add_observable(t, ub_observables[i]);
    add_columns(t, "runs.csv", provenance, "run");
    add_columns(t, "laws.csv", laws_columns, "law");
    add_data(t);
    add_columns(t, "spectra.csv", spectra_columns, "section exponents");
    add_columns(t, "series.csv.gz", series_columns, "run");
    add_columns(t, "results.db", database_columns, "run");
    add_columns(t, "dictionary.csv", heads, "report");
    return t;
}

struct ub_text ub_report_dictionary(bool markdown)
{
    struct table *t = dictionary();
    struct ub_text text = {0};
    if (markdown)
        table_markdown(t, &text);
    else
        table_csv(t, &text);
    table_free(t);
    return text;
}
