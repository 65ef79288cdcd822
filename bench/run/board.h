/* board.h - what the workers of a sweep and their parent both see: who has which cell, and how far
 * the runs in flight are. Cells are claimed by whoever is free, the parent for a new worker or a
 * worker for itself, so that none waits for another. In shared memory, made before any worker. */
#ifndef UB_BOARD_H
#define UB_BOARD_H

#include "bench/suite/suite.h"

#include <stdatomic.h>

struct ub_place; /* what a worker is at */
struct ub_board {
    atomic_bool *stop; /* runs give up at their next step */
    struct ub_place *places;
    atomic_int *cells;
    size_t n_places, n_cells;
    size_t *pack; /* one a cell: the first cell of its pack (pack.h) */
    int ends[2];  /* a pipe of struct ub_end */
    void *shared;
    size_t bytes;
};

/* A run that a worker has stored, as it tells the parent. */
struct ub_end {
    size_t cell;
    double seconds;
};

/* On failure it is empty; ub_board_close takes that, too, and one that is zero. */
bool ub_board_open(struct ub_board *b, const struct ub_suite_cell *const *cells, size_t n_cells,
                   size_t n_places, struct ub_error *err);
void ub_board_close(struct ub_board *b);

/* False when another has it. */
bool ub_board_claim(struct ub_board *b, size_t cell, size_t place);
/* A claimed cell's run starts now. */
void ub_board_begin(struct ub_board *b, size_t place, size_t cell);
/* The cell that a place is at, when its run started (seconds of the monotonic clock), and for
 * workers to count its steps. */
size_t ub_board_cell(const struct ub_board *b, size_t place);
double ub_board_started(const struct ub_board *b, size_t place);
atomic_llong *ub_board_steps(const struct ub_board *b, size_t place);
/* The run that the place is at is in the store. On the board first: should the worker be killed
 * here, the parent looks there. */
void ub_board_stored(struct ub_board *b, size_t place);
/* The cell's run has ended, one way or another, and is not to be claimed again. */
void ub_board_settle(struct ub_board *b, size_t cell);
bool ub_board_is_settled(const struct ub_board *b, size_t cell);
/* The next run that was told of and is not yet taken; false when there is none now. */
bool ub_board_next_end(struct ub_board *b, struct ub_end *end);
/* Claims the next cell of the same pack that nobody has; false when there is none, or the sweep is
 * to stop. */
bool ub_board_next_of_pack(struct ub_board *b, size_t place, size_t *cell);
/* Cells that the place has claimed and is not at are free again: the first of them, n_cells when
 * there are none. */
size_t ub_board_release(struct ub_board *b, size_t place);

#endif
