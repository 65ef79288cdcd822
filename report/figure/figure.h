/* figure.h - publication figures: panels with axes, marks and labels, drawn by Cairo and Pango
 * to PNG (through libpng, provenance in tEXt) and SVG from the same description.
 *
 *     struct ub_figure *f = ub_figure_new("Sharpness settles at 2/eta", 1, 2);
 *     struct ub_panel *p = ub_figure_panel(f, 0, 0);
 *     ub_panel_title(p, "mlp 64-64, gd");
 *     ub_panel_axes(p, "step", UB_LINEAR, "sharpness", UB_LINEAR);
 *     ub_panel_line(p, steps, sharpness, n, (struct ub_style){.color = 0, .label = "seed 0"});
 *     ub_panel_rule(p, UB_HORIZONTAL, 40.0, "2/eta");
 *     ub_figure_save(f, "report/sharpness", provenance, n_provenance, &err);   // .png and .svg
 *     ub_figure_free(f);
 */
#ifndef UB_FIGURE_H
#define UB_FIGURE_H

#include "base/base.h"

/* UB_SIGNED: logarithmic to both sides of a linear part about 0 (asinh of value over its width). */
enum ub_axis_scale { UB_LINEAR, UB_LOG, UB_SIGNED };
enum ub_direction { UB_HORIZONTAL, UB_VERTICAL };

/* Zero-initialised fields mean: solid, 1.5 px, opaque, no label. */
struct ub_style {
    int color;    /* index into the Okabe-Ito palette (0..7); -1 = grey */
    double shade; /* in (0, 1]: viridis at that position instead of `color`; 0 = unused */
    double width; /* px */
    double alpha; /* 0 = opaque */
    bool dashed, points, staircase; /* points: markers instead of a line */
    bool hollow;                    /* markers are rings, of points and bars */
    bool bare; /* a line without its color's markers, where points or dashes tell it from others */
    double point_size;
    const char *label; /* direct label at the line's end where it fits, else in the legend */
};

struct ub_figure;
struct ub_panel;

struct ub_figure *ub_figure_new(const char *title, int rows, int columns);
void ub_figure_free(struct ub_figure *figure);
void ub_figure_size(struct ub_figure *figure, double width, double height); /* px; else chosen */
void ub_figure_share(struct ub_figure *figure, bool x, bool y);     /* one range for all panels */
void ub_figure_caption(struct ub_figure *figure, const char *text); /* small, beneath */
/* Beneath the panels: what viridis from 0 to 1 stands for. */
void ub_figure_colors(struct ub_figure *figure, const char *label, double low, double high,
                      enum ub_axis_scale scale);
struct ub_panel *ub_figure_panel(struct ub_figure *figure, int row, int column);

void ub_panel_title(struct ub_panel *p, const char *text);
void ub_panel_axes(struct ub_panel *p, const char *x, enum ub_axis_scale x_scale, const char *y,
                   enum ub_axis_scale y_scale);
void ub_panel_range(struct ub_panel *p, enum ub_direction axis, double low, double high);
/* Of a UB_SIGNED axis: linear within about +-width (> 0; 1 when not given). */
void ub_panel_linear_part(struct ub_panel *p, enum ub_direction axis, double width);
/* Data are copied; points that are not finite (or not positive on a log axis) break the line. */
void ub_panel_line(struct ub_panel *p, const double *x, const double *y, size_t n,
                   struct ub_style style);
void ub_panel_band(struct ub_panel *p, const double *x, const double *low, const double *high,
                   size_t n, struct ub_style style);
/* Error bars, vertical or horizontal, with a marker at the centre. One that goes on beyond the
 * panel (or to 0 or less on a log axis, or to infinity) ends there in an arrow's head. */
void ub_panel_bars(struct ub_panel *p, enum ub_direction direction, const double *x,
                   const double *y, const double *low, const double *high, size_t n,
                   struct ub_style style);
void ub_panel_rule(struct ub_panel *p, enum ub_direction direction, double at, const char *label);
/* The same in a color: of the line that it belongs to. */
void ub_panel_rule_of(struct ub_panel *p, enum ub_direction direction, double at,
                      struct ub_style style);
void ub_panel_shade(struct ub_panel *p, enum ub_direction direction, double low, double high,
                    struct ub_style style); /* a band across the panel */
void ub_panel_text(struct ub_panel *p, double x, double y, const char *text); /* data coordinates */
/* Short strokes at values of the axis, from its side inwards; row 0 is the outermost. */
void ub_panel_rug(struct ub_panel *p, enum ub_direction axis, const double *at, size_t n, int row,
                  struct ub_style style);
/* Cells between n + 1 edges in x and m + 1 in y (ascending, drawable on their axes): shade[i * m +
 * j] in [0, 1] is the viridis color of column i, row j; what is not finite is left empty. */
void ub_panel_heat(struct ub_panel *p, const double *x, size_t n, const double *y, size_t m,
                   const double *shade);
/* Ticks at these values (ascending; at most 32) in place of round numbers. */
void ub_panel_ticks(struct ub_panel *p, enum ub_direction axis, const double *at, size_t n);
/* A categorical axis: names at 0, 1, 2, ... */
void ub_panel_categories(struct ub_panel *p, enum ub_direction axis, const char *const *names,
                         size_t n);

struct ub_figure_note { /* PNG tEXt and SVG metadata */
    const char *key, *text;
};
/* Writes STEM.png and STEM.svg, each whole or not at all. */
bool ub_figure_save(const struct ub_figure *figure, const char *stem,
                    const struct ub_figure_note *notes, size_t n_notes, struct ub_error *err);

/* For print: STEM.png (of UB_PRINT_DPI), .svg and .pdf, so many inches wide and at most
 * UB_PRINT_HEIGHT high, without title and caption. Panels stand in as many columns as there is room
 * for; those that do not fit on one page go to STEM-1.png, STEM-2.png, ...: `*parts` of them (1: it
 * is STEM.png alone; 0: there are no panels, and no files). No text is smaller than UB_PRINT_TEXT
 * points. */
enum { UB_PRINT_DPI = 300, UB_PRINT_HEIGHT = 8, UB_PRINT_TEXT = 7 };
bool ub_figure_print(const struct ub_figure *figure, const char *stem, double inches,
                     const struct ub_figure_note *notes, size_t n_notes, size_t *parts,
                     struct ub_error *err);

/* Ticks, for tests: the extended Wilkinson rule (Talbot, Lin, Hanrahan 2010) on linear axes. */
size_t ub_ticks(double low, double high, size_t wanted, double *out, size_t room);

#endif
