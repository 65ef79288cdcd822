/* Reading traces, and grouping runs into systems. */
#include "report/laws/study.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- labels ----------------------------------------------------------------------------- */

size_t labels_find(const struct labels *set, const char *text)
{
    size_t i = 0;
    while (i < set->count && strcmp(set->text[i], text) != 0)
        i++;
    return i;
}

size_t labels_add(struct labels *set, const char *text)
{
    const size_t found = labels_find(set, text);
    if (found < set->count)
        return found;
    set->text = ub_realloc(set->text, (set->count + 1) * sizeof *set->text);
    set->text[set->count] = ub_strdup(text);
    return set->count++;
}

void labels_free(struct labels *set)
{
    for (size_t i = 0; i < set->count; i++)
        ub_free(set->text[i]);
    ub_free(set->text);
    *set = (struct labels){0};
}

const char *dataset_label(const struct ub_run_spec *spec)
{
    return spec->dataset_label ? spec->dataset_label : spec->dataset;
}

const char *model_label(const struct ub_run_spec *spec)
{
    return spec->model_label ? spec->model_label : spec->model;
}

const char *optimizer_label(const struct ub_run_spec *spec)
{
    return spec->optimizer_label ? spec->optimizer_label : spec->optimizer;
}

char *call_name(const char *call)
{
    char *name = ub_strdup(call);
    name[strcspn(name, ":")] = '\0';
    return name;
}

char *system_label(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    char mark[UB_DATA_MARK];
    ub_text_add(&text, "%s %s %s %s", dataset_label(spec), model_label(spec), spec->loss,
                optimizer_label(spec));
    const char *init = spec->init_label ? spec->init_label : spec->init;
    if (strcmp(init, "pytorch") != 0)
        ub_text_add(&text, " %s", init);
    if (spec->double_precision)
        ub_text_add(&text, " f64");
    ub_text_add(&text, " steps=%" PRId64, spec->steps);
    ub_run_spec_data_mark(spec, mark);
    ub_text_add(&text, "%s%s", *mark ? " " : "", mark);
    return text.data;
}

/* ---- systems ---------------------------------------------------------------------------- */

bool same_system(const struct ub_run_spec *a, const struct ub_run_spec *b)
{
    return strcmp(a->dataset, b->dataset) == 0 && strcmp(a->model, b->model) == 0 &&
           strcmp(a->loss, b->loss) == 0 && strcmp(a->init, b->init) == 0 &&
           strcmp(a->optimizer, b->optimizer) == 0 && a->steps == b->steps &&
           a->double_precision == b->double_precision && ub_run_spec_same_files(a, b);
}

static size_t system_of(struct study *study, size_t run)
{
    const struct ub_run *runs = study->store->runs;
    for (size_t s = 0; s < study->n_systems; s++)
        if (same_system(&runs[study->first_of[s]].spec, &runs[run].spec))
            return s;
    study->first_of[study->n_systems] = run;
    return study->n_systems++;
}

/* A failed run may have been cut off before it wrote a trace; any other left one. */
static bool read_trace(struct study *study, size_t i, struct ub_error *err)
{
    const struct ub_run *run = &study->store->runs[i];
    if (run->status == UB_RUN_MISSING || run->status == UB_RUN_FAILED)
        return true;
    study->traces[i] = ub_trace_read(study->store, run, err);
    return study->traces[i] != NULL;
}

static bool judge_laws(struct study *study, struct ub_error *err)
{
    size_t n = 0;
    study->frame = ub_frame_new(study->store, err);
    if (!study->frame)
        return false;
    while (ub_laws[n])
        n++;
    study->laws = ub_calloc(n + 1, sizeof *study->laws);
    for (size_t i = 0; i < n; i++) {
        struct ub_law_verdict *v = ub_law_verdict_new(ub_laws[i], study->frame);
        if (v)
            study->laws[study->n_laws++] = v;
    }
    return true;
}

struct study *study_new(const struct ub_store *store, struct ub_error *err)
{
    struct study *study = ub_calloc(1, sizeof *study);
    study->store = store;
    study->traces = ub_calloc(store->count + 1, sizeof(struct ub_trace *));
    study->system_of = ub_calloc(store->count + 1, sizeof(size_t));
    study->first_of = ub_calloc(store->count + 1, sizeof(size_t));
    for (size_t i = 0; i < store->count; i++) {
        study->system_of[i] = system_of(study, i);
        if (!read_trace(study, i, err)) {
            study_free(study);
            return NULL;
        }
    }
    if (judge_laws(study, err))
        return study;
    study_free(study);
    return NULL;
}

void study_free(struct study *study)
{
    if (!study)
        return;
    for (size_t i = 0; i < study->store->count; i++)
        ub_trace_free(study->traces[i]);
    for (size_t i = 0; i < study->n_laws; i++)
        ub_law_verdict_free(study->laws[i]);
    ub_free(study->laws);
    ub_frame_free(study->frame);
    ub_free(study->traces);
    ub_free(study->system_of);
    ub_free(study->first_of);
    ub_free(study);
}

/* ---- traces ----------------------------------------------------------------------------- */

bool has_series(const struct ub_trace *trace, const char *observable)
{
    for (size_t i = 0; trace && i < trace->n_names; i++)
        if (strcmp(trace->names[i], observable) == 0)
            return true;
    return false;
}

double last_value(const struct ub_trace *trace, const char *observable, int64_t index)
{
    double last = (double)NAN;
    for (size_t i = 0; trace && i < trace->count; i++)
        if (trace->index[i] == index && strcmp(trace->observable[i], observable) == 0 &&
            isfinite(trace->value[i]))
            last = trace->value[i];
    return last;
}
