/* unibench show: one run. */
#include "cli/cli.h"
#include "report/digest/digest.h"
#include "report/tables/table.h"

#include <math.h>
#include <string.h>

enum { SHOWN_INDICES = 5, WIDTH = 100 };

static const struct argp_option options[] = {
    {"store", CLI_STORE, "STORE", 0, "the store that RUN is in", 0},
    {0},
};

struct arguments {
    struct ub_error *err;
    struct cli_run_name name;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    return cli_parse_run_name(key, text, &a->name, a->err);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN",
    .doc = "Prints a run's spec, status, facts, provenance and last measurements, and the "
           "command that makes it again."
           "\v"
           "Examples:\n"
           "  unibench show out/quick/runs/0123456789abcdef\n"
           "  unibench show out/quick:0123\n"
           "  unibench show 0123 --store out/quick\n",
    .help_filter = cli_explain_run,
};

static void print_head(const struct ub_run *run)
{
    printf("%s\n\nid: %s\nstatus: %s\n", run->label, run->id, ub_run_status_name(run->status));
    if (run->message && *run->message)
        printf("message: %s\n", run->message);
    if (run->control)
        printf("control of: %s\n", run->control);
    char *text = ub_run_spec_text(&run->spec);
    printf("\nspec\n");
    for (char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        printf("  %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    ub_free(text);
}

static size_t widest_name(const struct ub_run *run)
{
    size_t width = 0;
    for (size_t i = 0; i < run->n_facts; i++)
        width = strlen(run->facts[i].name) > width ? strlen(run->facts[i].name) : width;
    for (size_t i = 0; i < run->n_provenance; i++)
        width = strlen(run->provenance[i].name) > width ? strlen(run->provenance[i].name) : width;
    return width;
}

static void print_facts(const struct ub_run *run)
{
    int width = (int)widest_name(run);
    if (run->n_facts)
        printf("\nfacts\n");
    for (size_t i = 0; i < run->n_facts; i++)
        printf("  %-*s  %.10g\n", width, run->facts[i].name, run->facts[i].value);
    if (run->n_provenance)
        printf("\nprovenance\n");
    for (size_t i = 0; i < run->n_provenance; i++)
        printf("  %-*s  %s\n", width, run->provenance[i].name, run->provenance[i].text);
}

static void add_observable(struct table *t, const struct ub_trace *trace, const char *name)
{
    int64_t last = -1;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->observable[i] == name)
            last = trace->step[i];
    size_t shown = 0, all = 0;
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->observable[i] != name || trace->step[i] != last || ++all > SHOWN_INDICES)
            continue;
        shown++;
        table_cell(t, "  %s", name);
        table_cell(t, "%lld", (long long)trace->index[i]);
        table_cell(t, "%lld", (long long)last);
        table_cell(t, "%.8g", trace->value[i]);
        if (isnan(trace->error[i]))
            table_cell(t, "%s", "");
        else
            table_cell(t, "+- %.2g", trace->error[i]);
    }
    if (all == shown)
        return;
    table_cell(t, "  %s", name);
    table_cell(t, "... %zu in all", all);
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
}

static bool print_last(const struct cli_run *found, struct ub_error *err)
{
    if (found->run->status == UB_RUN_MISSING)
        return true;
    struct ub_trace *trace = ub_trace_read(found->store, found->run, err);
    if (!trace)
        return false;
    if (trace->count > 0) {
        printf("\nlast measurements\n");
        struct table *t = table_new(
            (const char *const[]){"  observable", "index", "step", "value", "error"}, "lrrrl");
        for (size_t i = 0; i < trace->n_names; i++)
            add_observable(t, trace, trace->names[i]);
        struct ub_text text = {0};
        table_plain(t, WIDTH, &text);
        table_free(t);
        cli_print(&text);
    }
    ub_trace_free(trace);
    return true;
}

/* Last, to be cut out by its heading. */
static void print_repeat(const struct ub_run *run)
{
    char *command = train_command(&run->spec);
    printf("\nrepeat\n%s\n", command);
    ub_free(command);
}

static int show(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    struct cli_run found = {0};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.name.run)
        good = ub_fail(&err, UB_INPUT, "no run given; expected STORE/runs/ID");
    good = good && cli_find_run(a.name.run, a.name.store, &found, &err);
    if (good) {
        print_head(found.run);
        print_facts(found.run);
        good = print_last(&found, &err);
    }
    if (good)
        print_repeat(found.run);
    ub_store_free(found.store);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_show = {
    .name = "show",
    .summary = "one run: its spec, status, facts, provenance, last measurements",
    .argp = &argp,
    .run = show,
};
