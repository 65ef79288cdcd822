/* unibench run: the runs of a suite. */
#include "bench/run/preflight.h"
#include "bench/run/provenance.h"
#include "bench/suite/identity.h"
#include "cli/cli.h"
#include "report/laws/law.h"
#include "report/report.h"
#include "report/tables/table.h"

#include <string.h>

enum { DRY_RUN = 256, SUMMARY, NO_PACK };

static const struct argp_option options[] = {
    {"out", 'o', "STORE", 0, "folder of results, made if absent (default: out/NAME of the suite)",
     0},
    {"jobs", 'j', "N", 0, "runs at once (default: one a CPU)", 0},
    {"threads", CLI_THREADS, "N", 0,
     "threads of each run (default: 1); results do not depend on it", 0},
    {"filter", 'f', "GLOB", 0, "only runs whose label (see --dry-run) or id matches", 0},
    {"data", CLI_DATA, "DIR", 0, "folder of data files (default: $UNIBENCH_DATA)", 0},
    {"timeout", CLI_TIMEOUT, "SECONDS", 0, "for each run, instead of the suite's; 0 = none", 0},
    {"memory", CLI_MEMORY, "SIZE", 0,
     "refuse before starting when the runs at once need more by estimate (8G, 500M)", 0},
    {"again", CLI_AGAIN, NULL, 0, "make runs anew that the store has", 0},
    {"no-pack", NO_PACK, NULL, 0,
     "a process for each run; without it one makes runs that share data and programs one after "
     "another. Results are the same",
     0},
    {"summary", SUMMARY, NULL, 0, "print the verdicts at the end", 0},
    {"dry-run", DRY_RUN, NULL, 0, "list the runs and their status; write nothing", 0},
    {0},
};

struct arguments {
    struct ub_error *err;
    const char *suite;
    int64_t jobs;
    bool dry_run, summary, no_pack;
    struct cli_setting setting;
    struct ub_contents *known;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    const struct cli_text texts[] = {
        {'f', &a->setting.wish.filter}, {ARGP_KEY_ARG, &a->suite}, {0, NULL}};
    bool good = true;
    switch (key) {
    case 'j':
        good = cli_int("--jobs", text, 1, CLI_JOBS_LIMIT, &a->jobs, a->err);
        break;
    case 'f':
    case ARGP_KEY_ARG:
        return cli_parse_texts(key, text, texts, a->err);
    case SUMMARY:
        a->summary = true;
        break;
    case NO_PACK:
        a->no_pack = true;
        break;
    case DRY_RUN:
        a->dry_run = true;
        break;
    default:
        return cli_parse_setting(key, text, &a->setting, a->err);
    }
    return good ? 0 : EINVAL;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "SUITE",
    .doc = "Makes the runs of SUITE, a YAML file or the name of a bundled suite ('unibench list "
           "suites'), in parallel worker processes, and keeps them in a store."
           "\v"
           "The store is safe at any moment: stop with Ctrl-C (exit code 130) or kill the program, "
           "and the same command goes on with the runs that are missing. A run that crashes, "
           "diverges or runs out of time is recorded as such and does not end the sweep; failed "
           "runs, and timeouts that are given more time, are tried again the next time.\n\n"
           "Examples:\n"
           "  unibench run quick --out out/quick --jobs 4\n"
           "  unibench run my.yaml --filter '*relu*seed=0' --dry-run\n",
};

/* ---- dry run ---------------------------------------------------------------------------- */

static void list_runs(const struct ub_suite *suite, const struct ub_plan *plan)
{
    struct table *t = table_new((const char *const[]){"id", "steps", "status", "run"}, "lrll");
    for (size_t i = 0; i < plan->count; i++) {
        const struct ub_plan_entry *entry = &plan->entries[i];
        if (!entry->selected)
            continue;
        table_cell(t, "%s", entry->cell->absent ? "(no data)" : entry->id);
        table_cell(t, "%lld", (long long)entry->cell->spec.steps);
        table_cell(t, "%s",
                   entry->damage                     ? "damaged"
                   : entry->status == UB_RUN_MISSING ? "-"
                                                     : ub_run_status_name(entry->status));
        table_cell(t, "%s", entry->label);
    }
    struct ub_text text = {0};
    table_plain(t, 1000, &text);
    table_free(t);
    cli_print(&text);
    printf("%s: %zu runs, %zu to be made", suite->name, plan->selected, plan->n_pending);
    if (plan->selected < plan->count)
        printf("; %zu not selected", plan->count - plan->selected);
    if (suite->excluded)
        printf("; %zu excluded", suite->excluded);
    if (suite->duplicates)
        printf("; %zu duplicates left out", suite->duplicates);
    printf("\n");
}

/* What each law about groups could say of these runs, and what they lack for it. */
static void list_laws(const struct ub_plan *plan)
{
    struct ub_error err = {0};
    struct ub_run *runs = ub_calloc(plan->count + 1, sizeof *runs);
    struct ub_store store = {.path = (char *)(uintptr_t) "", .runs = runs};
    for (size_t i = 0; i < plan->count; i++)
        if (plan->entries[i].selected)
            runs[store.count++] = (struct ub_run){.spec = plan->entries[i].cell->spec,
                                                  .control = plan->entries[i].cell->control,
                                                  .status = UB_RUN_MISSING};
    struct ub_frame *frame = ub_frame_new(&store, &err);
    size_t concerned = 0;
    for (size_t i = 0; frame && ub_laws[i]; i++)
        concerned += cli_list_law(ub_laws[i], frame);
    if (frame && concerned == 0)
        printf("no law is about what these runs measure\n");
    ub_frame_free(frame);
    ub_free(runs);
}

/* ---- making ----------------------------------------------------------------------------- */

static int jobs_of(const struct arguments *a)
{
    const int cpus = ub_available_cpus() / (int)a->setting.threads;
    return a->jobs ? (int)a->jobs : cpus > 1 ? cpus : 1;
}

/* Checks everything that is pending before anything is written. */
static bool check_pending(const struct arguments *a, const struct ub_suite *suite,
                          const struct ub_plan *plan)
{
    struct ub_suite_cell *cells = ub_calloc(plan->n_pending + 1, sizeof *cells);
    for (size_t i = 0; i < plan->n_pending; i++)
        cells[i] = *plan->pending_cells[i];
    const struct ub_preflight_setting setting = {.path = suite->path,
                                                 .data = a->setting.data,
                                                 .memory = a->setting.memory,
                                                 .jobs = jobs_of(a),
                                                 .threads = (int)a->setting.threads};
    bool good = ub_preflight(cells, plan->n_pending, &setting, a->err);
    ub_free(cells);
    return good;
}

static bool finish(const struct arguments *a, const char *store_path)
{
    struct ub_store *store = ub_store_open(store_path, a->err);
    if (!store)
        return false;
    cli_warn(store);
    char *csv = ub_path(store_path, "runs.csv"), *counts = cli_counts(store);
    bool good = ub_store_forget(store_path, "runs.csv", a->err) &&
                ub_report_runs_csv(store, csv, a->err) &&
                ub_store_remember(store_path, "runs.csv", a->err);
    char *summary = good && a->summary ? ub_report_summary(store, a->err) : NULL;
    good = good && (!a->summary || summary);
    if (summary)
        printf("%s\n", summary);
    if (good)
        printf("%s: %s\n", store_path, counts);
    ub_free(summary);
    ub_free(csv);
    ub_free(counts);
    ub_store_free(store);
    return good;
}

static bool make(const struct arguments *a, const struct ub_suite *suite,
                 const struct ub_plan *plan, const char *store)
{
    const struct cli_making making = {
        .store = store,
        .data = a->setting.data,
        .known = a->known,
        .jobs = jobs_of(a),
        .threads = (int)a->setting.threads,
        .packed = !a->no_pack,
        .record_failures = true,
    };
    return check_pending(a, suite, plan) && ub_store_lock(store, true, a->err) &&
           ub_plan_write(plan, store, suite->path, a->err) && cli_make(plan, &making, a->err) &&
           finish(a, store);
}

static bool run_suite(const struct arguments *a, struct ub_suite *suite)
{
    struct ub_text fallback = {0};
    ub_text_add(&fallback, "out/%s", suite->name);
    const char *store = a->setting.out ? a->setting.out : fallback.data;
    struct ub_plan *plan = ub_plan_new(suite->cells, suite->count, store, &a->setting.wish, a->err);
    bool good = plan != NULL;
    if (good && a->dry_run) {
        list_runs(suite, plan);
        list_laws(plan);
    } else if (good)
        good = make(a, suite, plan, store);
    ub_plan_free(plan);
    ub_text_free(&fallback);
    return good;
}

/* Leaves out what is optional and not there, and says so. */
static bool drop_absent(const struct arguments *a, struct ub_suite *suite)
{
    char *names;
    const size_t dropped = ub_suite_drop_absent(suite, a->setting.data, &names);
    if (dropped)
        printf("%s: %zu optional runs left out: no files of %s (--data)\n", suite->name, dropped,
               names);
    ub_free(names);
    return suite->count > 0 || ub_fail(a->err, UB_INPUT,
                                       "%s: all runs are optional and their data are not there; "
                                       "expected a folder with them (--data)",
                                       suite->path);
}

static int run(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err, .setting.threads = 1};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && !a.suite)
        good = ub_fail(&err, UB_INPUT,
                       "no suite given; expected a YAML file or a name that 'unibench list suites' "
                       "shows");
    good = good && cli_check_folder("--data", a.setting.data, &err);
    char *path = good ? ub_suite_find(a.suite, &err) : NULL;
    struct ub_suite *suite = path ? ub_suite_read(path, &err) : NULL;
    a.known = ub_contents_new();
    good = suite && cli_check_controls(suite, &err) && drop_absent(&a, suite) &&
           ub_suite_identify(suite, a.setting.data, a.known, &err) && run_suite(&a, suite);
    ub_contents_free(a.known);
    ub_suite_free(suite);
    ub_free(path);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_run = {
    .name = "run",
    .summary = "make the runs of a suite, in parallel; go on where an earlier run ended",
    .argp = &argp,
    .run = run,
};
