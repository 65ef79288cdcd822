/* What results stand on, from the registries. */
#include "bench/observables/observables.h"
#include "datasets/datasets.h"
#include "report/publish/paper.h"
#include "systems/systems.h"

#include <string.h>

static void add(struct paper *paper, const char *kind, const char *name, const char *more,
                const char *citation)
{
    struct ub_text key = {0};
    ub_text_add(&key, "%s:%s%s", kind, name, more);
    citations_add(&paper->citations, key.data, citation);
    ub_text_free(&key);
}

/* The name of a call: what is before its options. Caller frees. */
static char *name_of(const char *call)
{
    char *name = ub_strdup(call);
    name[strcspn(name, ":")] = '\0';
    return name;
}

static void add_optimizer(struct paper *paper, const char *name)
{
    const struct ub_optimizer_kind *o = ub_optimizer_find(name);
    if (!o)
        return;
    add(paper, "optimizer", name, "", o->citation);
    add(paper, "optimizer", name, ":edge", o->edge_citation);
}

static void add_run(struct paper *paper, const struct ub_run_spec *spec)
{
    char *optimizer = name_of(spec->optimizer), *model = name_of(spec->model);
    char *loss = name_of(spec->loss), *init = name_of(spec->init);
    char *dataset = name_of(spec->dataset);
    const struct ub_model *m = ub_model_find(model);
    const struct ub_loss *l = ub_loss_find(loss);
    const struct ub_init *i = ub_init_find(init);
    const struct ub_dataset_source *d = ub_dataset_find(dataset);
    add_optimizer(paper, optimizer);
    add(paper, "model", model, "", m ? m->citation : NULL);
    add(paper, "loss", loss, "", l ? l->citation : NULL);
    add(paper, "init", init, "", i ? i->citation : NULL);
    add(paper, "dataset", dataset, "", d ? d->citation : NULL);
    for (size_t k = 0; k < spec->n_measures; k++) {
        char *name = name_of(spec->measures[k]);
        const struct ub_observable *o = ub_observable_find(name);
        add(paper, "observable", name, "", o ? o->citation : NULL);
        ub_free(name);
    }
    char *const names[] = {optimizer, model, loss, init, dataset};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        ub_free(names[k]);
}

void paper_citations(struct paper *paper)
{
    const struct study *study = paper->study;
    for (size_t i = 0; i < study->n_laws; i++)
        add(paper, "law", study->laws[i]->law->name, "", study->laws[i]->law->citation);
    for (size_t s = 0; s < study->systems.count; s++)
        add_run(paper, system_spec(study, s));
}
