/* workspace.c - memory that programs work in: what a run leaves there is of no use to the next. Of
 * programs that never run at once, one is enough for all, as large as the greatest asks. */
#include "systems/graph/program.h"

struct ub_workspace {
    int threads;
    int64_t shared_bytes, thread_bytes;
    void *shared, **thread;
};

struct ub_workspace *ub_workspace_new(void)
{
    return ub_calloc(1, sizeof(struct ub_workspace));
}

static void release(struct ub_workspace *w)
{
    for (int t = 0; t < w->threads; t++)
        ub_free(w->thread[t]);
    ub_free(w->thread);
    ub_free(w->shared);
}

void ub_workspace_free(struct ub_workspace *w)
{
    if (!w)
        return;
    release(w);
    ub_free(w);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Not cleared: pages that no run writes stay without memory, and a thread's are its own first. */
void ub_workspace_reserve(struct ub_workspace *w, const struct ub_program *p)
{
    const struct ub_program_facts *need = &p->facts;
    if (w->shared_bytes >= need->shared_bytes && w->thread_bytes >= need->thread_bytes &&
        w->threads >= p->threads)
        return;
    release(w);
    w->shared_bytes = larger(w->shared_bytes, need->shared_bytes);
    w->thread_bytes = larger(w->thread_bytes, need->thread_bytes);
    w->threads = p->threads > w->threads ? p->threads : w->threads;
    w->shared = ub_alloc((size_t)w->shared_bytes);
    w->thread = ub_calloc((size_t)w->threads, sizeof *w->thread);
    for (int t = 0; t < w->threads; t++)
        w->thread[t] = ub_alloc((size_t)w->thread_bytes);
}

/* ---- a program's parts of it, in elements, in the order in which they lie there ---- */

/* Parameters stay for later calls where there are late inputs, and so does what is kept. */
static int64_t passing_kept(const struct ub_program *p)
{
    return p->keep ? 0 : p->kept_size * p->chunks;
}

static int64_t passing_once(const struct ub_program *p)
{
    return p->staged ? 0 : p->once_size;
}

int64_t ub_workspace_shared(const struct ub_program *p)
{
    return p->lane_size * p->lanes + passing_kept(p) + passing_once(p);
}

int64_t ub_workspace_thread(const struct ub_program *p)
{
    return p->arena_size + ub_aligned(p->registers * UB_REGISTER_STRIDE) + p->scratch;
}

static void *after(void **place, const struct ub_program *p, int64_t count)
{
    void *here = *place;
    *place = (char *)here + (size_t)count * p->kernels->real;
    return here;
}

void ub_workspace_enter(struct ub_program *p)
{
    const struct ub_workspace *w = p->workspace;
    void *place = w->shared;
    p->lane = after(&place, p, p->lane_size * p->lanes);
    if (!p->keep)
        p->kept = after(&place, p, passing_kept(p));
    if (!p->staged)
        p->once = after(&place, p, passing_once(p));
    for (int t = 0; t < p->threads; t++) {
        struct ub_lane_context *context = &p->contexts[t];
        place = w->thread[t];
        context->base[UB_SPACE_ONCE] = p->once;
        context->base[UB_SPACE_ARENA] = after(&place, p, p->arena_size);
        context->registers = after(&place, p, ub_aligned(p->registers * UB_REGISTER_STRIDE));
        context->scratch = place;
    }
}
