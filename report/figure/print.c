/* A figure for print: as wide as a column of a paper, its panels in as many columns as there is
 * room for, and in several parts where they do not fit on a page. Title and caption are left to the
 * paper. */
#include "report/figure/private.h"

#include <math.h>

/* Canvas to paper: the smallest text has the size that it may not be below. */
double ub_print_points(void)
{
    return UB_PRINT_TEXT / ub_font_size(UB_FONT_TICK);
}

enum { LEAST_PLOT = 130, MARGINS = 62 }; /* px: of a panel beside others */

/* Its panels, from the first'th on, `count` of them in order, as a figure of so many columns. It
 * borrows all but `panels`. */
static struct ub_figure sheet_of(const struct ub_figure *f, struct ub_panel **panels, size_t first,
                                 size_t count, int columns, double inches)
{
    struct ub_figure sheet = *f;
    sheet.title = sheet.caption = NULL;
    sheet.columns = columns;
    sheet.rows = (int)((count + (size_t)columns - 1) / (size_t)columns);
    sheet.panels = ub_calloc((size_t)(sheet.rows * columns), sizeof *sheet.panels);
    for (size_t i = 0; i < count; i++)
        sheet.panels[i] = panels[first + i];
    sheet.width = floor(inches * 72 / ub_print_points());
    sheet.height = 0;
    sheet.most_height = floor(UB_PRINT_HEIGHT * 72 / ub_print_points());
    sheet.narrow = true;
    return sheet;
}

static int columns_of(const struct ub_figure *f, size_t count, double inches)
{
    const double width = inches * 72 / ub_print_points();
    const int room = (int)(width / (LEAST_PLOT + MARGINS));
    int columns = f->columns < room ? f->columns : room;
    columns = columns < 1 ? 1 : columns;
    return (size_t)columns > count ? (int)count : columns;
}

/* Whether so many panels a part fit, in all parts; writes them where `files` is there. */
static bool lay_parts(const struct ub_figure *f, struct ub_panel **panels, size_t count,
                      size_t each, int columns, double inches, cairo_t *cr,
                      const struct ub_files_of_figure *files, struct ub_error *err)
{
    bool good = true;
    for (size_t first = 0; good && first < count; first += each) {
        const size_t n = count - first < each ? count - first : each;
        struct ub_figure sheet = sheet_of(f, panels, first, n, columns, inches);
        struct ub_layout_of_figure l = ub_figure_layout(&sheet, cr);
        good = files || l.height <= sheet.most_height;
        if (files) {
            struct ub_text stem = {0};
            struct ub_files_of_figure own = *files;
            ub_text_add(&stem, "%s", files->stem);
            if (each < count)
                ub_text_add(&stem, "-%zu", first / each + 1);
            own.stem = stem.data;
            sheet.title = f->title; /* of the file; it is not drawn */
            good = ub_figure_write(&sheet, &l, &own, err);
            ub_text_free(&stem);
        }
        ub_figure_layout_clear(&sheet, &l);
        ub_free(sheet.panels);
    }
    return good;
}

bool ub_figure_print(const struct ub_figure *f, const char *stem, double inches,
                     const struct ub_figure_note *notes, size_t n_notes, size_t *parts,
                     struct ub_error *err)
{
    const size_t room = (size_t)(f->rows * f->columns);
    struct ub_panel **panels = ub_calloc(room + 1, sizeof *panels);
    size_t count = 0;
    for (size_t i = 0; i < room; i++)
        if (f->panels[i])
            panels[count++] = f->panels[i];
    cairo_surface_t *scratch = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cr = cairo_create(scratch);
    const int columns = columns_of(f, count, inches);
    size_t rows = (count + (size_t)columns - 1) / (size_t)columns;
    while (rows > 1 &&
           !lay_parts(f, panels, count, rows * (size_t)columns, columns, inches, cr, NULL, err))
        rows--;
    const size_t each = rows * (size_t)columns;
    const struct ub_files_of_figure files = {.stem = stem,
                                             .notes = notes,
                                             .n_notes = n_notes,
                                             .points = ub_print_points(),
                                             .pixels = ub_print_points() * UB_PRINT_DPI / 72,
                                             .pdf = true};
    const bool good =
        count == 0 || lay_parts(f, panels, count, each, columns, inches, cr, &files, err);
    *parts = count == 0 ? 0 : (count + each - 1) / each;
    cairo_destroy(cr);
    cairo_surface_destroy(scratch);
    ub_free(panels);
    return good;
}
