/* unibench train: one run, described on the command line. */
#include "bench/run/preflight.h"
#include "bench/store/axes.h"
#include "bench/suite/identity.h"
#include "cli/cli.h"

#include <string.h>

enum {
    DATASET = 256,
    MODEL,
    LOSS,
    INIT,
    OPTIMIZER,
    STEPS,
    SEED,
    DATA_SEED,
    MEASURE,
    PRECISION,
    SAVE_WEIGHTS,
    START_FROM
};

static const struct argp_option options[] = {
    {"dataset", DATASET, "CALL", 0, "what to learn, e.g. digits:size=1000", 0},
    {"model", MODEL, "CALL", 0, "e.g. mlp:widths=64x64,activation=tanh", 0},
    {"loss", LOSS, "NAME", 0, "mse or ce", 0},
    {"optimizer", OPTIMIZER, "CALL", 0,
     "e.g. gd:lr=0.05; lr=edge(40): stable up to sharpness 40; lr=relative(0.5): up to the initial "
     "sharpness / 0.5",
     0},
    {"init", INIT, "CALL", 0, "initial weights (default: pytorch)", 0},
    {"start-from", START_FROM, "RUN[@STEP]", 0,
     "in place of --init, the weights that a run kept at a step (--measure weights:at=STEP), at "
     "its "
     "start or end (--save-weights; default: end); the optimizer starts anew",
     0},
    {"steps", STEPS, "N", 0, "updates of the weights", 0},
    {"seed", SEED, "N", 0, "of initial weights and probes (default: 0)", 0},
    {"data-seed", DATA_SEED, "N", 0, "of generated data, subset and split (default: 0)", 0},
    {"measure", MEASURE, "CALL", 0,
     "an observable and when, e.g. sharpness:every=10,top=2; may be given several times (default: "
     "loss)",
     0},
    {"precision", PRECISION, "f32|f64|bf16x3", 0,
     "of the computation (default: f32); bf16x3: f32, with large products of matrices made of "
     "three "
     "in bfloat16, which pays where the CPU has AMX and not with AVX512-BF16 alone",
     0},
    {"threads", CLI_THREADS, "N", 0, "threads (default: 1); results do not depend on it", 0},
    {"save-weights", SAVE_WEIGHTS, NULL, 0, "keep initial and final weights, for export", 0},
    {"data", CLI_DATA, "DIR", 0, "folder of data files (default: $UNIBENCH_DATA)", 0},
    {"timeout", CLI_TIMEOUT, "SECONDS", 0, "end the run then (default: 0, none)", 0},
    {"memory", CLI_MEMORY, "SIZE", 0,
     "refuse before starting when the run needs more by estimate (8G, 500M)", 0},
    {"again", CLI_AGAIN, NULL, 0, "make the run anew if the store has it", 0},
    {"out", 'o', "STORE", 0, "folder of results, made if absent (default: out/train)", 0},
    {0},
};

/* Calls are checked as they come: an error names its option. */
struct arguments {
    struct ub_error *err;
    struct cli_setting setting;
    struct ub_suite_cell cell;
    size_t n_measures;
    const char **measures;
    struct ub_contents *known;
};

static bool set_call(struct arguments *a, const char *axis, const char *text)
{
    struct ub_text where = {0};
    ub_text_add(&where, "--%s", axis);
    bool good = ub_spec_set_call(&a->cell.spec, axis, text, where.data, a->err);
    ub_text_free(&where);
    return good;
}

/* The run's file of weights, as an option's value; NULL with an error. */
static char *weights_of(const struct cli_run *found, struct ub_error *err)
{
    char *folder = ub_store_run_folder(found->store->path, found->run->id);
    char *path = ub_path(folder, "weights.npz");
    if (!ub_exists(path))
        ub_fail(err, UB_INPUT,
                "--start-from: run %s of %s kept no weights; expected one made with --save-weights "
                "or --measure weights:at=STEP",
                found->run->id, found->store->path);
    else if (strchr(path, ','))
        ub_fail(err, UB_INPUT, "--start-from: %s: expected a path without a comma", path);
    ub_free(folder);
    if (!err->code)
        return path;
    ub_free(path);
    return NULL;
}

/* RUN@STEP, as the init that says the same. */
static bool start_from(struct arguments *a, const char *text)
{
    struct cli_run found = {0};
    struct ub_text call = {0};
    const char *at = strrchr(text, '@');
    char *name = ub_strdup(text);
    if (at)
        name[at - text] = '\0';
    char *path = cli_find_run(name, NULL, &found, a->err) ? weights_of(&found, a->err) : NULL;
    if (path)
        ub_text_add(&call, "from-run:file=%s,at=%s", path, at ? at + 1 : "end");
    const bool good =
        path && ub_spec_set_call(&a->cell.spec, "init", call.data, "--start-from", a->err);
    ub_text_free(&call);
    ub_store_free(found.store);
    ub_free(name);
    ub_free(path);
    return good;
}

static bool set_init(struct arguments *a, int key, const char *text)
{
    if (a->cell.spec.init)
        return ub_fail(a->err, UB_INPUT,
                       "initial weights are given twice; expected one --init or "
                       "--start-from");
    return key == INIT ? set_call(a, "init", text) : start_from(a, text);
}

static bool set_seed(struct arguments *a, const char *option, const char *text, uint64_t *seed)
{
    int64_t value = 0;
    bool good = cli_int(option, text, 0, INT64_MAX, &value, a->err);
    *seed = (uint64_t)value;
    return good;
}

static bool add_measure(struct arguments *a, const char *text)
{
    a->measures = ub_realloc(a->measures, (a->n_measures + 1) * sizeof *a->measures);
    a->measures[a->n_measures++] = text;
    return true;
}

static bool set_precision(struct arguments *a, const char *text)
{
    return ub_run_spec_set(&a->cell.spec, "precision", text) ||
           ub_fail(a->err, UB_INPUT, "--precision: '%s'; expected " UB_PRECISIONS, text);
}

static bool set_spec(struct arguments *a, int key, const char *text)
{
    switch (key) {
    case DATASET:
        return set_call(a, "dataset", text);
    case MODEL:
        return set_call(a, "model", text);
    case LOSS:
        return set_call(a, "loss", text);
    case INIT:
        return set_init(a, INIT, text);
    case OPTIMIZER:
        return set_call(a, "optimizer", text);
    case STEPS:
        return cli_int("--steps", text, 1, CLI_STEPS_LIMIT, &a->cell.spec.steps, a->err);
    case SEED:
        return set_seed(a, "--seed", text, &a->cell.spec.seed);
    case DATA_SEED:
        return set_seed(a, "--data-seed", text, &a->cell.spec.data_seed);
    case PRECISION:
        return set_precision(a, text);
    default:
        return add_measure(a, text);
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    bool good = true;
    if (key >= DATASET && key <= PRECISION)
        return set_spec(a, key, text) ? 0 : EINVAL;
    switch (key) {
    case SAVE_WEIGHTS:
        a->cell.spec.save_weights = true;
        break;
    case START_FROM:
        good = set_init(a, START_FROM, text);
        break;
    case ARGP_KEY_ARG:
        return cli_parse_texts(key, text, &(struct cli_text){0}, a->err);
    default:
        return cli_parse_setting(key, text, &a->setting, a->err);
    }
    return good ? 0 : EINVAL;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "--dataset CALL --model CALL --loss NAME --optimizer CALL --steps N",
    .doc = "Makes one run and prints the folder it is kept in. A CALL is a name with options, "
           "NAME:key=value,key=value; 'unibench list' shows the names, 'unibench list models mlp' "
           "the options."
           "\v"
           "The same run is made only once: its folder's name is a hash of all that determines its "
           "numbers.\n\n"
           "Example:\n"
           "  unibench train --dataset digits --model mlp:widths=64x64,activation=tanh \\\n"
           "    --loss mse --optimizer gd:lr=0.05 --steps 1000 --seed 0 \\\n"
           "    --measure loss:every=10 --measure sharpness:every=10,top=2 --out out/one\n",
};

/* ---- making ----------------------------------------------------------------------------- */

static bool complete(struct arguments *a)
{
    struct ub_run_spec *spec = &a->cell.spec;
    const char *missing = !spec->dataset     ? "--dataset"
                          : !spec->model     ? "--model"
                          : !spec->loss      ? "--loss"
                          : !spec->optimizer ? "--optimizer"
                          : !spec->steps     ? "--steps"
                                             : NULL;
    if (missing)
        return ub_fail(a->err, UB_INPUT, "no %s given; see 'unibench train --help'", missing);
    if (!spec->init && !set_call(a, "init", ub_run_axis_find("init")->fallback))
        return false;
    if (a->n_measures == 0)
        add_measure(a, "loss");
    const char **where = ub_calloc(a->n_measures, sizeof *where);
    for (size_t i = 0; i < a->n_measures; i++)
        where[i] = "--measure";
    bool good = ub_spec_set_measures(spec, a->measures, where, a->n_measures, a->err);
    ub_free(where);
    return good;
}

static bool make(struct arguments *a, struct ub_plan *plan)
{
    const struct cli_making making = {.store = a->setting.out,
                                      .data = a->setting.data,
                                      .known = a->known,
                                      .jobs = 1,
                                      .threads = (int)a->setting.threads};
    const struct ub_preflight_setting setting = {.data = a->setting.data,
                                                 .memory = a->setting.memory,
                                                 .jobs = 1,
                                                 .threads = (int)a->setting.threads};
    if (plan->n_pending > 0 && !ub_preflight(&a->cell, 1, &setting, a->err))
        return false;
    if (!ub_store_lock(a->setting.out, false, a->err) || !cli_make(plan, &making, a->err))
        return false;
    char *folder = ub_store_run_folder(a->setting.out, plan->entries[0].id);
    printf("%s\n", folder);
    ub_free(folder);
    return true;
}

static int train(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err, .setting = {.threads = 1, .out = "out/train"}};
    bool good = cli_parse(&argp, argc, argv, &a, &err) && complete(&a) &&
                cli_check_folder("--data", a.setting.data, &err);
    a.known = ub_contents_new();
    good = good && ub_spec_identify(&a.cell.spec, a.setting.data, a.known, &err);
    struct ub_plan *plan =
        good ? ub_plan_new(&a.cell, 1, a.setting.out, &a.setting.wish, &err) : NULL;
    good = plan && make(&a, plan);
    ub_contents_free(a.known);
    ub_plan_free(plan);
    ub_run_spec_clear(&a.cell.spec);
    ub_free(a.measures);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_train = {
    .name = "train",
    .summary = "make one run, described on the command line",
    .argp = &argp,
    .run = train,
};
