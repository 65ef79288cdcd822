/* graph.c - making nodes: storage, hash-consing, shapes. */
#include "systems/graph/internal.h"

#include <stdlib.h>
#include <string.h>

_Noreturn void ub_abort_shape(const char *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "unibench: internal error in %s: ", where);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

static void table_new(struct ub_graph *g, int32_t size)
{
    g->table_size = size;
    g->table = ub_alloc((size_t)size * sizeof *g->table);
    for (int32_t i = 0; i < size; i++)
        g->table[i].node = UB_NONE;
}

struct ub_graph *ub_graph_new(void)
{
    struct ub_graph *g = ub_calloc(1, sizeof *g);
    table_new(g, 1024);
    return g;
}

void ub_graph_free(struct ub_graph *g)
{
    if (!g)
        return;
    for (int32_t i = 0; i < g->n_pools; i++)
        ub_free(g->pools[i]);
    ub_free(g->pools);
    for (int32_t i = 0; i < g->n_pages; i++)
        ub_free(g->pages[i]);
    ub_free(g->pages);
    ub_free(g->table);
    ub_free(g);
}

struct ub_shape ub_shape_make(int rank, const int64_t *dim)
{
    if (rank < 0 || rank > UB_RANK)
        UB_ABORT("rank %d is not in 0..%d", rank, UB_RANK);
    struct ub_shape s = {.rank = rank};
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 1)
            UB_ABORT("dimension %d is %lld", i, (long long)dim[i]);
        s.dim[i] = dim[i];
    }
    return s;
}

struct ub_shape ub_shape_of(const struct ub_graph *g, ub_node x)
{
    if (x < 0 || x >= g->count)
        UB_ABORT("no node %d", x);
    return ub_vertex(g, x)->shape;
}

int64_t ub_count(struct ub_shape s)
{
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= s.dim[i];
    return n;
}

bool ub_same_shape(struct ub_shape a, struct ub_shape b)
{
    return a.rank == b.rank && memcmp(a.dim, b.dim, (size_t)a.rank * sizeof *a.dim) == 0;
}

struct ub_shape ub_shape_batched(struct ub_shape s, int64_t b)
{
    int64_t dim[UB_RANK + 1] = {b};
    memcpy(dim + 1, s.dim, (size_t)s.rank * sizeof *dim);
    return ub_shape_make(s.rank + 1, dim);
}

static const struct ub_attributes no_attributes;

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

/* By words, of which attributes are many: a part of the time to make nodes. */
static uint64_t mix_attributes(uint64_t h, const struct ub_attributes *attributes)
{
    uint64_t word[sizeof *attributes / sizeof(uint64_t)];
    _Static_assert(sizeof word == sizeof *attributes, "attributes are whole words");
    if (attributes == &no_attributes)
        return h;
    memcpy(word, attributes, sizeof word);
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        h = mix(h, word[i]);
    return h;
}

static uint32_t vertex_hash(enum ub_op op, const ub_node *in, int n_in, struct ub_shape shape,
                            const struct ub_attributes *attributes)
{
    uint64_t h = mix_attributes((uint64_t)op, attributes);
    for (int i = 0; i < n_in; i++)
        h = mix(h, (uint64_t)in[i]);
    for (int i = 0; i < shape.rank; i++)
        h = mix(h, (uint64_t)shape.dim[i]);
    return (uint32_t)h;
}

static bool vertex_equal(const struct ub_vertex *v, enum ub_op op, const ub_node *in, int n_in,
                         struct ub_shape shape, const struct ub_attributes *attributes)
{
    return v->op == op && v->n_in == n_in && ub_same_shape(v->shape, shape) &&
           memcmp(v->in, in, (size_t)n_in * sizeof *in) == 0 &&
           (v->attributes == attributes ||
            memcmp(v->attributes, attributes, sizeof *attributes) == 0);
}

static uint32_t next_slot(const struct ub_graph *g, uint32_t slot)
{
    return (slot + 1) & (uint32_t)(g->table_size - 1);
}

static void table_insert(struct ub_graph *g, struct ub_slot entry)
{
    uint32_t slot = entry.hash & (uint32_t)(g->table_size - 1);
    while (g->table[slot].node != UB_NONE)
        slot = next_slot(g, slot);
    g->table[slot] = entry;
}

static void table_grow(struct ub_graph *g)
{
    struct ub_slot *old = g->table;
    const int32_t size = g->table_size;
    table_new(g, 4 * size);
    for (int32_t i = 0; i < size; i++)
        if (old[i].node != UB_NONE)
            table_insert(g, old[i]);
    ub_free(old);
}

/* Room that lasts as long as the graph. */
static void *take(struct ub_graph *g, size_t bytes)
{
    enum { POOL = 1 << 16, WORD = sizeof(uint64_t) };
    const size_t whole = (bytes / WORD + 1) * WORD;
    if (g->used + whole > g->room) {
        g->room = whole > POOL ? whole : POOL;
        g->used = 0;
        g->pools = ub_realloc(g->pools, (size_t)(g->n_pools + 1) * sizeof *g->pools);
        g->pools[g->n_pools++] = ub_alloc(g->room);
    }
    g->used += whole;
    return g->pools[g->n_pools - 1] + g->used - whole;
}

/* Where the next vertex goes. */
static struct ub_vertex *next_vertex(struct ub_graph *g)
{
    if (g->count == g->n_pages * UB_PAGE) {
        g->pages = ub_realloc(g->pages, (size_t)(g->n_pages + 1) * sizeof *g->pages);
        g->pages[g->n_pages++] = ub_alloc(UB_PAGE * sizeof **g->pages);
    }
    return &g->pages[g->count / UB_PAGE][g->count % UB_PAGE];
}

ub_node ub_intern(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                  struct ub_shape shape, const struct ub_attributes *attributes)
{
    static const ub_node no_input = UB_NONE;
    if (!in)
        in = &no_input;
    if (memcmp(attributes, &no_attributes, sizeof *attributes) == 0)
        attributes = &no_attributes;
    const uint32_t hash = vertex_hash(op, in, n_in, shape, attributes);
    uint32_t slot = hash & (uint32_t)(g->table_size - 1);
    for (; g->table[slot].node != UB_NONE; slot = next_slot(g, slot)) {
        const struct ub_vertex *v = ub_vertex(g, g->table[slot].node);
        if (g->table[slot].hash == hash && vertex_equal(v, op, in, n_in, shape, attributes))
            return g->table[slot].node;
    }
    const ub_node *own = memcpy(take(g, (size_t)n_in * sizeof *in), in, (size_t)n_in * sizeof *in);
    if (attributes != &no_attributes)
        attributes = memcpy(take(g, sizeof *attributes), attributes, sizeof *attributes);
    *next_vertex(g) = (struct ub_vertex){op, n_in, own, shape, attributes};
    const ub_node x = g->count++;
    table_insert(g, (struct ub_slot){x, hash});
    if (2 * g->count > g->table_size)
        table_grow(g);
    return x;
}

ub_node ub_emit(struct ub_graph *g, enum ub_op op, const ub_node *in, int n_in,
                struct ub_shape shape, const struct ub_attributes *attributes)
{
    if (!attributes)
        attributes = &no_attributes;
    ub_node swapped[2];
    if (n_in == 2 && ub_operator_row(op)->commutes && in[0] > in[1]) {
        swapped[0] = in[1];
        swapped[1] = in[0];
        in = swapped;
    }
    ub_node simpler = ub_simplify(g, op, in, n_in, shape, attributes);
    return simpler != UB_NONE ? simpler : ub_intern(g, op, in, n_in, shape, attributes);
}

ub_node ub_input(struct ub_graph *g, int rank, const int64_t *dim)
{
    struct ub_attributes a = {.serial = ++g->inputs};
    return ub_intern(g, UB_OP_INPUT, NULL, 0, ub_shape_make(rank, dim), &a);
}

ub_node ub_fill(struct ub_graph *g, double value, int rank, const int64_t *dim)
{
    struct ub_attributes a = {.value = value == 0 ? 0 : value}; /* one zero: -0 is 0 */
    return ub_intern(g, UB_OP_FILL, NULL, 0, ub_shape_make(rank, dim), &a);
}

ub_node ub_scalar(struct ub_graph *g, double value)
{
    return ub_fill(g, value, 0, NULL);
}

ub_node ub_like(struct ub_graph *g, double value, ub_node shape_of)
{
    struct ub_shape s = ub_shape_of(g, shape_of);
    return ub_fill(g, value, s.rank, s.dim);
}

ub_node ub_iota(struct ub_graph *g, int64_t n)
{
    return ub_intern(g, UB_OP_IOTA, NULL, 0, ub_shape_make(1, &n), &no_attributes);
}

struct ub_graph *ub_graph_pruned(const struct ub_graph *g, const bool *needed, ub_node *image)
{
    struct ub_graph *pruned = ub_calloc(1, sizeof *pruned);
    for (ub_node x = 0; x < g->count; x++) {
        if (!needed[x])
            continue;
        const struct ub_vertex *v = ub_vertex(g, x);
        ub_node *in = take(pruned, (size_t)v->n_in * sizeof *in);
        for (int i = 0; i < v->n_in; i++)
            in[i] = image[v->in[i]];
        *next_vertex(pruned) = (struct ub_vertex){v->op, v->n_in, in, v->shape, v->attributes};
        image[x] = pruned->count++;
    }
    return pruned;
}
