/* compare.h -- how far the values of one tensor are from those of another, whatever their types.
 *
 * Values are compared as float32. The figures are a function of the values and the shape alone: a
 * piece of up to 65536 elements (whole rows, or a part of a wide one) has 16 partial sums by index
 * modulo 16 in double precision, joined by a fixed tree; pieces are added in order. Memory: two
 * pieces for each thread.
 */
#ifndef LQ_CONVERT_COMPARE_H
#define LQ_CONVERT_COMPARE_H

#include "libquant/convert/stream.h"

/* Sums over the elements in which both values are finite. */
struct comparison {
    uint64_t elements;   /* all */
    uint64_t nonfinite;  /* NaN or infinite on either side: not in the sums */
    bool identical;      /* every value has the same bits, nonfinite ones too */
    bool opaque;         /* of a type that has no float values: only `identical` tells */
    double error2;       /* sum of (a - b)^2 */
    double a2, b2, ab;   /* sums of a^2, b^2, a * b */
    double max_error;    /* largest |a - b| */
    uint64_t max_index;  /* of the first element that has it, in the flattened tensor */
};

struct compare_options {
    unsigned isa;     /* mask for kernel_for */
    unsigned threads; /* 0: one per processor */
    const struct progress *progress; /* steps in elements: progress_done + ... of progress_total */
    uint64_t progress_done, progress_total;
};

/* One side of a comparison: where its rows come from. */
struct compared {
    struct step step;
    const struct type_info *packed; /* the type that step.fill_raw makes; NULL where it is not set */
};

/* A stored tensor as it is; *t must live as long as the result. */
struct compared compared_tensor(const struct catalog *c, const struct tensor *const *t);

/* Compares rows x cols elements of both sides. LQ_E_UNSUPPORTED where a side has no float values and
 * the stored types differ. */
lq_status compare_rows(const struct compared *a, const struct compared *b, uint64_t rows,
                       uint64_t cols, const struct compare_options *options,
                       struct comparison *out, lq_error *err);

/* Adds the sums of one tensor to those of a model; of the maximum only its size is kept. */
void comparison_add(struct comparison *total, const struct comparison *c);

double comparison_rmse(const struct comparison *c);
/* 10 log10(a2 / error2); infinite where there is no error, minus infinite where a is all zeros. */
double comparison_snr_db(const struct comparison *c);
/* 1 where there is no error, 0 where one side is all zeros. */
double comparison_cosine(const struct comparison *c);

#endif
