/* One drawing, two or three files: PNG through libpng with its notes as text chunks, SVG and PDF
 * through Cairo with its notes as metadata. */
#include "report/figure/private.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <png.h>
#include <string.h>

/* ---- PNG ---- */

static void png_append(png_structp png, png_bytep data, png_size_t length)
{
    ub_text_append(png_get_io_ptr(png), (const char *)data, length);
}

static void png_flush_nothing(png_structp png)
{
    (void)png;
}

static void png_notes(png_structp png, png_infop info, const struct ub_figure_note *notes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool ascii = true;
        for (const char *c = notes[i].text; *c; c++)
            ascii = ascii && (unsigned char)*c < 0x80;
        png_text text = {.compression =
                             ascii ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE,
                         .key = (png_charp)notes[i].key,
                         .text = (png_charp)notes[i].text};
        png_set_text(png, info, &text, 1);
    }
}

/* Cairo's opaque 32-bit pixels as 24-bit rows. */
static void png_rows(png_structp png, cairo_surface_t *surface, unsigned char *row)
{
    const int width = cairo_image_surface_get_width(surface);
    const int height = cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    for (int y = 0; y < height; y++) {
        const unsigned char *from =
            data + (size_t)y * (size_t)cairo_image_surface_get_stride(surface);
        for (size_t x = 0; x < (size_t)width; x++) {
            uint32_t pixel;
            memcpy(&pixel, from + 4 * x, sizeof pixel);
            row[3 * x] = (unsigned char)(pixel >> 16);
            row[3 * x + 1] = (unsigned char)(pixel >> 8);
            row[3 * x + 2] = (unsigned char)pixel;
        }
        png_write_row(png, row);
    }
}

static void png_resolution(png_structp png, png_infop info, const struct ub_files_of_figure *files)
{
    const double metre = 72 / 0.0254; /* points */
    if (files->points > 0) {
        const png_uint_32 each = (png_uint_32)lround(files->pixels / files->points * metre);
        png_set_pHYs(png, info, each, each, PNG_RESOLUTION_METER);
    }
}

static bool encode_png(cairo_surface_t *surface, const struct ub_files_of_figure *files,
                       struct ub_text *out, struct ub_error *err)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    const int width = cairo_image_surface_get_width(surface);
    unsigned char *row = ub_calloc((size_t)width + 1, 3);
    bool good = info != NULL;
    if (good && setjmp(png_jmpbuf(png)) == 0) {
        png_set_write_fn(png, out, png_append, png_flush_nothing);
        png_set_IHDR(png, info, (png_uint_32)width,
                     (png_uint_32)cairo_image_surface_get_height(surface), 8, PNG_COLOR_TYPE_RGB,
                     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_notes(png, info, files->notes, files->n_notes);
        png_resolution(png, info, files);
        png_write_info(png, info);
        png_rows(png, surface, row);
        png_write_end(png, info);
    } else {
        good = false;
    }
    png_destroy_write_struct(&png, &info);
    ub_free(row);
    return good || ub_fail(err, UB_INTERNAL, "libpng cannot encode a figure");
}

/* ---- SVG ---- */

static cairo_status_t append_bytes(void *context, const unsigned char *data, unsigned length)
{
    ub_text_append(context, (const char *)data, length);
    return CAIRO_STATUS_SUCCESS;
}

static void add_escaped(struct ub_text *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            ub_text_add(out, "&lt;");
            break;
        case '>':
            ub_text_add(out, "&gt;");
            break;
        case '&':
            ub_text_add(out, "&amp;");
            break;
        case '"':
            ub_text_add(out, "&quot;");
            break;
        default:
            ub_text_add(out, "%c", *text);
        }
}

/* The notes go after the opening tag. */
static void add_notes(const struct ub_text *svg, const struct ub_figure_note *notes, size_t n,
                      const char *title, struct ub_text *out)
{
    const char *tag = strstr(svg->data, "<svg");
    const char *inside = tag ? strchr(tag, '>') : NULL;
    const size_t head = inside ? (size_t)(inside - svg->data) + 1 : 0;
    ub_text_append(out, svg->data, head);
    if (title) {
        ub_text_add(out, "\n<title>");
        add_escaped(out, title);
        ub_text_add(out, "</title>");
    }
    ub_text_add(out, "\n<metadata>");
    for (size_t i = 0; i < n; i++) {
        ub_text_add(out, "\n<note key=\"");
        add_escaped(out, notes[i].key);
        ub_text_add(out, "\">");
        add_escaped(out, notes[i].text);
        ub_text_add(out, "</note>");
    }
    ub_text_add(out, "\n</metadata>");
    ub_text_append(out, svg->data + head, svg->length - head);
}

/* ---- files ---- */

static bool drawn_well(cairo_t *cr, const char *path, struct ub_error *err)
{
    return cairo_status(cr) == CAIRO_STATUS_SUCCESS ||
           ub_fail(err, UB_INTERNAL, "%s: %s", path, cairo_status_to_string(cairo_status(cr)));
}

static bool save_png(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                     const char *path, const struct ub_files_of_figure *files, struct ub_error *err)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(l->width * files->pixels),
                                   (int)ceil(l->height * files->pixels));
    cairo_t *cr = cairo_create(surface);
    cairo_scale(cr, files->pixels, files->pixels);
    ub_figure_draw(f, l, cr);
    cairo_surface_flush(surface);
    struct ub_text bytes = {0};
    bool good = drawn_well(cr, path, err);
    good = good && encode_png(surface, files, &bytes, err) &&
           ub_write_file(path, bytes.data, bytes.length, err);
    ub_text_free(&bytes);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return good;
}

/* Draws in points, and ends the file. */
static bool draw_points(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                        cairo_surface_t *surface, double points, const char *path,
                        struct ub_error *err)
{
    cairo_t *cr = cairo_create(surface);
    cairo_scale(cr, points, points);
    ub_figure_draw(f, l, cr);
    cairo_surface_finish(surface);
    const bool good = drawn_well(cr, path, err);
    cairo_destroy(cr);
    return good;
}

static bool save_svg(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                     const char *path, const struct ub_files_of_figure *files, struct ub_error *err)
{
    const double points = files->points > 0 ? files->points : 1;
    struct ub_text drawn = {0}, whole = {0};
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(
        append_bytes, &drawn, points * l->width, points * l->height);
    bool good = draw_points(f, l, surface, points, path, err);
    if (good)
        add_notes(&drawn, files->notes, files->n_notes, f->title, &whole);
    cairo_surface_destroy(surface);
    good = good && ub_write_file(path, whole.data, whole.length, err);
    ub_text_free(&drawn);
    ub_text_free(&whole);
    return good;
}

/* Without the time of day: the same figure is the same bytes. */
static void pdf_notes(cairo_surface_t *surface, const struct ub_figure *f,
                      const struct ub_files_of_figure *files)
{
    struct ub_text notes = {0};
    for (size_t i = 0; i < files->n_notes; i++)
        ub_text_add(&notes, "%s%s: %s", i ? "; " : "", files->notes[i].key, files->notes[i].text);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, NULL);
    if (f->title)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, f->title);
    if (notes.data)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_KEYWORDS, notes.data);
    ub_text_free(&notes);
}

static bool save_pdf(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                     const char *path, const struct ub_files_of_figure *files, struct ub_error *err)
{
    struct ub_text drawn = {0};
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        append_bytes, &drawn, files->points * l->width, files->points * l->height);
    pdf_notes(surface, f, files);
    const bool good = draw_points(f, l, surface, files->points, path, err) &&
                      ub_write_file(path, drawn.data, drawn.length, err);
    cairo_surface_destroy(surface);
    ub_text_free(&drawn);
    return good;
}

bool ub_figure_write(const struct ub_figure *f, const struct ub_layout_of_figure *l,
                     const struct ub_files_of_figure *files, struct ub_error *err)
{
    struct ub_text png = {0}, svg = {0}, pdf = {0};
    ub_text_add(&png, "%s.png", files->stem);
    ub_text_add(&svg, "%s.svg", files->stem);
    ub_text_add(&pdf, "%s.pdf", files->stem);
    const bool good = save_png(f, l, png.data, files, err) &&
                      save_svg(f, l, svg.data, files, err) &&
                      (!files->pdf || save_pdf(f, l, pdf.data, files, err));
    ub_text_free(&png);
    ub_text_free(&svg);
    ub_text_free(&pdf);
    return good;
}

bool ub_figure_save(const struct ub_figure *f, const char *stem, const struct ub_figure_note *notes,
                    size_t n_notes, struct ub_error *err)
{
    cairo_surface_t *scratch = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cr = cairo_create(scratch);
    struct ub_layout_of_figure l = ub_figure_layout(f, cr);
    cairo_destroy(cr);
    cairo_surface_destroy(scratch);
    const struct ub_files_of_figure files = {
        .stem = stem, .notes = notes, .n_notes = n_notes, .pixels = 1};
    const bool good = ub_figure_write(f, &l, &files, err);
    ub_figure_layout_clear(f, &l);
    return good;
}
