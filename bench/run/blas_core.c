#include "bench/run/blas_core.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char variable[] = "OPENBLAS_CORETYPE";
static const char mark[] = "UNIBENCH_CORETYPE"; /* set by us: tells our choice from the user's */

/* The best AVX-512 kernel set of OpenBLAS 0.3 for this CPU, NULL without AVX-512. SkylakeX kernels
 * use F, CD, BW, DQ and VL; Cooperlake adds bfloat16. */
static const char *avx512_core(void)
{
    __builtin_cpu_init();
    bool skylake = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl");
    if (!skylake)
        return NULL;
    return __builtin_cpu_supports("avx512bf16") ? "Cooperlake" : "SkylakeX";
}

static bool uses_avx512(const char *core)
{
    static const char *const cores[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
        if (strcasecmp(core, cores[i]) == 0)
            return true;
    return false;
}

void ub_blas_core_select(char **argv)
{
    openblas_set_num_threads(1);
    const char *better = avx512_core();
    bool chosen = getenv(variable) != NULL;
    if (chosen || !better || uses_avx512(openblas_get_corename()) ||
        !strstr(openblas_get_config(), "DYNAMIC_ARCH"))
        return;
    if (setenv(variable, better, 1) != 0 || setenv(mark, better, 1) != 0)
        return;
    execv("/proc/self/exe", argv);
    unsetenv(variable); /* no second start: what is loaded works, only slower */
    unsetenv(mark);
}

const char *ub_blas_core_chooser(void)
{
    const char *set = getenv(variable), *ours = getenv(mark);
    if (!set)
        return "openblas";
    return ours && strcmp(set, ours) == 0 ? "unibench" : "user";
}
