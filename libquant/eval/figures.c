/* figures.c -- see figures.h. */
#include "libquant/eval/figures.h"

#include "libquant/base/bytes.h" /* little-endian hosts only */
#include "libquant/base/hash.h"

#include <math.h>
#include <stdlib.h>

struct figure figure_mean(double sum, double squares, size_t n)
{
    const double count = (double)n, mean = sum / count;
    const double variance = squares / count - mean * mean;
    return (struct figure){mean, variance > 0 && n > 1 ? sqrt(variance / (count - 1)) : 0};
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void figure_sort(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
}

double figure_percentile(const double *sorted, size_t n, double fraction)
{
    const double at = fraction * (double)(n - 1);
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    return i + 1 < n ? (1 - part) * sorted[i] + part * sorted[i + 1] : sorted[n - 1];
}

lq_status figure_digest(const void *values, size_t n, size_t size, char hex[65], lq_error *err)
{
    struct sha256 *const h = sha256_new();
    uint8_t digest[32];
    if (!h)
        return lq_fail_memory(err);
    sha256_update(h, values, n * size);
    sha256_final(h, digest);
    hex_of(hex, digest, sizeof digest);
    return LQ_OK;
}
