/* figures.h -- what is said of many values: means with their errors, percentiles, digests. Sums are
 * in the order of the values. */
#ifndef LQ_EVAL_FIGURES_H
#define LQ_EVAL_FIGURES_H

#include "libquant/base/status.h"

#include <stddef.h>

struct figure {
    double value, error; /* standard error */
};

/* The mean of n values, from their sum and that of their squares. */
struct figure figure_mean(double sum, double squares, size_t n);
/* Ascending. */
void figure_sort(double *values, size_t n);
/* Of sorted values, one at least; between two of them, linear. */
double figure_percentile(const double *sorted, size_t n, double fraction);

/* SHA-256, in hex, of n values of `size` bytes (4 or 8) in little-endian order. */
lq_status figure_digest(const void *values, size_t n, size_t size, char hex[65], lq_error *err);

#endif
