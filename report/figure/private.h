/* figure_private.h - what the figure's files share: description, scales, text, layout. */
#ifndef UB_FIGURE_PRIVATE_H
#define UB_FIGURE_PRIVATE_H

#include "report/figure/figure.h"

#include <cairo.h>

/* ---- description (figure.c) ---- */

enum ub_mark_kind {
    UB_MARK_LINE,
    UB_MARK_BAND,
    UB_MARK_BARS,
    UB_MARK_RULE,
    UB_MARK_SHADE,
    UB_MARK_TEXT,
    UB_MARK_RUG,
    UB_MARK_HEAT
};

struct ub_mark {
    enum ub_mark_kind kind;
    enum ub_direction direction; /* BARS, RULE, SHADE, RUG */
    size_t n;                    /* RULE, SHADE, TEXT: 1; HEAT: edges in x */
    double *x, *y, *low, *high;  /* those that the kind has; RULE, RUG: x; SHADE: low, high */
    size_t rows;                 /* RUG: before it; HEAT: cells in y, of edges y */
    double *cell;                /* HEAT: shades */
    struct ub_style style;       /* its label is `label` */
    bool colored;                /* RULE: in its style's color, not in ink */
    char *label;                 /* owned; NULL = none */
};

struct ub_axis {
    enum ub_axis_scale scale;
    char *label;
    bool fixed; /* low, high were given */
    double low, high;
    double linear; /* SIGNED: width of the linear part; 0 = 1 */
    size_t n_categories;
    char **categories;
    size_t n_values; /* ticks stand there, and nowhere else; 0: at round numbers */
    double *values;
};

struct ub_panel {
    char *title;
    struct ub_axis axis[2]; /* UB_HORIZONTAL: x, UB_VERTICAL: y */
    size_t n;
    struct ub_mark *marks;
};

struct ub_figure {
    char *title, *caption;
    int rows, columns;
    double width, height; /* 0 = chosen */
    double most_height;   /* rows give way where the figure would be higher; 0 = as it comes */
    bool narrow;          /* `width` is all there is: what is wider is broken into lines */
    bool share[2];
    char *colors; /* label of the color bar; NULL = none */
    struct ub_axis color_axis;
    struct ub_panel **panels; /* rows x columns, NULL where none was asked for */
};

/* ---- scales (figure_scale.c) ---- */

struct ub_range {
    double low, high; /* low < high; positive on a log axis */
    bool empty;       /* there were no finite data */
};
struct ub_range ub_panel_data_range(const struct ub_panel *p, int axis);
struct ub_range ub_range_union(struct ub_range a, struct ub_range b);
/* Degenerate ranges widened, margins added. */
struct ub_range ub_range_padded(struct ub_range r, const struct ub_axis *axis);
bool ub_plottable(double value, enum ub_axis_scale scale);
/* Position of a value in [0, 1] of the range. */
double ub_scale_place(struct ub_range r, const struct ub_axis *axis, double value);

enum { UB_MOST_TICKS = 128 };
struct ub_tick {
    double value;
    char text[32]; /* "" = minor */
};
/* About `wanted` labelled ticks in the range, and minor ones on log axes. */
size_t ub_axis_ticks(struct ub_range r, const struct ub_axis *axis, size_t wanted,
                     struct ub_tick out[UB_MOST_TICKS]);

/* ---- text (figure_text.c) ---- */

/* UB_FONT_NAME: as a tick, one line, cut in the middle where it is wider than `wrap`. */
enum ub_font {
    UB_FONT_TITLE,
    UB_FONT_PANEL,
    UB_FONT_LABEL,
    UB_FONT_TICK,
    UB_FONT_NAME,
    UB_FONT_NOTE
};
struct ub_extent {
    double width, height;
};
double ub_font_size(enum ub_font font); /* px */
/* wrap: greatest width, 0 = none. */
struct ub_extent ub_text_extent(cairo_t *cr, enum ub_font font, const char *text, double wrap);
/* The point (x, y) is at fraction (ax, ay) of the text's box: 0 = left or top, 1 = right or bottom.
 */
void ub_text_draw(cairo_t *cr, enum ub_font font, const char *text, double wrap, double x, double y,
                  double ax, double ay);
/* The text's upper edge is along x, its middle at y; wrap as above, along y. */
void ub_text_draw_upward(cairo_t *cr, enum ub_font font, const char *text, double wrap, double x,
                         double y);

/* ---- layout (figure_layout.c) ---- */

struct ub_box { /* where one panel's data go */
    double x, y, width, height;
    struct ub_range range[2];
    size_t n_ticks[2];
    struct ub_tick *ticks[2];
    bool numbers[2], label[2]; /* tick texts and axis label are drawn */
    double label_width[2];     /* greatest length of the axis label's lines; 0 = any */
    double steep;              /* categories along x are written upwards, so high; 0: they fit */
    enum ub_font names; /* of categories along y: UB_FONT_TICK in as many lines as they need */
    double names_width; /* that they may have; 0 = any */
};
struct ub_legend_entry {
    const struct ub_mark *mark;
    bool marked; /* it is a line that carries markers */
    double x, y;
    double wrap; /* greatest width of its text; 0 = any */
};
struct ub_layout_of_figure {
    double width, height;
    struct ub_box *frames; /* one a panel */
    bool direct;           /* line labels at their ends */
    size_t n_legend;
    struct ub_legend_entry *legend;
    double caption_y, caption_width;
    double bar_x, bar_y, bar_width; /* color bar: upper left corner */
    bool bar_beneath;               /* its label, which is else beside it, is above */
    size_t n_bar_ticks;
    struct ub_tick *bar_ticks;
};
/* Of what is written at the axis along y: numbers or names. */
double ub_widest_number(cairo_t *cr, const struct ub_panel *p, const struct ub_box *frame);
struct ub_layout_of_figure ub_figure_layout(const struct ub_figure *f, cairo_t *cr);
/* legend.c: what stands beneath the panels. Each returns its height. */
void ub_legend_collect(const struct ub_figure *f, struct ub_layout_of_figure *l);
bool ub_legend_may_be_direct(const struct ub_figure *f, const struct ub_layout_of_figure *l);
double ub_legend_widest(const struct ub_layout_of_figure *l, cairo_t *cr);
/* Labels beside line ends, pushed apart; false when that takes them too far. */
bool ub_legend_place_direct(const struct ub_panel *p, struct ub_layout_of_figure *l);
double ub_legend_place_rows(struct ub_layout_of_figure *l, cairo_t *cr, double left, double top,
                            double width);
double ub_legend_place_bar(const struct ub_figure *f, struct ub_layout_of_figure *l, cairo_t *cr,
                           double left, double top, double width);
enum { UB_SWATCH = 26 }; /* a legend's sample and the space after it */
void ub_figure_layout_clear(const struct ub_figure *f, struct ub_layout_of_figure *l);

/* ---- files (save.c, print.c) ---- */

double ub_print_points(void); /* a px of a figure for print */
struct ub_figure_note;
/* FOLDER/STEM.png (of so many pixels a px), .svg and .pdf (of so many points a px, 0: none). */
struct ub_files_of_figure {
    const char *stem;
    const struct ub_figure_note *notes;
    size_t n_notes;
    double pixels, points;
    bool pdf;
};
bool ub_figure_write(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                     const struct ub_files_of_figure *files, struct ub_error *err);

/* ---- drawing (figure_draw.c, figure_marks.c) ---- */

void ub_figure_draw(const struct ub_figure *f, const struct ub_layout_of_figure *l, cairo_t *cr);
/* How many lines a panel of the figure has, and of which number of them one is drawn: 1 up to a
 * thousand in the panel and two thousand in the figure. */
size_t ub_panel_lines(const struct ub_figure *f, const struct ub_panel *p, size_t *stride);
/* Of its lines, one in `stride`. */
void ub_marks_draw(const struct ub_panel *p, const struct ub_box *frame, size_t stride,
                   cairo_t *cr);
/* In a legend; marked: a line that carries markers. */
void ub_mark_sample(const struct ub_mark *m, bool marked, cairo_t *cr, double x, double y);
bool ub_mark_carries_markers(const struct ub_panel *p, const struct ub_mark *m);
/* markers.c: adds the shape of the style's color to the path; false where it is to be stroked. */
bool ub_marker_add(cairo_t *cr, const struct ub_style *style, double x, double y, double radius);
void ub_marker_draw(cairo_t *cr, const struct ub_style *style, double x, double y, double radius);
/* The color bar's strip, in px: at most so wide. */
enum { UB_BAR_WIDTH = 220, UB_BAR_HEIGHT = 10 };
/* notes.c: a text on soft ground at its place, as ub_text_draw; the labels of rules, beside them
 * where they hide the least. */
void ub_note_draw(cairo_t *cr, const char *text, double wrap, double x, double y, double ax,
                  double ay);
void ub_notes_draw(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr);
void ub_cuts_draw(const struct ub_panel *p, const struct ub_box *frame, cairo_t *cr);
void ub_viridis(double at, double rgb[3]);
void ub_set_color(cairo_t *cr, const struct ub_style *style, double fallback_alpha);
bool ub_visible(const struct ub_panel *p, double x, double y); /* has a place on both axes */
/* lines.c */
bool ub_is_line(const struct ub_mark *m); /* and not points */
void ub_line_draw(const struct ub_panel *p, const struct ub_box *frame, const struct ub_mark *m,
                  cairo_t *cr);
void ub_style_color(const struct ub_style *style, double rgb[3]);
/* Pixel of a data value. */
double ub_frame_x(const struct ub_panel *p, const struct ub_box *frame, double value);
double ub_frame_y(const struct ub_panel *p, const struct ub_box *frame, double value);

#endif
