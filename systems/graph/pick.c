/* pick.c - which build of the kernels this CPU runs. */
#include "systems/graph/kernels.h"

#include <stdlib.h>
#include <string.h>

extern const struct ub_kernels ub_kernels_v2_float, ub_kernels_v2_double;
#ifdef __x86_64__
extern const struct ub_kernels ub_kernels_v3_float, ub_kernels_v3_double;
extern const struct ub_kernels ub_kernels_v4_float, ub_kernels_v4_double;

static bool has_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
}

static bool has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

/* UNIBENCH_KERNELS=v2 or v3 asks for no more than that: results as on an older CPU. */
static bool is_allowed(const char *level)
{
    const char *most = getenv("UNIBENCH_KERNELS");
    return !most || most[0] != 'v' || strcmp(level, most) <= 0;
}
#endif

const struct ub_kernels *ub_kernels_pick(bool single)
{
#ifdef __x86_64__
    if (has_v4() && is_allowed("v4"))
        return single ? &ub_kernels_v4_float : &ub_kernels_v4_double;
    if (has_v3() && is_allowed("v3"))
        return single ? &ub_kernels_v3_float : &ub_kernels_v3_double;
#endif
    return single ? &ub_kernels_v2_float : &ub_kernels_v2_double;
}

ub_pointwise_kernel *ub_pair_kernel(const struct ub_kernels *k, enum ub_op first, enum ub_op second,
                                    int at)
{
    const int i = first == UB_OP_ADD ? 0 : first == UB_OP_SUB ? 1 : first == UB_OP_MUL ? 2 : -1;
    const int j = second == UB_OP_ADD              ? 0
                  : second == UB_OP_SUB && at == 0 ? 1
                  : second == UB_OP_MUL            ? 2
                  : second == UB_OP_SUB            ? 3
                                                   : -1;
    return i < 0 || j < 0 ? NULL : k->pair[i][j];
}

const char *ub_kernel_isa(void)
{
    return ub_kernels_pick(true)->isa;
}
