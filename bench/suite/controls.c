#include "bench/suite/controls.h"

#include <stdlib.h>
#include <string.h>

/* ---- joining ---------------------------------------------------------------------------- */

struct mark {
    const char *law;
    size_t length; /* of the law's name */
    bool holds;
};

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    const size_t common = x->length < y->length ? x->length : y->length;
    const int order = memcmp(x->law, y->law, common);
    if (order != 0)
        return order;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->holds - y->holds;
}

static size_t count_marks(const char *control)
{
    size_t n = control && *control ? 1 : 0;
    for (; control && *control; control++)
        n += *control == ';';
    return n;
}

static size_t add_marks(struct mark *marks, size_t n, const char *control)
{
    size_t length;
    while (control && (length = ub_control_entry(control, &marks[n].length, &marks[n].holds))) {
        marks[n++].law = control;
        control += length + (control[length] == ';');
    }
    return n;
}

static bool same_law(const struct mark *a, const struct mark *b)
{
    return a->length == b->length && memcmp(a->law, b->law, a->length) == 0;
}

static bool write_marks(const struct mark *marks, size_t n, struct ub_text *text, char **law)
{
    for (size_t i = 0; i < n; i++) {
        const bool again = i > 0 && same_law(&marks[i - 1], &marks[i]);
        if (again && marks[i - 1].holds != marks[i].holds) {
            *law = ub_strdup(marks[i].law);
            (*law)[marks[i].length] = '\0';
            return false;
        }
        if (!again)
            ub_text_add(text, "%s%.*s=%s", text->length ? ";" : "", (int)marks[i].length,
                        marks[i].law, marks[i].holds ? "holds" : "fails");
    }
    return true;
}

bool ub_control_join(const char *a, const char *b, char **joined, char **law)
{
    struct mark *marks = ub_calloc(count_marks(a) + count_marks(b) + 1, sizeof *marks);
    const size_t n = add_marks(marks, add_marks(marks, 0, a), b);
    struct ub_text text = {0};
    *law = *joined = NULL;
    qsort(marks, n, sizeof *marks, compare_marks);
    const bool good = write_marks(marks, n, &text, law);
    ub_free(marks);
    if (good)
        *joined = text.data;
    else
        ub_text_free(&text);
    return good;
}

/* ---- reading ---------------------------------------------------------------------------- */

void ub_control_laws_clear(struct ub_control_laws *laws)
{
    for (size_t i = 0; i < laws->count; i++) {
        ub_free(laws->law[i].name);
        ub_free(laws->law[i].path);
    }
    ub_free(laws->law);
    *laws = (struct ub_control_laws){0};
}

/* Once, however many blocks inherit the line. */
static void note_law(struct ub_control_laws *laws, const char *name, const struct ub_yaml *from)
{
    for (size_t i = 0; i < laws->count; i++)
        if (laws->law[i].line == from->line && strcmp(laws->law[i].name, name) == 0 &&
            strcmp(laws->law[i].path, from->path) == 0)
            return;
    laws->law = ub_realloc(laws->law, (laws->count + 1) * sizeof *laws->law);
    laws->law[laws->count++] =
        (struct ub_control_law){ub_strdup(name), ub_strdup(from->path), from->line};
}

static bool add_mark(struct ub_control_laws *laws, const char *law, const struct ub_yaml *node,
                     char **control, struct ub_error *err)
{
    const char *word = node->kind == UB_YAML_SCALAR ? node->text : "no text";
    struct ub_text entry = {0};
    size_t length;
    bool holds;
    ub_text_add(&entry, "%s=%s", law, word);
    const bool good = ub_control_entry(entry.data, &length, &holds) == entry.length;
    if (good) {
        char *joined, *clash; /* of a map's keys none is there twice: no clash */
        ub_control_join(*control, entry.data, &joined, &clash);
        ub_free(*control);
        *control = joined;
        note_law(laws, law, node);
    }
    ub_text_free(&entry);
    return good || ub_fail(err, UB_INPUT,
                           "%s:%d: control '%s' is '%s'; expected a law's name with holds or "
                           "fails, as in {catapult: fails}",
                           node->path, node->line, law, word);
}

bool ub_control_read(struct ub_control_laws *laws, const struct ub_yaml *node, char **control,
                     struct ub_error *err)
{
    *control = NULL;
    if (!node)
        return true;
    bool good =
        node->kind == UB_YAML_MAP ||
        ub_fail(err, UB_INPUT, "%s:%d: 'control' is no map; expected laws, as in {catapult: fails}",
                node->path, node->line);
    for (size_t i = 0; good && i < node->count; i++)
        good = add_mark(laws, node->keys[i], node->items[i], control, err);
    if (good)
        return true;
    ub_free(*control);
    *control = NULL;
    return false;
}
