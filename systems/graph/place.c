/* place.c - third pass: where each value lives. Values of chunks share an arena planned by
 * liveness (largest first, lowest free offset). What another region reads, after threads have met,
 * has a place for every chunk, planned alike; there, too, is what the late stage needs of the
 * first, which keeps its place. */
#include "systems/graph/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct tenant {
    ub_node node;
    int64_t size;
    int from, to; /* positions, inclusive */
};

static int larger_first(const void *a, const void *b)
{
    const struct tenant *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->node < y->node ? -1 : 1;
}

/* Of a tenant that has its place. They are in ascending order of offsets, and compact: there are
 * thousands, and each new one looks through all. */
struct spot {
    int from, to;
    int64_t offset, end;
};

/* Lowest offset at which t fits beside `count` others. */
static int64_t lowest_offset(const struct spot *placed, int count, const struct tenant *t)
{
    int64_t offset = 0;
    for (int i = 0; i < count && placed[i].offset < offset + t->size; i++) {
        const struct spot *o = &placed[i];
        const int64_t end = ((o->from <= t->to) & (t->from <= o->to)) ? o->end : 0;
        offset = offset < end ? end : offset;
    }
    return offset;
}

/* After those of the same offset. */
static void insert(struct spot *placed, int count, const struct spot *s)
{
    int low = 0, high = count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (placed[middle].offset > s->offset)
            high = middle;
        else
            low = middle + 1;
    }
    memmove(&placed[low + 1], &placed[low], (size_t)(count - low) * sizeof *placed);
    placed[low] = *s;
}

/* Do all stay to the end? They are then beside one another. */
static bool all_stay(const struct tenant *tenants, int count)
{
    for (int i = 0; i < count; i++)
        if (tenants[i].to != INT_MAX)
            return false;
    return true;
}

static int64_t plan(struct ub_compiler *c, int space, struct tenant *tenants, int count)
{
    struct spot *placed = ub_alloc(((size_t)count + 1) * sizeof *placed);
    const bool stay = all_stay(tenants, count);
    int64_t top = 0;
    qsort(tenants, (size_t)count, sizeof *tenants, larger_first);
    for (int i = 0; i < count; i++) {
        const struct tenant *t = &tenants[i];
        const int64_t offset = stay ? top : lowest_offset(placed, i, t);
        const struct spot spot = {t->from, t->to, offset, offset + t->size};
        if (!stay)
            insert(placed, i, &spot);
        c->ref[t->node] = (struct ub_ref){space, offset};
        top = spot.end > top ? spot.end : top;
    }
    ub_free(placed);
    return top;
}

static void note_use(struct ub_compiler *c, ub_node source, ub_node reader, bool *used_late)
{
    const int at = c->position[c->group[reader]];
    if (c->last_use[source] < at)
        c->last_use[source] = at;
    if (c->part[reader].chunk && c->part[reader].late)
        used_late[source] = true;
}

static void find_last_uses(struct ub_compiler *c, bool *used_late)
{
    for (ub_node x = 0; x < c->n; x++)
        c->last_use[x] = c->live[x] ? c->position[c->group[x]] : -1;
    for (ub_node x = 0; x < c->n; x++) {
        if (!c->live[x] || ub_vertex(c->g, x)->op == UB_OP_TOTAL)
            continue; /* chunks add what a total sums where they have it */
        for (int i = 0; i < ub_vertex(c->g, x)->n_in; i++) {
            ub_node source = ub_use_of(c, x, i).source;
            if (source == UB_NONE)
                continue;
            if (!ub_is_remade(c, source, x)) {
                note_use(c, source, x, used_late);
                continue;
            }
            for (int j = 0; j < ub_vertex(c->g, source)->n_in; j++) {
                const ub_node part = ub_use_of(c, source, j).source;
                if (part != UB_NONE)
                    note_use(c, part, x, used_late);
            }
        }
    }
}

static void place_input(struct ub_compiler *c, ub_node x)
{
    struct ub_bound_input *in = &c->p->inputs[c->input_of[x]];
    if (in->spec.kind == UB_WEIGHTS) {
        in->ref = (struct ub_ref){UB_SPACE_WEIGHTS, 0};
    } else if (in->spec.kind == UB_SAMPLES) {
        in->ref = (struct ub_ref){UB_SPACE_SAMPLES + in->spec.slot, 0};
    } else {
        in->ref = (struct ub_ref){UB_SPACE_ONCE, c->p->once_size};
        c->p->once_size += ub_aligned(in->count);
    }
    c->ref[x] = in->ref;
}

static struct ub_ref take_lane(struct ub_program *p, int64_t count)
{
    const struct ub_ref ref = {UB_SPACE_LANE, p->lane_size};
    p->lane_size += ub_aligned(count);
    return ref;
}

static void place_totals(struct ub_compiler *c)
{
    for (ub_node x = 0; x < c->n; x++)
        if (c->live[x] && ub_vertex(c->g, x)->op == UB_OP_TOTAL) {
            c->sum[x] = take_lane(c->p, ub_count(ub_vertex(c->g, x)->shape));
            c->totals[c->n_totals++] = x;
        }
}

/* An output that is a matmul's and nothing else's is summed by the GEMM itself. */
static void place_lane_outputs(struct ub_compiler *c, bool *in_lane)
{
    for (int i = 0; i < c->p->n_outputs; i++) {
        struct ub_bound_output *o = &c->p->outputs[i];
        ub_node x = c->base[o->spec.node];
        if (o->once || o->spec.kind != UB_TOTAL)
            continue;
        o->ref = take_lane(c->p, o->count);
        if (c->part[x].chunk && ub_vertex(c->g, x)->op == UB_OP_MATMUL && c->uses[x] == 1) {
            in_lane[x] = true;
            c->ref[x] = o->ref;
        }
    }
}

static bool is_placed_here(const struct ub_compiler *c, ub_node x, const bool *in_lane)
{
    return c->live[x] && c->stored[x] && !in_lane[x] && c->input_of[x] < 0 && c->into[x] == UB_NONE;
}

static bool kept(const struct ub_compiler *c, ub_node x, const bool *used_late)
{
    return c->p->keep && c->part[x].chunk && !c->part[x].late && used_late[x];
}

static int region_at(const struct ub_compiler *c, int position)
{
    return c->p->segments[c->segment[c->order[position]]].region;
}

/* Kept values must fit the limit, else the first stage is run again at each call. */
static void decide_keeping(struct ub_compiler *c, const bool *in_lane, const bool *used_late)
{
    int64_t size = 0;
    for (ub_node x = 0; x < c->n; x++)
        if (is_placed_here(c, x, in_lane) && kept(c, x, used_late))
            size += ub_aligned(ub_count(ub_vertex(c->g, x)->shape));
    uint64_t limit = c->spec->keep_limit ? c->spec->keep_limit : (uint64_t)4 << 30;
    c->p->keep = ub_size_fits(size, c->p->chunks, c->p->kernels->real, limit);
}

/* Arrays are begun by the first of the parts that are written in place. */
static int *find_first_writes(const struct ub_compiler *c)
{
    int *first = ub_alloc((size_t)c->n * sizeof *first);
    for (ub_node x = 0; x < c->n; x++)
        first[x] = c->position[c->group[x]];
    for (ub_node x = 0; x < c->n; x++) {
        ub_node whole = x;
        while (c->into[whole] != UB_NONE)
            whole = c->into[whole];
        if (whole != x && first[x] < first[whole])
            first[whole] = first[x];
    }
    return first;
}

static void place_once(struct ub_compiler *c, ub_node x, int64_t size)
{
    c->ref[x] = (struct ub_ref){UB_SPACE_ONCE, c->p->once_size};
    c->p->once_size += size;
}

void ub_compile_place(struct ub_compiler *c)
{
    bool *used_late = ub_calloc((size_t)c->n, sizeof *used_late);
    bool *in_lane = ub_calloc((size_t)c->n, sizeof *in_lane);
    struct tenant *at_work = ub_alloc((size_t)c->n * sizeof *at_work);
    struct tenant *staying = ub_alloc((size_t)c->n * sizeof *staying);
    int *first_write = find_first_writes(c);
    int n_at_work = 0, n_staying = 0;
    find_last_uses(c, used_late);
    place_lane_outputs(c, in_lane);
    place_totals(c);
    decide_keeping(c, in_lane, used_late);
    for (ub_node x = 0; x < c->n; x++) {
        int64_t size = ub_aligned(ub_count(ub_vertex(c->g, x)->shape));
        if (c->live[x] && c->input_of[x] >= 0) {
            place_input(c, x);
        } else if (!is_placed_here(c, x, in_lane)) {
            continue;
        } else if (!c->part[x].chunk) {
            place_once(c, x, size);
        } else {
            const int from = first_write[x], to = c->last_use[x];
            const bool keep = kept(c, x, used_late);
            const bool stays = keep || region_at(c, from) != region_at(c, to);
            *(stays ? &staying[n_staying++] : &at_work[n_at_work++]) =
                (struct tenant){x, size, from, keep ? INT_MAX : to};
        }
    }
    c->p->arena_size = plan(c, UB_SPACE_ARENA, at_work, n_at_work);
    c->p->kept_size = plan(c, UB_SPACE_KEPT, staying, n_staying);
    ub_free(used_late);
    ub_free(in_lane);
    ub_free(first_write);
    ub_free(at_work);
    ub_free(staying);
}
