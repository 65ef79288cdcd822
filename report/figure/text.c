/* Text through Pango: one family, few roles. */
#include "report/figure/private.h"

#include <pango/pangocairo.h>

static const struct {
    double size; /* px */
    bool bold;
    int lines; /* more of them than so many are cut; 0 = all stay */
} fonts[] = {
    [UB_FONT_TITLE] = {15, true, 0},    [UB_FONT_PANEL] = {11.5, true, 2},
    [UB_FONT_LABEL] = {11.5, false, 0}, [UB_FONT_TICK] = {10.5, false, 0},
    [UB_FONT_NAME] = {10.5, false, 1},  [UB_FONT_NOTE] = {10.5, false, 0},
};

double ub_font_size(enum ub_font font)
{
    return fonts[font].size;
}

static PangoLayout *lay_out(cairo_t *cr, enum ub_font font, const char *text, double wrap)
{
    PangoLayout *layout = pango_cairo_create_layout(cr);
    PangoFontDescription *face = pango_font_description_new();
    pango_font_description_set_family(face, "DejaVu Sans, sans-serif");
    pango_font_description_set_absolute_size(face, fonts[font].size * PANGO_SCALE);
    pango_font_description_set_weight(face,
                                      fonts[font].bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, face);
    pango_font_description_free(face);
    pango_layout_set_text(layout, text, -1);
    if (wrap > 0) {
        pango_layout_set_width(layout, (int)(wrap * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
        if (fonts[font].lines > 0) { /* cut where the next panel begins */
            pango_layout_set_height(layout, -fonts[font].lines);
            pango_layout_set_ellipsize(layout, fonts[font].lines == 1 ? PANGO_ELLIPSIZE_MIDDLE
                                                                      : PANGO_ELLIPSIZE_END);
        }
    }
    return layout;
}

/* Of lines that are set to the right or centered the box does not begin at 0. */
static struct ub_extent extent_of(PangoLayout *layout, double *left)
{
    PangoRectangle box;
    pango_layout_get_extents(layout, NULL, &box);
    *left = (double)box.x / PANGO_SCALE;
    return (struct ub_extent){(double)box.width / PANGO_SCALE, (double)box.height / PANGO_SCALE};
}

struct ub_extent ub_text_extent(cairo_t *cr, enum ub_font font, const char *text, double wrap)
{
    double left;
    PangoLayout *layout = lay_out(cr, font, text, wrap);
    const struct ub_extent e = extent_of(layout, &left);
    g_object_unref(layout);
    return e;
}

void ub_text_draw(cairo_t *cr, enum ub_font font, const char *text, double wrap, double x, double y,
                  double ax, double ay)
{
    double left;
    PangoLayout *layout = lay_out(cr, font, text, wrap);
    pango_layout_set_alignment(layout, ax < 0.4   ? PANGO_ALIGN_LEFT
                                       : ax < 0.6 ? PANGO_ALIGN_CENTER
                                                  : PANGO_ALIGN_RIGHT);
    const struct ub_extent e = extent_of(layout, &left);
    cairo_move_to(cr, x - ax * e.width - left, y - ay * e.height);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
}

void ub_text_draw_upward(cairo_t *cr, enum ub_font font, const char *text, double wrap, double x,
                         double y)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, -1.5707963267948966);
    ub_text_draw(cr, font, text, wrap, 0, 0, 0.5, 0);
    cairo_restore(cr);
}
