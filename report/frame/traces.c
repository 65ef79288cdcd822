/* Traces that were read, the least lately used of them forgotten first. */
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
    struct held *held;     /* one a run */
    struct ub_error fault; /* of the first trace that could not be read; status UB_OK: none */
};

struct ub_trace_cache *ub_trace_cache_new(const struct ub_store *store, uint64_t budget)
{
    struct ub_trace_cache *cache = ub_calloc(1, sizeof *cache);
    cache->store = store;
    cache->budget = budget;
    cache->held = ub_calloc(store->count + 1, sizeof *cache->held);
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

const struct ub_trace *ub_trace_cache_get(struct ub_trace_cache *cache, size_t run)
{
    struct held *h = &cache->held[run];
    const struct ub_run *r = &cache->store->runs[run];
    h->used = ++cache->clock;
    if (h->trace || h->absent)
        return h->trace;
    struct ub_error err = {0};
    const bool due = r->status != UB_RUN_MISSING && r->status != UB_RUN_FAILED;
    if (due)
        h->trace = ub_trace_read(cache->store, r, &err);
    h->absent = !h->trace;
    if (h->absent && due && !*cache->fault.text)
        cache->fault = err;
    if (h->absent)
        return NULL;
    h->bytes = bytes_of(h->trace);
    keep_names(h);
    cache->bytes += h->bytes;
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
