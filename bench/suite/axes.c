/* One axis of a block: its values, checked with the registries. */
#include "bench/suite/axes.h"
#include "bench/observables/observables.h"
#include "bench/suite/words.h"
#include "systems/systems.h"

#include <stdlib.h>
#include <string.h>

static struct ub_axis_value canonical_call(const char *axis, const char *text, const char *where,
                                           struct ub_error *err)
{
    struct ub_axis_value value = {0};
    value.text = ub_registry_canonical(ub_system_registry(axis), text, where, &value.label, err);
    return value;
}

void ub_axis_assign(struct ub_run_spec *spec, const struct ub_run_axis *axis,
                    const struct ub_axis_value *value)
{
    ub_run_axis_set(spec, axis, value->text);
    char **label = ub_run_axis_label(spec, axis);
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
    ub_axis_assign(spec, ub_run_axis_find(axis), &value);
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

static bool is_whole(const struct ub_run_axis *axis)
{
    return axis->kind == UB_AXIS_COUNT || axis->kind == UB_AXIS_SEED;
}

static bool plain_value(const struct ub_run_axis *axis, const char *text, const char *where,
                        struct ub_error *err)
{
    struct ub_run_spec scratch = {0};
    int64_t number;
    if ((!is_whole(axis) ||
         (ub_read_int(text, &number) && number >= axis->least && number <= axis->most)) &&
        ub_run_axis_set(&scratch, axis, text))
        return true;
    return ub_fail(err, UB_INPUT, "%s: %s is '%s'; expected %s", where, axis->name, text,
                   axis->expected);
}

static bool check_values(const struct ub_run_axis *axis, const struct ub_words *words,
                         const char *path, struct ub_axis_values *out, struct ub_error *err)
{
    out->value = ub_calloc(words->count, sizeof *out->value);
    bool good = true;
    for (size_t i = 0; good && i < words->count; i++) {
        struct ub_text where = {0};
        ub_text_add(&where, "%s:%d", path, words->line[i]);
        struct ub_axis_value *value = &out->value[out->count++];
        if (axis->kind == UB_AXIS_CALL)
            *value = canonical_call(axis->name, words->text[i], where.data, err);
        else if (plain_value(axis, words->text[i], where.data, err))
            value->text = ub_strdup(words->text[i]);
        good = value->text != NULL;
        ub_text_free(&where);
    }
    return good;
}

bool ub_axis_read(const struct ub_run_axis *axis, const struct ub_yaml *block,
                  const struct ub_yaml *defaults, struct ub_axis_values *out, struct ub_error *err)
{
    const struct ub_yaml *node = ub_block_setting(block, defaults, axis->name);
    if (!node && !axis->fallback)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: this block has no '%s'; expected dataset, model, loss, optimizer "
                       "and steps, here or in 'defaults'",
                       block->path, block->line, axis->name);
    struct ub_words words = {0};
    bool good;
    if (!node)
        good = ub_words_add(&words, ub_strdup(axis->fallback), block, err);
    else if (axis->kind == UB_AXIS_CALL)
        good = ub_words_calls(node, axis->name, &words, err);
    else
        good = ub_words_scalars(node, axis->name, is_whole(axis), &words, err);
    good = good && check_values(axis, &words, block->path, out, err);
    ub_words_clear(&words);
    return good;
}
