/* From specs and facts to columns. */
#include "bench/store/axes.h"
#include "report/frame/columns.h"
#include "systems/systems.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- options of a call -------------------------------------------------------------------- */

/* All of them; NULL when there is no such entry here. Caller frees. */
static struct ub_option *options_of(const char *axis, const char *name)
{
    const struct ub_registry *registry = ub_system_registry(axis);
    const void *entry = ub_registry_find(registry, name);
    return entry ? ub_registry_options(registry, entry) : NULL;
}

static bool is_kind(const struct ub_option *options, const char *key, enum ub_option_kind kind)
{
    for (; options && options->key; options++)
        if (strcmp(options->key, key) == 0)
            return ub_option_kind(options) == kind;
    return false;
}

static const char *value_of(const struct ub_call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], key) == 0)
            return call->values[i];
    return NULL;
}

/* The entries of a list of sizes as text; 0 when they are not all equal, or there are none. */
static size_t common_size(const char *list, char *size, size_t room)
{
    const size_t length = strcspn(list, "x");
    size_t entries = 0;
    if (length == 0 || length >= room || strcmp(list, "none") == 0)
        return 0;
    for (const char *at = list;; at++) {
        const size_t next = strcspn(at, "x");
        if (next != length || strncmp(at, list, length) != 0)
            return 0;
        entries++;
        at += next;
        if (!*at)
            break;
    }
    memcpy(size, list, length);
    size[length] = '\0';
    return entries;
}

/* "64x64": width 64, depth 2 (hidden layers). */
static void add_sizes(struct ub_cells *cells, size_t row, const char *list)
{
    char size[32], depth[32];
    const size_t entries = common_size(list, size, sizeof size);
    if (entries == 0) {
        ub_cells_word(cells, row, "model.width", list, (double)NAN);
        return;
    }
    snprintf(depth, sizeof depth, "%zu", entries);
    ub_cells_word(cells, row, "model.width", size, (double)NAN);
    ub_cells_word(cells, row, "model.depth", depth, (double)NAN);
}

static void add_option(struct ub_cells *cells, size_t row, const struct ub_run *run,
                       const char *axis, const struct ub_option *options,
                       const struct ub_call *call, size_t i)
{
    const char *key = call->keys[i], *value = call->values[i];
    char column[160];
    snprintf(column, sizeof column, "%s.%s", axis, key);
    if (is_kind(options, key, UB_OPTION_RATE)) {
        ub_cells_word(cells, row, column, value, ub_run_fact(run, key));
        return;
    }
    if (strcmp(axis, "model") == 0 && is_kind(options, key, UB_OPTION_SIZES)) {
        ub_cells_alias(cells, row, column, value);
        if (strcmp(value, "none") != 0)
            add_sizes(cells, row, value);
        return;
    }
    if (strcmp(column, "dataset.samples") == 0)
        return; /* dataset.size says it */
    if (strcmp(column, "dataset.size") == 0) {
        const char *samples = value_of(call, "samples");
        const bool all = samples && strcmp(value, "0") == 0;
        ub_cells_word(cells, row, column, all ? samples : value, ub_run_fact(run, "samples"));
        return;
    }
    ub_cells_word(cells, row, column, value, (double)NAN);
}

static bool add_call(struct ub_cells *cells, size_t row, const struct ub_run *run, const char *axis,
                     const char *text, struct ub_error *err)
{
    struct ub_call *call = ub_call_parse(text, axis, err);
    if (!call)
        return false;
    struct ub_option *options = options_of(axis, call->name);
    ub_cells_word(cells, row, axis, call->name, (double)NAN);
    ub_call_fill_later(call, options);
    for (size_t i = 0; i < call->count; i++)
        add_option(cells, row, run, axis, options, call, i);
    ub_free(options);
    ub_call_free(call);
    return true;
}

/* ---- axes ----------------------------------------------------------------------------------- */

static bool add_calls(struct ub_cells *cells, const struct ub_store *store, struct ub_error *err)
{
    for (size_t k = 0; k < UB_RUN_AXES; k++)
        for (size_t i = 0; ub_run_axes[k].kind == UB_AXIS_CALL && i < store->count; i++) {
            struct ub_run_spec alias = store->runs[i].spec;
            if (!add_call(cells, i, &store->runs[i], ub_run_axes[k].name,
                          *ub_run_axis_call(&alias, &ub_run_axes[k]), err))
                return false;
        }
    return true;
}

static void add_scalar(struct ub_cells *cells, const struct ub_store *store, const char *name)
{
    for (size_t i = 0; i < store->count; i++) {
        struct ub_text word = {0};
        ub_run_axis_text(&store->runs[i].spec, ub_run_axis_find(name), &word);
        ub_cells_word(cells, i, name, word.data, (double)NAN);
        ub_text_free(&word);
    }
}

/* The contents of its data files, of runs that read some. */
static void add_data(struct ub_cells *cells, const struct ub_store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        char mark[UB_DATA_MARK];
        ub_run_spec_data_mark(&store->runs[i].spec, mark);
        if (*mark)
            ub_cells_word(cells, i, "data", mark, (double)NAN);
    }
}

static void add_scalars(struct ub_cells *cells, const struct ub_store *store)
{
    add_scalar(cells, store, "steps");
    add_scalar(cells, store, "precision");
    add_data(cells, store);
    add_scalar(cells, store, "data-seed");
    add_scalar(cells, store, "seed");
}

static void add_facts(struct ub_cells *cells, const struct ub_store *store)
{
    for (size_t i = 0; i < store->count; i++)
        for (size_t k = 0; k < store->runs[i].n_facts; k++)
            ub_cells_fact(cells, i, store->runs[i].facts[k].name, store->runs[i].facts[k].value);
}

/* ---- frames --------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const struct ub_column *x = *(const struct ub_column *const *)a;
    const struct ub_column *y = *(const struct ub_column *const *)b;
    return strcmp(x->name, y->name);
}

static void sort_names(struct ub_frame *frame)
{
    frame->by_name = ub_calloc(frame->columns + 1, sizeof *frame->by_name);
    for (size_t i = 0; i < frame->columns; i++)
        frame->by_name[i] = &frame->column[i];
    qsort(frame->by_name, frame->columns, sizeof *frame->by_name, compare_names);
}

struct ub_frame *ub_frame_new(const struct ub_store *store, struct ub_error *err)
{
    struct ub_cells *cells = ub_cells_new(store->count);
    const bool good = add_calls(cells, store, err);
    if (good) {
        add_scalars(cells, store);
        add_facts(cells, store);
    }
    struct ub_frame *frame = ub_calloc(1, sizeof *frame);
    frame->store = store;
    frame->rows = store->count;
    frame->column = ub_cells_finish(cells, &frame->columns);
    sort_names(frame);
    frame->traces = ub_trace_cache_new(store, UB_FRAME_BUDGET);
    if (good)
        return frame;
    ub_frame_free(frame);
    return NULL;
}

void ub_frame_free(struct ub_frame *frame)
{
    if (!frame)
        return;
    ub_columns_free(frame->column, frame->columns);
    ub_free(frame->by_name);
    ub_trace_cache_free(frame->traces);
    ub_free(frame);
}

const struct ub_column *ub_frame_column(const struct ub_frame *frame, const char *name)
{
    size_t low = 0, high = frame->columns;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = strcmp(name, frame->by_name[middle]->name);
        if (order == 0)
            return frame->by_name[middle];
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return NULL;
}

double ub_frame_number(const struct ub_frame *frame, size_t row, const char *column)
{
    const struct ub_column *c = ub_frame_column(frame, column);
    return c ? c->number[row] : (double)NAN;
}

const char *ub_frame_word(const struct ub_frame *frame, size_t row, const char *column)
{
    const struct ub_column *c = ub_frame_column(frame, column);
    return c && c->level && c->level[row] >= 0 ? c->words[c->level[row]] : "";
}

enum ub_control ub_frame_control(const struct ub_frame *frame, size_t row, const char *law)
{
    const char *at = frame->store->runs[row].control;
    size_t entry, length;
    bool holds;
    while (at && (entry = ub_control_entry(at, &length, &holds))) {
        if (strncmp(at, law, length) == 0 && law[length] == '\0')
            return holds ? UB_CONTROL_HOLDS : UB_CONTROL_FAILS;
        at += entry + (at[entry] == ';');
    }
    return UB_NO_CONTROL;
}

/* ---- traces --------------------------------------------------------------------------------- */

const struct ub_trace *ub_frame_trace(const struct ub_frame *frame, size_t row)
{
    return ub_trace_cache_get(frame->traces, row);
}

bool ub_frame_has(const struct ub_frame *frame, size_t row, const char *observable)
{
    return ub_trace_cache_has(frame->traces, row, observable);
}

size_t ub_frame_names(const struct ub_frame *frame, size_t row, char *const **names)
{
    return ub_trace_cache_names(frame->traces, row, names);
}

bool ub_frame_good(const struct ub_frame *frame, struct ub_error *err)
{
    return ub_trace_cache_good(frame->traces, err);
}

struct ub_series ub_frame_series(const struct ub_frame *frame, size_t row, const char *observable,
                                 int64_t index)
{
    const struct ub_trace *trace = ub_frame_trace(frame, row);
    return trace ? ub_trace_series(trace, observable, index) : (struct ub_series){0};
}

struct ub_series ub_frame_spectrum(const struct ub_frame *frame, size_t row, const char *observable,
                                   int64_t step)
{
    const struct ub_trace *trace = ub_frame_trace(frame, row);
    return trace ? ub_trace_spectrum(trace, observable, step) : (struct ub_series){0};
}

double ub_frame_last(const struct ub_frame *frame, size_t row, const char *observable,
                     int64_t index)
{
    struct ub_series s = ub_frame_series(frame, row, observable, index);
    double last = (double)NAN;
    for (size_t i = 0; i < s.count; i++)
        if (isfinite(s.value[i]))
            last = s.value[i];
    ub_series_clear(&s);
    return last;
}
