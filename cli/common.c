/* What several commands need: strict arguments, runs by name, making runs. */
#include "bench/run/runner.h"
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- arguments -------------------------------------------------------------------------- */

struct checked {
    const struct argp *argp;
    void *input;
    struct ub_error *err;
};

static error_t refuse_empty(const struct argp_option *options, int key, struct ub_error *err)
{
    const char *name = NULL, *kind = NULL;
    for (const struct argp_option *o = options; o && !name && o->name; o++)
        if (o->key == key) {
            name = o->name;
            kind = o->arg;
        }
    if (name)
        ub_fail(err, UB_INPUT, "--%s: empty; expected %s", name, kind);
    else
        ub_fail(err, UB_INPUT, "an argument is empty; see --help");
    return EINVAL;
}

/* No argument may be empty: as a folder's name the empty text is where every path begins, the file
 * system's root. */
static error_t parse_checked(int key, char *text, struct argp_state *state)
{
    struct checked *c = state->input;
    if (text && !*text)
        return refuse_empty(c->argp->options, key, c->err);
    state->input = c->input;
    const error_t code = c->argp->parser(key, text, state);
    state->input = c;
    return code;
}

bool cli_parse(const struct argp *argp, int argc, char **argv, void *input, struct ub_error *err)
{
    struct checked checked = {.argp = argp, .input = input, .err = err};
    struct argp outer = *argp;
    outer.parser = parse_checked;
    if (argp_parse(&outer, argc, argv, 0, NULL, &checked) == 0 && err->code == UB_OK)
        return true;
    return ub_fail(err, UB_INTERNAL, "cannot read the command line");
}

bool cli_int(const char *option, const char *text, int64_t least, int64_t most, int64_t *out,
             struct ub_error *err)
{
    if (ub_read_int(text, out) && *out >= least && *out <= most)
        return true;
    if (most == INT64_MAX)
        return ub_fail(err, UB_INPUT, "%s: '%s'; expected a whole number, %lld or more", option,
                       text, (long long)least);
    return ub_fail(err, UB_INPUT, "%s: '%s'; expected a whole number from %lld to %lld", option,
                   text, (long long)least, (long long)most);
}

bool cli_real(const char *option, const char *text, double least, double *out, struct ub_error *err)
{
    if (ub_read_real(text, out) && *out >= least)
        return true;
    char number[UB_REAL_TEXT];
    ub_real_text(least, number);
    return ub_fail(err, UB_INPUT, "%s: '%s'; expected a number, %s or more", option, text, number);
}

bool cli_bytes(const char *option, const char *text, uint64_t *out, struct ub_error *err)
{
    static const char units[] = "KMGT";
    char number[32];
    size_t length = strlen(text);
    double scale = 1, value = 0;
    const char *unit = length > 0 ? strchr(units, text[length - 1]) : NULL;
    if (unit && *unit) {
        length--;
        for (const char *u = units; u <= unit; u++)
            scale *= 1024;
    }
    if (length >= sizeof number)
        length = sizeof number - 1;
    memcpy(number, text, length);
    number[length] = '\0';
    if (!ub_read_real(number, &value) || value <= 0 || value * scale > 1e18)
        return ub_fail(err, UB_INPUT, "%s: '%s'; expected a size such as 500M or 8G", option, text);
    *out = (uint64_t)(value * scale);
    return true;
}

error_t cli_parse_texts(int key, const char *text, const struct cli_text *texts,
                        struct ub_error *err)
{
    for (; texts->place; texts++)
        if (texts->key == key && (key != ARGP_KEY_ARG || !*texts->place)) {
            *texts->place = text;
            return 0;
        }
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    ub_fail(err, UB_INPUT, "'%s' is one argument too many; see --help", text);
    return EINVAL;
}

bool cli_check_folder(const char *option, const char *folder, struct ub_error *err)
{
    struct stat s;
    if (!folder || (stat(folder, &s) == 0 && S_ISDIR(s.st_mode)))
        return true;
    return ub_fail(err, UB_INPUT, "%s: '%s' is no folder; expected one that exists", option,
                   folder);
}

error_t cli_parse_setting(int key, char *text, struct cli_setting *setting, struct ub_error *err)
{
    bool good = true;
    switch (key) {
    case 'o':
        setting->out = text;
        break;
    case CLI_DATA:
        setting->data = text;
        break;
    case CLI_THREADS:
        good = cli_int("--threads", text, 1, CLI_THREADS_LIMIT, &setting->threads, err);
        break;
    case CLI_TIMEOUT:
        setting->wish.has_timeout = true;
        good = cli_real("--timeout", text, 0, &setting->wish.timeout, err);
        break;
    case CLI_MEMORY:
        good = cli_bytes("--memory", text, &setting->memory, err);
        break;
    case CLI_AGAIN:
        setting->wish.again = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return good ? 0 : EINVAL;
}

/* ---- runs by name ----------------------------------------------------------------------- */

static const char run_help[] =
    "RUN is the folder of a run, STORE/runs/ID; or STORE/ID; or STORE:ID; or ID with --store "
    "STORE. An ID may be cut short as long as it names one run.";

char *cli_explain_run(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    struct ub_text help = {0};
    ub_text_add(&help, "%s\n\n%s", run_help, text);
    return help.data;
}

error_t cli_parse_run_name(int key, char *text, struct cli_run_name *name, struct ub_error *err)
{
    const struct cli_text texts[] = {
        {CLI_STORE, &name->store}, {ARGP_KEY_ARG, &name->run}, {0, NULL}};
    return cli_parse_texts(key, text, texts, err);
}

static char *cut(const char *text, size_t length)
{
    char *piece = ub_strdup(text);
    piece[length] = '\0';
    return piece;
}

/* "a/b/runs" -> "a/b"; "runs" -> "."; else the same. */
static void drop_runs(char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        folder[--length] = '\0';
    if (strcmp(folder, "runs") == 0)
        memcpy(folder, ".", sizeof ".");
    else if (length > 5 && strcmp(folder + length - 5, "/runs") == 0)
        folder[length - 5] = '\0';
}

static bool split_run(const char *text, char **store, char **id, struct ub_error *err)
{
    size_t length = strlen(text);
    while (length > 1 && text[length - 1] == '/')
        length--;
    char *whole = cut(text, length);
    char *slash = strrchr(whole, '/'), *colon = strrchr(whole, ':');
    char *at = colon && (!slash || colon > slash) ? colon : slash;
    if (at && at > whole && at[1]) {
        *id = ub_strdup(at + 1);
        *store = cut(whole, (size_t)(at - whole));
        if (at == slash)
            drop_runs(*store);
    }
    ub_free(whole);
    return *id != NULL || ub_fail(err, UB_INPUT,
                                  "'%s' names no run; expected STORE/runs/ID, STORE:ID, or ID with "
                                  "--store STORE",
                                  text);
}

bool cli_find_run(const char *text, const char *store, struct cli_run *out, struct ub_error *err)
{
    char *folder = NULL, *id = NULL;
    *out = (struct cli_run){0};
    bool named = true;
    if (store) {
        folder = ub_strdup(store);
        id = ub_strdup(text);
    } else {
        named = split_run(text, &folder, &id, err);
    }
    out->store = named ? ub_store_open(folder, err) : NULL;
    if (out->store)
        cli_warn(out->store);
    out->run = out->store ? ub_store_find(out->store, id, err) : NULL;
    ub_free(folder);
    ub_free(id);
    if (out->run)
        return true;
    ub_store_free(out->store);
    out->store = NULL;
    return false;
}

/* ---- making runs ------------------------------------------------------------------------ */

bool cli_make(const struct ub_plan *plan, const struct cli_making *making, struct ub_error *err)
{
    if (plan->n_pending < plan->selected)
        fprintf(stderr, "unibench: %zu of %zu runs are in %s already\n",
                plan->selected - plan->n_pending, plan->selected, making->store);
    if (!ub_plan_set_aside(plan, making->store, err))
        return false;
    const struct ub_sweep sweep = {
        .store = making->store,
        .data = making->data,
        .known = making->known,
        .cells = plan->pending_cells,
        .count = plan->n_pending,
        .jobs = making->jobs,
        .threads = making->threads,
        .packed = making->packed,
        .record_failures = making->record_failures,
    };
    struct ub_sweep_result result;
    if (!ub_sweep_run(&sweep, &result, err))
        return false;
    size_t made = 0;
    for (size_t i = 0; i < UB_RUN_MISSING; i++)
        made += result.ended[i];
    if (result.interrupted)
        return ub_fail(err, UB_INTERRUPTED,
                       "interrupted after %zu of %zu runs; the same command goes on from there",
                       made, plan->n_pending);
    return true;
}

char *cli_counts(const struct ub_store *store)
{
    struct ub_text text = {0};
    const char *separator = ": ";
    const size_t all = ub_store_run_count(store);
    ub_text_add(&text, "%zu run%s", all, all == 1 ? "" : "s");
    for (int status = 0; status <= UB_RUN_MISSING; status++) {
        size_t n = 0;
        for (size_t i = 0; i < store->count; i++)
            n += store->runs[i].status == (enum ub_run_status)status && !store->runs[i].damaged;
        if (n == 0)
            continue;
        ub_text_add(&text, "%s%zu %s", separator, n,
                    ub_run_status_name((enum ub_run_status)status));
        separator = ", ";
    }
    if (store->n_damaged_runs)
        ub_text_add(&text, "%s%zu damaged", separator, store->n_damaged_runs);
    return text.data;
}

void cli_warn(const struct ub_store *store)
{
    char *notice = ub_store_notice(store), *rest = NULL;
    for (char *line = notice ? strtok_r(notice, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        fprintf(stderr, "unibench: %s: %s\n", store->path, line);
    ub_free(notice);
}

void cli_print(struct ub_text *text)
{
    if (text->data)
        fputs(text->data, stdout);
    ub_text_free(text);
}

/* Without links: the folder, or the nearest above it that is there. Caller frees. */
static char *real_folder(const char *path)
{
    char *at = ub_strdup(path), *real, *slash = NULL;
    while (!(real = realpath(at, NULL)) && (slash = strrchr(at, '/')))
        slash[slash == at] = '\0';
    ub_free(at);
    return real ? real : realpath(".", NULL);
}

bool cli_check_beside_runs(const char *option, const char *folder, const char *store,
                           struct ub_error *err)
{
    char *inside = ub_path(store, "runs");
    char *runs = realpath(inside, NULL), *out = real_folder(folder);
    const size_t length = runs ? strlen(runs) : 0;
    const bool is_inside = runs && out && strncmp(out, runs, length) == 0 &&
                           (out[length] == '/' || out[length] == '\0');
    free(runs);
    free(out);
    ub_free(inside);
    return !is_inside || ub_fail(err, UB_INPUT,
                                 "%s %s: is in the folder of the store's runs; expected a folder "
                                 "elsewhere",
                                 option, folder);
}
