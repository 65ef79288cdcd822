/* Text through Pango: one family, five roles. */
#include "report/figure/private.h"

#include <pango/pangocairo.h>

static const struct {
    double size; /* px */
    bool bold;
} fonts[] = {
    [UB_FONT_TITLE] = {15, true},   [UB_FONT_PANEL] = {11.5, true}, [UB_FONT_LABEL] = {11.5, false},
    [UB_FONT_TICK] = {10.5, false}, [UB_FONT_NOTE] = {10.5, false},
};

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
        if (font == UB_FONT_PANEL) /* one line, cut where the next panel begins */
            pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_MIDDLE);
    }
    return layout;
}

static struct ub_extent extent_of(PangoLayout *layout)
{
    int width, height;
    pango_layout_get_size(layout, &width, &height);
    return (struct ub_extent){(double)width / PANGO_SCALE, (double)height / PANGO_SCALE};
}

struct ub_extent ub_text_extent(cairo_t *cr, enum ub_font font, const char *text, double wrap)
{
    PangoLayout *layout = lay_out(cr, font, text, wrap);
    const struct ub_extent e = extent_of(layout);
    g_object_unref(layout);
    return e;
}

void ub_text_draw(cairo_t *cr, enum ub_font font, const char *text, double wrap, double x, double y,
                  double ax, double ay)
{
    PangoLayout *layout = lay_out(cr, font, text, wrap);
    const struct ub_extent e = extent_of(layout);
    cairo_move_to(cr, x - ax * e.width, y - ay * e.height);
    pango_cairo_show_layout(cr, layout);
    g_object_unref(layout);
}

void ub_text_draw_upward(cairo_t *cr, enum ub_font font, const char *text, double x, double y)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, -1.5707963267948966);
    ub_text_draw(cr, font, text, 0, 0, 0, 0.5, 0);
    cairo_restore(cr);
}
