/* Names of groups for people: what tells them apart, in words. The only place that makes them. */
#define _GNU_SOURCE /* qsort_r */
#include "bench/store/axes.h"
#include "report/frame/factor.h"
#include "systems/systems.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which columns a name has -----------------------------------------------------------------
 */

static bool is_common(const struct ub_column *c, const struct ub_rows *rows)
{
    for (size_t i = 1; i < rows->count; i++)
        if (c->level[rows->row[i]] != c->level[rows->row[0]])
            return false;
    return true;
}

static bool is_common_in_all(const struct ub_column *c, const struct ub_groups *groups)
{
    for (size_t g = 0; g < groups->count; g++)
        if (!is_common(c, &groups->group[g]))
            return false;
    return true;
}

/* Moves to the front those of n rows that have `row`'s word; returns how many. */
static size_t alike(const struct ub_column *c, size_t row, size_t *rows, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (c->level[rows[i]] == c->level[row]) {
            const size_t other = rows[kept];
            rows[kept++] = rows[i];
            rows[i] = other;
        }
    return kept;
}

static bool is_always(const char *column, const char *const *always)
{
    for (; always && *always; always++)
        if (strcmp(column, *always) == 0)
            return true;
    return false;
}

/* What who asks for nothing gets: its absence says it. */
static bool is_usual(const struct ub_column *c, size_t row)
{
    const struct ub_run_axis *axis = ub_run_axis_find(c->name);
    const char *usual = axis ? axis->fallback : NULL, *word = c->words[c->level[row]];
    const size_t length = usual ? strcspn(usual, ":") : 0;
    return usual && strlen(word) == length && strncmp(word, usual, length) == 0;
}

/* Which columns a group's name has. What is trained and on what comes first: each word that not all
 * groups have, but the usual one where it tells nothing apart. Then options, as far as groups of
 * the same words differ in them (and numbers of their own, as steps): an option that only some have
 * does not tell them apart, what they are options of does. */
static void set_named(const struct ub_frame *frame, const struct ub_groups *groups, size_t row,
                      const char *const *always, bool *named)
{
    size_t *first = ub_calloc(groups->count + 1, sizeof *first), like = groups->count;
    for (size_t g = 0; g < groups->count; g++)
        first[g] = groups->group[g].row[0];
    for (int options = 0; options < 2; options++)
        for (size_t i = 0; i < frame->columns; i++) {
            const struct ub_column *c = &frame->column[i];
            if (c->role != UB_COLUMN_AXIS || c->level[row] < 0)
                continue;
            const bool is_option = strchr(c->name, '.') || isfinite(c->number[row]);
            if (is_option != (options == 1))
                continue;
            const size_t kept = alike(c, row, first, like);
            const bool differs =
                kept < like || (!is_option && !is_usual(c, row) &&
                                alike(c, row, first, groups->count) < groups->count);
            named[i] = (differs || is_always(c->name, always)) && is_common_in_all(c, groups);
            like = named[i] ? alike(c, row, first, like) : like;
        }
    ub_free(first);
}

/* ---- words ------------------------------------------------------------------------------------
 */

struct naming {
    const struct ub_frame *frame;
    size_t row;
    const bool *named; /* one a column */
    bool in_full;      /* options say what they are of: "dataset gain 2" */
    const char *axis;  /* whose words were added last; NULL: none */
    struct ub_text *out;
};

/* "model" of "model.width" and of "model". */
static size_t axis_length(const char *column)
{
    return strcspn(column, ".");
}

static bool is_of(const char *column, const char *axis)
{
    const size_t length = strlen(axis);
    return axis_length(column) == length && strncmp(column, axis, length) == 0;
}

/* The option's entry in its table, a copy; key NULL where there is none, as of "model.width" of a
 * model that has a list of them. */
static struct ub_option option_of(const struct naming *n, const char *axis, const char *key)
{
    const struct ub_registry *registry = ub_system_registry(axis);
    const char *name = ub_frame_word(n->frame, n->row, axis);
    const void *entry = registry ? ub_registry_find(registry, name) : NULL;
    struct ub_option *options = entry ? ub_registry_options(registry, entry) : NULL;
    struct ub_option found = {0};
    for (const struct ub_option *o = options; o && o->key; o++)
        if (strcmp(o->key, key) == 0)
            found = *o;
    ub_free(options);
    return found;
}

/* Words that go without their key follow one another, as in "MLP tanh 64x64"; all else is told
 * apart by commas. */
static void add_before(struct naming *n, const char *axis, bool plain)
{
    const bool follows = plain && n->axis && strcmp(n->axis, axis) == 0;
    ub_text_add(n->out, "%s", n->out->length == 0 ? "" : follows ? " " : ", ");
    n->axis = axis;
}

/* "edge(40)" as "edge 40". */
static void add_rate(struct ub_text *out, const char *word)
{
    for (; *word; word++)
        if (*word != ')')
            ub_text_add(out, "%c", *word == '(' ? ' ' : *word);
}

static void add_option(struct naming *n, const char *axis, const char *key, const char *word)
{
    const struct ub_option option = option_of(n, axis, key);
    const bool is_flag = option.key && ub_option_kind(&option) == UB_OPTION_FLAG;
    const char *no = is_flag && strcmp(word, "false") == 0 ? "no " : "";
    if (n->in_full)
        ub_text_add(n->out, "%s ", axis);
    ub_text_add(n->out, "%s%s", no, key);
    if (is_flag)
        return;
    ub_text_add(n->out, " ");
    if (option.key && ub_option_kind(&option) == UB_OPTION_RATE)
        add_rate(n->out, word);
    else
        ub_text_add(n->out, "%s", word);
}

static bool is_plain(const struct naming *n, const char *axis, const char *key, const char *word)
{
    if (n->in_full)
        return false;
    if (strcmp(axis, "model") == 0 && strcmp(key, "width") == 0 && strchr(word, 'x'))
        return true; /* a list */
    const struct ub_option option = option_of(n, axis, key);
    return option.key && ub_option_is_plain(&option);
}

static const struct ub_column *named_column(const struct naming *n, const char *name)
{
    const struct ub_column *c = ub_frame_column(n->frame, name);
    return c && n->named[c - n->frame->column] ? c : NULL;
}

/* Width and depth of a list of equal sizes, both in the name, are the list: "64x64". */
static bool add_sizes(struct naming *n)
{
    enum { MOST = 6 };
    const struct ub_column *width = named_column(n, "model.width"),
                           *depth = named_column(n, "model.depth");
    const bool is_list = width && depth && !option_of(n, "model", "width").key &&
                         !option_of(n, "model", "depth").key;
    if (!is_list || n->in_full || !(depth->number[n->row] <= MOST))
        return false;
    add_before(n, "model", true);
    for (int i = 0; i < depth->number[n->row]; i++)
        ub_text_add(n->out, "%s%s", i ? "x" : "", width->words[width->level[n->row]]);
    return true;
}

/* Of `all` samples, asked for as 0: how many that are, where it is known. */
static const char *word_of(const struct naming *n, const struct ub_column *c,
                           char room[UB_REAL_TEXT])
{
    const char *word = c->words[c->level[n->row]];
    if (n->in_full || strcmp(c->name, "dataset.size") != 0 || strcmp(word, "0") != 0)
        return word;
    ub_real_text(c->number[n->row], room);
    return room;
}

/* Those of its options that go without their key, or all others. */
static void add_options(struct naming *n, const char *axis, bool plain, bool sizes)
{
    for (size_t i = 0; i < n->frame->columns; i++) {
        const struct ub_column *c = &n->frame->column[i];
        if (!n->named[i] || !is_of(c->name, axis) || !strchr(c->name, '.'))
            continue;
        char room[UB_REAL_TEXT];
        const char *key = strchr(c->name, '.') + 1, *word = word_of(n, c, room);
        const bool said = sizes && strcmp(axis, "model") == 0 &&
                          (strcmp(key, "width") == 0 || strcmp(key, "depth") == 0);
        if (said || is_plain(n, axis, key, word) != plain)
            continue;
        add_before(n, axis, plain);
        if (plain)
            ub_text_add(n->out, "%s", word);
        else
            add_option(n, axis, key, word);
    }
}

/* A word of its own: "MLP", "1000 steps", "data ee4dad68". */
static void add_word(struct naming *n, const char *axis)
{
    const struct ub_column *c = named_column(n, axis);
    const struct ub_run_axis *of = ub_run_axis_find(axis);
    if (!c)
        return;
    const char *word = c->words[c->level[n->row]];
    add_before(n, axis, false);
    if (of && of->kind == UB_AXIS_CALL)
        ub_text_add(n->out, "%s", ub_system_title(axis, word));
    else if (of && of->kind == UB_AXIS_COUNT)
        ub_text_add(n->out, "%s %s", word, axis);
    else if (of && of->kind == UB_AXIS_SEED)
        ub_text_add(n->out, "%s %s", axis, word);
    else
        for (; *word; word++) /* "data=ee4dad68" */
            ub_text_add(n->out, "%c", *word == '=' ? ' ' : *word);
}

static void add_axis(struct naming *n, const char *axis)
{
    add_word(n, axis);
    const bool sizes = strcmp(axis, "model") == 0 && named_column(n, "model.width") &&
                       named_column(n, "model.depth");
    add_options(n, axis, true, sizes);
    const bool listed = sizes && add_sizes(n);
    add_options(n, axis, false, listed);
}

/* What is trained, how, on what: then what is left, in the frame's order. */
static char *name_of(const struct ub_frame *frame, size_t row, const bool *named, bool in_full)
{
    static const char *const first[] = {"model", "init", "optimizer", "loss", "dataset", NULL};
    struct ub_text name = {0};
    struct naming n = {
        .frame = frame, .row = row, .named = named, .in_full = in_full, .out = &name};
    for (const char *const *axis = first; *axis; axis++)
        add_axis(&n, *axis);
    for (size_t i = 0; i < frame->columns; i++) {
        const char *axis = frame->column[i].name;
        if (named[i] && !strchr(axis, '.') && !is_always(axis, first))
            add_axis(&n, axis);
    }
    if (name.length == 0)
        ub_text_add(&name, "all");
    return name.data;
}

/* ---- names ------------------------------------------------------------------------------------
 */

char *ub_frame_group_name_with(const struct ub_frame *frame, const struct ub_groups *groups,
                               size_t group, const char *const *always)
{
    const size_t row = groups->group[group].row[0];
    bool *named = ub_calloc(frame->columns + 1, sizeof *named);
    set_named(frame, groups, row, always, named);
    char *name = name_of(frame, row, named, false);
    ub_free(named);
    return name;
}

char *ub_frame_group_name(const struct ub_frame *frame, const struct ub_groups *groups,
                          size_t group)
{
    return ub_frame_group_name_with(frame, groups, group, NULL);
}

static int compare_names(const void *a, const void *b, void *context)
{
    char *const *names = context;
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const int order = strcmp(names[x], names[y]);
    return order != 0 ? order : (x > y) - (x < y);
}

static size_t *sorted_by_name(char **names, size_t n)
{
    size_t *order = ub_calloc(n + 1, sizeof *order);
    for (size_t g = 0; g < n; g++)
        order[g] = g;
    if (n)
        qsort_r(order, n, sizeof *order, compare_names, names);
    return order;
}

/* How many from place k on have one name. */
static size_t twins_from(char *const *names, const size_t *order, size_t n, size_t k)
{
    size_t end = k + 1;
    while (end < n && strcmp(names[order[end]], names[order[k]]) == 0)
        end++;
    return end - k;
}

/* All that they differ in, and what it is of. */
static void name_in_full(const struct ub_frame *frame, const struct ub_groups *groups,
                         const size_t *group, size_t n, const char *const *always, char **names)
{
    struct ub_groups twins = {.count = n, .group = ub_calloc(n, sizeof *twins.group)};
    bool *named = ub_calloc(frame->columns + 1, sizeof *named);
    for (size_t k = 0; k < n; k++)
        twins.group[k] = groups->group[group[k]];
    for (size_t k = 0; k < n; k++) {
        const size_t row = twins.group[k].row[0];
        set_named(frame, groups, row, always, named);
        for (size_t i = 0; i < frame->columns; i++) {
            const struct ub_column *c = &frame->column[i];
            bool differs = false;
            for (size_t j = 0; c->role == UB_COLUMN_AXIS && j < n; j++)
                differs = differs || c->level[twins.group[j].row[0]] != c->level[row];
            if (c->role == UB_COLUMN_AXIS)
                named[i] =
                    c->level[row] >= 0 && (named[i] || (differs && is_common_in_all(c, &twins)));
        }
        ub_free(names[group[k]]);
        names[group[k]] = name_of(frame, row, named, true);
    }
    ub_free(named);
    ub_free(twins.group);
}

static void number(char **name, size_t number)
{
    struct ub_text text = {0};
    ub_text_add(&text, "%s (%zu)", *name, number);
    ub_free(*name);
    *name = text.data;
}

char **ub_frame_group_names(const struct ub_frame *frame, const struct ub_groups *groups,
                            const char *const *always)
{
    const size_t n = groups->count;
    char **names = ub_calloc(n + 1, sizeof *names);
    for (size_t g = 0; g < n; g++)
        names[g] = ub_frame_group_name_with(frame, groups, g, always);
    for (int again = 0; again < 2; again++) {
        size_t *order = sorted_by_name(names, n);
        for (size_t k = 0, twins; k < n; k += twins) {
            twins = twins_from(names, order, n, k);
            if (twins > 1 && again == 0)
                name_in_full(frame, groups, order + k, twins, always, names);
            for (size_t i = 1; again == 1 && i < twins; i++)
                number(&names[order[k + i]], i + 1);
        }
        ub_free(order);
    }
    return names;
}

char **ub_frame_system_names(const struct ub_frame *frame, const struct ub_groups *systems)
{
    static const char *const always[] = {"model", "optimizer", "dataset", NULL};
    return ub_frame_group_names(frame, systems, always);
}

char *ub_frame_shared_name(const struct ub_frame *frame, const struct ub_groups *groups)
{
    static const char *const axes[] = {"model", "optimizer", "loss", "dataset"};
    bool *named = ub_calloc(frame->columns + 1, sizeof *named);
    size_t shared = 0;
    for (size_t i = 0; i < frame->columns && groups->count > 1; i++)
        for (size_t a = 0; a < sizeof axes / sizeof *axes; a++) {
            const struct ub_column *c = &frame->column[i];
            bool same = strcmp(c->name, axes[a]) == 0 && c->level[groups->group[0].row[0]] >= 0;
            for (size_t g = 1; same && g < groups->count; g++)
                same = c->level[groups->group[g].row[0]] == c->level[groups->group[0].row[0]];
            named[i] = named[i] || same;
            shared += same;
        }
    char *name = shared ? name_of(frame, groups->group[0].row[0], named, false) : NULL;
    ub_free(named);
    return name;
}

void ub_names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        ub_free(names[i]);
    ub_free(names);
}
