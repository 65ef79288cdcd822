/* unibench export: one run as NumPy arrays. */
#include "bench/arrays/export.h"
#include "bench/run/start.h"
#include "bench/run/train.h"
#include "bench/suite/identity.h"
#include "cli/cli.h"
#include "systems/systems.h"

#include <string.h>

static const struct argp_option options[] = {
    {"out", 'o', "FILE.npz", 0, "the file to write", 0},
    {"store", CLI_STORE, "STORE", 0, "the store that RUN is in", 0},
    {"data", CLI_DATA, "DIR", 0, "folder of data files (default: $UNIBENCH_DATA)", 0},
    {0},
};

struct arguments {
    struct ub_error *err;
    struct cli_run_name name;
    const char *out, *data;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'o':
        a->out = text;
        return 0;
    case CLI_DATA:
        a->data = text;
        return 0;
    default:
        return cli_parse_run_name(key, text, &a->name, a->err);
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN --out FILE.npz",
    .doc = "Writes a run's arrays to FILE.npz, for numpy.load."
           "\v"
           "Arrays: init.PARAMETER, final.PARAMETER (when the run kept its weights), "
           "step100.PARAMETER (of steps at which it measured weights), "
           "frozen.PARAMETER (never trained), multiplier.PARAMETER (the parametrization's, where "
           "not 1), inputs and "
           "targets (of the training set; test.inputs and test.targets where there is a test "
           "set; of several positions of a sequence, targets are class indices, -1 = not asked "
           "for), and trace.step, trace.observable, trace.index, trace.value, trace.error. Numbers "
           "are float64.\n\n"
           "Example:\n"
           "  unibench export out/one:0123 --out run.npz\n"
           "  python3 -c 'import numpy; print(numpy.load(\"run.npz\")[\"inputs\"].shape)'\n",
    .help_filter = cli_explain_run,
};

/* ---- arrays ----------------------------------------------------------------------------- */

static bool add_split(struct ub_npz *z, const char *prefix, const struct ub_dataset *data,
                      const struct ub_split *split, struct ub_error *err)
{
    int64_t shape[4] = {split->count};
    for (int i = 0; i < data->rank; i++)
        shape[1 + i] = data->shape[i];
    const int64_t target_shape[] = {split->count, ub_target_width(data)};
    struct ub_text inputs = {0}, targets = {0};
    ub_text_add(&inputs, "%sinputs", prefix);
    ub_text_add(&targets, "%stargets", prefix);
    bool good = ub_npz_add_reals(z, inputs.data, 1 + data->rank, shape, split->inputs, err) &&
                ub_npz_add_reals(z, targets.data, 2, target_shape, split->targets, err);
    ub_text_free(&inputs);
    ub_text_free(&targets);
    return good;
}

/* The initial weights, made again from the seed. */
static bool add_initial(struct ub_npz *z, const struct ub_run_spec *spec,
                        const struct ub_dataset *data, struct ub_error *err)
{
    const struct ub_problem_spec problem = {
        .model = spec->model,
        .loss = spec->loss,
        .init = spec->init,
        .data = data,
        .precision = spec->precision,
    };
    struct ub_problem *p = ub_problem_new(&problem, err);
    if (!p || !ub_start_read(p, err)) {
        ub_problem_free(p);
        return false;
    }
    double *theta = ub_calloc((size_t)ub_problem_size(p), sizeof *theta);
    ub_problem_init(p, spec->seed, theta);
    bool good = ub_npz_add_weights(z, "init", ub_problem_layout(p), theta, err) &&
                ub_npz_add_model(z, p, err);
    ub_free(theta);
    ub_problem_free(p);
    return good;
}

static bool add_weights(struct ub_npz *z, const struct cli_run *found,
                        const struct ub_dataset *data, struct ub_error *err)
{
    char *folder = ub_store_run_folder(found->store->path, found->run->id);
    char *path = ub_path(folder, "weights.npz");
    bool good = ub_exists(path) ? ub_npz_add_all(z, path, err)
                                : add_initial(z, &found->run->spec, data, err);
    ub_free(path);
    ub_free(folder);
    return good;
}

static bool add_trace(struct ub_npz *z, const struct ub_trace *trace, struct ub_error *err)
{
    const int64_t rows = (int64_t)trace->count;
    double *step = ub_calloc(trace->count + 1, sizeof *step);
    double *index = ub_calloc(trace->count + 1, sizeof *index);
    for (size_t i = 0; i < trace->count; i++) {
        step[i] = (double)trace->step[i];
        index[i] = (double)trace->index[i];
    }
    bool good = ub_npz_add_reals(z, "trace.step", 1, &rows, step, err) &&
                ub_npz_add_texts(z, "trace.observable", trace->count, trace->observable, err) &&
                ub_npz_add_reals(z, "trace.index", 1, &rows, index, err) &&
                ub_npz_add_reals(z, "trace.value", 1, &rows, trace->value, err) &&
                ub_npz_add_reals(z, "trace.error", 1, &rows, trace->error, err);
    ub_free(step);
    ub_free(index);
    return good;
}

static bool write_arrays(const struct arguments *a, const struct cli_run *found,
                         const struct ub_dataset *data, const struct ub_trace *trace)
{
    struct ub_npz *z = ub_npz_new(a->out, a->err);
    if (!z)
        return false;
    if (add_weights(z, found, data, a->err) && add_split(z, "", data, &data->train, a->err) &&
        (data->test.count == 0 || add_split(z, "test.", data, &data->test, a->err)) &&
        add_trace(z, trace, a->err))
        return ub_npz_close(z, a->err);
    ub_npz_abandon(z);
    return false;
}

/* Runs of earlier versions do not say. */
static bool is_data_trained_on(const struct arguments *a, const struct ub_run_spec *spec)
{
    struct ub_paths paths;
    bool good = ub_dataset_files(spec->dataset, a->data, &paths, a->err);
    if (good && spec->n_files == 0 && paths.count > 0)
        fprintf(stderr,
                "unibench: %s: this run does not say what its data files held; whether this is the "
                "one trained on is not known\n",
                paths.path[0]);
    else if (good)
        good = ub_spec_files_hold(spec, a->data, NULL, a->err);
    ub_paths_clear(&paths);
    return good;
}

static bool export_run(const struct arguments *a, const struct cli_run *found)
{
    const struct ub_run_spec *spec = &found->run->spec;
    if (found->run->status == UB_RUN_MISSING)
        return ub_fail(a->err, UB_INPUT,
                       "%s: run %s is expected but was never made; see 'unibench "
                       "run'",
                       found->store->path, found->run->id);
    struct ub_trace *trace = ub_trace_read(found->store, found->run, a->err);
    struct ub_dataset *data =
        trace ? ub_dataset_load(spec->dataset, spec->data_seed, a->data, a->err) : NULL;
    bool good = data && is_data_trained_on(a, spec) && write_arrays(a, found, data, trace);
    ub_dataset_free(data);
    ub_trace_free(trace);
    return good;
}

static int export(int argc, char **argv)
{
    struct ub_error err = {0};
    struct arguments a = {.err = &err};
    struct cli_run found = {0};
    bool good = cli_parse(&argp, argc, argv, &a, &err);
    if (good && (!a.name.run || !a.out))
        good = ub_fail(&err, UB_INPUT, "no %s given; expected unibench export RUN --out FILE.npz",
                       a.name.run ? "--out" : "run");
    good = good && cli_check_folder("--data", a.data, &err) &&
           cli_find_run(a.name.run, a.name.store, &found, &err) && export_run(&a, &found);
    ub_store_free(found.store);
    return good ? UB_OK : ub_report(&err);
}

const struct cli_command cli_export = {
    .name = "export",
    .summary = "one run as NumPy arrays (.npz): weights, data, trace",
    .argp = &argp,
    .run = export,
};
