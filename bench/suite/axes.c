/* One axis of a block: its values, checked with the registries. */
#include "bench/suite/axes.h"
#include "bench/observables/observables.h"
#include "bench/suite/words.h"
#include "systems/systems.h"

#include <stdlib.h>
#include <string.h>

enum axis_kind { CALLS, INTEGERS, CHOICES };

static const struct axis {
    enum axis_kind kind;
    const char *fallback; /* NULL: a block must have it */
    const char *expected;
    int64_t least, most; /* INTEGERS */
} axes[UB_AXES] = {
    {.kind = CALLS},
    {INTEGERS, "0", "a whole number, 0 or more", 0, INT64_MAX},
    {.kind = CALLS},
    {.kind = CALLS},
    {.kind = CALLS, .fallback = "pytorch"},
    {.kind = CHOICES, .fallback = "f32", .expected = "f32 or f64"},
    {.kind = CALLS},
    {INTEGERS, NULL, "a whole number from 1 to 1000000000", 1, 1000000000},
    {.kind = CHOICES, .fallback = "false", .expected = "true or false"},
    {INTEGERS, "0", "a whole number, 0 or more", 0, INT64_MAX},
};
const char *const ub_axis_names[UB_AXES] = {"dataset",      "data-seed", "model",     "loss",
                                            "init",         "precision", "optimizer", "steps",
                                            "save-weights", "seed"};

static char **label_slot(struct ub_run_spec *spec, const char *axis)
{
    if (strcmp(axis, "dataset") == 0)
        return &spec->dataset_label;
    if (strcmp(axis, "model") == 0)
        return &spec->model_label;
    if (strcmp(axis, "init") == 0)
        return &spec->init_label;
    if (strcmp(axis, "optimizer") == 0)
        return &spec->optimizer_label;
    return NULL;
}

static struct ub_axis_value canonical_call(const char *axis, const char *text, const char *where,
                                           struct ub_error *err)
{
    const struct ub_registry *const registries[] = {&ub_model_registry, &ub_loss_registry,
                                                    &ub_init_registry, &ub_optimizer_registry};
    struct ub_axis_value value = {0};
    if (strcmp(axis, "dataset") == 0)
        value.text = ub_dataset_canonical(text, where, &value.label, err);
    for (size_t i = 0; i < sizeof registries / sizeof *registries; i++)
        if (strcmp(registries[i]->what, axis) == 0)
            value.text = ub_registry_canonical(registries[i], text, where, &value.label, err);
    return value;
}

void ub_axis_assign(struct ub_run_spec *spec, const char *axis, const struct ub_axis_value *value)
{
    ub_run_spec_set(spec, axis, value->text);
    char **label = label_slot(spec, axis);
    if (!label)
        return;
    ub_free(*label);
    *label = value->label ? ub_strdup(value->label) : NULL;
}

bool ub_spec_set_call(struct ub_run_spec *spec, const char *axis, const char *text,
                      const char *where, struct ub_error *err)
{
    struct ub_axis_value value = canonical_call(axis, text, where, err);
    if (!value.text)
        return false;
    ub_axis_assign(spec, axis, &value);
    ub_free(value.text);
    ub_free(value.label);
    return true;
}

/* ---- observables ------------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_new(char *const *titles, size_t last, const char *where, struct ub_error *err)
{
    for (size_t i = 0; i < last; i++)
        if (strcmp(titles[i], titles[last]) == 0)
            return ub_fail(err, UB_INPUT, "%s: '%s' is measured twice; expected it once", where,
                           titles[last]);
    return true;
}

bool ub_spec_set_measures(struct ub_run_spec *spec, const char *const *texts,
                          const char *const *where, size_t count, struct ub_error *err)
{
    char **canonical = ub_calloc(count + 1, sizeof *canonical);
    char **titles = ub_calloc(count + 1, sizeof *titles);
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        canonical[i] = ub_observable_canonical(texts[i], where[i], NULL, err);
        titles[i] = canonical[i] ? ub_observable_title(texts[i], where[i], err) : NULL;
        good = titles[i] && is_new(titles, i, where[i], err);
    }
    for (size_t i = 0; i < count; i++)
        ub_free(titles[i]);
    ub_free(titles);
    if (good) {
        qsort(canonical, count, sizeof *canonical, compare_texts);
        spec->measures = canonical;
        spec->n_measures = count;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        ub_free(canonical[i]);
    ub_free(canonical);
    return false;
}

/* ---- reading ---------------------------------------------------------------------------- */

const struct ub_yaml *ub_block_setting(const struct ub_yaml *block, const struct ub_yaml *defaults,
                                       const char *key)
{
    const struct ub_yaml *own = ub_yaml_find(block, key);
    return own || !defaults ? own : ub_yaml_find(defaults, key);
}

void ub_axis_clear(struct ub_axis_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        ub_free(values->value[i].text);
        ub_free(values->value[i].label);
    }
    ub_free(values->value);
    *values = (struct ub_axis_values){0};
}

static bool plain_value(int axis, const char *text, const char *where, struct ub_error *err)
{
    struct ub_run_spec scratch = {0};
    int64_t number;
    bool whole = axes[axis].kind == INTEGERS;
    if (whole &&
        (!ub_read_int(text, &number) || number < axes[axis].least || number > axes[axis].most))
        return ub_fail(err, UB_INPUT, "%s: %s is '%s'; expected %s", where, ub_axis_names[axis],
                       text, axes[axis].expected);
    if (ub_run_spec_set(&scratch, ub_axis_names[axis], text))
        return true;
    return ub_fail(err, UB_INPUT, "%s: %s is '%s'; expected %s", where, ub_axis_names[axis], text,
                   axes[axis].expected);
}

static bool check_values(int axis, const struct ub_words *words, const char *path,
                         struct ub_axis_values *out, struct ub_error *err)
{
    out->value = ub_calloc(words->count, sizeof *out->value);
    bool good = true;
    for (size_t i = 0; good && i < words->count; i++) {
        struct ub_text where = {0};
        ub_text_add(&where, "%s:%d", path, words->line[i]);
        struct ub_axis_value *value = &out->value[out->count++];
        if (axes[axis].kind == CALLS)
            *value = canonical_call(ub_axis_names[axis], words->text[i], where.data, err);
        else if (plain_value(axis, words->text[i], where.data, err))
            value->text = ub_strdup(words->text[i]);
        good = value->text != NULL;
        ub_text_free(&where);
    }
    return good;
}

bool ub_axis_read(int axis, const struct ub_yaml *block, const struct ub_yaml *defaults,
                  struct ub_axis_values *out, struct ub_error *err)
{
    const char *name = ub_axis_names[axis];
    const struct ub_yaml *node = ub_block_setting(block, defaults, name);
    if (!node && !axes[axis].fallback)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: this block has no '%s'; expected dataset, model, loss, optimizer "
                       "and steps, here or in 'defaults'",
                       block->path, block->line, name);
    struct ub_words words = {0};
    bool good;
    if (!node)
        good = ub_words_add(&words, ub_strdup(axes[axis].fallback), block, err);
    else if (axes[axis].kind == CALLS)
        good = ub_words_calls(node, name, &words, err);
    else
        good = ub_words_scalars(node, name, axes[axis].kind == INTEGERS, &words, err);
    good = good && check_values(axis, &words, block->path, out, err);
    ub_words_clear(&words);
    return good;
}
