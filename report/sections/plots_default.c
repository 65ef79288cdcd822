/* A figure of every row of traces that is declared with one (`figure` in bench/store/quantity.h)
 * and that no section draws: against step, or its last measurement against what its index counts.
 * A measurement needs nothing but its declaration to be looked at. */
#include "bench/observables/observables.h"
#include "report/frame/factor.h"
#include "report/frame/names.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"
#include "report/statistics/statistics.h"

#include <math.h>
#include <string.h>

enum { MOST_PANELS = 12, COLUMNS = 3, MOST_LINES = 8 /* colors */, WHOLE_LINES = 200 };
/* Series that are held at once: of larger stores' figures a few are made at a time. */
enum { MOST_SERIES = 30000 };
/* Values that are further apart are not seen on a linear axis. */
static const double most_linear = 100;

struct cell { /* a panel: one line, or crowd of lines, a system or an entry */
    struct crowd crowd[MOST_LINES];
};

struct picture {
    const struct study *study;
    const struct ub_quantity *quantity;
    const struct ub_observable *by;
    struct labels names; /* of rows that it stands for */
    struct ub_rows rows; /* that have any of them */
    struct ub_factor panels;
    struct cell *cell;        /* one a panel */
    struct ub_groups systems; /* one a color, the same in all panels */
    size_t *line;             /* one a row of the frame: its system */
    bool by_entry;            /* colors are entries (names, indices), not systems */
    struct labels entries;
    bool pooled;   /* a line stands for more than one system */
    size_t points; /* of its longest series */
};

/* ---- what has one --------------------------------------------------------------------------- */

static bool is_drawn(const struct ub_quantity *q)
{
    for (size_t i = 0; ub_sections[i]; i++)
        for (size_t k = 0; ub_sections[i]->draws && ub_sections[i]->draws[k]; k++)
            if (strcmp(ub_sections[i]->draws[k], q->name) == 0)
                return true;
    return false;
}

static struct labels names_in(const struct ub_frame *frame)
{
    struct labels all = {0};
    for (size_t row = 0; row < frame->rows; row++) {
        char *const *names;
        const size_t n = ub_frame_names(frame, row, &names);
        for (size_t i = 0; i < n; i++)
            labels_add(&all, names[i]);
    }
    return all;
}

static struct labels names_of(const struct labels *all, const struct ub_quantity *q)
{
    struct labels names = {0};
    for (size_t i = 0; i < all->count; i++)
        if (ub_quantity_fits(q, all->text[i], NULL, NULL) &&
            ub_observable_row(all->text[i], NULL) == q)
            labels_add(&names, all->text[i]);
    return names;
}

static bool has_any(const struct ub_frame *frame, size_t row, const void *context)
{
    const struct labels *names = context;
    for (size_t i = 0; i < names->count; i++)
        if (ub_frame_has(frame, row, names->text[i]))
            return true;
    return false;
}

/* ---- panels and lines ----------------------------------------------------------------------- */

static const char *const whole_task[] = {"dataset", "dataset.*", "data", "model",
                                         "model.*", "loss",      NULL};
static const char *const named_task[] = {"dataset", "model", "loss", NULL};
static const char *const data_and_model[] = {"dataset", "model", NULL};
static const char *const model_alone[] = {"model", NULL};
static const char *const dataset_alone[] = {"dataset", NULL};
static const char *const *const task_rungs[] = {whole_task,  named_task,    data_and_model,
                                                model_alone, dataset_alone, NULL};

static const char *const whole_system[] = {
    "dataset", "dataset.*", "data", "model", "model.*", "loss", "optimizer", "optimizer.*", NULL};
static const char *const named_system[] = {"dataset", "model", "loss", "optimizer", NULL};
static const char *const model_and_optimizer[] = {"model", "optimizer", NULL};
static const char *const *const system_rungs[] = {whole_system, named_system,  model_and_optimizer,
                                                  model_alone,  dataset_alone, NULL};

static const char *const whole_pair[] = {"model", "model.*", "optimizer", "optimizer.*", NULL};
static const char *const whole_optimizer[] = {"optimizer", "optimizer.*", NULL};
static const char *const optimizer_alone[] = {"optimizer", NULL};
static const char *const nothing[] = {NULL};
static const char *const *const line_rungs[] = {
    whole_pair, whole_optimizer, model_and_optimizer, optimizer_alone, model_alone, nothing};

/* As they are if there are colors for all; else taken together by less and less. */
static struct ub_groups systems_of(struct picture *p)
{
    struct ub_groups g = ub_frame_group(p->study->frame, &p->rows, nothing);
    for (size_t k = 0; g.count > MOST_LINES && k < sizeof line_rungs / sizeof *line_rungs; k++) {
        p->pooled = true;
        ub_groups_clear(&g);
        g = ub_frame_group_by(p->study->frame, &p->rows, line_rungs[k]);
    }
    return g;
}

static bool over_index(const struct picture *p)
{
    return p->quantity->figure == UB_FIGURE_OVER_INDEX;
}

static void lay_out(struct picture *p)
{
    const struct ub_frame *frame = p->study->frame;
    p->rows = ub_frame_where(frame, NULL, has_any, &p->names);
    p->by_entry = p->names.count > 1 || (p->quantity->index && !over_index(p));
    p->panels =
        ub_factor_new(frame, &p->rows, p->by_entry ? system_rungs : task_rungs, MOST_PANELS);
    p->cell = ub_calloc(p->panels.groups.count + 1, sizeof *p->cell);
    p->line = ub_calloc(frame->rows + 1, sizeof *p->line);
    for (size_t k = 0; k < p->panels.groups.count; k++)
        for (size_t i = 0; i < MOST_LINES; i++)
            p->cell[k].crowd[i] = (struct crowd){.fewest = 1, .thin = p->rows.count > WHOLE_LINES};
    p->systems = systems_of(p);
    for (size_t g = 0; g < p->systems.count; g++)
        for (size_t i = 0; i < p->systems.group[g].count; i++)
            p->line[p->systems.group[g].row[i]] = g;
}

static void picture_clear(struct picture *p)
{
    for (size_t k = 0; k < p->panels.groups.count; k++)
        for (size_t i = 0; i < MOST_LINES; i++)
            crowd_clear(&p->cell[k].crowd[i]);
    ub_groups_clear(&p->systems);
    ub_free(p->cell);
    ub_free(p->line);
    if (p->panels.of)
        ub_factor_clear(&p->panels);
    labels_free(&p->names);
    labels_free(&p->entries);
    ub_rows_clear(&p->rows);
}

/* ---- series --------------------------------------------------------------------------------- */

static void take(struct picture *p, size_t row, size_t line, struct ub_series s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.count; i++) {
        if (!isfinite(s.value[i]))
            continue;
        s.step[n] = s.step[i];
        s.value[n++] = s.value[i];
    }
    s.count = n;
    if (line >= MOST_LINES) {
        ub_series_clear(&s);
        return;
    }
    p->points = n > p->points ? n : p->points;
    crowd_add(&p->cell[p->panels.of[row]].crowd[line], s);
}

/* "fc1.weight", "fc1.weight, 2", "2": what stands for the declared name's word, and the index. */
static size_t entry_of(struct picture *p, const char *name, int64_t index)
{
    const char *word;
    size_t length;
    struct ub_text text = {0};
    if (ub_quantity_fits(p->quantity, name, &word, &length) && length > 0)
        ub_text_add(&text, "%.*s", (int)length, word);
    if (p->quantity->index && !over_index(p))
        ub_text_add(&text, "%s%lld", text.length ? ", " : "", (long long)index);
    const size_t entry = labels_add(&p->entries, text.data ? text.data : name);
    ub_text_free(&text);
    return entry;
}

static void read_indices(struct picture *p, size_t row, const char *name)
{
    const struct ub_frame *frame = p->study->frame;
    struct ub_series last = ub_frame_spectrum(frame, row, name, -1);
    for (size_t i = 0; i < last.count; i++) {
        const int64_t index = (int64_t)last.step[i];
        const size_t entry = entry_of(p, name, index);
        if (entry < MOST_LINES)
            take(p, row, entry, ub_frame_series(frame, row, name, index));
    }
    ub_series_clear(&last);
}

static void read_row(struct picture *p, size_t row)
{
    const struct ub_frame *frame = p->study->frame;
    if (p->panels.of[row] == SIZE_MAX)
        return;
    for (size_t i = 0; i < p->names.count; i++) {
        const char *name = p->names.text[i];
        if (!ub_frame_has(frame, row, name))
            continue;
        if (p->quantity->index && !over_index(p)) {
            read_indices(p, row, name);
            continue;
        }
        const size_t line = p->by_entry ? entry_of(p, name, 0) : p->line[row];
        take(p, row, line,
             over_index(p) ? ub_frame_spectrum(frame, row, name, -1)
                           : ub_frame_series(frame, row, name, 0));
    }
}

/* ---- axes ----------------------------------------------------------------------------------- */

struct axes {
    enum ub_axis_scale y;
    double linear_part;
    bool zeros;       /* that a logarithmic axis cannot show */
    bool from_one;    /* indices count from 1 on a logarithmic axis */
    double short_run; /* > 0: steps of a run that the longest would press to the axis */
};

struct range {
    double low, high, top, middle; /* values, greatest index, median size of values */
    double shortest;               /* last step of the shortest line */
    bool zeros;
};

static struct range range_of(const struct picture *p)
{
    enum { MOST = 100000 };
    struct range r = {.low = INFINITY, .high = -INFINITY, .shortest = INFINITY};
    double *size = ub_calloc(MOST, sizeof *size);
    size_t n = 0;
    for (size_t k = 0; k < p->panels.groups.count; k++)
        for (size_t i = 0; i < MOST_LINES; i++)
            for (size_t j = 0; j < p->cell[k].crowd[i].count; j++) {
                const struct ub_series *s = &p->cell[k].crowd[i].line[j];
                if (s->count > 1)
                    r.shortest = fmin(r.shortest, s->step[s->count - 1]);
                for (size_t m = 0; m < s->count; m++) {
                    r.low = fmin(r.low, s->value[m]);
                    r.high = fmax(r.high, s->value[m]);
                    r.top = fmax(r.top, s->step[m]);
                    r.zeros = r.zeros || s->value[m] == 0;
                    if (n < MOST && s->value[m] != 0)
                        size[n++] = fabs(s->value[m]);
                }
            }
    r.middle = n ? ub_quantile(size, n, 0.5) : 0;
    ub_free(size);
    return r;
}

/* Logarithmic where the declaration says so, and where a linear axis would show but the few largest
 * values; with negative values, to both sides of zero. */
static struct axes axes_of(const struct picture *p, const struct range *r)
{
    enum { MOST_INDICES = 30, MOST_RATIO = 20 };
    const struct ub_comparison *c = &p->quantity->compared;
    const double largest = fmax(fabs(r->low), fabs(r->high));
    const bool declared = c->kind != UB_NOT_COMPARED && c->scale == UB_SCALE_LOG;
    struct axes a = {.y = UB_LINEAR, .from_one = over_index(p) && r->top > MOST_INDICES};
    if (!over_index(p) && r->shortest > 0 && r->top > MOST_RATIO * r->shortest)
        a.short_run = r->shortest;
    if (!(r->middle > 0) || (!declared && largest <= most_linear * r->middle))
        return a;
    a.y = r->low >= 0 ? UB_LOG : UB_SIGNED;
    a.zeros = a.y == UB_LOG && r->zeros;
    a.linear_part = declared && c->zero > 0 ? c->zero : r->middle;
    return a;
}

/* ---- drawing -------------------------------------------------------------------------------- */

/* "" where there is nothing to tell apart. */
static char *line_name(const struct picture *p, size_t i)
{
    if (p->by_entry)
        return ub_strdup(p->entries.count > 1 ? p->entries.text[i] : "");
    return p->systems.count > 1 ? ub_frame_group_name(p->study->frame, &p->systems, i)
                                : ub_strdup("");
}

static size_t lines_in(const struct cell *cell)
{
    size_t lines = 0;
    for (size_t i = 0; i < MOST_LINES; i++)
        lines += cell->crowd[i].count;
    return lines;
}

static bool is_crowded(const struct cell *cell, size_t i)
{
    return lines_in(cell) > CROWD && cell->crowd[i].count > 1;
}

static void count_from_one(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->line[i].count; k++)
            c->line[i].step[k] += 1;
}

/* "excess-loss [units of the loss]": its name in tables, and units where it has any. Caller frees.
 */
static char *label_of(const struct picture *p)
{
    struct ub_text label = {0};
    ub_text_add(&label, "%s", p->quantity->name);
    if (*p->quantity->units && strcmp(p->quantity->units, "1") != 0)
        ub_text_add(&label, " [%s]", p->quantity->units);
    return label.data;
}

static void draw_lines(struct ub_panel *panel, const struct picture *p, struct cell *cell,
                       const struct axes *axes)
{
    char *label = label_of(p);
    ub_panel_axes(panel,
                  !over_index(p)   ? "step"
                  : axes->from_one ? "index, from 1"
                                   : "index",
                  axes->from_one        ? UB_LOG
                  : axes->short_run > 0 ? UB_SIGNED
                                        : UB_LINEAR,
                  label, axes->y);
    ub_free(label);
    if (axes->short_run > 0)
        ub_panel_linear_part(panel, UB_HORIZONTAL, axes->short_run / 5);
    if (axes->y == UB_SIGNED)
        ub_panel_linear_part(panel, UB_VERTICAL, axes->linear_part);
    for (size_t i = 0; i < MOST_LINES; i++) {
        struct crowd *c = &cell->crowd[i];
        if (c->count == 0)
            continue;
        char *name = line_name(p, i);
        if (axes->from_one)
            count_from_one(c);
        crowd_draw(panel, c, is_crowded(cell, i),
                   (struct ub_style){
                       .color = (int)i, .width = 1, .alpha = 0.85, .label = *name ? name : NULL});
        ub_free(name);
    }
}

/* Of what was measured once a run: its values, a row a system. */
static void draw_values(struct ub_panel *panel, const struct picture *p, const struct cell *cell,
                        const struct axes *axes)
{
    char *names[MOST_LINES];
    size_t rows = 0;
    char *label = label_of(p);
    ub_panel_axes(panel, label, axes->y, "", UB_LINEAR);
    ub_free(label);
    if (axes->y == UB_SIGNED)
        ub_panel_linear_part(panel, UB_HORIZONTAL, axes->linear_part);
    for (size_t i = 0; i < MOST_LINES; i++) {
        const struct crowd *c = &cell->crowd[i];
        const double at = (double)rows;
        if (c->count == 0)
            continue;
        for (size_t k = 0; k < c->count; k++)
            ub_panel_line(panel, c->line[k].value, &at, c->line[k].count,
                          (struct ub_style){.color = (int)i, .alpha = 0.6, .points = true});
        names[rows++] = line_name(p, i);
    }
    ub_panel_categories(panel, UB_VERTICAL, (const char *const *)names, rows);
    for (size_t i = 0; i < rows; i++)
        ub_free(names[i]);
}

static bool is_single(const struct picture *p)
{
    return !over_index(p) && p->points == 1;
}

static bool is_measured_once(const struct cell *cell)
{
    for (size_t i = 0; i < MOST_LINES; i++)
        for (size_t j = 0; j < cell->crowd[i].count; j++)
            if (cell->crowd[i].line[j].count > 1)
                return false;
    return true;
}

static char *caption_of(const struct picture *p, const struct axes *axes)
{
    struct ub_text out = {0};
    bool crowded = false;
    for (size_t k = 0; k < p->panels.groups.count; k++)
        crowded = crowded || lines_in(&p->cell[k]) > CROWD;
    ub_text_add(&out, "%s",
                is_single(p)    ? "The one measurement of each run"
                : over_index(p) ? "Last measurement against index"
                                : "Against step");
    if (p->quantity->index)
        ub_text_add(&out, " (index: %s)", p->quantity->index);
    if (strcmp(p->quantity->units, "1") != 0)
        ub_text_add(&out, "; units: %s", p->quantity->units);
    ub_text_add(&out, ".%s%s", crowded && !is_single(p) ? " " : "",
                crowded && !is_single(p) ? crowd_caption : "");
    if (p->entries.count > MOST_LINES)
        ub_text_add(&out, " Shown: the first %d of %zu, \"%s\" to \"%s\".", MOST_LINES,
                    p->entries.count, p->entries.text[0], p->entries.text[MOST_LINES - 1]);
    if (p->panels.rung > 0 || (p->pooled && !p->by_entry))
        ub_text_add(&out,
                    " Systems beyond %d panels or %d colors are taken together by less than tells "
                    "them apart; none is left out.",
                    MOST_PANELS, MOST_LINES);
    if (axes->short_run > 0)
        ub_text_add(&out, " Steps are linear up to %.3g and logarithmic beyond.",
                    axes->short_run / 5);
    if (axes->zeros)
        ub_text_add(&out, " Values of 0 have no place on the axis.");
    return out.data;
}

static bool draw(const struct picture *p, struct plates *plates, struct ub_error *err)
{
    const struct range range = range_of(p);
    const struct axes axes = axes_of(p, &range);
    const size_t n = p->panels.groups.count, columns = n < COLUMNS ? n : COLUMNS;
    if (p->points == 0 || (p->quantity->figure == UB_FIGURE_OVER_INDEX && range.top < 1))
        return true;
    struct ub_text title = {0};
    ub_text_add(&title, "%s: %s", p->quantity->name, p->quantity->meaning);
    struct ub_figure *f =
        ub_figure_new(title.data, (int)((n + columns - 1) / columns), (int)columns);
    char *caption = caption_of(p, &axes), *stem = plate_stem_of("row", p->quantity->name, 0);
    ub_figure_caption(f, caption);
    for (size_t k = 0; k < n; k++) {
        struct ub_panel *panel = ub_figure_panel(f, (int)(k / columns), (int)(k % columns));
        ub_panel_title(panel, p->panels.name[k]);
        if (is_single(p) || (!over_index(p) && is_measured_once(&p->cell[k])))
            draw_values(panel, p, &p->cell[k], &axes);
        else
            draw_lines(panel, p, &p->cell[k], &axes);
    }
    plates->fold = p->by->name;
    const bool good = plates_add(plates, f, stem, title.data, caption, err);
    plates->fold = NULL;
    ub_free(stem);
    ub_free(caption);
    ub_text_free(&title);
    return good;
}

/* ---- all of them ---------------------------------------------------------------------------- */

struct pictures {
    size_t count;
    struct picture *picture;
};

static struct pictures pictures_of(const struct study *study)
{
    struct pictures all = {0};
    struct labels names = names_in(study->frame);
    for (size_t i = 0; ub_observables[i]; i++)
        for (const struct ub_quantity *q = ub_observables[i]->rows; q && q->name; q++) {
            struct picture p = {.study = study, .quantity = q, .by = ub_observables[i]};
            if (q->figure == UB_FIGURE_NONE || is_drawn(q))
                continue;
            p.names = names_of(&names, q);
            if (p.names.count == 0)
                continue;
            lay_out(&p);
            all.picture = ub_realloc(all.picture, (all.count + 1) * sizeof *all.picture);
            all.picture[all.count++] = p;
        }
    labels_free(&names);
    return all;
}

/* As many of them as hold few enough series, read together: each trace once. */
static size_t read_some(struct picture *p, size_t count)
{
    size_t some = 0, series = 0;
    while (some < count && (some == 0 || series < MOST_SERIES))
        series += p[some++].rows.count;
    for (size_t row = 0; row < p->study->frame->rows; row++)
        for (size_t k = 0; k < some; k++)
            read_row(&p[k], row);
    return some;
}

static bool plot_default(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct pictures all = pictures_of(study);
    bool good = true;
    plates->section = "Measured";
    for (size_t from = 0; good && from < all.count;) {
        const size_t some = read_some(&all.picture[from], all.count - from);
        for (size_t k = from; k < from + some; k++) {
            good = good && draw(&all.picture[k], plates, err);
            picture_clear(&all.picture[k]);
        }
        from += some;
    }
    ub_free(all.picture);
    return good;
}

const struct ub_section ub_section_default = {.name = "measured", .draw = plot_default};
