/* One block of a suite: the cartesian product of its axes, less what it excludes. */
#include "bench/suite/axes.h"
#include "bench/suite/private.h"
#include "bench/suite/words.h"

#include <stdlib.h>
#include <string.h>

bool ub_check_block_keys(const struct ub_yaml *map, struct ub_error *err)
{
    static const char *const others[] = {"measure",  "timeout", "exclude",
                                         "optional", "control", "with"};
    enum { OTHERS = sizeof others / sizeof *others };
    const char *keys[UB_RUN_AXES + OTHERS];
    for (int i = 0; i < UB_RUN_AXES; i++)
        keys[i] = ub_run_axis_nested(i)->name;
    for (int i = 0; i < OTHERS; i++)
        keys[UB_RUN_AXES + i] = others[i];
    return ub_check_keys(map, keys, UB_RUN_AXES + OTHERS, "key", err);
}

/* Axes stand in the order in which suites nest them. */
struct block {
    const struct ub_yaml *node;
    struct ub_axis_values axis[UB_RUN_AXES];
    struct ub_run_spec measured; /* only its measures are set */
    double timeout;
    bool optional;
    char *control;                 /* NULL: none */
    const struct ub_yaml *exclude; /* NULL: none */
    size_t *dropped;               /* cells dropped by each exclusion */
    const char *path;              /* the suite's copy */
};

/* ---- exclusions ------------------------------------------------------------------------- */

static bool value_matches(const struct ub_axis_value *value, const char *pattern)
{
    size_t name = strcspn(value->text, ":");
    if (strlen(pattern) == name && strncmp(pattern, value->text, name) == 0)
        return true;
    return ub_glob(pattern, value->text) || (value->label && ub_glob(pattern, value->label));
}

static bool check_axes(const struct ub_yaml *rule, struct ub_error *err)
{
    const char *names[UB_RUN_AXES];
    for (int i = 0; i < UB_RUN_AXES; i++)
        names[i] = ub_run_axis_nested(i)->name;
    return ub_check_keys(rule, names, UB_RUN_AXES, "axis", err);
}

static int axis_index(const char *name)
{
    const struct ub_run_axis *axis = ub_run_axis_find(name);
    return axis ? axis->nesting : -1;
}

static bool entry_matches(const struct ub_axis_value *value, const struct ub_yaml *patterns)
{
    if (patterns->kind == UB_YAML_SCALAR)
        return value_matches(value, patterns->text);
    for (size_t i = 0; i < patterns->count; i++)
        if (value_matches(value, patterns->items[i]->text))
            return true;
    return false;
}

static bool rule_matches(const struct block *b, const struct ub_yaml *rule,
                         const size_t at[UB_RUN_AXES])
{
    for (size_t i = 0; i < rule->count; i++) {
        int axis = axis_index(rule->keys[i]);
        if (!entry_matches(&b->axis[axis].value[at[axis]], rule->items[i]))
            return false;
    }
    return true;
}

static bool is_excluded(const struct block *b, const size_t at[UB_RUN_AXES])
{
    for (size_t i = 0; b->exclude && i < b->exclude->count; i++)
        if (rule_matches(b, b->exclude->items[i], at)) {
            b->dropped[i]++;
            return true;
        }
    return false;
}

static bool check_entry(const struct ub_yaml *entry, const char *key, struct ub_error *err)
{
    bool good = entry->kind == UB_YAML_SCALAR || (entry->kind == UB_YAML_LIST && entry->count > 0);
    for (size_t i = 0; good && entry->kind == UB_YAML_LIST && i < entry->count; i++)
        good = entry->items[i]->kind == UB_YAML_SCALAR;
    return good || ub_fail(err, UB_INPUT, "%s:%d: expected a name or glob of '%s', or a list",
                           entry->path, entry->line, key);
}

static bool check_rules(const struct ub_yaml *exclude, struct ub_error *err)
{
    if (exclude->kind != UB_YAML_LIST)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: 'exclude' is no list; expected maps, as in - {model: linear}",
                       exclude->path, exclude->line);
    for (size_t i = 0; i < exclude->count; i++) {
        const struct ub_yaml *rule = exclude->items[i];
        if (rule->kind != UB_YAML_MAP || rule->count == 0)
            return ub_fail(err, UB_INPUT, "%s:%d: expected a map of axes, as in {model: linear}",
                           rule->path, rule->line);
        if (!check_axes(rule, err))
            return false;
        for (size_t j = 0; j < rule->count; j++)
            if (!check_entry(rule->items[j], rule->keys[j], err))
                return false;
    }
    return true;
}

/* A rule that drops nothing is most likely misspelt. */
static bool rules_used(const struct block *b, struct ub_error *err)
{
    bool inherited = b->exclude && !ub_yaml_find(b->node, "exclude");
    for (size_t i = 0; b->exclude && !inherited && i < b->exclude->count; i++)
        if (b->dropped[i] == 0)
            return ub_fail(err, UB_INPUT,
                           "%s:%d: this excludes nothing; expected values that the block has",
                           b->exclude->path, b->exclude->items[i]->line);
    return true;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool set_measures(struct ub_run_spec *spec, const struct ub_words *words, const char *path,
                         struct ub_error *err)
{
    char **where = ub_calloc(words->count + 1, sizeof *where);
    for (size_t i = 0; i < words->count; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "%s:%d", path, words->line[i]);
        where[i] = text.data;
    }
    bool good = ub_spec_set_measures(spec, (const char *const *)words->text,
                                     (const char *const *)where, words->count, err);
    for (size_t i = 0; i < words->count; i++)
        ub_free(where[i]);
    ub_free(where);
    return good;
}

static bool read_measures(struct block *b, const struct ub_yaml *defaults, struct ub_error *err)
{
    const struct ub_yaml *node = ub_block_setting(b->node, defaults, "measure");
    struct ub_words words = {0};
    bool good = node ? ub_words_measures(node, &words, err)
                     : ub_words_add(&words, ub_strdup("loss"), b->node, err);
    good = good && set_measures(&b->measured, &words, b->node->path, err);
    ub_words_clear(&words);
    return good;
}

static bool read_timeout(struct block *b, const struct ub_yaml *defaults, struct ub_error *err)
{
    const struct ub_yaml *node = ub_block_setting(b->node, defaults, "timeout");
    if (!node)
        return true;
    if (node->kind == UB_YAML_SCALAR && ub_read_real(node->text, &b->timeout) && b->timeout > 0)
        return true;
    return ub_fail(err, UB_INPUT, "%s:%d: timeout is '%s'; expected one number of seconds above 0",
                   node->path, node->line, node->kind == UB_YAML_SCALAR ? node->text : "a list");
}

static bool read_optional(struct block *b, const struct ub_yaml *defaults, struct ub_error *err)
{
    const struct ub_yaml *node = ub_block_setting(b->node, defaults, "optional");
    const char *text = !node ? "false" : node->kind == UB_YAML_SCALAR ? node->text : "a list";
    b->optional = strcmp(text, "true") == 0;
    return b->optional || strcmp(text, "false") == 0 ||
           ub_fail(err, UB_INPUT, "%s:%d: optional is '%s'; expected true or false", node->path,
                   node->line, text);
}

static bool read_exclude(struct block *b, const struct ub_yaml *defaults, struct ub_error *err)
{
    b->exclude = ub_block_setting(b->node, defaults, "exclude");
    if (!b->exclude)
        return true;
    b->dropped = ub_calloc(b->exclude->count + 1, sizeof *b->dropped);
    return check_rules(b->exclude, err);
}

static bool read_control(struct ub_suite *suite, struct block *b, const struct ub_yaml *defaults,
                         struct ub_error *err)
{
    const struct ub_yaml *node = ub_block_setting(b->node, defaults, "control");
    return ub_control_read(&suite->controls, node, &b->control, err);
}

static bool read_block(struct ub_suite *suite, struct block *b, const struct ub_yaml *defaults,
                       struct ub_error *err)
{
    if (b->node->kind != UB_YAML_MAP)
        return ub_fail(err, UB_INPUT, "%s:%d: expected a block: a map with dataset, model, ...",
                       b->node->path, b->node->line);
    if (!ub_check_block_keys(b->node, err))
        return false;
    for (int i = 0; i < UB_RUN_AXES; i++)
        if (!ub_axis_read(ub_run_axis_nested(i), b->node, defaults, &b->axis[i], err))
            return false;
    return read_measures(b, defaults, err) && read_timeout(b, defaults, err) &&
           read_optional(b, defaults, err) && read_exclude(b, defaults, err) &&
           read_control(suite, b, defaults, err);
}

/* ---- product ---------------------------------------------------------------------------- */

static void add_cell(struct ub_suite *suite, const struct block *b, const size_t at[UB_RUN_AXES])
{
    struct ub_run_spec spec = ub_run_spec_copy(&b->measured);
    for (int i = 0; i < UB_RUN_AXES; i++)
        ub_axis_assign(&spec, ub_run_axis_nested(i), &b->axis[i].value[at[i]]);
    suite->cells[suite->count++] =
        (struct ub_suite_cell){.spec = spec,
                               .timeout = b->timeout,
                               .control = b->control ? ub_strdup(b->control) : NULL,
                               .path = b->path,
                               .line = b->node->line,
                               .optional = b->optional};
}

static bool advance(const struct block *b, size_t at[UB_RUN_AXES])
{
    for (int i = UB_RUN_AXES - 1; i >= 0; i--) {
        if (++at[i] < b->axis[i].count)
            return true;
        at[i] = 0;
    }
    return false;
}

static bool add_cells(struct ub_suite *suite, const struct block *b, struct ub_error *err)
{
    size_t product = 1;
    for (int i = 0; i < UB_RUN_AXES; i++) {
        product *= b->axis[i].count; /* each factor and the running product stay <= the limit */
        if (product > UB_SUITE_LIMIT - suite->count)
            return ub_fail(err, UB_INPUT, "%s:%d: more than %d runs in this suite; expected fewer",
                           b->node->path, b->node->line, UB_SUITE_LIMIT);
    }
    suite->cells = ub_realloc(suite->cells, (suite->count + product + 1) * sizeof *suite->cells);
    size_t at[UB_RUN_AXES] = {0};
    do {
        if (is_excluded(b, at))
            suite->excluded++;
        else
            add_cell(suite, b, at);
    } while (advance(b, at));
    return rules_used(b, err);
}

bool ub_suite_add_block(struct ub_suite *suite, const struct ub_yaml *block,
                        const struct ub_yaml *defaults, struct ub_error *err)
{
    struct block b = {.node = block, .path = ub_suite_keep_path(suite, block->path)};
    bool good = read_block(suite, &b, defaults, err) && add_cells(suite, &b, err);
    for (int i = 0; i < UB_RUN_AXES; i++)
        ub_axis_clear(&b.axis[i]);
    ub_run_spec_clear(&b.measured);
    ub_free(b.dropped);
    ub_free(b.control);
    return good;
}
