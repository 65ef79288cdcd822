/* unibench list: what there is to name in suites and on the command line. */
#include "bench/cli/cli.h"
#include "bench/laws/laws.h"
#include "bench/observables/observables.h"
#include "bench/suite.h"
#include "datasets/datasets.h"
#include "systems/systems.h"

#include <string.h>

/* ---- entries ---------------------------------------------------------------------------- */

struct entry {
    const char *name, *summary, *citation;
    const struct ub_option *options, *common; /* NULL = none */
};
struct entries {
    size_t count;
    struct entry *entry;
};

static void add(struct entries *e, struct entry entry)
{
    e->entry = ub_realloc(e->entry, (e->count + 1) * sizeof *e->entry);
    e->entry[e->count++] = entry;
}

static void add_models(struct entries *e)
{
    for (size_t i = 0; ub_models[i]; i++)
        add(e, (struct entry){ub_models[i]->name, ub_models[i]->summary, ub_models[i]->citation,
                              ub_models[i]->options, NULL});
}

static void add_losses(struct entries *e)
{
    for (size_t i = 0; ub_losses[i]; i++)
        add(e, (struct entry){ub_losses[i]->name, ub_losses[i]->summary, ub_losses[i]->citation,
                              NULL, NULL});
}

static void add_inits(struct entries *e)
{
    for (size_t i = 0; ub_inits[i]; i++)
        add(e, (struct entry){ub_inits[i]->name, ub_inits[i]->summary, ub_inits[i]->citation,
                              ub_inits[i]->options, NULL});
}

static void add_optimizers(struct entries *e)
{
    for (size_t i = 0; ub_optimizers[i]; i++)
        add(e, (struct entry){ub_optimizers[i]->name, ub_optimizers[i]->summary,
                              ub_optimizers[i]->citation, ub_optimizers[i]->options, NULL});
}

static void add_datasets(struct entries *e)
{
    for (size_t i = 0; ub_dataset_sources[i]; i++) {
        const struct ub_dataset_source *d = ub_dataset_sources[i];
        add(e, (struct entry){d->name, d->summary, d->citation, d->options,
                              ub_dataset_common_options});
    }
}

static void add_observables(struct entries *e)
{
    for (size_t i = 0; ub_observables[i]; i++) {
        const struct ub_observable *o = ub_observables[i];
        add(e, (struct entry){o->name, o->summary, o->citation, o->options, ub_schedule_options});
    }
}

static void add_laws(struct entries *e)
{
    for (size_t i = 0; ub_laws[i]; i++)
        add(e,
            (struct entry){ub_laws[i]->name, ub_laws[i]->claim, ub_laws[i]->citation, NULL, NULL});
}

static const struct kind {
    const char *name;
    void (*add)(struct entries *e);
} kinds[] = {
    {"models", add_models},     {"losses", add_losses},
    {"inits", add_inits},       {"optimizers", add_optimizers},
    {"datasets", add_datasets}, {"observables", add_observables},
    {"laws", add_laws},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- printing --------------------------------------------------------------------------- */

static void print_options(struct ub_text *out, const struct ub_option *options)
{
    for (const struct ub_option *o = options; o && o->key; o++) {
        ub_text_add(out, "      %-14s %s", o->key, o->help);
        if (o->fallback)
            ub_text_add(out, " [%s]", o->fallback);
        if (o->kind == UB_OPTION_NAME)
            for (size_t i = 0; o->choices[i]; i++)
                ub_text_add(out, "%s%s", i ? ", " : "; one of ", o->choices[i]);
        ub_text_add(out, "\n");
    }
}

static void print_entry(struct ub_text *out, const struct entry *entry)
{
    ub_text_add(out, "%s\n    %s\n    %s\n", entry->name, entry->summary, entry->citation);
    if (entry->options && entry->options->key) {
        ub_text_add(out, "    options [default]:\n");
        print_options(out, entry->options);
    }
    if (entry->common) {
        ub_text_add(out, "    options of all such [default]:\n");
        print_options(out, entry->common);
    }
}

static void print_kind(struct ub_text *out, const struct kind *kind)
{
    struct entries e = {0};
    kind->add(&e);
    ub_text_add(out, "%s\n", kind->name);
    for (size_t i = 0; i < e.count; i++)
        ub_text_add(out, "  %-20s %s\n", e.entry[i].name, e.entry[i].summary);
    ub_free(e.entry);
}

static void print_suites(struct ub_text *out)
{
    size_t n;
    char **names = ub_suite_names(&n);
    ub_text_add(out, "suites\n");
    for (size_t i = 0; i < n; i++) {
        struct ub_error err = {0};
        char *path = ub_suite_find(names[i], &err);
        struct ub_suite *suite = path ? ub_suite_read(path, &err) : NULL;
        if (suite)
            ub_text_add(out, "  %-20s %zu runs. %s\n", names[i], suite->count,
                        suite->description ? suite->description : "");
        else
            ub_text_add(out, "  %-20s %s\n", names[i], err.text);
        ub_suite_free(suite);
        ub_free(path);
        ub_free(names[i]);
    }
    ub_free(names);
}

/* ---- the command ------------------------------------------------------------------------ */

struct arguments {
    struct ub_error *err;
    const char *what, *name;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const char **places[] = {&a->what, &a->name};
    if (key == ARGP_KEY_ARG)
        return cli_positional(text, places, 2, a->err) ? 0 : EINVAL;
    return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "[models|losses|inits|optimizers|datasets|observables|laws|suites] [NAME]",
    .doc = "Lists what suites and the command line can name; with a NAME, all about it and its "
           "options."
           "\v"
           "Examples:\n"
           "  unibench list models\n"
           "  unibench list sharpness\n",
};

/* All entries of this name, of whatever kind. */
static bool print_named(struct ub_text *out, const char *name)
{
    bool found = false;
    for (int k = 0; k < KINDS; k++) {
        struct entries e = {0};
        kinds[k].add(&e);
        for (size_t i = 0; i < e.count; i++)
            if (strcmp(e.entry[i].name, name) == 0) {
                print_entry(out, &e.entry[i]);
                found = true;
            }
        ub_free(e.entry);
    }
    return found;
}

static bool unknown(const char *what, struct ub_error *err)
{
    const char *names[512] = {"suites"};
    size_t n = 1;
    for (int k = 0; k < KINDS; k++) {
        struct entries e = {0};
        kinds[k].add(&e);
        names[n++] = kinds[k].name;
        for (size_t i = 0; i < e.count && n < 500; i++)
            names[n++] = e.entry[i].name;
        ub_free(e.entry);
    }
    const char *near = ub_suggest(what, names, n);
    if (near)
        return ub_fail(err, UB_INPUT, "nothing is called '%s'; did you mean '%s'?", what, near);
    return ub_fail(err, UB_INPUT,
                   "nothing is called '%s'; expected models, losses, inits, optimizers, datasets, "
                   "observables, laws, suites or the name of one",
                   what);
}

int cli_list(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    struct ub_text out = {0};
    if (!cli_parse(&argp, argc, argv, &a, &err))
        return ub_report(&err);
    if (a.name) /* "list models mlp": the name says it all */
        a.what = a.name;
    for (int k = 0; k < KINDS; k++)
        if (!a.what || strcmp(a.what, kinds[k].name) == 0) {
            print_kind(&out, &kinds[k]);
            if (!a.what)
                ub_text_add(&out, "\n");
        }
    if (!a.what || strcmp(a.what, "suites") == 0)
        print_suites(&out);
    if (out.length == 0 && !print_named(&out, a.what)) {
        unknown(a.what, &err);
        return ub_report(&err);
    }
    cli_print(&out);
    return UB_OK;
}
