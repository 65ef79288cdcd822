/* yaml.c - YAML documents as trees whose nodes know their lines; libyaml reads the syntax. */
#include "base/base.h"

#include <string.h>
#include <yaml.h>

enum { DEEPEST = 64 };
static const uint64_t largest_yaml = (uint64_t)64 << 20;

struct loader {
    yaml_parser_t parser;
    const char *path, *text;
    struct ub_error *err;
};

static int line_of(const yaml_event_t *event)
{
    return (int)event->start_mark.line + 1;
}

/* The mark of what is no UTF-8 is not set: such bytes are met before there are lines. */
static size_t line_of_problem(const struct loader *l)
{
    if (l->parser.error != YAML_READER_ERROR)
        return l->parser.problem_mark.line + 1;
    size_t line = 1;
    for (size_t i = 0; i < l->parser.problem_offset && l->text[i]; i++)
        line += l->text[i] == '\n';
    return line;
}

static bool next_event(struct loader *l, yaml_event_t *event)
{
    if (yaml_parser_parse(&l->parser, event))
        return true;
    const char *context = l->parser.context ? l->parser.context : "";
    ub_fail(l->err, UB_INPUT, "%s:%zu: %s%s%s", l->path, line_of_problem(l),
            l->parser.problem ? l->parser.problem : "not YAML", *context ? " " : "", context);
    memset(event, 0, sizeof *event);
    return false;
}

static struct ub_yaml *new_node(const struct loader *l, enum ub_yaml_kind kind, int line)
{
    struct ub_yaml *node = ub_calloc(1, sizeof *node);
    node->kind = kind;
    node->line = line;
    node->path = ub_strdup(l->path); /* a node may be kept longer than the caller's text */
    return node;
}

static struct ub_yaml *load_node(struct loader *l, const yaml_event_t *event, int depth);

/* The next item, or NULL at the end of the list or map and on failure (*end tells them apart). */
static struct ub_yaml *load_item(struct loader *l, yaml_event_type_t closing, int depth, bool *end)
{
    yaml_event_t event;
    struct ub_yaml *node = NULL;
    *end = false;
    if (!next_event(l, &event))
        return NULL;
    *end = event.type == closing;
    if (!*end)
        node = load_node(l, &event, depth);
    yaml_event_delete(&event);
    return node;
}

static bool add_item(struct loader *l, struct ub_yaml *into, char *key, struct ub_yaml *item)
{
    size_t i = into->count++;
    into->items = ub_realloc(into->items, into->count * sizeof(struct ub_yaml *));
    into->items[i] = item;
    if (into->kind != UB_YAML_MAP)
        return true;
    into->keys = ub_realloc(into->keys, into->count * sizeof(char *));
    into->keys[i] = key;
    for (size_t j = 0; j < i; j++)
        if (strcmp(into->keys[j], key) == 0)
            return ub_fail(l->err, UB_INPUT, "%s:%d: key '%s' again; expected it once", l->path,
                           item->line, key);
    return true;
}

static bool load_list(struct loader *l, struct ub_yaml *list, int depth)
{
    bool end;
    struct ub_yaml *item;
    while ((item = load_item(l, YAML_SEQUENCE_END_EVENT, depth, &end)))
        add_item(l, list, NULL, item);
    return end;
}

static bool load_map(struct loader *l, struct ub_yaml *map, int depth)
{
    bool end;
    struct ub_yaml *key;
    while ((key = load_item(l, YAML_MAPPING_END_EVENT, depth, &end))) {
        bool plain = key->kind == UB_YAML_SCALAR;
        int line = key->line;
        char *name = plain ? ub_strdup(key->text) : NULL;
        ub_yaml_free(key);
        if (!plain)
            return ub_fail(l->err, UB_INPUT, "%s:%d: a key is a list or a map; expected a name",
                           l->path, line);
        struct ub_yaml *item = load_item(l, YAML_NO_EVENT, depth, &end);
        if (!item) {
            ub_free(name);
            return false;
        }
        if (!add_item(l, map, name, item))
            return false;
    }
    return end;
}

static struct ub_yaml *load_scalar(struct loader *l, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length) {
        ub_fail(l->err, UB_INPUT, "%s:%d: a text holds a NUL character", l->path, line_of(event));
        return NULL;
    }
    struct ub_yaml *node = new_node(l, UB_YAML_SCALAR, line_of(event));
    node->text = ub_strdup(text);
    return node;
}

static struct ub_yaml *load_node(struct loader *l, const yaml_event_t *event, int depth)
{
    if (event->type == YAML_SCALAR_EVENT)
        return load_scalar(l, event);
    if (event->type == YAML_ALIAS_EVENT) {
        ub_fail(l->err, UB_INPUT, "%s:%d: an alias (*%s); aliases are not supported", l->path,
                line_of(event), (const char *)event->data.alias.anchor);
        return NULL;
    }
    if (depth >= DEEPEST) {
        ub_fail(l->err, UB_INPUT, "%s:%d: nested too deeply; expected at most %d levels", l->path,
                line_of(event), DEEPEST);
        return NULL;
    }
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    struct ub_yaml *node = new_node(l, list ? UB_YAML_LIST : UB_YAML_MAP, line_of(event));
    if (list ? load_list(l, node, depth + 1) : load_map(l, node, depth + 1))
        return node;
    ub_yaml_free(node);
    return NULL;
}

/* The one document of the stream. */
static struct ub_yaml *load_document(struct loader *l)
{
    yaml_event_t event;
    struct ub_yaml *root = NULL;
    bool more = true;
    while (more && next_event(l, &event)) {
        if (event.type == YAML_DOCUMENT_START_EVENT && root)
            ub_fail(l->err, UB_INPUT, "%s:%d: a second document; expected one", l->path,
                    line_of(&event));
        else if (event.type == YAML_STREAM_END_EVENT && !root)
            ub_fail(l->err, UB_INPUT, "%s:1: empty; expected YAML", l->path);
        else if (event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT ||
                 event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
            root = load_node(l, &event, 0);
        more = event.type != YAML_STREAM_END_EVENT && l->err->code == UB_OK;
        yaml_event_delete(&event);
    }
    if (l->err->code == UB_OK)
        return root;
    ub_yaml_free(root);
    return NULL;
}

struct ub_yaml *ub_yaml_parse(const char *text, const char *name, struct ub_error *err)
{
    struct ub_error own = {0};
    struct loader l = {.path = name, .text = text, .err = &own};
    if (!yaml_parser_initialize(&l.parser)) {
        ub_fail(err, UB_INTERNAL, "%s: libyaml does not start", name);
        return NULL;
    }
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, strlen(text));
    struct ub_yaml *root = load_document(&l);
    yaml_parser_delete(&l.parser);
    if (!root)
        ub_fail(err, own.code, "%s", own.text);
    return root;
}

struct ub_yaml *ub_yaml_read(const char *path, struct ub_error *err)
{
    size_t length;
    char *text = ub_read_text(path, largest_yaml, &length, err);
    if (!text)
        return NULL;
    struct ub_yaml *root = NULL;
    if (strlen(text) == length)
        root = ub_yaml_parse(text, path, err);
    else
        ub_fail(err, UB_INPUT, "%s: holds NUL bytes; expected YAML", path);
    ub_free(text);
    return root;
}

void ub_yaml_free(struct ub_yaml *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->count; i++) {
        ub_yaml_free(node->items[i]);
        if (node->keys)
            ub_free(node->keys[i]);
    }
    ub_free(node->items);
    ub_free(node->keys);
    ub_free(node->text);
    ub_free((char *)node->path);
    ub_free(node);
}

const struct ub_yaml *ub_yaml_find(const struct ub_yaml *map, const char *key)
{
    for (size_t i = 0; map->kind == UB_YAML_MAP && i < map->count; i++)
        if (strcmp(map->keys[i], key) == 0)
            return map->items[i];
    return NULL;
}

/* Plain where YAML reads the same text back as a string or number, else in double quotes. */
static bool is_plain(const char *value)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_./+-=()";
    return *value && !strchr("-=.", *value) && /* "..." ends a document */
           strspn(value, safe) == strlen(value);
}

/* YAML 1.1, section 4.1.1, less what it takes for a line break or a byte order mark. What is no
 * UTF-8 is not, either: U+FFFD stands for it. */
static bool is_printable(uint32_t code)
{
    return (code >= ' ' && code <= '~') || (code >= 0xa0 && code < 0x2028) ||
           (code > 0x2029 && code < 0xfeff) || (code > 0xfeff && code < UB_UTF8_BAD) ||
           code > 0xffff;
}

void ub_yaml_add_scalar(struct ub_text *text, const char *value)
{
    double number;
    if (is_plain(value) || ub_read_real(value, &number)) {
        ub_text_append(text, value, strlen(value));
        return;
    }
    const char *from = value; /* what is not written yet */
    ub_text_append(text, "\"", 1);
    for (const char *at = value; *at;) {
        const char *const here = at;
        const uint32_t code = ub_utf8_next(&at);
        const bool escaped = code == '"' || code == '\\';
        if (!escaped && is_printable(code))
            continue;
        ub_text_append(text, from, (size_t)(here - from));
        from = at;
        if (escaped)
            ub_text_add(text, "\\%c", (char)code);
        else
            ub_text_add(text, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
    }
    ub_text_append(text, from, strlen(from));
    ub_text_append(text, "\"", 1);
}
