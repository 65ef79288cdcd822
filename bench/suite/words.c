/* Lists as axes: a node expands to every text that it stands for. */
#include "bench/suite/words.h"

#include <inttypes.h>
#include <string.h>

void ub_words_clear(struct ub_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        ub_free(words->text[i]);
    ub_free(words->text);
    ub_free(words->line);
    *words = (struct ub_words){0};
}

bool ub_words_add(struct ub_words *words, char *text, const struct ub_yaml *from,
                  struct ub_error *err)
{
    if (words->count == UB_SUITE_LIMIT) {
        ub_free(text);
        return ub_fail(err, UB_INPUT, "%s:%d: more than %d values; expected fewer", from->path,
                       from->line, UB_SUITE_LIMIT);
    }
    const size_t n = words->count;
    if ((n & (n - 1)) == 0) { /* room for the next power of two: long ranges are added one by one */
        const size_t room = n ? 2 * n : 1;
        words->text = ub_realloc(words->text, room * sizeof *words->text);
        words->line = ub_realloc(words->line, room * sizeof *words->line);
    }
    words->text[n] = text;
    words->line[n] = from->line;
    words->count = n + 1;
    return true;
}

static bool is_empty(const struct ub_yaml *node)
{
    return node->kind == UB_YAML_SCALAR &&
           (*node->text == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

/* ---- calls ------------------------------------------------------------------------------ */

/* An option's value: a scalar, {edge: 20} = edge(20), or a list of these. */
static bool option_values(const struct ub_yaml *node, const char *key, struct ub_words *out,
                          struct ub_error *err)
{
    if (node->kind == UB_YAML_LIST) {
        if (node->count == 0)
            return ub_fail(err, UB_INPUT, "%s:%d: '%s' is an empty list; expected values",
                           node->path, node->line, key);
        for (size_t i = 0; i < node->count; i++)
            if (!option_values(node->items[i], key, out, err))
                return false;
        return true;
    }
    if (node->kind == UB_YAML_SCALAR) {
        if (is_empty(node) || strchr(node->text, ','))
            return ub_fail(err, UB_INPUT, "%s:%d: '%s: %s'; expected one value, or a list [a, b]",
                           node->path, node->line, key, node->text);
        return ub_words_add(out, ub_strdup(node->text), node, err);
    }
    if (node->count != 1)
        return ub_fail(err, UB_INPUT, "%s:%d: '%s' has %zu entries; expected one, as in {edge: 20}",
                       node->path, node->line, key, node->count);
    struct ub_words inner = {0};
    bool good = option_values(node->items[0], node->keys[0], &inner, err);
    for (size_t i = 0; good && i < inner.count; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "%s(%s)", node->keys[0], inner.text[i]);
        good = ub_words_add(out, text.data, node, err);
    }
    ub_words_clear(&inner);
    return good;
}

/* Every call so far with every value of one more option. */
static bool cross(struct ub_words *calls, const char *key, const struct ub_words *values,
                  bool first, const struct ub_yaml *from, struct ub_error *err)
{
    struct ub_words next = {0};
    bool good = true;
    for (size_t i = 0; good && i < calls->count; i++)
        for (size_t j = 0; good && j < values->count; j++) {
            struct ub_text text = {0};
            ub_text_add(&text, "%s%c%s=%s", calls->text[i], first ? ':' : ',', key,
                        values->text[j]);
            good = ub_words_add(&next, text.data, from, err);
        }
    ub_words_clear(calls);
    *calls = next;
    return good;
}

/* {mlp: {widths: 64x64, activation: [tanh, relu]}} */
static bool map_calls(const struct ub_yaml *node, const char *what, struct ub_words *out,
                      struct ub_error *err)
{
    if (node->count != 1)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: a map of %zu names for '%s'; expected one name with its options, as "
                       "in {name: {option: value}}",
                       node->path, node->line, node->count, what);
    const struct ub_yaml *options = node->items[0];
    bool bare = is_empty(options);
    if (!bare && options->kind != UB_YAML_MAP)
        return ub_fail(err, UB_INPUT, "%s:%d: expected the options of '%s' as a map", options->path,
                       options->line, node->keys[0]);
    struct ub_words calls = {0};
    bool good = ub_words_add(&calls, ub_strdup(node->keys[0]), node, err);
    for (size_t i = 0; good && !bare && i < options->count; i++) {
        struct ub_words values = {0};
        good = option_values(options->items[i], options->keys[i], &values, err) &&
               cross(&calls, options->keys[i], &values, i == 0, node, err);
        ub_words_clear(&values);
    }
    for (size_t i = 0; good && i < calls.count; i++)
        good = ub_words_add(out, ub_strdup(calls.text[i]), node, err);
    ub_words_clear(&calls);
    return good;
}

bool ub_words_calls(const struct ub_yaml *node, const char *what, struct ub_words *out,
                    struct ub_error *err)
{
    if (node->kind == UB_YAML_MAP)
        return map_calls(node, what, out, err);
    if (node->kind == UB_YAML_SCALAR && !is_empty(node))
        return ub_words_add(out, ub_strdup(node->text), node, err);
    if (node->kind == UB_YAML_SCALAR || node->count == 0)
        return ub_fail(err, UB_INPUT, "%s:%d: '%s' is empty; expected a name or a list of them",
                       node->path, node->line, what);
    for (size_t i = 0; i < node->count; i++)
        if (!ub_words_calls(node->items[i], what, out, err))
            return false;
    return true;
}

/* ---- scalars ---------------------------------------------------------------------------- */

/* "0..4" = 0, 1, 2, 3, 4. False when the text is no range at all. */
static bool read_range(const char *text, int64_t *first, int64_t *last)
{
    const char *dots = strstr(text, "..");
    if (!dots)
        return false;
    char *head = ub_strdup(text);
    head[dots - text] = '\0';
    bool good = ub_read_int(head, first) && ub_read_int(dots + 2, last);
    ub_free(head);
    return good;
}

static bool add_range(const struct ub_yaml *node, int64_t first, int64_t last, const char *what,
                      struct ub_words *out, struct ub_error *err)
{
    if (first > last)
        return ub_fail(err, UB_INPUT, "%s:%d: '%s: %s' runs backwards; expected low..high",
                       node->path, node->line, what, node->text);
    for (int64_t i = first;; i++) {
        struct ub_text text = {0};
        ub_text_add(&text, "%" PRId64, i);
        if (!ub_words_add(out, text.data, node, err))
            return false;
        if (i == last)
            return true;
    }
}

bool ub_words_scalars(const struct ub_yaml *node, const char *what, bool ranges,
                      struct ub_words *out, struct ub_error *err)
{
    if (node->kind == UB_YAML_MAP || is_empty(node) ||
        (node->kind == UB_YAML_LIST && node->count == 0))
        return ub_fail(err, UB_INPUT, "%s:%d: expected a value for '%s', or a list of them",
                       node->path, node->line, what);
    if (node->kind == UB_YAML_SCALAR) {
        int64_t first, last;
        if (ranges && read_range(node->text, &first, &last))
            return add_range(node, first, last, what, out, err);
        return ub_words_add(out, ub_strdup(node->text), node, err);
    }
    for (size_t i = 0; i < node->count; i++)
        if (!ub_words_scalars(node->items[i], what, ranges, out, err))
            return false;
    return true;
}

/* ---- measures --------------------------------------------------------------------------- */

/* A list joins with '+': at: [0, 100, end] = 0+100+end. */
static bool joined_value(const struct ub_yaml *node, const char *key, struct ub_text *out,
                         struct ub_error *err)
{
    if (node->kind == UB_YAML_SCALAR && !is_empty(node)) {
        ub_text_add(out, "%s", node->text);
        return true;
    }
    bool good = node->kind == UB_YAML_LIST && node->count > 0;
    for (size_t i = 0; good && i < node->count; i++) {
        good = node->items[i]->kind == UB_YAML_SCALAR && !is_empty(node->items[i]);
        if (good)
            ub_text_add(out, "%s%s", i ? "+" : "", node->items[i]->text);
    }
    return good || ub_fail(err, UB_INPUT, "%s:%d: expected a value of '%s', or a list of values",
                           node->path, node->line, key);
}

static bool add_measure(const char *name, const struct ub_yaml *options, const struct ub_yaml *from,
                        struct ub_words *out, struct ub_error *err)
{
    bool bare = is_empty(options);
    if (!bare && options->kind != UB_YAML_MAP)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: expected the options of '%s' as a map, as in {every: 10}",
                       options->path, options->line, name);
    struct ub_text text = {0};
    ub_text_add(&text, "%s", name);
    bool good = true;
    for (size_t i = 0; good && !bare && i < options->count; i++) {
        ub_text_add(&text, "%c%s=", i ? ',' : ':', options->keys[i]);
        good = joined_value(options->items[i], options->keys[i], &text, err);
    }
    if (good)
        return ub_words_add(out, text.data, from, err);
    ub_text_free(&text);
    return false;
}

bool ub_words_measures(const struct ub_yaml *node, struct ub_words *out, struct ub_error *err)
{
    if (node->kind == UB_YAML_SCALAR && !is_empty(node))
        return ub_words_add(out, ub_strdup(node->text), node, err);
    if (node->kind == UB_YAML_SCALAR)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: 'measure' is empty; expected observables, as in loss: {every: 10}",
                       node->path, node->line);
    for (size_t i = 0; i < node->count; i++) {
        const struct ub_yaml *item = node->items[i];
        bool good = node->kind == UB_YAML_MAP ? add_measure(node->keys[i], item, item, out, err)
                                              : ub_words_measures(item, out, err);
        if (!good)
            return false;
    }
    return true;
}
