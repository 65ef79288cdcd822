/* Runs that stand for groups of systems in figures of spectra. */
#include "report/sections/spectra.h"

#include "report/frame/factor.h"

#include <string.h>

/* ---- which runs ----------------------------------------------------------------------------- */

static bool has_spectra(const struct ub_frame *frame, size_t row, const void *context)
{
    static const char *const prefixes[] = {"spectrum.",
                                           "kernel-spectrum.",
                                           "covariance-spectrum.",
                                           "weight-spectrum.",
                                           "hessian-spectrum",
                                           "class-structure.",
                                           "density.",
                                           NULL};
    (void)context;
    const bool ok = frame->store->runs[row].status == UB_RUN_OK;
    const struct ub_trace *trace = ok ? ub_frame_trace(frame, row) : NULL;
    for (size_t k = 0; trace && k < trace->n_names; k++)
        for (size_t i = 0; prefixes[i]; i++)
            if (after(trace->names[k], prefixes[i]))
                return true;
    return false;
}

/* The first row of each model; of more than MOST_MODELS so many, evenly chosen. */
static struct ub_rows choose_models(const struct ub_frame *frame, const struct ub_rows *rows,
                                    size_t *all)
{
    static const char *const model[] = {"model", "model.*", NULL};
    struct ub_groups models = ub_frame_group_by(frame, rows, model);
    struct ub_rows chosen = {.count = models.count < MOST_MODELS ? models.count : MOST_MODELS};
    chosen.row = ub_calloc(chosen.count + 1, sizeof *chosen.row);
    for (size_t i = 0; i < chosen.count; i++) {
        const size_t k = chosen.count > 1 ? i * (models.count - 1) / (chosen.count - 1) : 0;
        chosen.row[i] = models.group[k].row[0];
    }
    *all = models.count;
    ub_groups_clear(&models);
    return chosen;
}

/* ---- groups --------------------------------------------------------------------------------- */

static char *who_of(const struct ub_frame *frame, const struct ub_rows *chosen, size_t all)
{
    struct ub_text who = {0};
    const uint64_t seed = frame->store->runs[chosen->row[0]].spec.seed;
    bool one_seed = true;
    for (size_t i = 0; i < chosen->count; i++)
        one_seed = one_seed && frame->store->runs[chosen->row[i]].spec.seed == seed;
    if (one_seed)
        ub_text_add(&who, "Seed %llu of ", (unsigned long long)seed);
    else
        ub_text_add(&who, "First finished run of ");
    if (chosen->count < all)
        ub_text_add(&who, "%zu of %zu models, evenly chosen", chosen->count, all);
    else
        ub_text_add(&who, "each model");
    return who.data;
}

static struct spectra_group group_of(const struct study *study, const struct ub_rows *rows,
                                     const char *name)
{
    static const char *const model[] = {"model", "model.*", NULL};
    static const char *const *const rungs[] = {model, NULL};
    size_t all;
    struct ub_rows chosen = choose_models(study->frame, rows, &all);
    struct ub_factor models = ub_factor_new(study->frame, &chosen, rungs, MOST_MODELS);
    struct spectra_group g = {.study = study,
                              .count = chosen.count,
                              .name = ub_strdup(name),
                              .who = who_of(study->frame, &chosen, all)};
    for (size_t i = 0; i < g.count; i++) {
        g.run[i] = chosen.row[i];
        g.model[i] = ub_strdup(models.name[models.of[chosen.row[i]]]);
    }
    ub_factor_clear(&models);
    ub_rows_clear(&chosen);
    return g;
}

/* Group indices: first one of every dataset and loss, then those of their other optimizers. */
static size_t *order_of(const struct ub_frame *frame, const struct ub_rows *rows,
                        const struct ub_factor *groups)
{
    static const char *const task[] = {"dataset", "dataset.*", "data", "loss", "loss.*", NULL};
    struct ub_groups tasks = ub_frame_group_by(frame, rows, task);
    size_t *order = ub_calloc(groups->groups.count + 1, sizeof *order), n = 0;
    bool *leads = ub_calloc(groups->groups.count + 1, sizeof *leads);
    for (size_t t = 0; t < tasks.count; t++) {
        order[n] = groups->of[tasks.group[t].row[0]];
        leads[order[n++]] = true;
    }
    for (size_t g = 0; g < groups->groups.count; g++)
        if (!leads[g])
            order[n++] = g;
    ub_free(leads);
    ub_groups_clear(&tasks);
    return order;
}

struct spectra_groups spectra_groups_of(const struct study *study, size_t most)
{
    static const char *const by[] = {"dataset", "dataset.*", "data", "loss",
                                     "loss.*",  "optimizer", NULL};
    static const char *const *const rungs[] = {by, NULL};
    struct ub_rows rows = ub_frame_where(study->frame, NULL, has_spectra, NULL);
    struct ub_factor all = ub_factor_new(study->frame, &rows, rungs, SIZE_MAX);
    size_t *order = order_of(study->frame, &rows, &all);
    struct spectra_groups out = {0};
    struct ub_text rest = {0};
    out.group = ub_calloc(all.groups.count + 1, sizeof *out.group);
    for (size_t i = 0; i < all.groups.count; i++) {
        const size_t g = order[i];
        if (out.count < most)
            out.group[out.count++] = group_of(study, &all.groups.group[g], all.name[g]);
        else
            ub_text_add(&rest, "%s%s", rest.length ? "; " : "", all.name[g]);
    }
    out.rest = rest.data;
    ub_free(order);
    ub_factor_clear(&all);
    ub_rows_clear(&rows);
    return out;
}

void spectra_group_clear(struct spectra_group *g)
{
    for (size_t i = 0; i < g->count; i++)
        ub_free(g->model[i]);
    ub_free(g->name);
    ub_free(g->who);
}

void spectra_groups_clear(struct spectra_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        spectra_group_clear(&groups->group[i]);
    ub_free(groups->group);
    ub_free(groups->rest);
}

/* ---- what they have ------------------------------------------------------------------------- */

const struct ub_trace *group_trace(const struct spectra_group *g, size_t i)
{
    return ub_frame_trace(g->study->frame, g->run[i]);
}

const char *group_model(const struct spectra_group *g, size_t i)
{
    return g->model[i];
}

struct labels group_kinds(const struct spectra_group *g, enum matrix_family family, bool layers)
{
    struct labels kinds = {0};
    for (size_t i = 0; i < g->count; i++) {
        struct matrices set = matrices_of(group_trace(g, i));
        for (size_t k = 0; k < set.count; k++)
            if (set.matrix[k].family == family && (*set.matrix[k].layer != '\0') == layers)
                labels_add(&kinds, set.matrix[k].kind);
        matrices_clear(&set);
    }
    return kinds;
}

struct labels group_titles(const struct spectra_group *g, const char *prefix)
{
    struct labels kinds = {0};
    for (size_t i = 0; i < g->count; i++) {
        const struct ub_trace *trace = group_trace(g, i);
        for (size_t k = 0; k < trace->n_names; k++) {
            const char *title = after(trace->names[k], prefix);
            char *kind, *layer;
            if (!title)
                continue;
            title_split(title, &kind, &layer);
            labels_add(&kinds, kind);
            ub_free(kind);
            ub_free(layer);
        }
    }
    return kinds;
}

size_t models_with(const struct spectra_group *g, const char *kind, size_t out[MOST_MODELS])
{
    size_t n = 0;
    for (size_t i = 0; i < g->count; i++) {
        struct matrices set = matrices_of(group_trace(g, i));
        bool has = false;
        for (size_t k = 0; k < set.count; k++)
            has = has || strcmp(set.matrix[k].kind, kind) == 0;
        if (has)
            out[n++] = i;
        matrices_clear(&set);
    }
    return n;
}
