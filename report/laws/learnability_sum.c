/* Conservation of learnability: of a kernel regression without ridge that starts at zero, the
 * learnabilities <f, f^>/<f, f> of an orthonormal basis of target functions on a finite domain sum
 * to the number of training samples n, whatever the kernel, the basis and the samples (Simon et al.
 * 2021, arXiv:2110.03922, theorem 3.2). f^ = K(., x) K^-1 f(x) is linear in f, so that the sum is
 * the trace of that map over the domain, which is n: the products run over the training samples,
 * too, and K must have full rank. With a ridge it is sum k_i/(k_i + ridge) < n.
 *
 * The datum is the sum of the seed that is farthest from n. */
#include "report/laws/group.h"

#include <math.h>

static bool interpolates(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "learnability") &&
           ub_frame_number(frame, row, "optimizer.ridge") == 0 &&
           ub_frame_number(frame, row, "optimizer.l2") == 0;
}

static struct ub_datum farthest_sum(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_datum d = {.why = "no basis of targets"};
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i];
        const double n = ub_frame_number(frame, row, "samples");
        const double sum = ub_frame_last(frame, row, "learnability-sum", 0);
        const double kernel = ub_frame_last(frame, row, "predicted-learnability-sum", 0);
        const bool ridge = ub_run_fact(&frame->store->runs[row], "kernel-ridge") > 0;
        if (!isfinite(sum) || frame->store->runs[row].status != UB_RUN_OK)
            continue;
        if (isfinite(kernel) && !ridge && kernel < n - 0.5)
            return (struct ub_datum){.why = "a kernel of lower rank than there are samples"};
        if (d.why || fabs(sum / n - 1) > fabs(d.value - 1))
            d = (struct ub_datum){.value = sum / n};
    }
    return d;
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_courses(points, frame, row, "predicted-learnability-sum", "learnability-sum", 1);
}

const struct ub_law ub_law_learnability_sum = {
    .name = "learnability-sum",
    .strand = UB_SOLVABLE,
    .claim = "learnabilities of a basis of targets sum to the number of samples",
    .formula =
        "sum_i <f_i, f_i^>/<f_i, f_i> = n over an orthonormal basis f_i, f_i^ the fit to f_i",
    .quantity = "sum of learnabilities over samples",
    .citation = "Simon et al. 2021, arXiv:2110.03922",
    .who = "kernel regression without ridge, from zero, with a kernel of full rank",
    .because = "an identity: 1e-8 is rounding at condition numbers up to 1e7",
    .needs = {{.observable = "learnability"}},
    .applies = interpolates,
    .datum = farthest_sum,
    .plane = plane,
    .is = {UB_EXACT, .target = 1, .margin = 1e-8},
};
