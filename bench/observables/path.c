/* The last iterates of a run and the losses of all its steps. */
#include "bench/observables/path.h"

#include <math.h>
#include <string.h>

void ub_path_clear(struct ub_path *path)
{
    for (int k = 0; k < UB_MOST_ITERATES; k++) {
        ub_free(path->past[k].theta);
        ub_free(path->past[k].grad);
    }
    ub_free(path->flow.last.theta);
    ub_free(path->flow.last.grad);
}

void ub_path_ask_iterates(struct ub_path *path, int64_t count)
{
    path->kept = count > path->kept ? count : path->kept;
}

void ub_path_ask_losses(struct ub_path *path)
{
    path->every_loss = true;
}

void ub_path_ask_time(struct ub_path *path)
{
    path->timed = true;
}

/* |step|/|gradient| from the last iterate; NAN unless they are antiparallel, to 1e-6 of a cosine.
 */
static double flow_since(const struct ub_iterate *last, const struct ub_moment *moment)
{
    double along = 0, step = 0, gradient = 0;
    for (int64_t i = 0; i < ub_problem_size(moment->problem); i++) {
        const double d = moment->theta[i] - last->theta[i], g = last->grad[i];
        along -= d * g;
        step += d * d;
        gradient += g * g;
    }
    if (step == 0)
        return 0;
    return along >= (1 - 1e-6) * sqrt(step * gradient) ? sqrt(step / gradient) : (double)NAN;
}

void ub_path_note_time(struct ub_path *path, const struct ub_moment *moment)
{
    struct ub_iterate *last = &path->flow.last;
    const size_t n = (size_t)ub_problem_size(moment->problem);
    if (!path->timed)
        return;
    if (!last->theta) {
        last->theta = ub_alloc(n * sizeof *last->theta);
        last->grad = ub_alloc(n * sizeof *last->grad);
    } else if (last->step < moment->step) {
        path->flow.time += last->step == moment->step - 1 ? flow_since(last, moment) : (double)NAN;
    }
    last->step = moment->step;
    memcpy(last->theta, moment->theta, n * sizeof *last->theta);
    memcpy(last->grad, moment->grad, n * sizeof *last->grad);
}

void ub_path_note_loss(struct ub_path *path, const struct ub_moment *moment)
{
    if (!path->begun)
        path->losses = (struct ub_losses){moment->step, moment->step, moment->loss, moment->loss};
    path->begun = true;
    if (moment->loss > path->losses.peak) {
        path->losses.peak = moment->loss;
        path->losses.peak_step = moment->step;
    }
}

/* The oldest gives its room to the new. */
void ub_path_keep(struct ub_path *path, const struct ub_moment *moment)
{
    if (path->kept == 0)
        return;
    const size_t n = (size_t)ub_problem_size(moment->problem);
    struct ub_iterate now = path->past[path->kept - 1];
    if (!now.theta) {
        now.theta = ub_alloc(n * sizeof *now.theta);
        now.grad = ub_alloc(n * sizeof *now.grad);
    }
    memcpy(now.theta, moment->theta, n * sizeof *now.theta);
    memcpy(now.grad, moment->grad, n * sizeof *now.grad);
    now.step = moment->step;
    now.lr = moment->optimizer->lr;
    memmove(path->past + 1, path->past, (size_t)(path->kept - 1) * sizeof *path->past);
    path->past[0] = now;
}

const struct ub_iterate *ub_path_iterate(const struct ub_path *path, const struct ub_moment *moment,
                                         int64_t back)
{
    for (int k = 0; k < UB_MOST_ITERATES; k++)
        if (path->past[k].theta && path->past[k].step == moment->step - back)
            return &path->past[k];
    return NULL;
}

bool ub_path_midpoint(const struct ub_path *path, const struct ub_moment *moment, double *out)
{
    const struct ub_iterate *before = ub_path_iterate(path, moment, 2);
    const struct ub_iterate *center = ub_path_iterate(path, moment, 1);
    if (!before || !center)
        return false;
    const int64_t n = ub_problem_size(moment->problem);
    for (int64_t i = 0; i < n; i++)
        out[i] = (before->theta[i] + 2 * center->theta[i] + moment->theta[i]) / 4;
    return true;
}
