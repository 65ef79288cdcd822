/* blas_core.h - the BLAS kernels that fit the CPU. */
#ifndef UB_BLAS_CORE_H
#define UB_BLAS_CORE_H

/* Call first in main. OpenBLAS picks its kernels while it is loaded, and releases before a CPU's
 * own (0.3.21 on Sapphire Rapids) fall back to AVX2 kernels of half the speed. Where that has
 * happened, this sets OPENBLAS_CORETYPE from CPUID and starts the program again, once; a setting of
 * the user's is left alone. Returns otherwise. BLAS is held to one thread: the executor spreads
 * chunks over threads itself. */
void ub_blas_core_select(char **argv);

/* "user", "unibench" or "openblas": who chose the kernels. */
const char *ub_blas_core_chooser(void);

#endif
