/* type.h -- the table of tensor types: every kind of stored number, its size, and its codec.
 *
 *   row of n elements  =  n / block_len blocks  =  n / block_len * block_bytes bytes
 *
 * A row is the unit of work: it is a whole number of blocks, rows do not influence each other, and
 * rows of one tensor lie back to back. Adding a type: write codec/<family>.c (or a struct in an
 * existing family file) and one line in types.def; format readers, `lq quantize`, the tests of all
 * kernels and the documentation pick it up from there.
 */
#ifndef LQ_CODEC_TYPE_H
#define LQ_CODEC_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids up to 255 are those of GGUF (ggml_type); ids from 256 on are ours, for types that occur in
 * other containers only. */
enum lq_type_id {
#define TYPE(symbol, id) LQ_TYPE_##symbol = (id),
#include "libquant/codec/types.def"
#undef TYPE
    LQ_TYPE_NONE = 0xffff
};

enum type_flags {
    TYPE_QUANTIZED = 1 << 0, /* blocks with shared scales; GGUF calls these quantized */
    TYPE_INTEGER = 1 << 1,   /* I8 ... I64, U8 ..., BOOL: never quantized, copied as they are */
    TYPE_NEEDS_IMPORTANCE = 1 << 2, /* encoding without an importance matrix is refused */
    TYPE_SUBBYTE = 1 << 3,          /* unquantized elements of less than one byte (F4, F6) */
    TYPE_INTERNAL = 1 << 4 /* legal in files, but made only inside dot products (Q8_1, Q8_K) */
};

/* Decodes n elements (n is a multiple of block_len) from src to dst. */
typedef void type_decode_fn(float *dst, const void *src, size_t n);

/* Encodes `rows` rows of `cols` elements each (cols is a multiple of block_len), row after row,
 * from src to dst. `importance` holds cols non-negative weights that are the same for every row, or
 * is NULL. Neither side has any alignment. Nothing outside the rows is read or written. */
typedef void type_encode_fn(void *dst, const float *src, size_t rows, size_t cols,
                            const float *importance);

/* Returns the index of the first element that makes the stored row invalid (a NaN or infinite scale
 * or value), or n. */
typedef size_t type_check_fn(const void *src, size_t n);

struct type_info {
    const char *name;       /* as llama.cpp prints it, upper case: "Q4_K", "F16" */
    const char *dtype;      /* name in a safetensors header, or NULL where it has none */
    uint16_t id;            /* enum lq_type_id */
    uint16_t block_len;     /* elements */
    uint16_t block_bytes;   /* bytes */
    uint16_t flags;         /* enum type_flags */
    type_decode_fn *decode; /* scalar definition; NULL: not a number that has a float value */
    type_encode_fn *encode; /* scalar definition; NULL: read only */
    type_check_fn *check;   /* NULL: every bit pattern is valid */
};

#define TYPE(symbol, id) extern const struct type_info type_##symbol;
#include "libquant/codec/types.def"
#undef TYPE
#define FUSED(symbol) extern const struct type_info type_##symbol##_fused;
#include "libquant/codec/fused.def"
#undef FUSED

/* How a * b + c is rounded where the reference's source has it in one expression: twice, as in its
 * build for x86-64, or once, as clang compiles it for machines that have fused multiply-add in
 * their base instruction set, such as AArch64. See rounding.h. */
enum rounding { ROUNDING_STRICT, ROUNDING_FUSED };

/* The type as it is encoded and decoded with a rounding: the same name, id and sizes, other
 * functions where the rounding matters. For kernel_for() and direct calls only; a tensor's type is
 * always the one that the look-ups below return. */
const struct type_info *type_rounded(const struct type_info *type, enum rounding rounding);

/* "strict" or "fused", and back; false where there is no such name. */
const char *rounding_name(enum rounding rounding);
bool rounding_by_name(const char *name, enum rounding *rounding);

/* Look-ups; NULL where there is no such type. Names compare without regard to case. */
const struct type_info *type_by_id(uint32_t id);
const struct type_info *type_by_name(const char *name);
const struct type_info *type_by_dtype(const char *dtype, size_t len);

/* All types in the order of types.def: i from 0 to type_count() - 1. */
size_t type_count(void);
const struct type_info *type_at(size_t i);

/* Bytes of n elements of a type. False where n is no whole number of blocks (or, below a byte, of
 * bytes), or on overflow. */
bool type_row_bytes(const struct type_info *type, uint64_t n, uint64_t *bytes);
/* The same where n is known to be whole blocks that fit. */
uint64_t type_bytes(const struct type_info *type, uint64_t n);

/* One of the 8-bit floats, which are stored with scales beside them. */
bool type_is_float8(const struct type_info *type);

#endif
