/* Traces that were read, the least lately used of them forgotten first. */
#include "base/team.h"
#include "report/frame/columns.h"

#include <string.h>

struct held {
    struct ub_trace *trace; /* NULL: not held */
    uint64_t bytes, used;   /* when it was last asked for */
    bool absent;            /* there is none to read */
    size_t n_names;         /* of what it has, once it was read: they stay when it goes */
    char **names;
};

struct ub_trace_cache {
    const struct ub_store *store;
    uint64_t budget, bytes, clock;
    bool full;             /* one has been forgotten */
    struct held *held;     /* one a run */
    struct ub_team *team;  /* NULL: of few runs */
    struct ub_error fault; /* of the first trace that could not be read; status UB_OK: none */
};

struct ub_trace_cache *ub_trace_cache_new(const struct ub_store *store, uint64_t budget)
{
    struct ub_trace_cache *cache = ub_calloc(1, sizeof *cache);
    cache->store = store;
    cache->budget = budget;
    cache->held = ub_calloc(store->count + 1, sizeof *cache->held);
    cache->team = ub_team_for((int64_t)store->count);
    return cache;
}

static void forget_names(struct held *h)
{
    for (size_t k = 0; k < h->n_names; k++)
        ub_free(h->names[k]);
    ub_free(h->names);
    h->names = NULL;
    h->n_names = 0;
}

static void keep_names(struct held *h)
{
    forget_names(h);
    h->names = ub_calloc(h->trace->n_names + 1, sizeof *h->names);
    for (; h->n_names < h->trace->n_names; h->n_names++)
        h->names[h->n_names] = ub_strdup(h->trace->names[h->n_names]);
}

void ub_trace_cache_free(struct ub_trace_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->store->count; i++) {
        ub_trace_free(cache->held[i].trace);
        forget_names(&cache->held[i]);
    }
    ub_team_free(cache->team);
    ub_free(cache->held);
    ub_free(cache);
}

static uint64_t bytes_of(const struct ub_trace *t)
{
    return t->count * (sizeof *t->step + sizeof *t->observable + sizeof *t->index +
                       sizeof *t->value + sizeof *t->error);
}

/* Linear in the store's runs, but only where a trace no longer fits: reading one costs more. */
static void make_room(struct ub_trace_cache *cache)
{
    while (cache->bytes > cache->budget) {
        struct held *oldest = NULL;
        for (size_t i = 0; i < cache->store->count; i++) {
            struct held *h = &cache->held[i];
            if (h->trace && h->used < cache->clock && (!oldest || h->used < oldest->used))
                oldest = h;
        }
        if (!oldest)
            return; /* only the one just read is held */
        cache->full = true;
        ub_trace_free(oldest->trace);
        oldest->trace = NULL;
        cache->bytes -= oldest->bytes;
    }
}

bool ub_trace_cache_good(const struct ub_trace_cache *cache, struct ub_error *err)
{
    if (*cache->fault.text)
        *err = cache->fault;
    return !*cache->fault.text;
}

void ub_trace_cache_put(struct ub_trace_cache *cache, size_t run, struct ub_trace *trace)
{
    struct held *h = &cache->held[run];
    cache->bytes -= h->trace ? h->bytes : 0;
    ub_trace_free(h->trace);
    forget_names(h);
    *h = (struct held){.trace = trace, .bytes = bytes_of(trace), .used = ++cache->clock};
    keep_names(h);
    cache->bytes += h->bytes;
}

static bool is_due(const struct ub_run *run)
{
    return run->status != UB_RUN_MISSING && run->status != UB_RUN_FAILED;
}

static void hold(struct ub_trace_cache *cache, struct held *h, struct ub_trace *trace)
{
    h->trace = trace;
    h->bytes = bytes_of(trace);
    keep_names(h);
    cache->bytes += h->bytes;
}

/* ---- reading ahead ----------------------------------------------------------------------------
 */

/* Traces are mostly asked for in the order of the runs: with the first of them the next are read by
 * several threads. */
struct ahead {
    const struct ub_store *store;
    size_t *run;
    struct ub_trace **trace;
};

static void read_one(void *context, int64_t task, int member)
{
    const struct ahead *a = context;
    struct ub_error later = {0}; /* said when that trace is asked for */
    (void)member;
    a->trace[task] = ub_trace_read(a->store, &a->store->runs[a->run[task]], &later);
}

/* How many traces to read at once: as many, of the mean size so far, as half the budget has room
 * for, and one alone once something had to be forgotten. */
static size_t room_ahead(const struct ub_trace_cache *cache)
{
    enum { MOST = 128 };
    if (!cache->team || cache->full || cache->bytes == 0 || cache->bytes >= cache->budget / 2)
        return 1;
    size_t held = 0;
    for (size_t i = 0; i < cache->store->count; i++)
        held += cache->held[i].trace != NULL;
    const uint64_t room = (cache->budget / 2 - cache->bytes) / (cache->bytes / held + 1);
    return room < MOST ? (size_t)room + 1 : MOST;
}

static void read_ahead(struct ub_trace_cache *cache, size_t run)
{
    const size_t room = room_ahead(cache);
    struct ahead a = {cache->store, ub_calloc(room, sizeof *a.run),
                      ub_calloc(room, sizeof(struct ub_trace *))};
    size_t n = 0;
    for (size_t i = run; room > 1 && i < cache->store->count && n < room; i++)
        if (!cache->held[i].trace && !cache->held[i].absent && is_due(&cache->store->runs[i]))
            a.run[n++] = i;
    ub_team_run(cache->team, (int64_t)n, read_one, &a);
    for (size_t k = 0; k < n; k++)
        if (a.trace[k])
            hold(cache, &cache->held[a.run[k]], a.trace[k]);
    ub_free(a.run);
    ub_free(a.trace);
}

const struct ub_trace *ub_trace_cache_get(struct ub_trace_cache *cache, size_t run)
{
    struct held *h = &cache->held[run];
    const struct ub_run *r = &cache->store->runs[run];
    struct ub_error err = {0};
    h->used = ++cache->clock;
    if (h->trace || h->absent)
        return h->trace;
    if (is_due(r))
        read_ahead(cache, run);
    struct ub_trace *trace = h->trace || !is_due(r) ? NULL : ub_trace_read(cache->store, r, &err);
    if (trace)
        hold(cache, h, trace);
    h->absent = !h->trace;
    if (h->absent && is_due(r) && !*cache->fault.text)
        cache->fault = err;
    if (!h->absent)
        make_room(cache);
    return h->trace;
}

bool ub_trace_cache_has(struct ub_trace_cache *cache, size_t run, const char *observable)
{
    struct held *h = &cache->held[run];
    if (!h->names && !h->absent)
        ub_trace_cache_get(cache, run);
    if (!observable)
        return !h->absent;
    for (size_t k = 0; h->names && k < h->n_names; k++)
        if (strcmp(h->names[k], observable) == 0)
            return true;
    return false;
}

size_t ub_trace_cache_names(struct ub_trace_cache *cache, size_t run, char *const **names)
{
    const struct held *h = &cache->held[run];
    if (!h->names && !h->absent)
        ub_trace_cache_get(cache, run);
    *names = h->names;
    return h->n_names;
}
