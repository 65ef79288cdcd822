/* picture.h - the figure of a row of traces that no section draws: what it holds, and drawing it.
 * Private to plots_default.c, which fills it, and picture.c. */
#ifndef UB_SECTIONS_PICTURE_H
#define UB_SECTIONS_PICTURE_H

#include "bench/observables/observables.h"
#include "report/frame/factor.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"

enum { MOST_PANELS = 12, MOST_LINES = 8 /* colors */ };

struct cell { /* a panel: one line, or crowd of lines, a system or an entry */
    struct crowd crowd[MOST_LINES];
};

struct picture {
    const struct study *study;
    const struct ub_quantity *quantity;
    const struct ub_observable *by;
    struct labels names; /* of rows that it stands for */
    struct ub_rows rows; /* that have any of them */
    struct ub_factor panels;
    struct cell *cell;        /* one a panel */
    struct ub_groups systems; /* one a color, the same in all panels */
    size_t *line;             /* one a row of the frame: its system */
    bool by_entry;            /* colors are entries (names, indices), not systems */
    struct labels entries;
    bool pooled;   /* a line stands for more than one system */
    size_t points; /* of its longest series */
};

/* Whether its horizontal axis is what the index counts, and not steps. */
bool picture_over_index(const struct picture *picture);
/* Adds its figure; none, where there is nothing to see. */
bool picture_draw(const struct picture *picture, struct plates *plates, struct ub_error *err);

#endif
