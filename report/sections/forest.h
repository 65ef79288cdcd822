/* forest.h - what a law's forest shows: its rows (forest_rows.c), before they are drawn (forest.c).
 *
 *     struct forest f = forest_of(verdict, frame);
 *     for (size_t i = 0; i < f.count; i++)
 *         puts(f.row[i].name);
 *     forest_clear(&f); */
#ifndef UB_SECTIONS_FOREST_H
#define UB_SECTIONS_FOREST_H

#include "report/laws/law.h"

/* As tables answer (shown_group): systems that meet the claim, that are off it but not past doubt,
 * that do not meet it; and controls. */
enum forest_look { MEETS, UNCLEAR, BEYOND, MUST_HOLD, MUST_FAIL, FOREST_LOOKS };

/* What each is called, and its color, which means the same in all figures of a law. */
extern const char *const forest_label[FOREST_LOOKS];
extern const int forest_color[FOREST_LOOKS];
enum forest_look forest_look_of(const struct ub_law_verdict *verdict, size_t group);

struct forest_row {
    double value, low, high; /* its 95% interval; equal where no error is known */
    double se;
    enum forest_look look;
    int cluster; /* an index into `cluster`; 0 where the law has none */
    char *name;  /* owned */
};

struct forest_cluster {
    double mean; /* random effects over the rows, as it is judged */
    size_t first, count;
};

/* Beyond so many rows a forest is a summary: all values in order, and by name only those that are
 * beyond the claim, the farthest of them, and controls. */
enum { FOREST_MOST = 60, FOREST_NAMED = 16 };

struct forest {
    const struct ub_law_verdict *verdict;
    size_t count; /* rows with a value: systems, then controls that must hold, then those to fail */
    struct forest_row *row;
    /* Sameness only: rows that are compared with each other stand together, clusters by mean. */
    size_t n_clusters;
    struct forest_cluster *cluster;
    bool deviations; /* values are less their cluster's mean: a summary of sameness */
    bool logarithmic;
    double low, high; /* what is shown: beyond it rows stand at the axis' end */
};

/* Names tell apart all rows that are shown; of controls they have model and dataset always. */
struct forest forest_of(const struct ub_law_verdict *verdict, const struct ub_frame *frame);
/* Of a summary, the indices of rows that are named, ascending; returns how many: the farthest
 * beyond the claim, FOREST_NAMED at most, and half as many controls of each kind. `named`: room for
 * all rows. */
size_t forest_named(const struct forest *forest, size_t *named);
void forest_clear(struct forest *forest);

#endif
