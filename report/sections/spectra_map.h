/* spectra_map.h - spectra over steps as colors; private to the plots_spectra*.c files. */
#ifndef UB_REPORT_SPECTRA_MAP_H
#define UB_REPORT_SPECTRA_MAP_H

#include "report/sections/spectra.h"

enum { FEWEST_STEPS = 3 };

/* Of one model: values over steps (outer) and rows, in the units of the colors. */
struct map {
    char *title, *exponent; /* of the panel; row of the exponent beside it */
    size_t steps, rows;
    double *step, *value; /* value: steps x rows; NAN = none */
    double *edge;         /* rows + 1, in y */
    double linear;        /* of a signed axis */
};

void map_clear(struct map *m);
/* Whether any is above zero, and above what stands for zero, DBL_MIN. */
bool map_has_values(const struct map *m);
/* Steps at which a row was measured. */
void map_take_steps(struct map *m, const struct ub_trace *trace, const char *row);
/* "mlp: fc1", or "mlp" without a layer. Caller frees. */
char *map_title(const char *model, const char *layer);
/* Edges of the steps' columns on a log axis of step + 1: the middles between neighbors, and the
 * ends as far out; n + 1 of them. Caller frees. */
double *step_edges(const double *step, size_t n);

/* What the ends of viridis stand for, for all maps of a figure; begin with {DBL_MAX, 0}. */
struct colors {
    double low, high; /* positive */
};
void colors_include(struct colors *c, const struct map *m);
/* At most so many decades below the greatest. */
void colors_finish(struct colors *c, double decades);
void draw_map(struct ub_panel *panel, const struct map *m, struct colors c);

#endif
