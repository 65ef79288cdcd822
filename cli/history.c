/* unibench history: control charts of nightly comparisons. */
#include "report/history/history.h"
#include "cli/cli.h"

#include <string.h>

enum { OUT = 256 };

static const struct argp_option options[] = {
    {"out", OUT, "FOLDER", 0, "write history.md and its figures there (default: FILE's folder)", 0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *file, *out;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {{OUT, &a->out}, {ARGP_KEY_ARG, &a->file}, {0, NULL}};
    return cli_parse_texts(key, text, texts, a->err);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE",
    .doc = "Draws the history that `unibench compare --history FILE` keeps as control charts, one "
           "a law, observable and speed, and lists the nights that gave a signal."
           "\v"
           "Limits are those of a new value given the nights before it, of the same base and CPU "
           "model (Shewhart 1931; Quesenberry 1991); where nothing changes, 0.27% of nights give "
           "any signal.\n\n"
           "Example:\n"
           "  unibench compare results/quick/runs.csv out/nightly --history out/nightlies.csv\n"
           "  unibench history out/nightlies.csv --out out/charts\n",
};

/* The folder of a file. Caller frees. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct ub_text text = {0};
    ub_text_add(&text, "%.*s", slash ? (int)(slash + 1 - path) : 1, slash ? path : ".");
    return text.data;
}

static bool draw(const struct arguments *a)
{
    struct ub_history h = {0};
    if (!ub_exists(a->file))
        return ub_fail(a->err, UB_INPUT,
                       "%s: no such file; expected one that unibench compare --history wrote",
                       a->file);
    if (!ub_history_read(a->file, &h, a->err))
        return false;
    char *folder = a->out ? ub_strdup(a->out) : folder_of(a->file);
    const bool good = ub_history_draw(&h, folder, a->err);
    if (good)
        printf("%s%shistory.md\n", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");
    ub_free(folder);
    ub_history_clear(&h);
    return good;
}

static int history(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.file)
        good = ub_fail(&err, UB_INPUT, "no history given: unibench history FILE");
    return good && draw(&a) ? UB_OK : ub_report(&err);
}

const struct cli_command cli_history = {
    .name = "history",
    .summary = "control charts of nightly comparisons",
    .argp = &argp,
    .run = history,
};
