#define _GNU_SOURCE /* MAP_ANONYMOUS, pipe2 */
#include "bench/run/board.h"
#include "base/clock.h"
#include "bench/run/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What becomes of a cell; a place's number + 1: claimed. */
enum { SETTLED = -1, FREE = 0 };

struct ub_place {
    atomic_size_t cell;
    _Atomic double started;
    atomic_llong steps;
};

/* ---- making ---- */

static bool share_memory(struct ub_board *b, struct ub_error *err)
{
    const size_t places = b->n_places * sizeof *b->places, cells = b->n_cells * sizeof *b->cells;
    b->bytes = places + cells + sizeof *b->stop;
    void *shared = mmap(NULL, b->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return ub_fail(err, UB_INTERNAL, "no shared memory: %s", strerror(errno));
    b->shared = shared; /* zeroed by the system */
    b->places = shared;
    b->cells = (void *)((char *)shared + places);
    b->stop = (void *)((char *)shared + places + cells);
    return true;
}

/* Packs are named by their first cell. */
static void find_packs(struct ub_board *b, const struct ub_suite_cell *const *cells)
{
    size_t *firsts = ub_calloc(b->n_cells + 1, sizeof *firsts), n = 0;
    b->pack = ub_calloc(b->n_cells + 1, sizeof *b->pack);
    for (size_t i = 0; i < b->n_cells; i++) {
        size_t k = n; /* from the last: packs mostly follow each other */
        while (k > 0 && !ub_pack_takes(&cells[firsts[k - 1]]->spec, &cells[i]->spec))
            k--;
        b->pack[i] = k > 0 ? firsts[k - 1] : i;
        if (k == 0)
            firsts[n++] = i;
    }
    ub_free(firsts);
}

bool ub_board_open(struct ub_board *b, const struct ub_suite_cell *const *cells, size_t n_cells,
                   size_t n_places, struct ub_error *err)
{
    *b = (struct ub_board){.n_places = n_places, .n_cells = n_cells, .ends = {-1, -1}};
    if (!share_memory(b, err))
        return false;
    if (pipe2(b->ends, O_CLOEXEC) != 0 || fcntl(b->ends[0], F_SETFL, O_NONBLOCK) != 0) {
        ub_fail(err, UB_INTERNAL, "no pipe: %s", strerror(errno));
        ub_board_close(b);
        return false;
    }
    find_packs(b, cells);
    return true;
}

void ub_board_close(struct ub_board *b)
{
    if (!b->shared)
        return;
    for (int i = 0; i < 2; i++)
        if (b->ends[i] >= 0)
            close(b->ends[i]);
    munmap(b->shared, b->bytes);
    ub_free(b->pack);
    *b = (struct ub_board){0};
}

/* ---- claims ---- */

bool ub_board_claim(struct ub_board *b, size_t cell, size_t place)
{
    int expected = FREE;
    return atomic_compare_exchange_strong(&b->cells[cell], &expected, (int)place + 1);
}

bool ub_board_next_of_pack(struct ub_board *b, size_t place, size_t *cell)
{
    for (size_t i = *cell + 1; i < b->n_cells && !atomic_load(b->stop); i++)
        if (b->pack[i] == b->pack[*cell] && ub_board_claim(b, i, place)) {
            *cell = i;
            return true;
        }
    return false;
}

size_t ub_board_release(struct ub_board *b, size_t place)
{
    size_t first = b->n_cells;
    const size_t at = ub_board_cell(b, place);
    for (size_t i = b->n_cells; i-- > 0;)
        if (i != at && atomic_load(&b->cells[i]) == (int)place + 1) {
            atomic_store(&b->cells[i], FREE);
            first = i;
        }
    return first;
}

/* ---- runs in flight, and their ends ---- */

void ub_board_begin(struct ub_board *b, size_t place, size_t cell)
{
    struct ub_place *p = &b->places[place];
    atomic_store(&p->started, ub_seconds());
    atomic_store(&p->steps, 0);
    atomic_store(&p->cell, cell);
}

size_t ub_board_cell(const struct ub_board *b, size_t place)
{
    return atomic_load(&b->places[place].cell);
}

double ub_board_started(const struct ub_board *b, size_t place)
{
    return atomic_load(&b->places[place].started);
}

atomic_llong *ub_board_steps(const struct ub_board *b, size_t place)
{
    return &b->places[place].steps;
}

void ub_board_settle(struct ub_board *b, size_t cell)
{
    atomic_store(&b->cells[cell], SETTLED);
}

void ub_board_stored(struct ub_board *b, size_t place)
{
    const struct ub_end end = {ub_board_cell(b, place), ub_seconds() - ub_board_started(b, place)};
    ub_board_settle(b, end.cell);
    while (write(b->ends[1], &end, sizeof end) < 0 && errno == EINTR)
        ;
}

bool ub_board_is_settled(const struct ub_board *b, size_t cell)
{
    return atomic_load(&b->cells[cell]) == SETTLED;
}

bool ub_board_next_end(struct ub_board *b, struct ub_end *end)
{
    return read(b->ends[0], end, sizeof *end) == sizeof *end; /* whole: it was written at once */
}
