/* A store as a large sweep leaves it: every file that a run has, about 150 rows a trace with all
 * their digits, the provenance of this machine. Training is made up, so that 10,000 runs take a
 * minute to make. */
#include "bench/perf/scale.h"
#include "base/clock.h"
#include "bench/run/provenance.h"
#include "systems/systems.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEEDS = 10, MEASUREMENTS = 50, EVERY = 10 };

static const char *const models[] = {"mlp:widths=16",
                                     "mlp:widths=32",
                                     "mlp:widths=64",
                                     "mlp:widths=16x16",
                                     "mlp:widths=32x32",
                                     "mlp:widths=64x64",
                                     "deep-linear:widths=16x16",
                                     "deep-linear:widths=32x32",
                                     "mlp:widths=32,activation=relu",
                                     "mlp:widths=64,activation=relu"};
static const char *const optimizers[] = {"gd", "heavy-ball", "nesterov", "rmsprop"};
enum {
    MODELS = sizeof models / sizeof *models,
    OPTIMIZERS = sizeof optimizers / sizeof *optimizers
};
static const char *const measures[] = {"accuracy:every=50", "loss:every=10", "sharpness:every=10"};

/* ---- a made-up run ---- */

static char *optimizer_text(size_t system)
{
    struct ub_text text = {0};
    const size_t rate = system / ((size_t)MODELS * OPTIMIZERS);
    ub_text_add(&text, "%s:lr=%.3g", optimizers[system / MODELS % OPTIMIZERS],
                0.01 * pow(1.2, (double)rate));
    return text.data;
}

/* The system's part of the spec, canonical, with labels. */
static bool system_spec(size_t system, struct ub_run_spec *spec, struct ub_error *err)
{
    char *optimizer = optimizer_text(system);
    *spec = (struct ub_run_spec){.steps = (int64_t)EVERY * MEASUREMENTS};
    spec->dataset = ub_dataset_canonical("digits:size=200", "dataset", &spec->dataset_label, err);
    spec->model = ub_registry_canonical(&ub_model_registry, models[system % MODELS], "model",
                                        &spec->model_label, err);
    spec->init =
        ub_registry_canonical(&ub_init_registry, "pytorch", "init", &spec->init_label, err);
    spec->optimizer = ub_registry_canonical(&ub_optimizer_registry, optimizer, "optimizer",
                                            &spec->optimizer_label, err);
    spec->loss = ub_strdup("mse");
    spec->n_measures = sizeof measures / sizeof *measures;
    spec->measures = ub_calloc(spec->n_measures, sizeof *spec->measures);
    for (size_t i = 0; i < spec->n_measures; i++)
        spec->measures[i] = ub_strdup(measures[i]);
    ub_free(optimizer);
    return err->code == UB_OK;
}

static void add_trace(struct ub_run_writer *w, struct ub_random *r, double threshold)
{
    const double level = 1 + 0.03 * ub_random_normal(r);
    for (int k = 0; k < MEASUREMENTS; k++) {
        const int64_t step = (int64_t)EVERY * k;
        const double rho =
            level * fmin(1, 0.4 + 0.03 * k) + 0.02 * ub_random_normal(r); /* its edge at k = 20 */
        ub_run_writer_add(w, step, "loss", 0, exp(-0.03 * k + 0.02 * ub_random_normal(r)),
                          (double)NAN);
        ub_run_writer_add(w, step, "sharpness", 0, rho * threshold, 1e-3 * ub_random_uniform(r));
        ub_run_writer_add(w, step, "edge-ratio", 0, rho, 1e-4 * ub_random_uniform(r));
        if (step % 50 == 0)
            ub_run_writer_add(w, step, "accuracy", 0, 0.005 * (double)ub_random_below(r, 200),
                              (double)NAN);
    }
}

static void add_facts(struct ub_run_writer *w, struct ub_random *r, double threshold)
{
    static const char *const numbers[] = {
        "initial-sharpness", "initial-sharpness-residual", "initial-loss",     "final-loss",
        "seconds",           "seconds.training",           "seconds.measuring"};
    static const char *const counts[] = {"hvps.sharpness",
                                         "measurements.sharpness",
                                         "unconverged.sharpness",
                                         "parameters",
                                         "samples",
                                         "classes",
                                         "steps-done",
                                         "gradients",
                                         "gradients.measuring",
                                         "hvps",
                                         "peak-rss"};
    ub_run_writer_fact(w, "lr", 2 / threshold);
    ub_run_writer_fact(w, "threshold", threshold);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ub_run_writer_fact(w, numbers[i], ub_random_uniform(r));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ub_run_writer_fact(w, counts[i], (double)(100 * (i + 1)));
}

static bool write_run(const char *folder, const struct ub_run_spec *spec,
                      const struct ub_provenance *provenance, struct ub_error *err)
{
    struct ub_run_writer *w = ub_run_writer_new(folder, spec, err);
    if (!w)
        return false;
    const uint64_t name = ub_hash(spec->model, strlen(spec->model)) ^
                          ub_hash(spec->optimizer, strlen(spec->optimizer)) ^ spec->seed;
    struct ub_random r = ub_random_stream(name, "scale");
    const double threshold = 10 + (double)(name % 40);
    add_trace(w, &r, threshold);
    add_facts(w, &r, threshold);
    return ub_run_writer_commit(w, UB_RUN_OK, "", provenance->pairs, provenance->count, err);
}

/* ---- a store ---- */

static bool write_runs(const char *folder, const struct ub_expected *expected, size_t runs,
                       struct ub_error *err)
{
    struct ub_provenance provenance = ub_provenance_collect(1, 1);
    bool good = true;
    for (size_t i = 0; i < runs && good; i++)
        good = write_run(folder, &expected[i].spec, &provenance, err);
    ub_provenance_clear(&provenance);
    return good;
}

static bool make_store(const char *folder, size_t runs, struct ub_error *err)
{
    struct ub_expected *expected = ub_calloc(runs + 1, sizeof *expected);
    bool good = ub_make_folders(folder, err) && ub_store_lock(folder, true, err);
    for (size_t i = 0; i < runs && good; i++) {
        if (i % SEEDS)
            expected[i].spec = ub_run_spec_copy(&expected[i - 1].spec);
        else
            good = system_spec(i / SEEDS, &expected[i].spec, err);
        expected[i].spec.seed = i % SEEDS;
    }
    good = good && ub_manifest_write(folder, expected, runs, err) &&
           write_runs(folder, expected, runs, err);
    ub_expected_free(expected, runs);
    return good;
}

bool perf_scale_store(const char *folder, const char *runs, struct ub_error *err)
{
    int64_t count = 0;
    if (!ub_read_int(runs, &count) || count < 1 || count > 1000000)
        return ub_fail(err, UB_INPUT, "%s runs; expected a whole number up to 1000000", runs);
    return make_store(folder, (size_t)count, err);
}

/* ---- what it costs ---- */

/* What a sweep of this many runs may cost whoever looks at it, on two idle cores. */
enum { LIMIT_RUNS = 10000, LIMIT_SECONDS = 10, LIMIT_MIB = 400 };

struct work {
    const char *name;
    const char *arguments[4]; /* of unibench; ends with NULL */
};

/* In place of this process, without what it prints. */
static void become(const char *program, const struct work *work)
{
    char *argv[6] = {(char *)(uintptr_t)program};
    for (size_t i = 0; i < 4; i++)
        argv[i + 1] = (char *)(uintptr_t)work->arguments[i];
    const int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (sink >= 0 && dup2(sink, STDOUT_FILENO) >= 0)
        execv(program, argv);
    _exit(UB_INTERNAL);
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

static bool measure(const char *program, const struct work *work, size_t runs, struct ub_error *err)
{
    struct rusage used;
    int status = 0;
    fflush(stdout);
    const double start = ub_seconds();
    const pid_t child = fork();
    if (child == 0)
        become(program, work);
    if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0)
        return ub_fail(err, UB_INTERNAL, "%s %s of %zu runs did not end well", program, work->name,
                       runs);
    const double seconds = ub_seconds() - start, mib = (double)used.ru_maxrss / 1024;
    printf("%s %zu runs: seconds %.3g processor %.3g MiB %.4g\n", work->name, runs, seconds,
           seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime), mib);
    if (runs == LIMIT_RUNS)
        printf("%s: %s %d seconds, %s %d MiB\n", work->name,
               seconds < LIMIT_SECONDS ? "below" : "above", LIMIT_SECONDS,
               mib < LIMIT_MIB ? "below" : "above", LIMIT_MIB);
    return true;
}

static bool measure_store(const char *program, const char *folder, size_t runs,
                          struct ub_error *err)
{
    char *a = ub_path(folder, "scale-a"), *b = ub_path(folder, "scale-b");
    const struct work all[] = {{"compare-itself", {"compare", a, a}},
                               {"compare-copy", {"compare", a, b}},
                               {"report", {"report", a}}};
    bool good = ub_remove_tree(a, err) && ub_remove_tree(b, err) && make_store(a, runs, err) &&
                make_store(b, runs, err);
    for (size_t i = 0; i < sizeof all / sizeof *all && good; i++)
        good = measure(program, &all[i], runs, err);
    good = good && ub_remove_tree(a, err) && ub_remove_tree(b, err);
    ub_free(a);
    ub_free(b);
    return good;
}

bool perf_scale_time(const char *program, const char *folder, struct ub_error *err)
{
    static const size_t sizes[] = {1000, 4000, 10000};
    bool good = true;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && good; i++)
        good = measure_store(program, folder, sizes[i], err);
    return good;
}
