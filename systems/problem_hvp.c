/* Hessian-vector products. What depends on the parameters alone is computed once a point, by each
 * block size's program at its first use there; products then cost only what follows a tangent. */
#include "systems/problem.h"

#include <stdlib.h>
#include <string.h>

void ub_problem_linearize(struct ub_problem *p, const double *theta)
{
    const size_t bytes = (size_t)p->layout.size * sizeof *p->theta;
    if (!p->theta)
        p->theta = ub_alloc(bytes);
    memcpy(p->theta, theta, bytes);
    memset(p->fresh, 0, sizeof p->fresh);
    memset(p->third_fresh, 0, sizeof p->third_fresh);
}

static void apply_block(struct ub_problem *p, int block, const double *V, double *HV)
{
    struct ub_program *program = ub_problem_hvp_program(p, block);
    const double *vectors[] = {
        [UB_AT_THETA] = p->theta, [UB_AT_FROZEN] = p->frozen_values, [UB_AT_TANGENT] = V};
    ub_program_run(program, vectors, &HV, !p->fresh[block]);
    p->fresh[block] = true;
}

static void require_point(const struct ub_problem *p, const char *what)
{
    if (p->theta)
        return;
    fprintf(stderr, "unibench: %s before ub_problem_linearize\n", what);
    abort();
}

void ub_problem_third(struct ub_problem *p, const double *u, const double *v, double *out)
{
    require_point(p, "ub_problem_third");
    const bool same = memcmp(u, v, (size_t)p->layout.size * sizeof *u) == 0;
    struct ub_program *program = ub_problem_third_program(p, same);
    const double *vectors[] = {[UB_AT_THETA] = p->theta,
                               [UB_AT_FROZEN] = p->frozen_values,
                               [UB_AT_TANGENT] = u,
                               [UB_AT_SECOND_TANGENT] = v};
    ub_program_run(program, vectors, &out, !p->third_fresh[same]);
    p->third_fresh[same] = true;
}

void ub_problem_hvp(struct ub_problem *p, int64_t count, const double *V, double *HV)
{
    require_point(p, "ub_problem_hvp");
    for (int block = ub_problem_first_block(p); block < UB_BLOCKS; block++)
        for (const int64_t size = ub_block_sizes[block]; count >= size; count -= size) {
            apply_block(p, block, V, HV);
            V += size * p->layout.size;
            HV += size * p->layout.size;
            p->hvps += size;
        }
}
