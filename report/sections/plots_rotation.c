/* Rotation: the angle by which weights without a scale turn a step, against what rate and decay
 * say, and on its way there. */
#include "report/laws/symmetry.h"
#include "report/sections/crowd.h"
#include "report/sections/sections.h"

#include <math.h>

enum { COLORS = 8, SPANS = 20 };
static const double span_width = 0.5; /* in time, steps x rate x decay */

struct picture {
    struct ub_panel *diagonal, *way;
    struct crowd crowd[COLORS]; /* on the way, a color an optimizer */
    struct labels optimizers;
    double low, high; /* of angles */
};

/* Root mean square of a weight's angles over the second half. */
static double late_angle(const struct study *study, size_t run, int64_t weight)
{
    struct ub_series s = ub_frame_series(study->frame, run, "weight-angle", weight);
    const double middle = ub_frame_number(study->frame, run, "steps") / 2;
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < s.count; i++) {
        sum += s.step[i] > middle ? s.value[i] * s.value[i] : 0;
        n += s.step[i] > middle;
    }
    ub_series_clear(&s);
    return sqrt(sum / (double)n);
}

/* Root mean squares over spans of half of 1/(rate x decay) steps, up to where the shortest runs
 * end: single steps scatter. */
static void add_way(struct picture *p, const struct study *study, size_t run, int64_t weight,
                    int color)
{
    struct ub_series s = ub_frame_series(study->frame, run, "weight-angle", weight);
    const double decay = ub_turn_decay(study->frame, run),
                 predicted = ub_turn_predicted(study->frame, run);
    double square[SPANS] = {0};
    size_t n[SPANS] = {0};
    struct ub_series way = {.step = ub_calloc(SPANS, sizeof(double)),
                            .value = ub_calloc(SPANS, sizeof(double)),
                            .error = ub_calloc(SPANS, sizeof(double))};
    for (size_t i = 0; i < s.count; i++) {
        const double span = s.step[i] * decay / span_width;
        if (!(span < SPANS))
            break;
        square[(size_t)span] += pow(s.value[i] / predicted, 2);
        n[(size_t)span]++;
    }
    for (size_t k = 0; k < SPANS; k++) {
        if (n[k] == 0)
            continue;
        way.step[way.count] = ((double)k + 0.5) * span_width;
        way.value[way.count++] = sqrt(square[k] / (double)n[k]);
    }
    crowd_add(&p->crowd[color], way);
    ub_series_clear(&s);
}

static void plot_run(struct picture *p, const struct study *study, size_t run)
{
    const struct ub_trace *t = ub_frame_trace(study->frame, run);
    if (!t || study->store->runs[run].status != UB_RUN_OK)
        return;
    const int color =
        (int)(labels_find(&p->optimizers, ub_frame_word(study->frame, run, "optimizer")) % COLORS);
    size_t weights;
    bool *is_free = ub_scale_free_weights(t, &weights);
    for (size_t i = 0; i < weights; i++) {
        if (!is_free[i])
            continue;
        const double predicted = ub_turn_predicted(study->frame, run),
                     measured = late_angle(study, run, (int64_t)i);
        ub_panel_line(p->diagonal, &predicted, &measured, 1,
                      (struct ub_style){.color = color, .points = true, .point_size = 4});
        add_way(p, study, run, (int64_t)i, color);
        p->low = fmin(p->low, fmin(predicted, measured));
        p->high = fmax(p->high, fmax(predicted, measured));
    }
    ub_free(is_free);
}

/* Which color is whose: a line of no length each. */
static void name_optimizers(const struct picture *p)
{
    const double nowhere = (double)NAN;
    for (size_t i = 0; i < p->optimizers.count; i++)
        ub_panel_line(p->diagonal, &nowhere, &nowhere, 1,
                      (struct ub_style){.color = (int)(i % COLORS),
                                        .points = true,
                                        .point_size = 4,
                                        .label = p->optimizers.text[i]});
}

static void draw_way(struct picture *p)
{
    size_t lines = 0;
    for (int k = 0; k < COLORS; k++)
        lines += p->crowd[k].count;
    for (int k = 0; k < COLORS; k++) {
        if (p->crowd[k].count > 0)
            crowd_draw(p->way, &p->crowd[k], lines > CROWD && p->crowd[k].count > 1,
                       (struct ub_style){.color = k, .width = 1, .alpha = 0.7});
        crowd_clear(&p->crowd[k]);
    }
}

static bool plot_rotation(const struct study *study, struct plates *plates, struct ub_error *err)
{
    struct picture p = {.low = INFINITY};
    for (size_t i = 0; i < study->store->count; i++)
        if (ub_run_turns(study->frame, i))
            labels_add(&p.optimizers, ub_frame_word(study->frame, i, "optimizer"));
    if (p.optimizers.count == 0)
        return true;
    struct ub_figure *f = ub_figure_new("Turning weights", 1, 2);
    p.diagonal = ub_figure_panel(f, 0, 0);
    p.way = ub_figure_panel(f, 0, 1);
    for (size_t i = 0; i < study->store->count; i++)
        if (ub_run_turns(study->frame, i))
            plot_run(&p, study, i);
    draw_way(&p);
    name_optimizers(&p);
    const double ends[] = {p.low / 1.3, p.high * 1.3};
    ub_panel_line(p.diagonal, ends, ends, 2, (struct ub_style){.color = -1, .dashed = true});
    ub_panel_title(p.diagonal, "at rest");
    ub_panel_title(p.way, "on the way");
    ub_panel_axes(p.diagonal, "predicted angle a step", UB_LOG, "measured", UB_LOG);
    ub_panel_axes(p.way, "steps x rate x decay", UB_LINEAR, "angle / predicted", UB_LOG);
    ub_panel_rule(p.way, UB_HORIZONTAL, 1, NULL);
    labels_free(&p.optimizers);
    ub_figure_caption(
        f, "Each weight without a scale of each run. Left: root mean square angle of "
           "the second half; dashed: as predicted, nothing fitted. Right: over that, the "
           "median of all weights of an optimizer, and the band that holds 80% of "
           "them; one line a weight where they are few.");
    return plates_add(plates, f, "rotation", "Turning weights",
                      "Angle by which weights without a scale turn a step, against sqrt(2 rate x "
                      "decay) in each optimizer's form, and over it on the way there.",
                      err);
}

static const char *const laws[] = {"rotation", "rotation-norm", NULL};
static const char *const draws[] = {"weight-angle", NULL};
const struct ub_section ub_section_rotation = {
    .name = "rotation",
    .laws = laws,
    .draw = plot_rotation,
    .draws = draws,
};
