/* `with`: a block's variables, whose values are put in the place of $(...) throughout the block. */
#include "bench/suite/expression.h"
#include "bench/suite/private.h"
#include "bench/suite/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- putting values in place ------------------------------------------------------------- */

/* The end of $( ... ), at its parenthesis; NULL when it has none. */
static const char *end_of(const char *inside)
{
    int depth = 1;
    for (; *inside; inside++) {
        depth += (*inside == '(') - (*inside == ')');
        if (depth == 0)
            return inside;
    }
    return NULL;
}

/* A name alone stands for its text, whatever that is. Values are rounded to 12 digits, so that
 * 0.1 * (1 - 0.9) is 0.01: what one would have written. */
static bool add_value(const char *inside, struct ub_variables *variables, struct ub_text *out,
                      struct ub_text *why)
{
    size_t first = strspn(inside, " "), length = strlen(inside);
    while (length > first && inside[length - 1] == ' ')
        length--;
    const char *text = ub_variable_text(variables, inside + first, length - first);
    double value;
    char rounded[UB_REAL_TEXT], number[UB_REAL_TEXT];
    if (text) {
        ub_text_add(out, "%s", text);
        return true;
    }
    if (!ub_expression_value(inside, variables, &value, why))
        return false;
    snprintf(rounded, sizeof rounded, "%.12g", value);
    ub_read_real(rounded, &value);
    ub_real_text(value, number);
    ub_text_add(out, "%s", number);
    return true;
}

/* The text with values in place of each $(...); NULL with an error. */
static char *filled(const char *text, const struct ub_yaml *from, struct ub_variables *variables,
                    struct ub_error *err)
{
    struct ub_text out = {0}, why = {0};
    const char *dollar;
    bool good = true;
    ub_text_add(&out, "%s", "");
    for (; good && (dollar = strstr(text, "$("));) {
        const char *inside = dollar + 2, *end = end_of(inside);
        ub_text_append(&out, text, (size_t)(dollar - text));
        char *piece = ub_strdup(inside);
        if (end)
            piece[end - inside] = '\0';
        else
            ub_text_add(&why, "a parenthesis is not closed; expected ')'");
        good = end && add_value(piece, variables, &out, &why);
        if (!good)
            ub_fail(err, UB_INPUT, "%s:%d: $(%s%s: %s", from->path, from->line, piece,
                    end ? ")" : "", why.data);
        ub_free(piece);
        text = good ? end + 1 : text;
    }
    ub_text_free(&why);
    if (good)
        ub_text_add(&out, "%s", text);
    else
        ub_text_free(&out);
    return out.data;
}

/* A copy with values in place, without the keys that are in `but`, a map; NULL with an error. */
static struct ub_yaml *copied(const struct ub_yaml *node, const struct ub_yaml *but,
                              struct ub_variables *variables, struct ub_error *err)
{
    struct ub_yaml *copy = ub_calloc(1, sizeof *copy);
    *copy = (struct ub_yaml){.kind = node->kind, .line = node->line, .path = ub_strdup(node->path)};
    copy->items = ub_calloc(node->count + 1, sizeof *copy->items);
    copy->keys = node->kind == UB_YAML_MAP ? ub_calloc(node->count + 1, sizeof *copy->keys) : NULL;
    if (node->text)
        copy->text = filled(node->text, node, variables, err);
    for (size_t i = 0; !err->code && i < node->count; i++) {
        if (but && ub_yaml_find(but, node->keys[i]))
            continue;
        struct ub_yaml *item = copied(node->items[i], NULL, variables, err);
        if (!item)
            break;
        if (copy->keys)
            copy->keys[copy->count] = ub_strdup(node->keys[i]);
        copy->items[copy->count++] = item;
    }
    if (!err->code)
        return copy;
    ub_yaml_free(copy);
    return NULL;
}

/* ---- all values ---------------------------------------------------------------------------- */

struct blocks {
    struct ub_suite *suite;
    const struct ub_yaml *block, *defaults, *row; /* of `with` */
    struct ub_variables variables;
    size_t made;
};

static bool add_one(struct blocks *b, struct ub_error *err)
{
    if (++b->made > UB_SUITE_LIMIT)
        return ub_fail(err, UB_INPUT, "%s:%d: more than %d values of 'with'; expected fewer",
                       b->row->path, b->row->line, UB_SUITE_LIMIT);
    char *with = (char *)"with";
    struct ub_yaml *own = (struct ub_yaml *)b->row, *defaults = NULL;
    const struct ub_yaml taken = {.kind = UB_YAML_MAP, .count = 1, .keys = &with, .items = &own};
    struct ub_yaml *block = copied(b->block, &taken, &b->variables, err);
    if (block && b->defaults)
        defaults = copied(b->defaults, b->block, &b->variables, err);
    const bool good = !err->code && ub_suite_add_block(b->suite, block, defaults, err);
    ub_yaml_free(block);
    ub_yaml_free(defaults);
    return good;
}

static bool is_name(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

/* The values of variable i and of those after it, each with all of the next; values may be of the
 * variables before. */
static bool add_from(struct blocks *b, size_t i, struct ub_error *err)
{
    if (i == b->row->count)
        return add_one(b, err);
    const struct ub_yaml *node = b->row->items[i];
    if (!is_name(b->row->keys[i]))
        return ub_fail(err, UB_INPUT,
                       "%s:%d: variable '%s'; expected a name of letters, digits and '_'",
                       node->path, node->line, b->row->keys[i]);
    b->variables.count = i;
    struct ub_yaml *values = copied(node, NULL, &b->variables, err);
    struct ub_words words = {0};
    bool good = values && ub_words_scalars(values, b->row->keys[i], true, &words, err);
    for (size_t k = 0; good && k < words.count; k++) {
        b->variables.variable[i].name = b->row->keys[i];
        b->variables.variable[i].text = words.text[k];
        b->variables.count = i + 1;
        good = add_from(b, i + 1, err);
    }
    ub_words_clear(&words);
    ub_yaml_free(values);
    return good;
}

/* One that is put nowhere is most likely misspelt. */
static bool all_used(const struct blocks *b, struct ub_error *err)
{
    for (size_t i = 0; i < b->row->count; i++)
        if (!b->variables.variable[i].used)
            return ub_fail(
                err, UB_INPUT, "%s:%d: '%s' is used nowhere; expected $(%s) in the block",
                b->row->items[i]->path, b->row->items[i]->line, b->row->keys[i], b->row->keys[i]);
    return true;
}

static bool add_row(struct blocks *b, const struct ub_yaml *row, struct ub_error *err)
{
    if (row->kind != UB_YAML_MAP || row->count == 0)
        return ub_fail(err, UB_INPUT,
                       "%s:%d: expected a map of variables, as in {width: [64, 128]}, or a list of "
                       "such maps",
                       row->path, row->line);
    b->row = row;
    b->variables.variable = ub_calloc(row->count, sizeof *b->variables.variable);
    const bool good = add_from(b, 0, err) && all_used(b, err);
    ub_free(b->variables.variable);
    return good;
}

bool ub_suite_add_blocks(struct ub_suite *suite, const struct ub_yaml *block,
                         const struct ub_yaml *defaults, struct ub_error *err)
{
    const struct ub_yaml *with = ub_yaml_find(block, "with");
    struct blocks b = {.suite = suite, .block = block, .defaults = defaults};
    if (!with)
        return ub_suite_add_block(suite, block, defaults, err);
    if (with->kind != UB_YAML_LIST)
        return add_row(&b, with, err);
    for (size_t i = 0; i < with->count; i++)
        if (!add_row(&b, with->items[i], err))
            return false;
    return with->count > 0 || ub_fail(err, UB_INPUT, "%s:%d: 'with' is empty; expected variables",
                                      with->path, with->line);
}
