/* A figure of every row of traces that is declared with one (`figure` in bench/store/quantity.h)
 * and that no section draws: against step, or its last measurement against what its index counts.
 * A measurement needs nothing but its declaration to be looked at. */
#include "report/frame/names.h"
#include "report/sections/picture.h"

#include <math.h>
#include <string.h>

enum { WHOLE_LINES = 200 };
/* Series that are held at once: of larger stores' figures a few are made at a time. */
enum { MOST_SERIES = 30000 };

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

static void lay_out(struct picture *p)
{
    const struct ub_frame *frame = p->study->frame;
    p->rows = ub_frame_where(frame, NULL, has_any, &p->names);
    p->by_entry = p->names.count > 1 || (p->quantity->index && !picture_over_index(p));
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
    if (p->quantity->index && !picture_over_index(p))
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
        if (p->quantity->index && !picture_over_index(p)) {
            read_indices(p, row, name);
            continue;
        }
        const size_t line = p->by_entry ? entry_of(p, name, 0) : p->line[row];
        take(p, row, line,
             picture_over_index(p) ? ub_frame_spectrum(frame, row, name, -1)
                                   : ub_frame_series(frame, row, name, 0));
    }
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
            good = good && picture_draw(&all.picture[k], plates, err);
            picture_clear(&all.picture[k]);
        }
        from += some;
    }
    ub_free(all.picture);
    return good;
}

const struct ub_section ub_section_default = {.name = "measured", .draw = plot_default};
