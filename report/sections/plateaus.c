/* Plateaus by optimizer and architecture: a table for each dataset and loss, with the reasons why
 * runs have none. */
#include "report/frame/factor.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 16 /* models; of more, those of one name together */ };

static const char *const by_task[] = {"dataset", "dataset.*", "data", "loss", "loss.*", NULL};
static const char *const by_optimizer[] = {"optimizer", NULL};
static const char *const by_model[] = {"model", "model.*", NULL};
static const char *const by_model_name[] = {"model", NULL};
static const char *const *const task_rungs[] = {by_task, NULL};
static const char *const *const optimizer_rungs[] = {by_optimizer, NULL};
static const char *const *const model_rungs[] = {by_model, by_model_name, NULL};

/* ---- cells ---------------------------------------------------------------------------------- */

/* The law's groups among these rows: those of one optimizer and model are a cell. */
struct cells {
    const struct ub_law_verdict *law;
    struct ub_factor optimizers, models;
    size_t count, *group;
};

static struct cells cells_of(const struct study *study, const struct ub_law_verdict *v,
                             const struct ub_rows *rows)
{
    struct cells c = {.law = v, .group = ub_calloc(v->groups.count + 1, sizeof *c.group)};
    c.optimizers = ub_factor_new(study->frame, rows, optimizer_rungs, SIZE_MAX);
    c.models = ub_factor_new(study->frame, rows, model_rungs, MOST_COLUMNS);
    for (size_t g = 0; g < v->groups.count; g++)
        if (c.models.of[v->groups.group[g].row[0]] != SIZE_MAX)
            c.group[c.count++] = g;
    return c;
}

static void cells_clear(struct cells *c)
{
    ub_factor_clear(&c->optimizers);
    ub_factor_clear(&c->models);
    ub_free(c->group);
}

static bool in_cell(const struct cells *c, size_t group, size_t optimizer, size_t model)
{
    const size_t row = c->law->groups.group[group].row[0];
    return c->optimizers.of[row] == optimizer && c->models.of[row] == model;
}

/* Systems' plateaus come together as in the verdict; one alone keeps its own interval. */
static struct ub_interval cell_mean(const struct cells *c, size_t optimizer, size_t model)
{
    const struct ub_law_verdict *v = c->law;
    double *value = ub_calloc(c->count + 1, sizeof *value);
    double *se = ub_calloc(c->count + 1, sizeof *se);
    struct ub_interval mean = {.estimate = (double)NAN};
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        const struct ub_datum *d = &v->data[c->group[i]];
        if (d->why || !in_cell(c, c->group[i], optimizer, model))
            continue;
        mean = ub_datum_interval(d);
        value[n] = d->value;
        se[n++] = d->se;
    }
    if (n > 1)
        mean = ub_random_effects(value, se, n).mean;
    ub_free(value);
    ub_free(se);
    return mean;
}

/* a, b, ..., z, aa, ab, ... */
static void add_letter(struct ub_text *out, size_t k)
{
    if (k >= 26)
        add_letter(out, k / 26 - 1);
    ub_text_add(out, "%c", (char)('a' + (int)(k % 26)));
}

/* "b: 2, d: 1": how many runs have no level, by letters that stand for reasons. */
static size_t count_reasons(const struct cells *c, size_t optimizer, size_t model,
                            struct labels *reasons, struct ub_text *out)
{
    size_t *count = NULL, counted = 0, kinds = 0, runs = 0;
    for (size_t g = 0; g < c->count; g++) {
        const struct ub_rows *rows = &c->law->groups.group[c->group[g]];
        for (size_t i = 0; in_cell(c, c->group[g], optimizer, model) && i < rows->count; i++) {
            const struct ub_window *w = &c->law->level[rows->row[i]].window;
            runs++;
            if (w->reached)
                continue;
            const size_t reason = labels_add(reasons, w->why);
            count = ub_realloc(count, reasons->count * sizeof *count);
            for (; counted < reasons->count; counted++)
                count[counted] = 0;
            count[reason]++;
        }
    }
    for (size_t k = 0; k < counted; k++) {
        if (count[k] == 0)
            continue;
        ub_text_add(out, "%s", kinds++ ? ", " : "");
        add_letter(out, k);
        ub_text_add(out, ": %zu", count[k]);
    }
    ub_free(count);
    return runs;
}

static void add_cell(struct table *t, const struct cells *c, size_t optimizer, size_t model,
                     struct labels *reasons)
{
    const struct ub_interval mean = cell_mean(c, optimizer, model);
    struct ub_text cell = {0}, why = {0};
    const size_t runs = count_reasons(c, optimizer, model, reasons, &why);
    if (!isfinite(mean.estimate))
        ub_text_add(&cell, "%s", runs ? "-" : "");
    else if (isfinite(mean.low) && isfinite(mean.high))
        ub_text_add(&cell, "%.3f [%.2f, %.2f]", mean.estimate, mean.low, mean.high);
    else
        ub_text_add(&cell, "%.3f", mean.estimate);
    if (why.data)
        ub_text_add(&cell, " (%s)", why.data);
    table_cell(t, "%s", cell.data);
    ub_text_free(&cell);
    ub_text_free(&why);
}

/* ---- tables --------------------------------------------------------------------------------- */

struct table *plateaus_table(const struct study *study, const struct ub_law_verdict *v,
                             const struct ub_rows *rows, struct labels *reasons)
{
    struct cells c = cells_of(study, v, rows);
    const size_t columns = c.models.groups.count + 1;
    const char **head = ub_calloc(columns + 1, sizeof *head);
    char *align = ub_calloc(columns + 1, 1);
    memset(align, 'r', columns);
    align[0] = 'l';
    head[0] = "optimizer";
    for (size_t m = 0; m + 1 < columns; m++)
        head[m + 1] = c.models.name[m];
    struct table *t = table_new(head, align);
    for (size_t o = 0; o < c.optimizers.groups.count; o++) {
        table_cell(t, "%s", c.optimizers.name[o]);
        for (size_t m = 0; m + 1 < columns; m++)
            add_cell(t, &c, o, m, reasons);
    }
    ub_free(head);
    ub_free(align);
    cells_clear(&c);
    return t;
}

static void add_plateaus_of(struct pieces *out, const struct study *study,
                            const struct ub_law_verdict *v)
{
    struct ub_rows rows = law_rows(v);
    struct ub_factor tasks = ub_factor_new(study->frame, &rows, task_rungs, SIZE_MAX);
    struct labels reasons = {0};
    struct ub_text why = {0};
    for (size_t k = 0; k < tasks.groups.count; k++) {
        pieces_text(out, "%s:", tasks.name[k]);
        pieces_table(out, plateaus_table(study, v, &tasks.groups.group[k], &reasons), NULL);
    }
    for (size_t k = 0; k < reasons.count; k++) {
        ub_text_add(&why, "%s", k ? "; " : "");
        add_letter(&why, k);
        ub_text_add(&why, ": %s", reasons.text[k]);
    }
    if (reasons.count > 0)
        pieces_text(out, "%s.", why.data);
    ub_text_free(&why);
    labels_free(&reasons);
    ub_factor_clear(&tasks);
    ub_rows_clear(&rows);
}

static void add_plateaus(struct pieces *out, const struct study *study)
{
    for (size_t i = 0; i < study->n_laws; i++) {
        if (!is_about_rho(study->laws[i]) || study->laws[i]->groups.count == 0)
            continue;
        pieces_heading(out, "Plateaus by optimizer and architecture");
        pieces_text(out, "Level of rho, mean over the systems of a pair (random effects, as in the "
                         "verdict) with its 95%% interval; in parentheses: runs that have none, by "
                         "reason.");
        add_plateaus_of(out, study, study->laws[i]);
    }
}

static const char *const laws[] = {"edge-of-stability", NULL};
const struct ub_section ub_section_plateaus = {
    .name = "plateaus",
    .laws = laws,
    .title = "Plateaus",
    .write = add_plateaus,
};
