#include "bench/run/pack.h"
#include "bench/observables/observables.h"
#include "bench/run/start.h"
#include "systems/systems.h"

#include <string.h>

struct ub_pack {
    struct ub_run_spec spec; /* of the run that made the rest; zero while empty */
    struct ub_dataset *data;
    struct ub_problem *problem; /* NULL: empty */
};

static bool same_measures(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    if (a->n_measures != b->n_measures)
        return false;
    for (size_t i = 0; i < a->n_measures; i++)
        if (strcmp(a->measures[i], b->measures[i]) != 0)
            return false;
    return true;
}

bool ub_pack_takes(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    return a->data_seed == b->data_seed && a->precision == b->precision &&
           strcmp(a->dataset, b->dataset) == 0 && strcmp(a->model, b->model) == 0 &&
           strcmp(a->loss, b->loss) == 0 && strcmp(a->init, b->init) == 0 &&
           ub_run_spec_same_files(a, b) && same_measures(a, b);
}

struct ub_pack *ub_pack_new(void)
{
    return ub_calloc(1, sizeof(struct ub_pack));
}

static void empty(struct ub_pack *pack)
{
    if (pack->spec.dataset)
        ub_run_spec_clear(&pack->spec);
    ub_problem_free(pack->problem);
    ub_dataset_free(pack->data);
    *pack = (struct ub_pack){0};
}

void ub_pack_free(struct ub_pack *pack)
{
    if (!pack)
        return;
    empty(pack);
    ub_free(pack);
}

static bool fill(struct ub_pack *pack, const struct ub_run_spec *spec,
                 const struct ub_pack_setting *setting, struct ub_error *err)
{
    pack->data = ub_dataset_load(spec->dataset, spec->data_seed, setting->data, err);
    if (!pack->data || !ub_spec_files_hold(spec, setting->data, setting->known, err))
        return false;
    pack->problem = ub_problem_new(
        &(struct ub_problem_spec){
            .model = spec->model,
            .loss = spec->loss,
            .init = spec->init,
            .data = pack->data,
            .precision = spec->precision,
            .threads = setting->threads,
        },
        err);
    if (!pack->problem || !ub_start_read(pack->problem, err))
        return false;
    if (ub_observables_spare_inputs((const char *const *)spec->measures, spec->n_measures))
        ub_problem_take_inputs(pack->problem, pack->data);
    pack->spec = ub_run_spec_copy(spec);
    return true;
}

bool ub_pack_open(struct ub_pack *pack, const struct ub_run_spec *spec,
                  const struct ub_pack_setting *setting, struct ub_error *err)
{
    if (pack->problem && ub_pack_takes(&pack->spec, spec)) {
        ub_problem_restart(pack->problem);
        return true;
    }
    empty(pack);
    if (fill(pack, spec, setting, err))
        return true;
    empty(pack);
    return false;
}

struct ub_dataset *ub_pack_data(const struct ub_pack *pack)
{
    return pack->data;
}

struct ub_problem *ub_pack_problem(const struct ub_pack *pack)
{
    return pack->problem;
}
