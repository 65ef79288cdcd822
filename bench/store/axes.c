#include "bench/store/axes.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define FIELD(NAME) offsetof(struct ub_run_spec, NAME)

const struct ub_run_axis ub_run_axes[UB_RUN_AXES] = {
    {.name = "dataset",
     .kind = UB_AXIS_CALL,
     .field = FIELD(dataset),
     .label = FIELD(dataset_label),
     .nesting = 0,
     .meaning = "what is learned: canonical call"},
    {.name = "data-seed",
     .kind = UB_AXIS_SEED,
     .field = FIELD(data_seed),
     .fallback = "0",
     .most = INT64_MAX,
     .expected = "a whole number, 0 or more",
     .nesting = 1,
     .meaning = "of generated values, subset and split"},
    {.name = "model",
     .kind = UB_AXIS_CALL,
     .field = FIELD(model),
     .label = FIELD(model_label),
     .nesting = 2,
     .meaning = "canonical call"},
    {.name = "loss",
     .kind = UB_AXIS_CALL,
     .field = FIELD(loss),
     .nesting = 3,
     .meaning = "canonical call"},
    {.name = "init",
     .kind = UB_AXIS_CALL,
     .field = FIELD(init),
     .label = FIELD(init_label),
     .fallback = "pytorch",
     .nesting = 4,
     .meaning = "initial weights: canonical call"},
    {.name = "optimizer",
     .kind = UB_AXIS_CALL,
     .field = FIELD(optimizer),
     .label = FIELD(optimizer_label),
     .nesting = 6,
     .meaning = "canonical call"},
    {.name = "steps",
     .kind = UB_AXIS_COUNT,
     .field = FIELD(steps),
     .least = 1,
     .most = 1000000000,
     .expected = "a whole number from 1 to 1000000000",
     .nesting = 7,
     .meaning = "steps asked for"},
    {.name = "seed",
     .kind = UB_AXIS_SEED,
     .field = FIELD(seed),
     .fallback = "0",
     .most = INT64_MAX,
     .expected = "a whole number, 0 or more",
     .nesting = 9,
     .meaning = "of initial weights and probe vectors"},
    {.name = "precision",
     .kind = UB_AXIS_PRECISION,
     .field = FIELD(precision),
     .fallback = "f32",
     .expected = UB_PRECISIONS,
     .nesting = 5,
     .meaning = "of the computation: f32, f64, or bf16x3 (f32 but for large products)"},
    {.name = "save-weights",
     .kind = UB_AXIS_CHOICE,
     .field = FIELD(save_weights),
     .fallback = "false",
     .no = "false",
     .yes = "true",
     .expected = "true or false",
     .nesting = 8,
     .meaning = "whether the run keeps its weights"},
};

const struct ub_run_axis *ub_run_axis_find(const char *name)
{
    for (size_t i = 0; i < UB_RUN_AXES; i++)
        if (strcmp(ub_run_axes[i].name, name) == 0)
            return &ub_run_axes[i];
    return NULL;
}

const struct ub_run_axis *ub_run_axis_nested(int nesting)
{
    size_t i = 0;
    while (ub_run_axes[i].nesting != nesting)
        i++;
    return &ub_run_axes[i];
}

static void *at(const struct ub_run_spec *spec, size_t offset)
{
    return (char *)(uintptr_t)spec + offset;
}

char **ub_run_axis_call(struct ub_run_spec *spec, const struct ub_run_axis *axis)
{
    return axis->kind == UB_AXIS_CALL ? at(spec, axis->field) : NULL;
}

char **ub_run_axis_label(struct ub_run_spec *spec, const struct ub_run_axis *axis)
{
    return axis->label ? at(spec, axis->label) : NULL;
}

const char *ub_label_column(const struct ub_run_axis *axis, char out[UB_LABEL_COLUMN])
{
    snprintf(out, UB_LABEL_COLUMN, "%s-label", axis->name);
    return out;
}

void ub_run_axis_text(const struct ub_run_spec *spec, const struct ub_run_axis *axis,
                      struct ub_text *out)
{
    const void *field = at(spec, axis->field);
    const char *call;
    switch (axis->kind) {
    case UB_AXIS_CALL:
        call = *(char *const *)field;
        ub_text_add(out, "%s", call ? call : "");
        break;
    case UB_AXIS_COUNT:
        ub_text_add(out, "%" PRId64, *(const int64_t *)field);
        break;
    case UB_AXIS_SEED:
        ub_text_add(out, "%" PRIu64, *(const uint64_t *)field);
        break;
    case UB_AXIS_PRECISION:
        ub_text_add(out, "%s", ub_precision_name(*(const enum ub_precision *)field));
        break;
    default:
        ub_text_add(out, "%s", *(const bool *)field ? axis->yes : axis->no);
    }
}

bool ub_run_axis_set(struct ub_run_spec *spec, const struct ub_run_axis *axis, const char *text)
{
    void *field = at(spec, axis->field);
    int64_t number;
    if (axis->kind == UB_AXIS_CALL) {
        ub_free(*(char **)field);
        *(char **)field = ub_strdup(text);
        return *text != '\0';
    }
    if (axis->kind == UB_AXIS_PRECISION)
        return ub_precision_find(text, field);
    if (axis->kind == UB_AXIS_CHOICE) {
        *(bool *)field = strcmp(text, axis->yes) == 0;
        return *(bool *)field || strcmp(text, axis->no) == 0;
    }
    if (!ub_read_int(text, &number) || number < 0)
        return false;
    if (axis->kind == UB_AXIS_COUNT)
        *(int64_t *)field = number;
    else
        *(uint64_t *)field = (uint64_t)number;
    return true;
}
