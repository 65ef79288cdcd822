/* Grids of two numeric axes that a store sweeps together. */
#include "report/sections/phases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double least_filled = 0.5;

/* ---- axes ----------------------------------------------------------------------------------- */

/* An option whose name says that it is a seed is no axis of a diagram. */
static bool is_seed(const struct ub_column *c)
{
    const size_t n = strlen(c->name);
    return n >= 4 && strcmp(c->name + n - 4, "seed") == 0;
}

static bool is_swept_number(const struct ub_frame *frame, const struct ub_column *c)
{
    if (c->role != UB_COLUMN_AXIS || c->n_words < PHASES_FEWEST || is_seed(c))
        return false;
    for (size_t row = 0; row < frame->rows; row++)
        if (c->level[row] >= 0 && !isfinite(c->number[row]) &&
            frame->store->runs[row].status == UB_RUN_OK)
            return false;
    return true;
}

/* Whether any group could be a grid: enough pairs of words at all. */
static bool may_be_a_grid(const struct ub_frame *frame, const struct ub_column *x,
                          const struct ub_column *y)
{
    enum { FEWEST_CELLS = 5 }; /* half of three by three */
    bool *seen = ub_calloc(x->n_words * y->n_words + 1, sizeof *seen);
    size_t cells = 0;
    for (size_t row = 0; row < frame->rows; row++) {
        if (x->level[row] < 0 || y->level[row] < 0)
            continue;
        bool *cell = &seen[(size_t)x->level[row] * y->n_words + (size_t)y->level[row]];
        cells += !*cell;
        *cell = true;
    }
    ub_free(seen);
    return cells >= FEWEST_CELLS;
}

/* ---- one grid ------------------------------------------------------------------------------- */

struct place {
    int level;
    double number;
};

static int by_number(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    return (p->number > q->number) - (p->number < q->number);
}

/* The words that rows have, by the median of their numbers; those without a number are none. */
static size_t places_of(const struct ub_column *c, const struct ub_rows *rows, int **level,
                        double **at)
{
    struct place *place = ub_calloc(c->n_words + 1, sizeof *place);
    double *number = ub_calloc(rows->count + 1, sizeof *number);
    size_t n = 0;
    for (size_t w = 0; w < c->n_words; w++) {
        size_t count = 0;
        for (size_t i = 0; i < rows->count; i++)
            if (c->level[rows->row[i]] == (int)w && isfinite(c->number[rows->row[i]]))
                number[count++] = c->number[rows->row[i]];
        if (count)
            place[n++] = (struct place){(int)w, ub_median(number, count)};
    }
    if (n)
        qsort(place, n, sizeof *place, by_number);
    *level = ub_calloc(n + 1, sizeof **level);
    *at = ub_calloc(n + 1, sizeof **at);
    for (size_t i = 0; i < n; i++) {
        (*level)[i] = place[i].level;
        (*at)[i] = place[i].number;
    }
    ub_free(number);
    ub_free(place);
    return n;
}

static size_t place_of(const int *level, size_t n, int wanted)
{
    size_t i = 0;
    while (i < n && level[i] != wanted)
        i++;
    return i;
}

size_t grid_cell(const struct grid *g, size_t row)
{
    const size_t i = place_of(g->level_x, g->nx, g->x->level[row]);
    const size_t j = place_of(g->level_y, g->ny, g->y->level[row]);
    return i < g->nx && j < g->ny ? i * g->ny + j : g->nx * g->ny;
}

static void grid_clear(struct grid *g)
{
    ub_rows_clear(&g->rows);
    ub_free(g->at_x);
    ub_free(g->at_y);
    ub_free(g->level_x);
    ub_free(g->level_y);
}

static struct grid grid_of(const struct ub_column *x, const struct ub_column *y,
                           const struct ub_rows *rows)
{
    struct grid g = {.x = x, .y = y};
    g.rows.row = ub_calloc(rows->count + 1, sizeof *g.rows.row);
    for (size_t i = 0; i < rows->count; i++)
        if (x->level[rows->row[i]] >= 0 && y->level[rows->row[i]] >= 0)
            g.rows.row[g.rows.count++] = rows->row[i];
    g.nx = places_of(x, &g.rows, &g.level_x, &g.at_x);
    g.ny = places_of(y, &g.rows, &g.level_y, &g.at_y);
    bool *seen = ub_calloc(g.nx * g.ny + 1, sizeof *seen);
    for (size_t i = 0; i < g.rows.count; i++) {
        const size_t cell = grid_cell(&g, g.rows.row[i]);
        g.filled += cell < g.nx * g.ny && !seen[cell];
        seen[cell] = true;
    }
    ub_free(seen);
    return g;
}

static bool is_grid(const struct grid *g)
{
    bool apart = g->nx >= PHASES_FEWEST && g->ny >= PHASES_FEWEST;
    for (size_t i = 1; apart && i < g->nx; i++)
        apart = g->at_x[i] > g->at_x[i - 1];
    for (size_t j = 1; apart && j < g->ny; j++)
        apart = g->at_y[j] > g->at_y[j - 1];
    return apart && (double)g->filled >= least_filled * (double)(g->nx * g->ny);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void add_pair(struct phases *p, const struct ub_frame *frame, const struct ub_column *x,
                     const struct ub_column *y)
{
    const char *within[16] = {x->name, y->name};
    size_t n = 2;
    for (size_t i = 0; i < frame->columns && n < 15; i++)
        if (frame->column[i].role == UB_COLUMN_AXIS && is_seed(&frame->column[i]))
            within[n++] = frame->column[i].name;
    struct ub_groups groups = ub_frame_group(frame, NULL, within);
    for (size_t k = 0; k < groups.count; k++) {
        if (groups.group[k].count < (size_t)PHASES_FEWEST * PHASES_FEWEST / 2)
            continue;
        struct grid g = grid_of(x, y, &groups.group[k]);
        if (!is_grid(&g)) {
            grid_clear(&g);
            continue;
        }
        p->grid = ub_realloc(p->grid, (p->count + 1) * sizeof *p->grid);
        p->grid[p->count++] = g;
    }
    ub_groups_clear(&groups);
}

static int by_pair_and_size(const void *a, const void *b)
{
    const struct grid *p = a, *q = b;
    int order = strcmp(p->x->name, q->x->name);
    order = order ? order : strcmp(p->y->name, q->y->name);
    order = order ? order : (q->filled > p->filled) - (q->filled < p->filled);
    return order ? order : (p->rows.row[0] > q->rows.row[0]) - (p->rows.row[0] < q->rows.row[0]);
}

struct phases phases_of(const struct study *study)
{
    const struct ub_frame *frame = study->frame;
    struct phases p = {0};
    const struct ub_column **swept = ub_calloc(frame->columns + 1, sizeof *swept);
    for (size_t i = 0; i < frame->columns; i++)
        if (is_swept_number(frame, &frame->column[i]))
            swept[p.swept++] = &frame->column[i];
    for (size_t a = 0; a < p.swept; a++)
        for (size_t b = a + 1; b < p.swept; b++)
            if (may_be_a_grid(frame, swept[a], swept[b]))
                add_pair(&p, frame, swept[a], swept[b]);
    if (p.count)
        qsort(p.grid, p.count, sizeof *p.grid, by_pair_and_size);
    ub_free(swept);
    return p;
}

void phases_clear(struct phases *p)
{
    for (size_t i = 0; i < p->count; i++)
        grid_clear(&p->grid[i]);
    ub_free(p->grid);
    *p = (struct phases){0};
}
