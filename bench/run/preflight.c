#include "bench/run/preflight.h"
#include "bench/observables/observables.h"
#include "bench/run/pack.h"
#include "bench/run/start.h"
#include "bench/run/worker.h"
#include "systems/systems.h"

#include <string.h>
#include <sys/wait.h>

struct flight {
    const struct ub_suite_cell *cells;
    size_t count;
    const struct ub_preflight_setting *setting;
};

/* What is checked of data is the same of other seeds': they are drawn alike, or from one file. A
 * suite of learning curves has hundreds of seeds, and drawing them all took most of the time. */
static bool same_data(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    return strcmp(a->dataset, b->dataset) == 0;
}

/* First cell of its dataset. */
static bool is_first(const struct flight *f, size_t cell)
{
    for (size_t i = 0; i < cell; i++)
        if (same_data(&f->cells[i].spec, &f->cells[cell].spec))
            return false;
    return true;
}

static bool model_fits(const struct ub_run_spec *spec, const struct ub_dataset *data,
                       struct ub_error *err)
{
    const void *found = NULL;
    struct ub_call *call = ub_registry_call(&ub_model_registry, spec->model, "model", &found, err);
    const struct ub_model *model = found;
    bool good = call && (!model->fits || model->fits(call, data, err));
    ub_call_free(call);
    return good;
}

/* Vectors of parameters that a run holds besides its programs and its optimizer: weights, and the
 * bases of its eigenvalue trackers, about. */
enum { VECTORS = 100 };

static bool memory_fits(const struct ub_preflight_setting *setting, double each,
                        struct ub_error *err)
{
    const double gib = 1 << 30;
    if (each * setting->jobs <= (double)setting->memory)
        return true;
    return ub_fail(err, UB_INPUT,
                   "needs about %.3g GiB of memory (%d at once of %.3g GiB); expected at most %.3g "
                   "GiB (--memory): a smaller model or dataset, or fewer jobs",
                   each * setting->jobs / gib, setting->jobs, each / gib,
                   (double)setting->memory / gib);
}

/* The optimizer can train this problem (its batches fit the training set), within the memory. */
static bool training_fits(const struct flight *f, const struct ub_run_spec *spec,
                          const struct ub_dataset *data, struct ub_error *err)
{
    const struct ub_preflight_setting *setting = f->setting;
    struct ub_problem *p = ub_problem_new(&(struct ub_problem_spec){.model = spec->model,
                                                                    .loss = spec->loss,
                                                                    .init = spec->init,
                                                                    .data = data,
                                                                    .precision = spec->precision,
                                                                    .threads = setting->threads},
                                          err);
    if (!p || !ub_start_read(p, err)) {
        ub_problem_free(p);
        return false;
    }
    const int64_t own = ub_optimizer_bytes(spec->optimizer, p, err);
    int64_t measuring = 0;
    bool good = own >= 0;
    if (good && setting->memory > 0) {
        const char *const *measures = (const char *const *)spec->measures;
        good = ub_observables_bytes(measures, spec->n_measures, p, &measuring, err) &&
               memory_fits(setting, (double)(ub_problem_bytes(p, VECTORS) + own + measuring), err);
    }
    ub_problem_free(p);
    return good;
}

static bool cell_fits(const struct flight *f, size_t cell, const struct ub_dataset *data)
{
    const struct ub_run_spec *spec = &f->cells[cell].spec;
    const struct ub_loss *loss = ub_loss_find(spec->loss);
    struct ub_error err = {0};
    bool good = loss && (!loss->fits || loss->fits(data, &err)) && model_fits(spec, data, &err) &&
                training_fits(f, spec, data, &err);
    if (!good && f->setting->path)
        printf("%s:%d: %s with %s on %s: %s\n", f->setting->path, f->cells[cell].line, spec->model,
               spec->loss, spec->dataset, err.text);
    else if (!good)
        printf("%s with %s on %s: %s\n", spec->model, spec->loss, spec->dataset, err.text);
    return good;
}

/* What is checked of a cell is the same of another but for its seeds or its length; the last one
 * that was checked is asked, as seeds change fastest in a suite. */
static bool asks_nothing_new(const struct ub_run_spec *last, const struct ub_run_spec *spec)
{
    if (!last || strcmp(last->optimizer, spec->optimizer) != 0)
        return false;
    struct ub_run_spec alike = *spec;
    alike.data_seed = last->data_seed;
    return ub_pack_takes(last, &alike);
}

static int check_all(void *context)
{
    const struct flight *f = context;
    for (size_t i = 0; i < f->count; i++) {
        if (!is_first(f, i))
            continue;
        struct ub_error err = {0};
        const struct ub_run_spec *spec = &f->cells[i].spec;
        struct ub_dataset *data =
            ub_dataset_load(spec->dataset, spec->data_seed, f->setting->data, &err);
        if (!data)
            return printf("%s\n", err.text), (int)err.code;
        bool good = true;
        const struct ub_run_spec *last = NULL;
        for (size_t j = i; good && j < f->count; j++) {
            const struct ub_run_spec *next = &f->cells[j].spec;
            if (!same_data(spec, next) || asks_nothing_new(last, next))
                continue;
            good = cell_fits(f, j, data);
            last = next;
        }
        ub_dataset_free(data);
        if (!good)
            return UB_INPUT;
    }
    return 0;
}

bool ub_preflight(const struct ub_suite_cell *cells, size_t count,
                  const struct ub_preflight_setting *setting, struct ub_error *err)
{
    struct flight flight = {cells, count, setting};
    struct ub_worker worker;
    int status;
    if (!ub_worker_start(&worker, check_all, &flight, err))
        return false;
    ub_worker_reap(&worker, true, &status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    char *reason = ub_worker_reason(&worker, status);
    bool input = WIFEXITED(status) && WEXITSTATUS(status) == UB_INPUT;
    ub_fail(err, input ? UB_INPUT : UB_INTERNAL, "%s", reason);
    ub_free(reason);
    return false;
}
