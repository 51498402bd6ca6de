/* memory.c -- checked allocation and arenas. */
#include "libquant/base/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *mem_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

/* Huge pages lie on multiples of their size, and must be wholly inside of what is allocated. */
void *mem_calloc_huge(size_t count, size_t size)
{
    enum { HUGE_PAGE = 2 << 20 };
    size_t bytes, whole;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)HUGE_PAGE - 1, &whole))
        return NULL;
    if (bytes < HUGE_PAGE / 8)
        return mem_calloc(count, size);
    whole -= whole % HUGE_PAGE;
    void *const p = aligned_alloc(HUGE_PAGE, whole);
    if (!p)
        return NULL;
#ifdef MADV_HUGEPAGE
    madvise(p, whole, MADV_HUGEPAGE); /* advice: what comes of it does not matter */
#endif
    return memset(p, 0, bytes);
}

void *mem_realloc(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return realloc(old, bytes ? bytes : 1);
}

bool mem_grow(void **array, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return true;
    const size_t want = *cap ? *cap * 2 : 16;
    void *const p = want > *cap ? mem_realloc(*array, want, size) : NULL;
    if (!p)
        return false;
    *array = p;
    *cap = want;
    return true;
}

/* Chunks form a list, newest first; only the newest has room that is still given out. */
struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

enum { CHUNK_SIZE = 64 * 1024 - (int)sizeof(struct arena_chunk) };

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n) || n > SIZE_MAX / 2)
        return NULL;
    n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_chunk *c = a->chunk;
    if (!c || c->size - c->used < n) {
        const size_t want = n > CHUNK_SIZE / 4 ? n : CHUNK_SIZE;
        struct arena_chunk *const fresh = calloc(1, sizeof *fresh + want);
        if (!fresh)
            return NULL;
        fresh->size = want;
        /* A chunk of its own for something large goes behind the one that still has room. */
        if (c && want != CHUNK_SIZE) {
            fresh->next = c->next;
            c->next = fresh;
        } else {
            fresh->next = c;
            a->chunk = fresh;
        }
        c = fresh;
    }
    void *const p = c->data + c->used;
    c->used += n;
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *const p = len < SIZE_MAX ? arena_calloc(a, len + 1, 1) : NULL;
    if (p && len)
        memcpy(p, s, len);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, args);
    char *const p = n < 0 ? NULL : arena_calloc(a, (size_t)n + 1, 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    return p;
}

void arena_free(struct arena *a)
{
    for (struct arena_chunk *c = a->chunk; c;) {
        struct arena_chunk *const next = c->next;
        free(c);
        c = next;
    }
    a->chunk = NULL;
}
