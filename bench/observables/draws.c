/* Mini-batches drawn for measuring; means and ratios of means with intervals. */
#include "bench/observables/draws.h"

#include <gsl/gsl_cdf.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The call's, else the optimizer's own, else (it takes none) all samples. */
static int64_t batch_size(const struct ub_call *call, const struct ub_optimizer *optimizer,
                          int64_t total)
{
    int64_t size = ub_call_int(call, "batch");
    size = size == 0 ? ub_optimizer_batch(optimizer) : size;
    return size == 0 ? total : size;
}

static bool open_draws(struct ub_draws *b, const struct ub_call *call,
                       const struct ub_moment *moment, struct ub_error *err)
{
    b->total = ub_problem_data(moment->problem)->train.count;
    b->size = batch_size(call, moment->optimizer, b->total);
    b->problem = ub_problem_batch_new(moment->problem, b->size, err);
    if (!b->problem)
        return false;
    b->replacement =
        ub_optimizer_batch(moment->optimizer) > 0 && ub_optimizer_draws_anew(moment->optimizer);
    b->count = b->size == b->total && !b->replacement ? 1 : ub_call_int(call, "draws");
    b->samples = ub_calloc((size_t)b->size, sizeof *b->samples);
    return true;
}

bool ub_draws_start(struct ub_draws *b, const struct ub_call *call, const struct ub_moment *moment,
                    const char *purpose, struct ub_error *err)
{
    if (!b->problem && !open_draws(b, call, moment, err))
        return false;
    snprintf(b->stream, sizeof b->stream, "%s:%" PRId64, purpose, moment->step);
    b->seed = moment->optimizer->training.seed;
    b->drawn = 0;
    return true;
}

/* Each the first batch of a stream of its own: independent of the others, as an epoch's batches,
 * which have no sample in common, are not. */
void ub_draws_next(struct ub_draws *b)
{
    char stream[96];
    snprintf(stream, sizeof stream, "%s:%" PRId64, b->stream, b->drawn++);
    struct ub_batches *batches =
        ub_batches_new(b->total, b->size, b->replacement, ub_random_stream(b->seed, stream));
    ub_batches_next(batches, b->samples);
    ub_batches_free(batches);
    ub_problem_take(b->problem, b->samples);
}

void ub_draws_close(struct ub_draws *b)
{
    ub_problem_free(b->problem);
    ub_free(b->samples);
}

int64_t ub_draws_bytes(const struct ub_call *call, const struct ub_problem *problem)
{
    (void)call; /* a batch's programs are no larger than the whole's */
    return ub_problem_bytes(problem, 2);
}

double ub_ratio_of_means(int64_t n, const double *x, const double *y, double *half_width)
{
    double sum_x = 0, sum_y = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum_x += x[i];
        sum_y += y ? y[i] : 1;
    }
    const double ratio = sum_x / sum_y;
    for (int64_t i = 0; i < n; i++)
        squares += pow(x[i] - ratio * (y ? y[i] : 1), 2);
    const double count = (double)n;
    *half_width = n < 2 ? 0
                        : gsl_cdf_tdist_Pinv(0.975, count - 1) *
                              sqrt(squares * count / (count - 1)) / fabs(sum_y);
    return ratio;
}
