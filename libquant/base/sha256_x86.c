/* sha256_x86.c -- blocks of SHA-256 with the x86 SHA extensions, for one message or two side by side.
 *
 * Every two rounds wait for the two before them, and half of the unit's time is spent waiting: a second
 * message goes through in the gaps at little cost. (SHA-256: FIPS 180-4, 6.2; the instructions: Intel's
 * Software Developer's Manual, "SHA256RNDS2" and after.)
 *
 * The state is kept as the instructions want it: a b e f in one vector, c d g h in the other.
 */
#include "libquant/base/sha256_x86.h"

#include <cpuid.h>
#include <immintrin.h>

#define SHA_CODE __attribute__((target("sha,sse4.1,ssse3")))

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool sha256_x86_here(void)
{
    enum { SSSE3 = 1 << 9, SSE41 = 1 << 19, SHA = 1 << 29 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & SSSE3) || !(c & SSE41))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & SHA);
}

struct lanes {
    __m128i abef, cdgh;
    __m128i w[4]; /* words of the schedule, four at a time */
};

SHA_CODE static inline void load_state(struct lanes *l, const uint32_t s[8])
{
    const __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)s);
    const __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(s + 4));
    const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    l->abef = _mm_alignr_epi8(cdab, efgh, 8);
    l->cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

SHA_CODE static inline void store_state(const struct lanes *l, uint32_t s[8])
{
    const __m128i feba = _mm_shuffle_epi32(l->abef, 0x1b), dchg = _mm_shuffle_epi32(l->cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)s, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(s + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Rounds 4 r to 4 r + 3, and what they leave to do on the schedule. r is a constant when unrolled. */
SHA_CODE static inline void four_rounds(struct lanes *l, const uint8_t *block, unsigned r)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    if (r < 4)
        l->w[r] = _mm_shuffle_epi8(
            _mm_loadu_si128((const __m128i *)(const void *)(block + (size_t)16 * r)), swap);
    const __m128i now = l->w[r & 3];
    __m128i k = _mm_add_epi32(now, _mm_load_si128((const __m128i *)(const void *)(constants + (size_t)4 * r)));
    l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, k);
    if (r >= 3 && r < 15) {
        __m128i *const next = &l->w[(r + 1) & 3];
        *next = _mm_add_epi32(*next, _mm_alignr_epi8(now, l->w[(r - 1) & 3], 4));
        *next = _mm_sha256msg2_epu32(*next, now);
    }
    k = _mm_shuffle_epi32(k, 0x0e);
    l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, k);
    if (r >= 1 && r < 13)
        l->w[(r - 1) & 3] = _mm_sha256msg1_epu32(l->w[(r - 1) & 3], now);
}

SHA_CODE void sha256_x86_blocks(uint32_t state[8], const uint8_t *data, size_t n)
{
    struct lanes l;
    load_state(&l, state);
    for (; n > 0; n--, data += 64) {
        const __m128i abef = l.abef, cdgh = l.cdgh;
#pragma GCC unroll 16
        for (unsigned r = 0; r < 16; r++)
            four_rounds(&l, data, r);
        l.abef = _mm_add_epi32(l.abef, abef);
        l.cdgh = _mm_add_epi32(l.cdgh, cdgh);
    }
    store_state(&l, state);
}

SHA_CODE void sha256_x86_blocks2(uint32_t a[8], const uint8_t *data_a, uint32_t b[8],
                                 const uint8_t *data_b, size_t n)
{
    struct lanes la, lb;
    load_state(&la, a);
    load_state(&lb, b);
    for (; n > 0; n--, data_a += 64, data_b += 64) {
        const __m128i abef_a = la.abef, cdgh_a = la.cdgh, abef_b = lb.abef, cdgh_b = lb.cdgh;
#pragma GCC unroll 16
        for (unsigned r = 0; r < 16; r++) {
            four_rounds(&la, data_a, r);
            four_rounds(&lb, data_b, r);
        }
        la.abef = _mm_add_epi32(la.abef, abef_a);
        la.cdgh = _mm_add_epi32(la.cdgh, cdgh_a);
        lb.abef = _mm_add_epi32(lb.abef, abef_b);
        lb.cdgh = _mm_add_epi32(lb.cdgh, cdgh_b);
    }
    store_state(&la, a);
    store_state(&lb, b);
}
