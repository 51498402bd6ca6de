/* index.c -- access to the index of licence texts. */
#include "libquant/license/index.h"

#include "libquant/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

extern const uint8_t lq_license_index[], lq_license_texts[];

static const struct index_header *header(void)
{
    return (const struct index_header *)(const void *)lq_license_index;
}

static const uint8_t *pairs(void)
{
    return lq_license_index + sizeof(struct index_header) +
           header()->texts * sizeof(struct index_text);
}

size_t index_count(void)
{
    return header()->texts;
}

const struct index_text *index_text_at(size_t i)
{
    return (const struct index_text *)(const void *)(lq_license_index +
                                                     sizeof(struct index_header)) +
           i;
}

const struct index_text *index_by_digest(const uint8_t digest[16])
{
    for (size_t i = 0; i < index_count(); i++)
        if (memcmp(index_text_at(i)->digest, digest, 16) == 0)
            return index_text_at(i);
    return NULL;
}

const char *index_ids(const struct index_text *t)
{
    return (const char *)pairs() + (size_t)header()->pairs * 3 + t->name;
}

uint32_t index_pair(const struct index_text *t, size_t i)
{
    const uint8_t *const p = pairs() + (t->first + i) * 3;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

bool index_has_pair(const struct index_text *t, uint32_t pair)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (index_pair(t, middle) < pair)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && index_pair(t, low) == pair;
}

/* True where the second is the first without its appendix: they are made one behind the other. */
static bool is_cut_from(const struct index_text *whole, const struct index_text *cut)
{
    const char *const a = index_ids(whole), *const b = index_ids(cut);
    const size_t n = strcspn(a, " ");
    return (cut->flags & INDEX_WITHOUT_APPENDIX) && n == strcspn(b, " ") && memcmp(a, b, n) == 0;
}

const struct index_text *index_with_appendix(const struct index_text *t)
{
    return t > index_text_at(0) && is_cut_from(t - 1, t) ? t - 1 : t;
}

const struct index_text *index_without_appendix(const struct index_text *t)
{
    return t + 1 < index_text_at(index_count()) && is_cut_from(t, t + 1) ? t + 1 : t;
}

/* ---- texts.bin ---- */

static uint32_t number_at(size_t i)
{
    uint32_t value;
    memcpy(&value, lq_license_texts + i * sizeof value, sizeof value);
    return value;
}

/* Block i, to be freed, with a NUL behind it; NULL: out of memory. */
static char *read_block(size_t i, size_t *len)
{
    const uint8_t *at = lq_license_texts + (1 + 2 * (size_t)number_at(0)) * sizeof(uint32_t);
    for (size_t k = 0; k < i; k++)
        at += number_at(2 + 2 * k);
    uLongf raw = number_at(1 + 2 * i);
    char *const data = mem_calloc(raw + 1, 1);
    if (!data || uncompress((Bytef *)data, &raw, at, number_at(2 + 2 * i)) != Z_OK) {
        free(data);
        return NULL;
    }
    *len = raw;
    return data;
}

uint8_t *index_codes(const struct index_text *t)
{
    size_t len;
    char *const block = read_block(t->block, &len);
    if (block)
        memmove(block, block + t->begin, t->words);
    return (uint8_t *)block;
}

lq_status index_kept_words(struct words *w, const struct index_text *t, lq_error *err)
{
    size_t len;
    if (!t->kept)
        return LQ_OK;
    char *const stream = read_block(t->kept, &len);
    if (!stream)
        return lq_fail_memory(err);
    const lq_status status = words_take(w, stream, len, err);
    free(stream);
    return status;
}
