/* What is made of a store once. */
#include "report/laws/study.h"

/* ---- studies ---------------------------------------------------------------------------- */

static void find_systems(struct study *study)
{
    study->systems = ub_frame_group(study->frame, NULL, NULL);
    study->system_name = ub_frame_system_names(study->frame, &study->systems);
    study->system_of = ub_calloc(study->store->count + 1, sizeof *study->system_of);
    for (size_t s = 0; s < study->systems.count; s++)
        for (size_t i = 0; i < study->systems.group[s].count; i++)
            study->system_of[study->systems.group[s].row[i]] = s;
}

static void judge_laws(struct study *study)
{
    size_t n = 0;
    while (ub_laws[n])
        n++;
    study->laws = ub_calloc(n + 1, sizeof *study->laws);
    for (size_t i = 0; i < n; i++) {
        struct ub_law_verdict *v = ub_law_verdict_new(ub_laws[i], study->frame);
        if (v)
            study->laws[study->n_laws++] = v;
    }
    ub_laws_adjust(study->laws, study->n_laws);
}

struct study *study_new(const struct ub_store *store, struct ub_error *err)
{
    struct study *study = ub_calloc(1, sizeof *study);
    study->store = store;
    study->frame = ub_frame_new(store, err);
    if (study->frame) {
        find_systems(study);
        judge_laws(study);
        if (ub_frame_good(study->frame, err))
            return study;
    }
    study_free(study);
    return NULL;
}

void study_free(struct study *study)
{
    if (!study)
        return;
    for (size_t i = 0; i < study->n_laws; i++)
        ub_law_verdict_free(study->laws[i]);
    ub_free(study->laws);
    ub_names_free(study->system_name, study->systems.count);
    ub_groups_clear(&study->systems);
    ub_free(study->system_of);
    ub_frame_free(study->frame);
    ub_free(study);
}

const struct ub_run_spec *system_spec(const struct study *study, size_t system)
{
    return &study->store->runs[study->systems.group[system].row[0]].spec;
}
