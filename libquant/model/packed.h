/* packed.h -- weights that quantized checkpoints keep in several tensors: integers, scales, zeros.
 *
 *   NAME.qweight  NAME.qzeros  NAME.scales  NAME.g_idx   ->   NAME.weight, a tensor of floats
 *
 * The weight is a tensor like any other, with a type of its own (type_packed) and the shape that it
 * stands for; its elements are computed from its parts when they are read. Which scheme applies is
 * what config.json says in "quantization_config", checked against the tensors that are there.
 */
#ifndef LQ_MODEL_PACKED_H
#define LQ_MODEL_PACKED_H

#include "libquant/model/model.h"

enum { PACKED_PARTS = 6 };

struct packed_scheme;

/* A matrix of whole numbers. */
struct packed_grid {
    const struct tensor *t; /* NULL: there is none */
    uint8_t bits;           /* of a number; 8 in I8 is signed, all else unsigned within I32 */
    bool down;              /* numbers follow each other down a column, not along a row */
    bool interleaved;       /* eight of a word are in the order 0 2 4 6 1 3 5 7 */
};

struct packed {
    struct tensor tensor; /* the weight: the first member, so that the two can be cast */
    const struct packed_scheme *scheme;
    const struct tensor *part[PACKED_PARTS]; /* in the order of the scheme; the first is the main one */
    /* numbers with scales and zeros: weight = scale * (number - zero) */
    bool transposed;      /* all three are stored input first */
    struct packed_grid number, zero;
    const struct tensor *scale;
    const struct tensor *group_of; /* of each input, or NULL: group_size neighbours share one */
    uint64_t groups, group_size;
    int32_t zero_add;     /* added to zeros; the zero where there are none stored */
    float times;          /* a second factor, or 0 */
    /* indices into a table: weight = table[index] * absmax[block] */
    uint64_t block, nested_block;
    float nested_offset;
};

/* The type of such a weight. It has no id and no decoder: packed_read is that. */
extern const struct type_info type_packed;

/* LQ_E_UNSUPPORTED where config.json names a way of quantizing that cannot be read here. */
lq_status packed_check_config(const struct model *m, lq_error *err);

/* Called where no packed weight was found: LQ_E_MODEL where the configuration promises some. */
lq_status packed_check_absent(const struct model *m, lq_error *err);

/* Whether t is the main part of a packed weight by what the configuration says. */
bool packed_is_main(const struct model *m, const struct tensor *t);

/* Finds the parts of the weight whose main part is t and checks that they fit. *out lives in `a`.
 * LQ_E_MODEL with the name of the part that is missing or wrong. */
lq_status packed_open(struct packed **out, const struct model *m, const struct tensor *t,
                      struct arena *a, lq_error *err);

/* Whether llama.cpp's converter writes such weights after all others. */
bool packed_comes_last(const struct packed *p);

/* Elements first .. first + n of the weight, which are whole rows or lie in one row. Memory: a few
 * times n numbers. Safe from several threads. */
lq_status packed_read(const struct catalog *source, const struct tensor *weight, uint64_t first,
                      size_t n, float *dst, lq_error *err);

#endif
