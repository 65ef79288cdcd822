/* Phase diagrams: the loss at the end over two axes that are swept together, a panel a system;
 * cells in which all runs diverged, and those in which a law that speaks of single cells is not
 * met. */
#include "report/sections/forest.h"
#include "report/sections/phases.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 3, MOST_PANELS = 6, MOST_FIGURES = 4 };
/* Shades end at these quantiles of all cells, so that few extremes do not take all of them. */
static const double low_share = 0.02, high_share = 0.98;
/* Losses below are zero to rounding; and no more decades than can be told apart. */
static const double zero = 1e-12, most_range = 1e8;

/* What was measured in one grid. */
struct map {
    const struct grid *grid;
    bool test;     /* its loss is that of test samples */
    double *value; /* one a cell: median over seeds; NAN without one */
    bool *diverged;
    const struct ub_law_verdict *law; /* that has groups in its cells; NULL: none */
    enum forest_look *look;           /* of its group in the cell; FOREST_LOOKS: none */
};

/* ---- values --------------------------------------------------------------------------------- */

static double loss_of(const struct ub_frame *frame, size_t row, bool test)
{
    const struct ub_run *run = &frame->store->runs[row];
    if (run->status != UB_RUN_OK || run->spec.steps == 0) /* not trained */
        return (double)NAN;
    const double loss = test ? ub_frame_last(frame, row, "test-loss", 0)
                             : ub_frame_number(frame, row, "final-loss");
    return isfinite(loss) ? fmax(loss, zero) : loss;
}

static void read_values(struct map *m, const struct ub_frame *frame)
{
    const struct grid *g = m->grid;
    const size_t cells = g->nx * g->ny;
    double *own = ub_calloc(g->rows.count + 1, sizeof *own);
    for (size_t c = 0; c < cells; c++) {
        size_t n = 0, runs = 0, diverged = 0;
        for (size_t i = 0; i < g->rows.count; i++) {
            const size_t row = g->rows.row[i];
            if (grid_cell(g, row) != c)
                continue;
            own[n] = loss_of(frame, row, m->test);
            n += isfinite(own[n]) ? 1 : 0;
            runs++;
            diverged += frame->store->runs[row].status == UB_RUN_DIVERGED;
        }
        m->value[c] = n ? ub_median(own, n) : (double)NAN;
        m->diverged[c] = runs > 0 && diverged == runs;
    }
    ub_free(own);
}

/* ---- the law -------------------------------------------------------------------------------- */

/* Looks of the cells that groups of this law lie in, each whole; how many. */
static size_t looks_of(const struct grid *g, const struct ub_law_verdict *v,
                       const size_t *cell_of_row, enum forest_look *look)
{
    const size_t cells = g->nx * g->ny;
    size_t n = 0;
    for (size_t c = 0; c < cells; c++)
        look[c] = FOREST_LOOKS;
    for (size_t k = 0; k < v->groups.count; k++) {
        const struct ub_rows *rows = &v->groups.group[k];
        const size_t cell = cell_of_row[rows->row[0]];
        bool whole = cell < cells && (!v->data[k].why || v->data[k].against);
        for (size_t i = 1; whole && i < rows->count; i++)
            whole = cell_of_row[rows->row[i]] == cell;
        if (!whole)
            continue;
        n += look[cell] == FOREST_LOOKS;
        look[cell] = forest_look_of(v, k);
    }
    return n;
}

/* The law that speaks of most cells, of half of them or more. */
static void choose_law(struct map *m, const struct study *study)
{
    const struct grid *g = m->grid;
    const size_t cells = g->nx * g->ny;
    size_t *cell_of_row = ub_calloc(study->frame->rows + 1, sizeof *cell_of_row);
    enum forest_look *look = ub_calloc(cells + 1, sizeof *look);
    size_t most = 0;
    for (size_t row = 0; row < study->frame->rows; row++)
        cell_of_row[row] = SIZE_MAX;
    for (size_t i = 0; i < g->rows.count; i++)
        cell_of_row[g->rows.row[i]] = grid_cell(g, g->rows.row[i]);
    for (size_t i = 0; i < study->n_laws; i++) {
        const size_t n = looks_of(g, study->laws[i], cell_of_row, look);
        if (n <= most || 2 * n < g->filled)
            continue;
        most = n;
        m->law = study->laws[i];
        memcpy(m->look, look, cells * sizeof *look);
    }
    ub_free(look);
    ub_free(cell_of_row);
}

static struct map map_of(const struct study *study, const struct grid *g)
{
    const size_t cells = g->nx * g->ny;
    struct map m = {.grid = g,
                    .test = ub_frame_has(study->frame, g->rows.row[0], "test-loss"),
                    .value = ub_calloc(cells + 1, sizeof *m.value),
                    .diverged = ub_calloc(cells + 1, sizeof *m.diverged),
                    .look = ub_calloc(cells + 1, sizeof *m.look)};
    read_values(&m, study->frame);
    choose_law(&m, study);
    return m;
}

static void map_clear(struct map *m)
{
    ub_free(m->value);
    ub_free(m->diverged);
    ub_free(m->look);
}

/* Values over the least of the grid, so that panels share one scale; NAN where there are none. */
static double least_of(const struct map *m)
{
    double least = INFINITY;
    for (size_t c = 0; c < m->grid->nx * m->grid->ny; c++)
        if (m->value[c] > 0)
            least = fmin(least, m->value[c]);
    return isfinite(least) ? least : (double)NAN;
}

static bool has_contrast(const struct map *m)
{
    double most = 0;
    size_t n = 0;
    for (size_t c = 0; c < m->grid->nx * m->grid->ny; c++) {
        most = fmax(most, m->value[c] > 0 ? m->value[c] : 0);
        n += m->value[c] > 0 || m->diverged[c];
    }
    return n >= m->grid->filled / 2 && most > 1.01 * least_of(m);
}

/* ---- axes ----------------------------------------------------------------------------------- */

/* Logarithmic where all are above 0 and the greatest is four times the least or more. */
static enum ub_axis_scale scale_of(const double *at, size_t n)
{
    return at[0] > 0 && at[n - 1] >= 4 * at[0] ? UB_LOG : UB_LINEAR;
}

static double *edges_of(const double *at, size_t n, enum ub_axis_scale scale)
{
    double *edge = ub_calloc(n + 2, sizeof *edge);
    for (size_t i = 1; i < n; i++)
        edge[i] = scale == UB_LOG ? sqrt(at[i - 1] * at[i]) : (at[i - 1] + at[i]) / 2;
    edge[0] = scale == UB_LOG ? at[0] * at[0] / edge[1] : 2 * at[0] - edge[1];
    edge[n] = scale == UB_LOG ? at[n - 1] * at[n - 1] / edge[n - 1] : 2 * at[n - 1] - edge[n - 1];
    return edge;
}

/* Ticks at the grid's own values, where there are few and none is too near to the next for its
 * number. */
static void tick_values(struct ub_panel *panel, enum ub_direction axis, const double *at, size_t n,
                        enum ub_axis_scale scale)
{
    enum { FEW = 8 };
    const double all = scale == UB_LOG ? log(at[n - 1] / at[0]) : at[n - 1] - at[0];
    bool apart = n <= FEW;
    for (size_t i = 1; i < n && apart; i++)
        apart = (scale == UB_LOG ? log(at[i] / at[i - 1]) : at[i] - at[i - 1]) >= 0.1 * all;
    if (apart)
        ub_panel_ticks(panel, axis, at, n);
}

/* "width of the model". Caller frees. */
static char *axis_name(const struct ub_column *c)
{
    const char *dot = strchr(c->name, '.');
    struct ub_text name = {0};
    if (strcmp(c->name, "optimizer.lr") == 0)
        ub_text_add(&name, "learning rate");
    else if (dot)
        ub_text_add(&name, "%s of the %.*s", dot + 1, (int)(dot - c->name), c->name);
    else
        ub_text_add(&name, "%s", c->name);
    return name.data;
}

/* ---- drawing -------------------------------------------------------------------------------- */

/* The centers of some cells. */
static void draw_marks(struct ub_panel *panel, const struct map *m,
                       bool (*wanted)(const struct map *m, size_t cell), struct ub_style style)
{
    const struct grid *g = m->grid;
    double *x = ub_calloc(2 * g->nx * g->ny + 2, sizeof *x), *y = x + g->nx * g->ny;
    size_t n = 0;
    for (size_t c = 0; c < g->nx * g->ny; c++)
        if (wanted(m, c)) {
            x[n] = g->at_x[c / g->ny];
            y[n++] = g->at_y[c % g->ny];
        }
    if (n)
        ub_panel_line(panel, x, y, n, style);
    ub_free(x);
}

static bool is_diverged(const struct map *m, size_t cell)
{
    return m->diverged[cell];
}

static bool is_unmet(const struct map *m, size_t cell)
{
    return m->law && m->look[cell] == BEYOND;
}

/* The only one. */
static bool is_least(const struct map *m, size_t cell)
{
    const double least = least_of(m);
    size_t n = 0;
    for (size_t c = 0; c < m->grid->nx * m->grid->ny; c++)
        n += m->value[c] == least;
    return n == 1 && m->value[cell] == least;
}

struct shades {
    double low, high; /* of values over their grid's least */
    bool cut;
};

static void draw_map(struct ub_panel *panel, const struct map *m, const struct shades *s,
                     const char *title)
{
    const struct grid *g = m->grid;
    const enum ub_axis_scale sx = scale_of(g->at_x, g->nx), sy = scale_of(g->at_y, g->ny);
    double *x = edges_of(g->at_x, g->nx, sx), *y = edges_of(g->at_y, g->ny, sy);
    double *shade = ub_calloc(g->nx * g->ny + 1, sizeof *shade), least = least_of(m);
    for (size_t c = 0; c < g->nx * g->ny; c++)
        shade[c] = m->value[c] > 0
                       ? fmin(fmax(log(m->value[c] / least / s->low) / log(s->high / s->low), 0), 1)
                       : (double)NAN;
    ub_panel_title(panel, title);
    char *name_x = axis_name(g->x), *name_y = axis_name(g->y);
    ub_panel_axes(panel, name_x, sx, name_y, sy);
    ub_free(name_x);
    ub_free(name_y);
    tick_values(panel, UB_HORIZONTAL, g->at_x, g->nx, sx);
    tick_values(panel, UB_VERTICAL, g->at_y, g->ny, sy);
    ub_panel_heat(panel, x, g->nx, y, g->ny, shade);
    ub_panel_range(panel, UB_HORIZONTAL, x[0], x[g->nx]);
    ub_panel_range(panel, UB_VERTICAL, y[0], y[g->ny]);
    draw_marks(panel, m, is_diverged,
               (struct ub_style){
                   .color = 6, .points = true, .point_size = 3.5, .label = "all runs diverged"});
    draw_marks(panel, m, is_unmet,
               (struct ub_style){.color = forest_color[BEYOND],
                                 .points = true,
                                 .point_size = 3.5,
                                 .label = "the law is not met"});
    draw_marks(panel, m, is_least,
               (struct ub_style){.color = 7,
                                 .points = true,
                                 .hollow = true,
                                 .width = 2,
                                 .point_size = 5,
                                 .label = "least loss"});
    ub_free(shade);
    ub_free(x);
    ub_free(y);
}

static struct shades shades_of(const struct map *map, size_t n)
{
    double *all = NULL;
    size_t count = 0;
    for (size_t k = 0; k < n; k++) {
        const size_t cells = map[k].grid->nx * map[k].grid->ny;
        const double least = least_of(&map[k]);
        all = ub_realloc(all, (count + cells + 1) * sizeof *all);
        for (size_t c = 0; c < cells; c++)
            if (map[k].value[c] > 0)
                all[count++] = map[k].value[c] / least;
    }
    struct shades s = {ub_quantile(all, count, low_share), ub_quantile(all, count, high_share),
                       false};
    s.high = fmax(s.high, 1.01 * s.low);
    s.low = fmax(s.low, s.high / most_range);
    for (size_t i = 0; i < count; i++)
        s.cut = s.cut || all[i] > s.high;
    ub_free(all);
    return s;
}

static void caption_of(const struct map *map, size_t n, size_t all, const struct shades *s,
                       struct ub_text *out)
{
    bool test = false, train = false;
    ub_text_add(out, "Median over seeds, over the least of its panel.");
    for (size_t k = 0; k < n; k++) {
        test = test || map[k].test;
        train = train || !map[k].test;
    }
    ub_text_add(out, " Loss: of %s at the end.",
                test && train ? "the test samples where it was measured, else of training,"
                : test        ? "the test samples"
                              : "training");
    if (s->cut)
        ub_text_add(out, " Colors end at %.3g: 2%% of the cells are beyond.", s->high);
    struct labels laws = {0};
    for (size_t k = 0; k < n; k++)
        if (map[k].law)
            labels_add(&laws, map[k].law->law->name);
    for (size_t i = 0; i < laws.count; i++)
        ub_text_add(out, "%s%s", i ? ", " : " Cells are judged by: ", laws.text[i]);
    ub_text_add(out, "%s", laws.count ? "." : "");
    labels_free(&laws);
    if (n < all)
        ub_text_add(out,
                    " Shown: %zu of %zu systems, larger grids first, without those whose losses "
                    "are alike in all cells.",
                    n, all);
}

static bool plot_maps(const struct study *study, const struct map *map, size_t n, size_t all,
                      struct plates *plates, struct ub_error *err)
{
    static const char *const alone[] = {"model", "dataset", NULL};
    const struct grid *first = map[0].grid;
    const size_t columns = n < COLUMNS ? n : COLUMNS;
    const struct shades s = shades_of(map, n);
    struct ub_text title = {0}, caption = {0}, what = {0};
    struct ub_groups shown = {.count = n, .group = ub_calloc(n + 1, sizeof *shown.group)};
    for (size_t k = 0; k < n; k++)
        shown.group[k] = map[k].grid->rows;
    char **names = ub_frame_group_names(study->frame, &shown, n == 1 ? alone : NULL);
    char *x = axis_name(first->x), *y = axis_name(first->y);
    ub_text_add(&title, "Loss at the end over %s and %s", x, y);
    ub_free(x);
    ub_free(y);
    ub_text_add(&what, "%s-%s", first->x->name, first->y->name);
    char *stem = plate_stem_of("phases", what.data, 0);
    caption_of(map, n, all, &s, &caption);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    ub_figure_caption(f, caption.data);
    ub_figure_colors(f, "loss over the panel's least", s.low, s.high, UB_LOG);
    for (size_t k = 0; k < n; k++)
        draw_map(ub_figure_panel(f, (int)(k / columns), (int)(k % columns)), &map[k], &s, names[k]);
    const bool good = plates_add(plates, f, stem, title.data, caption.data, err);
    ub_names_free(names, n);
    ub_free(stem);
    ub_free(shown.group);
    ub_text_free(&title);
    ub_text_free(&caption);
    ub_text_free(&what);
    return good;
}

/* Grids of one pair of axes: from `grid` on, so many. */
static bool plot_pair(const struct study *study, const struct grid *grid, size_t count,
                      struct plates *plates, size_t *figures, struct ub_error *err)
{
    struct map map[MOST_PANELS];
    size_t n = 0;
    for (size_t k = 0; k < count && n < MOST_PANELS; k++) {
        map[n] = map_of(study, &grid[k]);
        if (has_contrast(&map[n]))
            n++;
        else
            map_clear(&map[n]);
    }
    const bool good = n == 0 || plot_maps(study, map, n, count, plates, err);
    *figures += n > 0;
    for (size_t k = 0; k < n; k++)
        map_clear(&map[k]);
    return good;
}

static bool plot_phases(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct phases p = phases_of(study);
    bool good = true;
    size_t figures = 0;
    plates->section = "Phase diagrams";
    for (size_t i = 0, same; good && i < p.count && figures < MOST_FIGURES; i += same) {
        same = 1;
        while (i + same < p.count && p.grid[i + same].x == p.grid[i].x &&
               p.grid[i + same].y == p.grid[i].y)
            same++;
        good = plot_pair(study, &p.grid[i], same, plates, &figures, err);
    }
    phases_clear(&p);
    return good;
}

/* Why there is none, where one could look for it. */
static void write_phases(struct pieces *out, const struct study *study)
{
    struct phases p = phases_of(study);
    if (p.count == 0 && p.swept >= 2)
        pieces_text(out,
                    "None is drawn: no two of the %zu numeric axes with three values or more are "
                    "swept together, over half of three by three cells or more.",
                    p.swept);
    phases_clear(&p);
}

const struct ub_section ub_section_phases = {
    .name = "phases", .title = "Phase diagrams", .draw = plot_phases, .write = write_phases};
