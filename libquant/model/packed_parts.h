/* packed_parts.h -- what packed.c and packed_rows.c share. */
#ifndef LQ_MODEL_PACKED_PARTS_H
#define LQ_MODEL_PACKED_PARTS_H

#include "libquant/model/packed.h"

/* Rows [row, row + n) and columns [col, col + cols) of a weight to dst. */
typedef lq_status packed_rows_fn(const struct catalog *source, const struct packed *p, uint64_t row,
                                 uint64_t n, uint64_t col, uint64_t cols, float *dst, lq_error *err);

struct packed_scheme {
    const char *method;  /* quantization_config.quant_method */
    const char *formats; /* quantization_config.format, separated by blanks; NULL: any */
    uint16_t type;       /* of the main part */
    bool last;           /* llama.cpp's converter writes such weights after all others */
    const char *parts[PACKED_PARTS]; /* suffixes; the first '?' marks one that may be missing */
    lq_status (*fit)(struct packed *p, const struct model *m, struct arena *a, lq_error *err);
    packed_rows_fn *rows;
};

packed_rows_fn packed_rows_affine, packed_rows_table, packed_rows_nvfp4;

/* Parts of the schemes of packed_rows_table. */
enum { TABLE_INDEX, TABLE_ABSMAX, TABLE_VALUES, TABLE_STATE, TABLE_NESTED_ABSMAX,
       TABLE_NESTED_VALUES };

/* Parts of the scheme of packed_rows_nvfp4: a scale for each 16 columns, in units of 1 / global. */
enum { NVFP4_NUMBERS, NVFP4_SCALES, NVFP4_GLOBAL };
enum { NVFP4_GROUP = 16 };

#endif
