/* Names for people, and what traces have by name. */
#include "report/frame/names.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- sets ------------------------------------------------------------------------------- */

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

/* ---- specs ------------------------------------------------------------------------------ */

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

char *system_label(const struct ub_run_spec *spec)
{
    struct ub_text text = {0};
    char mark[UB_DATA_MARK];
    ub_text_add(&text, "%s %s %s %s", dataset_label(spec), model_label(spec), spec->loss,
                optimizer_label(spec));
    const char *init = spec->init_label ? spec->init_label : spec->init;
    if (strcmp(init, "pytorch") != 0)
        ub_text_add(&text, " %s", init);
    if (spec->precision != UB_F32)
        ub_text_add(&text, " %s", ub_precision_name(spec->precision));
    ub_text_add(&text, " steps=%" PRId64, spec->steps);
    ub_run_spec_data_mark(spec, mark);
    ub_text_add(&text, "%s%s", *mark ? " " : "", mark);
    return text.data;
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
