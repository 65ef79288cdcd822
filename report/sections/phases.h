/* phases.h - where runs sweep two numeric axes together: grids of cells, before they are drawn
 * (plots_phases.c).
 *
 *     struct phases p = phases_of(study);
 *     for (size_t i = 0; i < p.count; i++)
 *         printf("%s x %s: %zu x %zu\n", p.grid[i].x->name, p.grid[i].y->name, p.grid[i].nx,
 *                p.grid[i].ny);
 *     phases_clear(&p); */
#ifndef UB_SECTIONS_PHASES_H
#define UB_SECTIONS_PHASES_H

#include "report/laws/study.h"

enum { PHASES_FEWEST = 3 }; /* words of each axis */

/* Runs that are equal in all but two numeric axes and seeds. Cell i * ny + j has x's i-th and y's
 * j-th value. */
struct grid {
    const struct ub_column *x, *y;
    struct ub_rows rows;
    size_t nx, ny, filled; /* filled: cells with runs */
    double *at_x, *at_y;   /* ascending: medians of the numbers used */
    int *level_x, *level_y;
};

struct phases {
    size_t count; /* pairs of axes together, larger grids first */
    struct grid *grid;
    size_t swept; /* numeric axes with three values or more */
};

/* Grids of three by three cells or more, half of them filled or more. */
struct phases phases_of(const struct study *study);
/* The cell of a row of the grid. */
size_t grid_cell(const struct grid *grid, size_t row);
void phases_clear(struct phases *phases);

#endif
