/* Online learning from a teacher: a soft committee machine of error functions, trained by gradient
 * descent on samples each seen once, follows the equations of its order parameters that are exact
 * for many inputs (Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225; Goldt et al. 2019,
 * arXiv:1906.08632; bench/observables/committee_theory.h). At D inputs the overlaps scatter about
 * them by 1/sqrt(D) (Goldt et al., theorem 3.1), and so does the generalization error.
 *
 * A group is a sweep over D at one time alpha = steps/D. Its datum is the slope in D of the largest
 * distance over alpha of the measured to the predicted error, predicted from the run's own start
 * on. Where the start has units of student or teacher that are alike in the limit, the time at
 * which they part follows the start's own scatter, and nothing of the kind is known: their squared
 * norms are graded (datasets/committee.c). */
#include "report/laws/group.h"

#include <math.h>

static bool learns_online(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "order-parameters") &&
           ub_run_is(frame, row, "dataset.online", "true") &&
           ub_run_is(frame, row, "loss", "mse") &&
           ub_run_is(frame, row, "model.activation", "erf") &&
           ub_run_is(frame, row, "model.graded", "true") &&
           ub_run_is(frame, row, "dataset.graded", "true") &&
           (ub_run_is(frame, row, "optimizer", "sgd") ||
            ub_run_is(frame, row, "optimizer", "gd")) &&
           !(ub_frame_number(frame, row, "optimizer.beta") > 0) && /* gd has none */
           ub_run_is_plain(frame, row);
}

static double farthest(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    struct ub_series measured = ub_frame_series(frame, row, "generalization-error", 0);
    struct ub_series predicted = ub_frame_series(frame, row, "predicted-generalization-error", 0);
    double most = measured.count > 1 && measured.count == predicted.count ? 0 : (double)NAN;
    for (size_t i = 0; isfinite(most) && i < measured.count; i++)
        most = fmax(most, fabs(measured.value[i] - predicted.value[i]));
    ub_series_clear(&measured);
    ub_series_clear(&predicted);
    return most;
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "dataset.features", farthest, NULL);
}

static const struct ub_law_trend trend = {
    .points = points, .x = "inputs", .y = "largest |measured - predicted| error", .is_slope = true};

static struct ub_datum slope_in_inputs(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_trend_slope(frame, group, &trend, "fewer than three numbers of inputs");
}

/* Times, sizes of what is measured on, and of a finite training set go with the inputs. */
static const char *const within[] = {"dataset.features", "dataset.samples", "dataset.size", "steps",
                                     NULL};

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_courses(points, frame, row, "predicted-generalization-error", "generalization-error",
                     1);
}

const struct ub_law ub_law_online_teacher_student = {
    .name = "online-teacher-student",
    .strand = UB_SOLVABLE,
    .claim = "learning online from a teacher follows the equations of its order parameters, up to "
             "1/sqrt(inputs)",
    .formula = "max_alpha |e_g - e_g(ODE)| ~ D^-1/2, e_g(ODE): dR/dalpha = eta <delta_i y_n>, "
               "dQ/dalpha = eta <delta_i x_k + delta_k x_i> + eta^2 <delta_i delta_k>",
    .quantity = "slope in inputs of the largest distance to the predicted generalization error",
    .citation = "Saad and Solla 1995, doi:10.1103/PhysRevE.52.4225; Goldt et al. 2019, "
                "arXiv:1906.08632",
    .who = "soft committee machines of error functions, each sample seen once",
    .because = "0.15: terms of order 1/inputs beside 1/sqrt(inputs) steepen the slope by a tenth",
    .within = within,
    .needs = {{.observable = "order-parameters"},
              {.axis = "dataset.features", .least = 4},
              {.axis = "seed", .least = 4}},
    .applies = learns_online,
    .datum = slope_in_inputs,
    .trend = &trend,
    .plane = plane,
    .is = {UB_EQUAL, .target = -0.5, .margin = 0.15},
};
