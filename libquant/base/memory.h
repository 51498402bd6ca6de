/* memory.h -- checked allocation, and arenas for what is built once and released whole. */
#ifndef LQ_BASE_MEMORY_H
#define LQ_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False on overflow; *out is then unspecified. */
static inline bool add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* Rounds up to a multiple of align (a power of two). False on overflow. */
static inline bool align_u64(uint64_t n, uint64_t align, uint64_t *out)
{
    return add_u64(n, align - 1, out) && ((*out &= ~(align - 1)), true);
}

/* count * size bytes, zeroed / resized; NULL when out of memory or on overflow. Freed with free(). */
void *mem_calloc(size_t count, size_t size);
void *mem_realloc(void *old, size_t count, size_t size);
/* mem_calloc for what is read again and again: on huge pages where the system has them on request,
 * so that addresses are found without walks through page tables. From a quarter of a megabyte on,
 * blocks are rounded up to such pages, of two megabytes. */
void *mem_calloc_huge(size_t count, size_t size);

/* Makes room for one more element in a growing array: *cap at least count + 1. False: no memory,
 * the array is unchanged. Used as  grow((void **)&a, &cap, count, sizeof *a). */
bool mem_grow(void **array, size_t *cap, size_t count, size_t size);

/* An arena hands out memory that lives until arena_free. Zero-initialised struct: an empty arena. */
struct arena {
    struct arena_chunk *chunk;
};

/* count * size zeroed bytes aligned for any type; NULL when out of memory or on overflow. */
void *arena_calloc(struct arena *a, size_t count, size_t size);
/* A copy of len bytes with a NUL after them; NULL when out of memory. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#endif
