#include "bench/observables/line.h"

#include <math.h>

/* The ends are what they are, to the bit. */
static const double *point(int64_t n, const double *a, const double *b, double t, double *room)
{
    if (t == 0 || t == 1)
        return t == 0 ? a : b;
    for (int64_t i = 0; i < n; i++)
        room[i] = (1 - t) * a[i] + t * b[i];
    return room;
}

void ub_line_walk(struct ub_problem *p, bool test, const double *a, const double *b, int64_t points,
                  double *room, double *loss, double *error)
{
    for (int64_t i = 0; i < points; i++) {
        const double t = (double)i / (double)(points - 1);
        const double *theta = point(ub_problem_size(p), a, b, t, room);
        ub_problem_evaluate(p, test, theta, &loss[i], &error[i]);
        error[i] = 1 - error[i];
    }
}

double ub_line_loss_barrier(int64_t points, const double *loss)
{
    double most = 0;
    for (int64_t i = 0; i < points; i++) {
        const double t = (double)i / (double)(points - 1);
        const double above = loss[i] - ((1 - t) * loss[0] + t * loss[points - 1]);
        if (!isfinite(above))
            return (double)NAN;
        most = fmax(most, above);
    }
    return most;
}

double ub_line_error_barrier(int64_t points, const double *error)
{
    double most = error[0];
    for (int64_t i = 0; i < points; i++) {
        if (!isfinite(error[i]))
            return (double)NAN;
        most = fmax(most, error[i]);
    }
    return most - (error[0] + error[points - 1]) / 2;
}
