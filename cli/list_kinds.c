/* Kinds of things that have names, and what is said of each. */
#include "bench/curvature/curvature.h"
#include "bench/observables/observables.h"
#include "cli/list.h"
#include "report/laws/law.h"
#include "systems/systems.h"

void list_detail(struct list_entry *entry, const char *name, const char *text)
{
    if (text && entry->n_details < LIST_DETAILS)
        entry->detail[entry->n_details++] =
            (struct ub_pair){.name = ub_strdup(name), .text = ub_strdup(text)};
}

static void describe_model(const void *entry, struct list_entry *out)
{
    const struct ub_model *m = entry;
    out->summary = m->summary;
    list_detail(out, "citation", m->citation);
}

static void describe_optimizer(const void *entry, struct list_entry *out)
{
    const struct ub_optimizer_kind *o = entry;
    out->summary = o->summary;
    list_detail(out, "citation", o->citation);
    list_detail(out, "edge of stability at sharpness", o->edge_formula);
    list_detail(out, "edge from", o->edge_citation);
}

static void describe_loss(const void *entry, struct list_entry *out)
{
    const struct ub_loss *l = entry;
    out->summary = l->summary;
    list_detail(out, "citation", l->citation);
}

static void describe_init(const void *entry, struct list_entry *out)
{
    const struct ub_init *i = entry;
    out->summary = i->summary;
    list_detail(out, "citation", i->citation);
}

static void describe_dataset(const void *entry, struct list_entry *out)
{
    const struct ub_dataset_source *d = entry;
    out->summary = d->summary;
    list_detail(out, "citation", d->citation);
    list_detail(out, "needs", d->needs_files ? "files in the folder of --data" : NULL);
}

static void describe_observable(const void *entry, struct list_entry *out)
{
    const struct ub_observable *o = entry;
    out->summary = o->summary;
    list_detail(out, "units", o->units);
    list_detail(out, "citation", o->citation);
    out->rows = o->rows;
}

static void describe_operator(const void *entry, struct list_entry *out)
{
    static const char *const spaces[] = {
        [UB_OVER_PARAMETERS] = "parameters: all, or of layer=NAME",
        [UB_OVER_OUTPUTS] = "training samples x positions x outputs",
        [UB_OVER_ITEMS] = "training samples x positions",
        [UB_OVER_FEATURES] = "numbers of an input",
        [UB_OVER_UNITS] = "activations of layer=NAME",
        [UB_OVER_SAMPLES] = "training samples; of layer=NAME",
        [UB_OVER_WEIGHT] = "shorter side of the weight layer=NAME",
    };
    const struct ub_matrix_kind *k = entry;
    out->summary = k->summary;
    list_detail(out, "rows", spaces[k->space]);
    list_detail(out, "citation", k->citation);
}

const struct list_kind list_kinds[] = {
    {"models", &ub_model_registry, describe_model},
    {"optimizers", &ub_optimizer_registry, describe_optimizer},
    {"losses", &ub_loss_registry, describe_loss},
    {"inits", &ub_init_registry, describe_init},
    {"datasets", &ub_dataset_registry, describe_dataset},
    {"observables", &ub_observable_registry, describe_observable},
    {"laws", &ub_law_registry, list_describe_law},
    {"operators", &ub_matrix_registry, describe_operator},
    {.name = NULL},
};
