/* How entries of a list are shown. */
#include "cli/cli.h"
#include "cli/list.h"
#include "report/tables/table.h"

#include <string.h>

static const double unbounded = 1e18; /* an option's maximum beyond this is none */

static struct list_entry entry_of(const struct list_kind *kind, const void *entry)
{
    struct list_entry out = {.name = ub_registry_name(entry)};
    kind->describe(entry, &out);
    return out;
}

static void entry_clear(struct list_entry *e)
{
    for (size_t i = 0; i < e->n_details; i++) {
        ub_free(e->detail[i].name);
        ub_free(e->detail[i].text);
    }
}

/* ---- paragraphs ------------------------------------------------------------------------------ */

/* `start` and the words of `text` in lines of LIST_WIDTH at most; further lines are indented. */
static void add_paragraph(struct ub_text *out, const char *start, const char *text, size_t indent)
{
    size_t column = strlen(start);
    ub_text_add(out, "%s", start);
    while (*text) {
        const size_t length = strcspn(text, " ");
        if (column + 1 + length > LIST_WIDTH) {
            ub_text_add(out, "\n%*s", (int)indent, "");
            column = indent;
        } else {
            ub_text_add(out, " ");
            column++;
        }
        ub_text_append(out, text, length);
        column += length;
        text += length + strspn(text + length, " ");
    }
    ub_text_add(out, "\n");
}

static void add_named(struct ub_text *out, size_t indent, const char *name, const char *text)
{
    struct ub_text start = {0};
    ub_text_add(&start, "%*s%s:", (int)indent, "", name);
    add_paragraph(out, start.data, text, indent + 4);
    ub_text_free(&start);
}

static void add_details(struct ub_text *out, size_t indent, const struct list_entry *e)
{
    for (size_t i = 0; i < e->n_details; i++)
        add_named(out, indent, e->detail[i].name, e->detail[i].text);
}

/* ---- options --------------------------------------------------------------------------------- */

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
    const enum ub_option_kind kind = ub_option_kind(option);
    struct ub_text text = {0};
    ub_text_add(&text, "%s", names[kind]);
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

static void show_options(const struct ub_registry *registry, const void *entry)
{
    struct ub_option *options = ub_registry_options(registry, entry);
    printf("\n%s\n", options->key ? "options" : "no options");
    for (const struct ub_option *o = options; o->key; o++) {
        struct ub_text kind = kind_text(o);
        printf("  %s", o->key);
        if (o->fallback)
            printf(" (default: %s)", o->fallback);
        printf("\n      %s\n      %s\n", o->help ? o->help : "", kind.data);
        ub_text_free(&kind);
    }
    ub_free(options);
}

static void add_defaults(struct ub_text *out, const char *start, const struct ub_option *o)
{
    struct ub_text text = {0};
    for (; o && o->key; o++)
        ub_text_add(&text, "%s%s=%s", text.length ? " " : "", o->key,
                    o->fallback ? o->fallback : "(needed)");
    if (text.length)
        add_paragraph(out, start, text.data, 8);
    ub_text_free(&text);
}

/* ---- entries --------------------------------------------------------------------------------- */

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

void list_briefly(const struct list_kind *kind)
{
    struct table *t = table_new((const char *const[]){"name", "summary"}, "ll");
    for (size_t i = 0; kind->registry->entry(i); i++) {
        struct list_entry e = entry_of(kind, kind->registry->entry(i));
        table_cell(t, "%s", e.name);
        table_cell(t, "%s", e.summary);
        entry_clear(&e);
    }
    struct ub_text text = {0};
    table_plain(t, LIST_TABLE_WIDTH, &text);
    table_free(t);
    cli_print(&text);
}

void list_whole(const struct list_kind *kind, const void *entry)
{
    const struct ub_registry *registry = kind->registry;
    struct list_entry e = entry_of(kind, entry);
    struct ub_text text = {0};
    add_named(&text, 0, e.name, e.summary);
    add_details(&text, 0, &e);
    cli_print(&text);
    if (registry->options || registry->common)
        show_options(registry, entry);
    show_rows(e.rows);
    entry_clear(&e);
}

void list_all_of(const struct list_kind *kind)
{
    const struct ub_registry *registry = kind->registry;
    struct ub_text text = {0};
    for (size_t i = 0; registry->entry(i); i++) {
        const void *entry = registry->entry(i);
        struct list_entry e = entry_of(kind, entry);
        add_named(&text, 0, e.name, e.summary);
        add_defaults(&text, "   ", registry->options ? registry->options(entry) : NULL);
        add_details(&text, 4, &e);
        entry_clear(&e);
    }
    add_defaults(&text, "options of all:", registry->common);
    cli_print(&text);
}
