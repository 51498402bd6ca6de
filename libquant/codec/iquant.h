/* iquant.h -- what the codebook types share: the codebooks with their neighbour lists, and the
 * search for signs, codes and scale of a block.
 *
 * A group of 8 (IQ1, IQ2) or 4 (IQ3) magnitudes is one entry of a codebook. The encoder scales and
 * rounds a group to a point of small integers ("levels") and looks up that point: either it is an
 * entry, or the point has a list of near entries, of which the one with the least weighted error is
 * taken. Lists and their order are those of ggml, because the first of equals wins.
 */
#ifndef LQ_CODEC_IQUANT_H
#define LQ_CODEC_IQUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libquant/codec/iq_grids.h"
#include "libquant/codec/num.h"
#include "libquant/codec/rounding.h"

#define IQ_BLOCK 256 /* elements of a block of every IQ type but IQ4_NL */

enum book_id {
    BOOK_IQ2_XXS,
    BOOK_IQ2_XS,
    BOOK_IQ2_S,
    BOOK_IQ1,
    BOOK_IQ3_XXS,
    BOOK_IQ3_S,
    BOOK_COUNT
};

/* Entries and points are packed as in iq_grids.h. A point's rank is the number whose digits, least
 * significant first, are its levels: base 3 for eight elements, base 8 (packed form) for four. */
struct book {
    const uint16_t *codes; /* the entries, packed */
    uint16_t entries;      /* how many */
    uint16_t dims;         /* elements of a group: 8 or 4 */
    uint16_t bits;         /* of an element in the packed form: 2 or 3 */
    uint16_t shells;       /* how many distinct distances a list of neighbours spans */
    uint16_t ranks;        /* points: 3^8 or 8^4 */
    int32_t *places;       /* by rank: the entry, or ~place of the point's list in `lists` */
    uint16_t *lists;       /* each: a count, then packed entries, nearest first; then, so that
                              vectors of BOOK_PAD can be read, repetitions of the last */
};

enum { BOOK_PAD = 16 };

/* A codebook with its lists, which are made at the first call (a few milliseconds). Thread-safe;
 * never fails, as the tables have static storage. */
const struct book *book_get(enum book_id id);

/* Rank of a packed point of a book. */
uint32_t book_rank(const struct book *book, uint32_t code);

/* How one of the types with separate signs (IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S) is searched. */
enum repick {
    REPICK_OFF, /* only groups that were not on the grid at the best scale */
    REPICK_ANY, /* all groups, if one was not on the grid */
    REPICK_ALL  /* all groups, always */
};

struct lattice {
    enum book_id book;
    int block;      /* elements under one scale: 16 or 32 */
    int levels;     /* of a magnitude: 3 or 8; level l stands for 2 * l + 1 */
    bool parity;    /* signs of eight elements have an even number of minuses: 7 are stored */
    bool fit_start; /* starting scale by a least-squares fit instead of the maximum */
    int tries;      /* scales tried on either side of the starting one */
    float step;     /* between them, in units of the largest level's change */
    float least;    /* a block whose maximum is less has scale 0 */
    float spread;   /* times the mean square of the 256: is added to the squares in weights */
    float floor;    /* without importance: this part of that is added; 0: squares alone */
    enum repick repick;
};

extern const struct lattice lattice_iq2_xxs, lattice_iq2_xs, lattice_iq2_s, lattice_iq3_xxs,
    lattice_iq3_s;

/* What the search finds for the elements under one scale. */
struct found {
    bool empty;        /* all (nearly) zero: scale is 0, nothing else is set */
    float scale;       /* >= 0 */
    uint8_t signs[4];  /* bit set: minus; a byte per eight elements */
    uint16_t entry[8]; /* codebook entries of the groups */
};

/* One set of them for each rounding. */
#define lattice_search ROUNDED(lattice_search)
#define pack_iq2_xxs   ROUNDED(pack_iq2_xxs)
#define pack_iq2_xs    ROUNDED(pack_iq2_xs)
#define pack_iq2_s     ROUNDED(pack_iq2_s)
#define pack_iq3_xxs   ROUNDED(pack_iq3_xxs)
#define pack_iq3_s     ROUNDED(pack_iq3_s)

/* Searches the 256 elements of x, a block: found has IQ_BLOCK / l->block elements. importance has
 * as many elements as x, or is NULL. The scalar definition, and the type of its vector forms. */
typedef void lattice_search_fn(const struct lattice *l, const float *x, const float *importance,
                               struct found *found);
lattice_search_fn lattice_search;

/* Writes a block. `max` is the largest scale found. */
typedef void lattice_pack_fn(void *block, const struct found *found, float max);
lattice_pack_fn pack_iq2_xxs, pack_iq2_xs, pack_iq2_s, pack_iq3_xxs, pack_iq3_s;

/* Encodes rows (see type_encode_fn) with a search and a packer. */
void lattice_encode(const struct lattice *l, lattice_search_fn *search, lattice_pack_fn *pack,
                    size_t block_bytes, void *dst, const float *src, size_t rows, size_t cols,
                    const float *importance);

/* Defines encode_<suffix> from lattice_<suffix>, pack_<suffix> and struct block_<suffix>. */
#define LATTICE_ENCODE(suffix)                                                                     \
    static void encode_##suffix(void *dst, const float *src, size_t rows, size_t cols,             \
                                const float *importance)                                           \
    {                                                                                              \
        lattice_encode(&lattice_##suffix, lattice_search, pack_##suffix,                           \
                       sizeof(struct block_##suffix), dst, src, rows, cols, importance);           \
    }

/* The code, 0 to `most`, of a scale. Code c stands for (2 * c + 1) / inverse. */
static inline uint8_t scale_code(float scale, float inverse, int most)
{
    return (uint8_t)clamp_i32(nearest_i32(0.5f * mul_sub(inverse, scale, 1)), 0, most);
}

/* Stores the scale of a block as a half. A NaN, which comes from 0/0 and the like, gets the sign
 * that it has on x86 on every machine. */
static inline void store_scale(void *p, float d)
{
    store_u16(p, d == d ? f32_to_f16(d) : 0x8000u | F16_NAN);
}

/* All eight signs from the stored seven. */
static inline uint32_t signs_from_seven(uint32_t seven)
{
    return seven | (uint32_t)__builtin_parity(seven) << 7;
}

#endif
