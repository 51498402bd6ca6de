/* imatrix.h -- importance matrices: how much each column of each weight matters, as llama-imatrix
 * measures it (the mean of the squared activations that meet the column).
 *
 *   entry: tensor name -> values[cols * stack]     stack > 1: one part for each expert
 *
 * Both forms of file are read: the GGUF form (NAME.in_sum2 and NAME.counts) and the older binary one
 * (".dat"). The values are what llama-quantize makes of the file, bit for bit.
 */
#ifndef LQ_CONVERT_IMATRIX_H
#define LQ_CONVERT_IMATRIX_H

#include "libquant/catalog/catalog.h"

struct imatrix_entry {
    const char *name;
    const float *values;
    uint64_t n;
    const float *counts; /* of the GGUF form: rows summed, for each part; else NULL */
    uint64_t n_counts;
    size_t place; /* in the file */
};

/* Zero-initialised: a matrix without entries. */
struct imatrix {
    struct arena arena;
    struct imatrix_entry *entries; /* in byte order of the names, each name once */
    size_t n, cap;
    bool sums;           /* set before reading: values stay sums as stored, not means */
    const char *dataset; /* the text it was made of, or NULL where the file does not say */
    const char **datasets; /* all of them */
    size_t n_datasets;
    uint8_t sha256[32];  /* of the file */
    uint32_t chunks;     /* of that text; 0: the file does not say */
};

/* Reads a whole file into a zeroed matrix. The source is closed in any case. LQ_E_FORMAT where it is
 * no importance matrix; then the matrix has been released. */
lq_status imatrix_read(struct imatrix *m, struct source *source, lq_error *err);
void imatrix_release(struct imatrix *m);

/* Drop the entries whose names contain none / any of n texts. */
void imatrix_include(struct imatrix *m, const char *const *texts, size_t n);
void imatrix_exclude(struct imatrix *m, const char *const *texts, size_t n);

/* LQ_E_MODEL where a value is no finite number, or negative: names the entry and the index. */
lq_status imatrix_check(const struct imatrix *m, lq_error *err);

/* NULL where there is none. */
const struct imatrix_entry *imatrix_find(const struct imatrix *m, const char *name);

/* For the reader: a new entry at the end with room for n values at *values. False: out of memory. */
bool imatrix_add(struct imatrix *m, const char *name, size_t name_len, uint64_t n, float **values);

#endif
