/* Series and spectra of all runs, thinned so that a page of any store has about as many points. */
#include "report/explorer/private.h"

#include <math.h>
#include <string.h>

/* Points of all series, and of all spectra: about 12 bytes each in the page. A series keeps
 * LEAST_POINTS even where that is more, and MOST_POINTS where there is room for more. */
enum { SERIES_POINTS = 160000, SPECTRA_POINTS = 60000, LEAST_POINTS = 24, MOST_POINTS = 200 };
/* A measurement with fewer indices is a few scalars. */
enum { FEWEST = 5, LINEAR_RANKS = 8 };

/* ---- one trace ------------------------------------------------------------------------------ */

/* A measurement: all indices of one row at one step. */
struct measurement {
    size_t first, count; /* places in the trace's list of this row */
};

/* Places in the trace of the rows of one name, in its order. */
struct places {
    size_t count, capacity;
    size_t *at;
    size_t indices;                 /* the most of one step */
    struct measurement first, last; /* that have FEWEST or more; count 0: none */
};

static void places_add(struct places *p, size_t at)
{
    if (p->count == p->capacity) {
        p->capacity = 2 * p->capacity + 16;
        p->at = ub_realloc(p->at, p->capacity * sizeof *p->at);
    }
    p->at[p->count++] = at;
}

static void find_measurements(struct places *p, const struct ub_trace *trace)
{
    for (size_t i = 0, n; i < p->count; i += n) {
        for (n = 1; i + n < p->count && trace->step[p->at[i + n]] == trace->step[p->at[i]];)
            n++;
        p->indices = n > p->indices ? n : p->indices;
        if (n < FEWEST)
            continue;
        p->last = (struct measurement){i, n};
        p->first = p->first.count ? p->first : p->last;
    }
}

/* What has values over an index: rows that are declared so, and those over ranks. */
static bool is_spectrum(const char *name)
{
    const struct ub_quantity *q = ub_observable_row(name, NULL);
    return q && (q->figure == UB_FIGURE_OVER_INDEX || q->index == ub_rank_index);
}

/* One a name of the trace. Names are interned, and rows of one name often come together. */
static struct places *places_of(const struct ub_trace *trace)
{
    struct places *all = ub_calloc(trace->n_names + 1, sizeof *all);
    for (size_t i = 0, k = 0; i < trace->count; i++) {
        for (size_t tried = 0; tried < trace->n_names; tried++) {
            if (trace->names[k] == trace->observable[i])
                break;
            k = (k + 1) % trace->n_names;
        }
        places_add(&all[k], i);
    }
    for (size_t k = 0; k < trace->n_names; k++) {
        find_measurements(&all[k], trace);
        if (all[k].first.count && !is_spectrum(trace->names[k]))
            all[k].first.count = all[k].last.count = 0;
    }
    return all;
}

static void places_free(struct places *all, size_t n)
{
    for (size_t k = 0; k < n; k++)
        ub_free(all[k].at);
    ub_free(all);
}

/* Keeps those of index 0. */
static void keep_scalars(struct places *p, const struct ub_trace *trace)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (trace->index[p->at[i]] == 0)
            p->at[kept++] = p->at[i];
    p->count = kept;
}

/* ---- thinning ------------------------------------------------------------------------------- */

/* How many points each of a list of lengths may keep, so that all together keep `budget`. */
struct lengths {
    size_t count, capacity;
    size_t *length;
};

static void lengths_add(struct lengths *l, size_t length)
{
    if (l->count == l->capacity) {
        l->capacity = 2 * l->capacity + 64;
        l->length = ub_realloc(l->length, l->capacity * sizeof *l->length);
    }
    l->length[l->count++] = length;
}

static size_t limit_of(const struct lengths *l, size_t budget)
{
    size_t limit = MOST_POINTS;
    for (; limit > LEAST_POINTS; limit -= 2) {
        size_t all = 0;
        for (size_t i = 0; i < l->count; i++)
            all += l->length[i] < limit ? l->length[i] : limit;
        if (all <= budget)
            break;
    }
    return limit;
}

/* Of places [begin, end) those of the least and the greatest finite value, in order. */
static size_t extremes(const struct ub_trace *trace, const size_t *at, size_t begin, size_t end,
                       size_t *kept)
{
    size_t low = end, high = end;
    for (size_t i = begin; i < end; i++) {
        const double x = trace->value[at[i]];
        if (!isfinite(x))
            continue;
        low = low == end || x < trace->value[at[low]] ? i : low;
        high = high == end || x > trace->value[at[high]] ? i : high;
    }
    if (low == end)
        return 0;
    kept[0] = at[low < high ? low : high];
    kept[1] = at[low < high ? high : low];
    return low == high ? 1 : 2;
}

/* In place: first and last stay, and of each of limit / 2 - 1 stretches between its extremes. */
static void thin_series(struct places *p, const struct ub_trace *trace, size_t limit)
{
    if (p->count <= limit)
        return;
    const size_t stretches = limit / 2 - 1, inner = p->count - 2, last = p->at[p->count - 1];
    size_t kept = 1;
    for (size_t k = 0; k < stretches; k++) {
        const size_t begin = 1 + k * inner / stretches, end = 1 + (k + 1) * inner / stretches;
        kept += extremes(trace, p->at, begin, end, p->at + kept);
    }
    p->at[kept++] = last;
    p->count = kept;
}

/* Place k of `n` that stay of `count` ranks: the first ones, then at equal ratios to the last. */
static size_t rank_kept(size_t k, size_t n, size_t count)
{
    if (k < LINEAR_RANKS || n >= count)
        return k;
    const double from = LINEAR_RANKS, to = (double)count - 1;
    const double share = (double)(k - LINEAR_RANKS) / (double)(n - 1 - LINEAR_RANKS);
    const size_t geometric = (size_t)(from * pow(to / from, share) + 0.5);
    return geometric > k ? geometric : k;
}

/* ---- lists of equal steps or ranks, each once -------------------------------------------------
 */

static size_t list_place(struct texts *known, json_t *lists, json_t *list)
{
    char *text = json_dumps(list, JSON_COMPACT);
    const size_t place = explorer_texts_add(known, text);
    free(text);
    if (place == json_array_size(lists))
        json_array_append_new(lists, list);
    else
        json_decref(list);
    return place;
}

/* ---- the page's members --------------------------------------------------------------------- */

struct entry { /* of one name */
    json_t *object, *rows, *step, *list, *values;
};
/* All names; lists are of steps (series) or ranks (spectra). */
struct member {
    const char *list;
    size_t limit;
    struct labels names;
    struct entry *entry;
    struct texts *known;
    json_t *lists;
};

static struct entry *entry_of(struct member *m, const char *name)
{
    const size_t before = m->names.count, at = labels_add(&m->names, name);
    if (at < before)
        return &m->entry[at];
    m->entry = ub_realloc(m->entry, (at + 1) * sizeof *m->entry);
    const struct ub_quantity *q = ub_observable_row(name, NULL);
    m->entry[at] = (struct entry){explorer_named(name, q), json_array(), json_array(), json_array(),
                                  json_array()};
    json_object_set_new(m->entry[at].object, "index", explorer_text(q ? q->index : NULL));
    return &m->entry[at];
}

static void add_series(struct member *m, const struct ub_trace *trace, size_t name,
                       struct places *p, size_t row)
{
    const bool indexed = p->indices > 1;
    keep_scalars(p, trace);
    if (p->count < 2)
        return;
    thin_series(p, trace, m->limit);
    struct entry *e = entry_of(m, trace->names[name]);
    json_t *steps = json_array(), *values = json_array();
    for (size_t i = 0; i < p->count; i++) {
        json_array_append_new(steps, json_integer(trace->step[p->at[i]]));
        json_array_append_new(values, explorer_number(trace->value[p->at[i]], SERIES_DIGITS));
    }
    if (indexed)
        json_object_set_new(e->object, "indexed", json_true());
    json_array_append_new(e->rows, json_integer((json_int_t)row));
    json_array_append_new(e->list, json_integer((json_int_t)list_place(m->known, m->lists, steps)));
    json_array_append_new(e->values, values);
}

static void add_spectrum(struct member *m, const struct ub_trace *trace, size_t name,
                         const struct places *p, const struct measurement *of, size_t row)
{
    const size_t n = of->count < m->limit ? of->count : m->limit;
    struct entry *e = entry_of(m, trace->names[name]);
    json_t *ranks = json_array(), *values = json_array();
    for (size_t k = 0; k < n; k++) {
        const size_t at = p->at[of->first + rank_kept(k, n, of->count)];
        json_array_append_new(ranks, json_integer(trace->index[at]));
        json_array_append_new(values, explorer_number(trace->value[at], SERIES_DIGITS));
    }
    json_array_append_new(e->rows, json_integer((json_int_t)row));
    json_array_append_new(e->step, json_integer(trace->step[p->at[of->first]]));
    json_array_append_new(e->list, json_integer((json_int_t)list_place(m->known, m->lists, ranks)));
    json_array_append_new(e->values, values);
}

static json_t *finish(struct member *m)
{
    json_t *object = json_object(), *all = json_array();
    for (size_t i = 0; i < m->names.count; i++) {
        struct entry *e = &m->entry[i];
        json_object_set_new(e->object, "rows", e->rows);
        if (json_array_size(e->step))
            json_object_set(e->object, "step", e->step);
        json_decref(e->step);
        json_object_set_new(e->object, m->list, e->list);
        json_object_set_new(e->object, "values", e->values);
        json_array_append_new(all, e->object);
    }
    json_object_set_new(object, "limit", json_integer((json_int_t)m->limit));
    json_object_set_new(object, m->list, m->lists);
    json_object_set_new(object, "of", all);
    json_decref(explorer_texts_finish(m->known));
    labels_free(&m->names);
    ub_free(m->entry);
    return object;
}

/* ---- all runs ---------------------------------------------------------------------------------
 */

static void find_limits(const struct study *study, struct member *series, struct member *spectra)
{
    struct lengths steps = {0}, ranks = {0};
    for (size_t row = 0; row < study->frame->rows; row++) {
        const struct ub_trace *trace = ub_frame_trace(study->frame, row);
        struct places *all = trace ? places_of(trace) : NULL;
        for (size_t k = 0; trace && k < trace->n_names; k++) {
            lengths_add(&ranks, all[k].first.count);
            lengths_add(&ranks, all[k].last.count);
            keep_scalars(&all[k], trace);
            lengths_add(&steps, all[k].count);
        }
        places_free(all, trace ? trace->n_names : 0);
    }
    series->limit = limit_of(&steps, SERIES_POINTS);
    spectra->limit = limit_of(&ranks, SPECTRA_POINTS);
    ub_free(steps.length);
    ub_free(ranks.length);
}

static void add_run(struct member *series, struct member *spectra, const struct ub_trace *trace,
                    size_t row)
{
    struct places *all = places_of(trace);
    for (size_t k = 0; k < trace->n_names; k++) {
        const struct places *p = &all[k];
        if (p->first.count)
            add_spectrum(spectra, trace, k, p, &p->first, row);
        if (p->last.count && p->last.first != p->first.first)
            add_spectrum(spectra, trace, k, p, &p->last, row);
        add_series(series, trace, k, &all[k], row);
    }
    places_free(all, trace->n_names);
}

void explorer_add_traces(json_t *page, const struct study *study)
{
    struct member series = {.list = "steps", .known = explorer_texts_new(), .lists = json_array()};
    struct member spectra = {.list = "ranks", .known = explorer_texts_new(), .lists = json_array()};
    find_limits(study, &series, &spectra);
    for (size_t row = 0; row < study->frame->rows; row++) {
        const struct ub_trace *trace = ub_frame_trace(study->frame, row);
        if (trace)
            add_run(&series, &spectra, trace, row);
    }
    json_object_set_new(page, "series", finish(&series));
    json_object_set_new(page, "spectra", finish(&spectra));
}
