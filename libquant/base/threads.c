/* threads.c -- number of threads. */
#include "libquant/base/threads.h"

#include <omp.h>

unsigned threads_resolve(unsigned wanted)
{
    const unsigned n = wanted ? wanted : (unsigned)omp_get_num_procs();
    return n < 1 ? 1 : n > 1024 ? 1024 : n;
}
