/* unibench new: a skeleton that compiles, with its test. Skeletons are the examples of
 * tests/extending under another name: those are compiled and run by tests, so these work, too. */
#include "cli/cli.h"

#include "bench/observables/observables.h"
#include "datasets/datasets.h"
#include "systems/systems.h"

#include <string.h>
#include <unistd.h>

enum { TO = 256, NAME_LIMIT = 40, SWAPS = 3 };

/* Of an example: its words, and what stands for them. */
struct swap {
    const char *from, *to;
};
struct kind {
    const char *name, *type; /* "dataset", "ub_dataset_source" */
    const char *folder;      /* of the source tree */
    const char *example;     /* as names are: "half-step" */
    const struct ub_registry *registry;
    struct swap swap[SWAPS]; /* ends with NULL: before the name's own */
};
static const struct kind kinds[] = {
    {"law",
     "ub_law",
     "report/laws",
     "bounded-parameters",
     &ub_law_registry,
     /* the example's observable is no part of the program */
     {{"largest-parameter", "distance"}, {"max_i |theta_i|", "|theta - theta(0)|"}}},
    {"observable",
     "ub_observable",
     "bench/observables",
     "largest-parameter",
     &ub_observable_registry,
     {{NULL, NULL}}},
    {"optimizer",
     "ub_optimizer_kind",
     "systems/optimizers",
     "half-step",
     &ub_optimizer_registry,
     {{NULL, NULL}}},
    {"model", "ub_model", "systems/models", "cubic", &ub_model_registry, {{NULL, NULL}}},
    {"dataset", "ub_dataset_source", "datasets", "circle", &ub_dataset_registry, {{NULL, NULL}}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct argp_option options[] = {
    {"to", TO, "FOLDER", 0,
     "write KIND_NAME.c and test_KIND_NAME.c there (default: to their places in the source tree "
     "that is the working folder)",
     0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *kind, *name, *to;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {
        {TO, &a->to}, {ARGP_KEY_ARG, &a->kind}, {ARGP_KEY_ARG, &a->name}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "KIND NAME",
    .doc = "Writes a new law, observable, optimizer, model or dataset that compiles, and a test of "
           "it that passes: an example to be rewritten. Says what to add to the registry."
           "\v"
           "NAME is of lower-case letters, digits and single hyphens, as law names are. Nothing is "
           "written where the name or a file is there already.\n\n"
           "Examples:\n"
           "  unibench new law width-scaling\n"
           "  unibench new optimizer my-adam --to extensions\n"
           "  cmake --preset release -DUNIBENCH_EXTENSIONS=extensions\n",
};

/* ---- names ---------------------------------------------------------------------------------- */

static const struct kind *find_kind(const char *name, struct ub_error *err)
{
    const char *names[KINDS];
    struct ub_text all = {0};
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            ub_text_free(&all);
            return &kinds[i];
        }
        names[i] = kinds[i].name;
        ub_text_add(&all, "%s%s", i ? ", " : "", kinds[i].name);
    }
    const char *near = ub_suggest(name, names, KINDS);
    if (near)
        ub_fail(err, UB_INPUT, "there is no kind '%s'; did you mean '%s'?", name, near);
    else
        ub_fail(err, UB_INPUT, "there is no kind '%s'; expected one of %s", name, all.data);
    ub_text_free(&all);
    return NULL;
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool check_name(const struct kind *kind, const char *name, struct ub_error *err)
{
    const size_t length = strlen(name);
    bool good = length <= NAME_LIMIT && is_letter(name[0]) && name[length - 1] != '-';
    for (size_t i = 0; i < length && good; i++)
        good = is_letter(name[i]) || (name[i] >= '0' && name[i] <= '9') ||
               (name[i] == '-' && name[i + 1] != '-');
    if (!good)
        return ub_fail(err, UB_INPUT,
                       "the name '%s' is none; expected at most %d lower-case letters, digits and "
                       "single hyphens, a letter first: my-%s",
                       name, NAME_LIMIT, kind->name);
    if (ub_registry_find(kind->registry, name))
        return ub_fail(err, UB_INPUT, "%s '%s' is there already; expected a new name", kind->name,
                       name);
    return true;
}

/* As in C: "half_step". Caller frees. */
static char *identifier(const char *name)
{
    char *id = ub_strdup(name);
    for (char *c = id; *c; c++)
        if (*c == '-')
            *c = '_';
    return id;
}

/* ---- skeletons ------------------------------------------------------------------------------ */

/* Caller frees. */
static char *swapped(char *text, const char *from, const char *to)
{
    struct ub_text out = {0};
    const char *at = text;
    for (const char *hit; (hit = strstr(at, from)); at = hit + strlen(from)) {
        ub_text_append(&out, at, (size_t)(hit - at));
        ub_text_add(&out, "%s", to);
    }
    ub_text_add(&out, "%s", at);
    ub_free(text);
    return out.data;
}

/* An example's file under the new name: PREFIX is "" or "test_". NULL when it cannot be read. */
static char *skeleton(const struct kind *kind, const char *prefix, const char *name,
                      struct ub_error *err)
{
    struct ub_text file = {0}, share = {0}, source = {0}, of_c = {0}, to_c = {0};
    char *from = identifier(kind->example), *to = identifier(name);
    ub_text_add(&file, "%s%s_%s.c", prefix, kind->name, from);
    ub_text_add(&of_c, "ub_%s_%s", kind->name, from);
    ub_text_add(&to_c, "ub_%s_%s", kind->name, to);
    ub_text_add(&share, "skeletons/%s", file.data);
    ub_text_add(&source, "%s/%s", UNIBENCH_SKELETONS, file.data);
    char *path = ub_share_path(share.data, source.data);
    char *text = ub_read_text(path, 1 << 20, NULL, err);
    for (size_t i = 0; text && i < SWAPS && kind->swap[i].from; i++)
        text = swapped(text, kind->swap[i].from, kind->swap[i].to);
    text = text ? swapped(text, of_c.data, to_c.data) : NULL; /* before the word by itself */
    text = text ? swapped(text, kind->example, name) : NULL;
    ub_free(path);
    ub_free(from);
    ub_free(to);
    ub_text_free(&file);
    ub_text_free(&share);
    ub_text_free(&source);
    ub_text_free(&of_c);
    ub_text_free(&to_c);
    return text;
}

/* ---- places --------------------------------------------------------------------------------- */

/* The two files, and where the entry is registered (NULL: by the build, out of a tree). */
struct places {
    char *source, *test, *registry;
};

static void clear_places(struct places *p)
{
    ub_free(p->source);
    ub_free(p->test);
    ub_free(p->registry);
}

static char *place(const char *folder, const char *format, const char *kind, const char *id)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s/", folder);
    for (const char *c = format; *c; c++)
        if (*c == 'K')
            ub_text_add(&name, "%s", kind);
        else if (*c == 'N')
            ub_text_add(&name, "%s", id);
        else
            ub_text_append(&name, c, 1);
    return name.data;
}

static bool find_places(const struct arguments *a, const struct kind *kind, struct places *out)
{
    char *id = identifier(a->name), *registry = ub_path(kind->folder, "registry.c");
    const bool in_tree = !a->to && ub_exists(registry);
    if (a->to) {
        out->source = place(a->to, "K_N.c", kind->name, id);
        out->test = place(a->to, "test_K_N.c", kind->name, id);
    } else if (in_tree) {
        out->source = place(kind->folder, "N.c", kind->name, id);
        out->test = place("tests", "test_N.c", kind->name, id);
        out->registry = ub_strdup(registry);
    } else {
        ub_fail(
            a->err, UB_INPUT,
            "no source tree in the working folder: there is no %s; expected one, or --to FOLDER",
            registry);
    }
    ub_free(id);
    ub_free(registry);
    return out->source != NULL;
}

static bool is_free(const char *path, struct ub_error *err)
{
    return !ub_exists(path) ||
           ub_fail(err, UB_INPUT, "%s is there already; expected a new name", path);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void tell(const struct kind *kind, const char *name, const struct places *p)
{
    char *id = identifier(name);
    printf("%s\n%s\n", p->source, p->test);
    if (p->registry)
        printf("\nadd to %s, where the others are:\n\n    extern const struct %s ub_%s_%s;\n"
               "    &ub_%s_%s,\n\nthen: make test\n",
               p->registry, kind->type, kind->name, id, kind->name, id);
    else
        printf("\nit is ub_%s_%s, and registered by: cmake --preset release "
               "-DUNIBENCH_EXTENSIONS=FOLDER\n",
               kind->name, id);
    ub_free(id);
}

/* Both files or none. */
static bool write_both(const struct places *p, const char *source, const char *test,
                       struct ub_error *err)
{
    if (!ub_write_file(p->source, source, strlen(source), err))
        return false;
    if (ub_write_file(p->test, test, strlen(test), err))
        return true;
    unlink(p->source);
    return false;
}

static bool make(const struct arguments *a)
{
    struct places p = {0};
    const struct kind *kind = find_kind(a->kind, a->err);
    bool good = kind && check_name(kind, a->name, a->err) && find_places(a, kind, &p) &&
                is_free(p.source, a->err) && is_free(p.test, a->err);
    char *source = good ? skeleton(kind, "", a->name, a->err) : NULL;
    char *test = source ? skeleton(kind, "test_", a->name, a->err) : NULL;
    good =
        test && (!a->to || ub_make_folders(a->to, a->err)) && write_both(&p, source, test, a->err);
    if (good)
        tell(kind, a->name, &p);
    ub_free(source);
    ub_free(test);
    clear_places(&p);
    return good;
}

static int new_entry(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.name)
        good = ub_fail(&err, UB_INPUT, "expected what and its name: unibench new KIND NAME");
    return good && make(&a) ? UB_OK : ub_report(&err);
}

const struct cli_command cli_new = {
    .name = "new",
    .summary = "a law, observable, optimizer, model or dataset to begin with, and its test",
    .argp = &argp,
    .run = new_entry,
};
