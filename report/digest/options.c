/* Columns of options: which there are, of what type, and what is in them. */
#include "report/digest/options.h"

#include "base/option_units.h"
#include "bench/store/axes.h"
#include "report/frame/names.h"
#include "systems/systems.h"

#include <math.h>
#include <string.h>

/* ---- by the options' tables -------------------------------------------------------------------
 */

static enum column_type type_of_kind(enum ub_option_kind kind)
{
    switch (kind) {
    case UB_OPTION_INT:
        return COLUMN_WHOLE;
    case UB_OPTION_REAL:
    case UB_OPTION_RATE:
        return COLUMN_NUMBER;
    case UB_OPTION_FLAG:
        return COLUMN_FLAG;
    default:
        return COLUMN_TEXT;
    }
}

/* One that has both. */
static enum column_type type_of_both(enum column_type a, enum column_type b)
{
    if (a == b)
        return a;
    return a >= COLUMN_WHOLE && b >= COLUMN_WHOLE ? COLUMN_NUMBER : COLUMN_TEXT;
}

/* What is known of an option of this key over all entries of an axis. */
struct known {
    bool any, is_rate, is_list;
    enum column_type type;
    struct labels helps; /* what the tables say of it, each once */
    struct labels units; /* likewise */
};

static void add_known(struct known *known, const struct ub_option *option)
{
    const enum ub_option_kind kind = ub_option_kind(option);
    const enum column_type type = type_of_kind(kind);
    known->type = known->any ? type_of_both(known->type, type) : type;
    known->any = true;
    known->is_rate = known->is_rate || kind == UB_OPTION_RATE;
    known->is_list = known->is_list || kind == UB_OPTION_SIZES;
    labels_add(&known->helps, option->help);
    labels_add(&known->units, ub_option_units(option));
}

/* Clear with known_clear. */
static struct known known_of(const char *axis, const char *key)
{
    const struct ub_registry *registry = ub_system_registry(axis);
    struct known known = {0};
    for (size_t i = 0; registry && registry->entry(i); i++) {
        struct ub_option *options = ub_registry_options(registry, registry->entry(i));
        for (const struct ub_option *o = options; o && o->key; o++)
            if (strcmp(o->key, key) == 0)
                add_known(&known, o);
        ub_free(options);
    }
    return known;
}

static void known_clear(struct known *known)
{
    labels_free(&known->helps);
    labels_free(&known->units);
}

/* Width and depth come of lists of sizes where a model has no such options. */
static bool is_of_sizes(const char *name)
{
    return strcmp(name, "model.width") == 0 || strcmp(name, "model.depth") == 0;
}

/* ---- columns of a frame ----------------------------------------------------------------------
 */

static void push(struct option_columns *o, const char *name, const char *suffix,
                 enum column_type type, const struct ub_column *of, bool as_asked)
{
    struct ub_text whole = {0};
    ub_text_add(&whole, "%s%s", name, suffix);
    o->column = ub_realloc(o->column, (o->count + 1) * sizeof *o->column);
    o->column[o->count++] = (struct option_column){whole.data, type, of, as_asked};
}

static void push_option(struct option_columns *o, const char *axis, const struct ub_column *c)
{
    struct known known = known_of(axis, strchr(c->name, '.') + 1);
    push(o, c->name, "",
         is_of_sizes(c->name) ? COLUMN_WHOLE
         : known.any          ? known.type
                              : COLUMN_TEXT,
         c, false);
    if (known.is_rate)
        push(o, c->name, ".asked", COLUMN_TEXT, c, true);
    known_clear(&known);
}

struct option_columns option_columns_of(const struct ub_frame *frame)
{
    struct option_columns o = {0};
    for (size_t a = 0; a < UB_RUN_AXES; a++) {
        const char *axis = ub_run_axes[a].name;
        const struct ub_column *call = ub_frame_column(frame, axis);
        if (ub_run_axes[a].kind != UB_AXIS_CALL || !call)
            continue;
        push(&o, axis, ".name", COLUMN_TEXT, call, false);
        for (size_t i = 0; i < frame->columns; i++) {
            const struct ub_column *c = &frame->column[i];
            const size_t length = strlen(axis);
            if (c->role != UB_COLUMN_FACT && strncmp(c->name, axis, length) == 0 &&
                c->name[length] == '.')
                push_option(&o, axis, c);
        }
    }
    return o;
}

void option_columns_clear(struct option_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++)
        ub_free(columns->column[i].name);
    ub_free(columns->column);
    *columns = (struct option_columns){0};
}

void option_heads(struct ub_text *out, const struct option_columns *columns)
{
    for (size_t c = 0; c < columns->count; c++)
        ub_csv_add(out, columns->column[c].name);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* A size of 0 asks for all there are: of a run that did not come to it nobody knows how many. */
static void add_number(struct ub_text *out, const struct option_column *c,
                       const struct ub_rows *rows)
{
    const double first = c->of->number[rows->row[0]];
    const bool unknown = first == 0 && strcmp(c->name, "dataset.size") == 0;
    bool same = !unknown;
    for (size_t i = 1; same && i < rows->count; i++)
        same = same_number(c->of->number[rows->row[i]], first);
    ub_csv_add_real(out, same ? first : (double)NAN);
}

static void add_word(struct ub_text *out, const struct option_column *c, const struct ub_rows *rows)
{
    const int level = c->of->level[rows->row[0]];
    bool same = level >= 0;
    for (size_t i = 1; same && i < rows->count; i++)
        same = c->of->level[rows->row[i]] == level;
    ub_csv_add(out, same ? c->of->words[level] : "");
}

void option_cells(struct ub_text *out, const struct option_columns *columns,
                  const struct ub_rows *rows)
{
    for (size_t i = 0; i < columns->count; i++) {
        const struct option_column *c = &columns->column[i];
        if (c->type >= COLUMN_WHOLE && !c->as_asked)
            add_number(out, c, rows);
        else
            add_word(out, c, rows);
    }
}

bool option_column_named(const char *name)
{
    for (size_t i = 0; i < UB_RUN_AXES; i++) {
        const size_t length = strlen(ub_run_axes[i].name);
        if (ub_run_axes[i].kind == UB_AXIS_CALL &&
            strncmp(name, ub_run_axes[i].name, length) == 0 && name[length] == '.')
            return true;
    }
    return false;
}

/* ---- for the dictionary ----------------------------------------------------------------------
 */

struct described {
    size_t count;
    struct column *column;
};

static void describe(struct described *d, const char *axis, const char *key, enum column_type type,
                     const char *units, const char *meaning)
{
    struct ub_text name = {0};
    ub_text_add(&name, "%s.%s", axis, key);
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->column[i].name, name.data) == 0) {
            ub_text_free(&name);
            return;
        }
    d->column = ub_realloc(d->column, (d->count + 2) * sizeof *d->column);
    d->column[d->count++] = (struct column){name.data, type, ub_strdup(units), ub_strdup(meaning)};
    d->column[d->count] = (struct column){.name = NULL};
}

static const char *number_of(const char *axis, const char *key)
{
    if (strcmp(axis, "dataset") == 0 && strcmp(key, "size") == 0)
        return "training samples, as many as were used";
    return NULL;
}

/* "dataset.samples" says again what dataset.size says: frames leave it out. */
static bool is_left_out(const char *axis, const char *key)
{
    return strcmp(axis, "dataset") == 0 && strcmp(key, "samples") == 0;
}

static void describe_key(struct described *d, const char *axis, const char *key)
{
    struct known known = known_of(axis, key);
    struct ub_text meaning = {0}, asked = {0}, units = {0};
    const char *number = number_of(axis, key);
    for (size_t i = 0; i < known.helps.count && !number; i++)
        ub_text_add(&meaning, "%s%s", i ? "; or: " : "", known.helps.text[i]);
    ub_text_add(&meaning, "%s%s", number ? number : "", known.is_rate ? ", as used" : "");
    ub_text_add(&asked, "%s.asked", key);
    for (size_t i = 0; i < known.units.count; i++)
        ub_text_add(&units, "%s%s", i ? " or " : "", known.units.text[i]);
    describe(d, axis, key, known.type, units.data, meaning.data);
    if (known.is_rate)
        describe(d, axis, asked.data, COLUMN_TEXT, "",
                 "what was asked for: a number, edge(S) or relative(R)");
    if (known.is_list && strcmp(axis, "model") == 0) {
        describe(d, axis, "width", COLUMN_WHOLE, "1",
                 "units of each layer, where all have the same");
        describe(d, axis, "depth", COLUMN_WHOLE, "1", "hidden layers");
    }
    known_clear(&known);
    ub_text_free(&meaning);
    ub_text_free(&asked);
    ub_text_free(&units);
}

struct column *option_descriptions(const char *axis)
{
    const struct ub_registry *registry = ub_system_registry(axis);
    struct described d = {0};
    describe(&d, axis, "name", COLUMN_TEXT, "", "the call's name, without its options");
    for (size_t i = 0; registry && registry->entry(i); i++) {
        struct ub_option *options = ub_registry_options(registry, registry->entry(i));
        for (const struct ub_option *o = options; o && o->key; o++)
            if (!is_left_out(axis, o->key))
                describe_key(&d, axis, o->key);
        ub_free(options);
    }
    return d.column;
}
