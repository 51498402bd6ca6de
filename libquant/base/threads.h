/* threads.h -- how many threads, and the arithmetic they must all agree on. */
#ifndef LQ_BASE_THREADS_H
#define LQ_BASE_THREADS_H

#include <fenv.h>

/* `wanted`, or where that is 0 the number of processors this process may use; 1 to 1024. */
unsigned threads_resolve(unsigned wanted);

/* Results must not depend on what a host program or a library has set up in this thread: default
 * rounding, no flush-to-zero, no denormals-are-zero (FE_DFL_ENV says all of that on x86-64 and on
 * AArch64). Every worker enters before it computes and leaves after. */
static inline void fp_enter(fenv_t *saved)
{
    fegetenv(saved);
    fesetenv(FE_DFL_ENV);
}

static inline void fp_leave(const fenv_t *saved)
{
    fesetenv(saved);
}

#endif
