/* Catapults: where runs that start above their edge land, against how far above they start. */
#include "report/frame/factor.h"
#include "report/sections/sections.h"

#include <math.h>
#include <string.h>

enum { MEASURES = 3 };

/* What a system's runs came to; medians over those that did not diverge. */
struct landing {
    double rate; /* sharpness at the start over the threshold */
    size_t runs, diverged, failed, back;
    double peak, rho,
        drop; /* largest loss over the first; sharpness over the edge, over the start */
};

static bool has_catapult(const struct study *study, size_t run)
{
    return ub_frame_has(study->frame, run, "catapult-peak");
}

static double median_of(const double *values, size_t n)
{
    return n > 0 ? ub_median(values, n) : (double)NAN;
}

static bool any_catapult(const struct study *study, const struct ub_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (has_catapult(study, rows->row[i]))
            return true;
    return false;
}

/* False when the system was not measured so. Of one that was, every run counts. */
static bool land(const struct study *study, size_t system, struct landing *out)
{
    const struct ub_rows *rows = &study->systems.group[system];
    const size_t count = rows->count;
    double *values = ub_calloc(MEASURES * count + 1, sizeof *values);
    double *peak = values, *rho = values + count, *drop = values + 2 * count;
    size_t landed = 0;
    *out = (struct landing){.rate = NAN};
    if (!any_catapult(study, rows)) {
        ub_free(values);
        return false;
    }
    for (size_t k = 0; k < count; k++) {
        const size_t i = rows->row[k];
        const struct ub_run *run = &study->store->runs[i];
        out->runs++;
        const double rate = ub_run_fact(run, "initial-sharpness") / ub_run_fact(run, "threshold");
        out->rate = isfinite(rate) ? rate : out->rate;
        out->diverged += run->status == UB_RUN_DIVERGED;
        out->failed += run->status != UB_RUN_DIVERGED && !has_catapult(study, i);
        if (run->status == UB_RUN_DIVERGED || !has_catapult(study, i))
            continue;
        out->back += ub_frame_last(study->frame, i, "catapult-back", 0) > 0;
        peak[landed] = ub_frame_last(study->frame, i, "catapult-peak", 0);
        rho[landed] = ub_frame_last(study->frame, i, "edge-ratio", 0);
        drop[landed++] = ub_frame_last(study->frame, i, "catapult-sharpness", 0);
    }
    out->peak = median_of(peak, landed);
    out->rho = median_of(rho, landed);
    out->drop = median_of(drop, landed);
    ub_free(values);
    return isfinite(out->rate);
}

/* ---- figure ----------------------------------------------------------------------------- */

struct picture {
    struct ub_panel *rho, *drop, *peak;
    struct ub_factor models; /* of the systems' first rows */
};

/* A line a model through its rates; rates at which all diverged, strokes at the first panel's foot.
 */
static void plot_model(struct picture *p, const struct study *study, size_t model)
{
    double *data = ub_calloc(5 * study->systems.count + 1, sizeof *data);
    double *rate = data, *rho = data + study->systems.count,
           *drop = data + 2 * study->systems.count;
    double *peak = data + 3 * study->systems.count, *lost = data + 4 * study->systems.count;
    size_t n = 0, n_lost = 0;
    for (size_t s = 0; s < study->systems.count; s++) {
        struct landing l;
        if (p->models.of[study->systems.group[s].row[0]] != model || !land(study, s, &l))
            continue;
        if (l.diverged + l.failed == l.runs) {
            lost[n_lost++] = l.rate;
            continue;
        }
        size_t at = n++; /* in order of rate */
        for (; at > 0 && rate[at - 1] > l.rate; at--) {
            rate[at] = rate[at - 1];
            rho[at] = rho[at - 1];
            drop[at] = drop[at - 1];
            peak[at] = peak[at - 1];
        }
        rate[at] = l.rate;
        rho[at] = l.rho;
        drop[at] = l.drop;
        peak[at] = l.peak;
    }
    const struct ub_style line = {
        .color = (int)(model % 8), .width = 1.5, .label = p->models.name[model]};
    const struct ub_style dots = {.color = (int)(model % 8), .points = true, .point_size = 3.5};
    struct ub_panel *panels[] = {p->rho, p->drop, p->peak};
    const double *values[] = {rho, drop, peak};
    for (int k = 0; k < MEASURES; k++) {
        ub_panel_line(panels[k], rate, values[k], n, line);
        ub_panel_line(panels[k], rate, values[k], n, dots);
    }
    ub_panel_rug(p->rho, UB_HORIZONTAL, lost, n_lost, (int)model,
                 (struct ub_style){.color = (int)(model % 8), .width = 2});
    ub_free(data);
}

/* Of the systems that were measured so, by their first rows. */
static struct ub_factor models_of(const struct study *study)
{
    static const char *const whole[] = {"model", "model.*", NULL}, *const name[] = {"model", NULL};
    static const char *const *const rungs[] = {whole, name, NULL};
    enum { MOST_MODELS = 8 };
    struct ub_rows rows = {.row = ub_calloc(study->systems.count + 1, sizeof *rows.row)};
    for (size_t s = 0; s < study->systems.count; s++)
        if (any_catapult(study, &study->systems.group[s]))
            rows.row[rows.count++] = study->systems.group[s].row[0];
    struct ub_factor models = ub_factor_new(study->frame, &rows, rungs, MOST_MODELS);
    ub_rows_clear(&rows);
    return models;
}

bool plot_catapults(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct picture p = {0};
    p.models = models_of(study);
    if (p.models.groups.count == 0) {
        ub_factor_clear(&p.models);
        return true;
    }
    struct ub_figure *f = ub_figure_new("Starts above the edge", 1, MEASURES);
    p.rho = ub_figure_panel(f, 0, 0);
    p.drop = ub_figure_panel(f, 0, 1);
    p.peak = ub_figure_panel(f, 0, 2);
    ub_panel_title(p.rho, "where it ends");
    ub_panel_title(p.drop, "what the sharpness lost");
    ub_panel_title(p.peak, "how high it was thrown");
    const char *x = "initial sharpness / threshold";
    ub_panel_axes(p.rho, x, UB_LINEAR, "final sharpness / threshold", UB_LINEAR);
    ub_panel_axes(p.drop, x, UB_LINEAR, "final sharpness / initial", UB_LINEAR);
    ub_panel_axes(p.peak, x, UB_LINEAR, "peak loss / initial", UB_LOG);
    /* Below 0 is room for the strokes. */
    ub_panel_range(p.rho, UB_VERTICAL, -0.11 * (double)p.models.groups.count, 1.8);
    ub_panel_rule(p.rho, UB_HORIZONTAL, 1, "edge");
    ub_panel_rule(p.drop, UB_HORIZONTAL, 1, NULL);
    for (int k = 0; k < MEASURES; k++)
        ub_panel_rule(ub_figure_panel(f, 0, k), UB_VERTICAL, 1, NULL);
    for (size_t m = 0; m < p.models.groups.count; m++)
        plot_model(&p, study, m);
    ub_factor_clear(&p.models);
    ub_figure_caption(f,
                      "Medians over seeds. Strokes at the foot of the left panel, a row a model: "
                      "rates at which every seed diverged.");
    return plates_add(plates, f, "catapult", "Starts above the edge",
                      "Final sharpness over the threshold and over that at the start, and the "
                      "largest loss, against the initial sharpness over the threshold; medians "
                      "over the seeds that did not diverge.",
                      err);
}

/* ---- table ------------------------------------------------------------------------------ */

struct table *catapults_table(const struct study *study)
{
    static const char *const head[] = {"system",
                                       "initial sharpness / threshold",
                                       "diverged",
                                       "failed",
                                       "back below initial loss",
                                       "peak loss / initial",
                                       "final sharpness / threshold",
                                       "/ initial",
                                       NULL};
    struct table *t = table_new(head, "lrrrrrrr");
    for (size_t s = 0; s < study->systems.count; s++) {
        struct landing l;
        if (!land(study, s, &l))
            continue;
        table_cell(t, "%s", study->system_name[s]);
        table_fixed(t, l.rate, 2);
        table_cell(t, "%zu of %zu", l.diverged, l.runs);
        table_cell(t, "%zu of %zu", l.failed, l.runs);
        table_cell(t, "%zu of %zu", l.back, l.runs - l.diverged - l.failed);
        table_real(t, l.peak, 3);
        table_fixed(t, l.rho, 3);
        table_fixed(t, l.drop, 3);
    }
    return t;
}

static const char *const laws[] = {"catapult", NULL};
static const char *const draws[] = {"catapult-peak", "catapult-sharpness", NULL};
const struct ub_section ub_section_catapults = {
    .name = "catapults",
    .laws = laws,
    .draw = plot_catapults,
    .draws = draws,
    .table = catapults_table,
    .title = "Starts above the edge",
    .text = "Medians over the seeds that did not diverge or fail (Lewkowycz et al. 2020, "
            "arXiv:2003.02218).",
};
