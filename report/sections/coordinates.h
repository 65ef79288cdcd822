/* coordinates.h - coordinate checks of a study: sizes of activations and of their changes against
 * width; private to coordinates.c and plots_coordinates.c. */
#ifndef UB_SECTIONS_COORDINATES_H
#define UB_SECTIONS_COORDINATES_H

#include "report/sections/sections.h"

/* Runs of one check differ in width, parametrization and seeds alone. */
struct checks {
    const struct ub_frame *frame;
    struct ub_groups groups;
    char **name;               /* "mlp, gd", and what else tells them apart */
    struct ub_groups *choices; /* of each check: its rows by parametrization */
    size_t n_words;            /* parametrizations of any check, and their names (the frame's) */
    const char **word;
};
struct checks checks_of(const struct study *study);
void checks_clear(struct checks *checks);
/* The check's rows under a parametrization; none when it has none. */
struct ub_rows check_rows(const struct checks *checks, size_t check, size_t word);

/* Rows of traces: PREFIX.LAYER. */
extern const char update_prefix[], size_prefix[];
/* Layers that any of these runs recorded, in order of appearance. */
struct labels check_layers(const struct ub_frame *frame, const struct ub_rows *rows,
                           const char *prefix);

/* A layer's last values by width, ascending: geometric means over runs that did not diverge. */
struct curve {
    size_t n;
    double *width, *value;
};
struct curve curve_of(const struct ub_frame *frame, const struct ub_rows *rows, const char *prefix,
                      const char *layer);
void curve_clear(struct curve *curve);
/* Least-squares slope of log value against log width; NAN for fewer than three widths. */
double slope_of(const struct ub_frame *frame, const struct ub_rows *rows, const char *prefix,
                const char *layer);
/* The least and greatest slopes of the changes of all layers but the output; NAN without any. */
void hidden_slopes(const struct ub_frame *frame, const struct ub_rows *rows, double *least,
                   double *most);

#endif
