/* Barriers between a run and its twins: against the step at which they parted, and the way over
 * them. Means over seeds. */
#include "report/frame/factor.h"
#include "report/sections/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLORS = 8 };
static const double linear_part = 0.01; /* a hundredth of training */

static const char *const law_names[] = {"mode-connectivity", NULL};

struct picture {
    const struct study *study;
    const struct ub_law_verdict *verdict;
    struct ub_rows rows;
    struct ub_factor models;
    struct ub_panel *barriers, *start, *fifth;
    double top; /* of errors on lines */
};

/* Values by index at the last step, means over the runs of a group that have as many of them as the
 * first; cleared by the caller. */
static struct ub_series mean_of(const struct ub_frame *frame, const struct ub_rows *group,
                                const char *row)
{
    struct ub_series mean = {0};
    double runs = 0;
    for (size_t i = 0; i < group->count; i++) {
        struct ub_series s = ub_frame_spectrum(frame, group->row[i], row, -1);
        if (runs == 0 || s.count != mean.count) {
            struct ub_series other = runs == 0 ? mean : s;
            mean = runs == 0 ? s : mean;
            runs += mean.count > 0 && runs == 0;
            ub_series_clear(&other);
            continue;
        }
        for (size_t k = 0; k < s.count; k++)
            mean.value[k] = (mean.value[k] * runs + s.value[k]) / (runs + 1);
        runs++;
        ub_series_clear(&s);
    }
    return mean;
}

/* Of the test split where there is one. */
static struct ub_series tested(const struct ub_frame *frame, const struct ub_rows *group,
                               const char *row)
{
    struct ub_text name = {0};
    ub_text_add(&name, "test-%s", row);
    struct ub_series s = mean_of(frame, group, name.data);
    ub_text_free(&name);
    return s.count > 0 ? s : mean_of(frame, group, row);
}

static void plot_line(struct picture *p, struct ub_panel *panel, const struct ub_rows *group,
                      double fork, struct ub_style style)
{
    char row[64];
    snprintf(row, sizeof row, "line-error.%.0f", fork);
    struct ub_series s = tested(p->study->frame, group, row);
    for (size_t i = 0; i < s.count; i++) {
        s.step[i] /= (double)(s.count - 1);
        p->top = fmax(p->top, s.value[i]);
    }
    ub_panel_line(panel, s.step, s.value, s.count, style);
    ub_series_clear(&s);
}

/* Systems that do not speak are thin and grey. */
static void plot_group(struct picture *p, size_t g)
{
    const struct ub_rows *group = &p->verdict->groups.group[g];
    const bool spoke = !p->verdict->data[g].why;
    const double steps = ub_frame_number(p->study->frame, group->row[0], "steps");
    const size_t model = p->models.of[group->row[0]];
    const struct ub_style style = {.color = spoke ? (int)(model % COLORS) : -1,
                                   .dashed = spoke && model / COLORS % 2 == 1,
                                   .width = spoke ? 1.2 : 0.6,
                                   .alpha = spoke ? 0.8 : 0.5};
    struct ub_series s = tested(p->study->frame, group, "error-barrier");
    for (size_t i = 0; i < s.count; i++)
        s.step[i] /= steps;
    ub_panel_line(p->barriers, s.step, s.value, s.count, style);
    ub_series_clear(&s);
    if (!spoke)
        return;
    plot_line(p, p->start, group, 0, style);
    plot_line(p, p->fifth, group, steps / 5, style);
}

/* Which color is whose: a line of no length each. */
static void name_models(const struct picture *p)
{
    const double nowhere = (double)NAN;
    for (size_t i = 0; i < p->models.groups.count; i++)
        ub_panel_line(p->barriers, &nowhere, &nowhere, 1,
                      (struct ub_style){.color = (int)(i % COLORS),
                                        .dashed = i / COLORS % 2 == 1,
                                        .label = p->models.name[i]});
}

static struct ub_rows rows_that_spoke(const struct ub_law_verdict *v)
{
    struct ub_rows rows = {0};
    for (size_t g = 0; g < v->groups.count; g++) {
        rows.row =
            ub_realloc(rows.row, (rows.count + v->groups.group[g].count + 1) * sizeof *rows.row);
        for (size_t i = 0; !v->data[g].why && i < v->groups.group[g].count; i++)
            rows.row[rows.count++] = v->groups.group[g].row[i];
    }
    return rows;
}

static bool draw(struct picture *p, struct plates *plates, struct ub_error *err)
{
    static const char title[] = "Trainings that part";
    struct ub_figure *f = ub_figure_new(title, 1, 3);
    struct ub_panel *panel[3];
    for (int i = 0; i < 3; i++)
        panel[i] = ub_figure_panel(f, 0, i);
    p->barriers = panel[0];
    p->start = panel[1];
    p->fifth = panel[2];
    for (size_t g = 0; g < p->verdict->groups.count; g++)
        plot_group(p, g);
    name_models(p);
    ub_panel_title(p->barriers, "barrier");
    ub_panel_title(p->start, "between trainings parted at step 0");
    ub_panel_title(p->fifth, "parted after a fifth of training");
    ub_panel_axes(p->barriers, "parted after, share of training", UB_SIGNED, "barrier of the error",
                  UB_LINEAR);
    ub_panel_linear_part(p->barriers, UB_HORIZONTAL, linear_part);
    ub_panel_rule(p->barriers, UB_HORIZONTAL, p->verdict->law->is.target, "2%");
    for (int i = 1; i < 3; i++) {
        ub_panel_axes(panel[i], "place between the two", UB_LINEAR, "error", UB_LINEAR);
        ub_panel_range(panel[i], UB_VERTICAL, 0, p->top > 0 ? p->top * 1.05 : 1);
    }
    ub_figure_caption(f, "Means over seeds, of the test error where there is a test split. Grey: "
                         "systems that do not fit their data, or have no barrier from step 0 on.");
    return plates_add(plates, f, "barriers", title,
                      "Highest error on the straight line between two trainings that see other "
                      "batches from some step on, less that of the ends; and the error on that "
                      "line.",
                      err);
}

static bool plot_barriers(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct picture p = {.study = study};
    for (size_t i = 0; i < study->n_laws; i++)
        if (strcmp(study->laws[i]->law->name, law_names[0]) == 0)
            p.verdict = study->laws[i];
    if (!p.verdict || p.verdict->groups.count == 0)
        return true;
    static const char *const whole[] = {"model", "model.*", NULL}, *const names[] = {"model", NULL};
    static const char *const *const rungs[] = {whole, names, NULL};
    p.rows = rows_that_spoke(p.verdict);
    p.models = ub_factor_new(study->frame, &p.rows, rungs, (size_t)2 * COLORS);
    const bool good = draw(&p, plates, err);
    ub_factor_clear(&p.models);
    ub_rows_clear(&p.rows);
    return good;
}

static const char *const draws[] = {
    "test-error-barrier", "error-barrier",       "test-line-error.FORK",
    "line-error.FORK",    "loss-barrier",        "test-loss-barrier",
    "line-loss.FORK",     "test-line-loss.FORK", NULL};
const struct ub_section ub_section_barriers = {
    .name = "barriers",
    .laws = law_names,
    .draw = plot_barriers,
    .draws = draws,
};
