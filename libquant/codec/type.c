/* type.c -- the table of tensor types and its look-ups. */
#include "libquant/codec/type.h"

#include "libquant/base/text.h"

#include <assert.h>
#include <string.h>

static const struct type_info *const types[] = {
#define TYPE(symbol, id) &type_##symbol,
#include "libquant/codec/types.def"
#undef TYPE
};

#define TYPE_COUNT (sizeof types / sizeof types[0])

size_t type_count(void)
{
    return TYPE_COUNT;
}

const struct type_info *type_at(size_t i)
{
    return types[i];
}

const struct type_info *type_by_id(uint32_t id)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i]->id == id)
            return types[i];
    return NULL;
}

const struct type_info *type_rounded(const struct type_info *type, enum rounding rounding)
{
    static const struct type_info *const fused[][2] = {
#define FUSED(symbol) {&type_##symbol, &type_##symbol##_fused},
#include "libquant/codec/fused.def"
#undef FUSED
    };

    for (size_t i = 0; rounding == ROUNDING_FUSED && i < sizeof fused / sizeof fused[0]; i++)
        if (fused[i][0] == type)
            return fused[i][1];
    return type;
}

static const char *const rounding_names[] = {
    [ROUNDING_STRICT] = "strict",
    [ROUNDING_FUSED] = "fused",
};

const char *rounding_name(enum rounding rounding)
{
    return rounding_names[rounding];
}

bool rounding_by_name(const char *name, enum rounding *rounding)
{
    for (unsigned i = 0; i < sizeof rounding_names / sizeof rounding_names[0]; i++)
        if (strcmp(rounding_names[i], name) == 0) {
            *rounding = (enum rounding)i;
            return true;
        }
    return false;
}

const struct type_info *type_by_name(const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (ascii_casecmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}

const struct type_info *type_by_dtype(const char *dtype, size_t len)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        const char *const d = types[i]->dtype;
        if (d && strlen(d) == len && memcmp(d, dtype, len) == 0)
            return types[i];
    }
    return NULL;
}

bool type_row_bytes(const struct type_info *type, uint64_t n, uint64_t *bytes)
{
    const uint64_t blocks = n / type->block_len;

    if (n % type->block_len != 0 || blocks > UINT64_MAX / type->block_bytes)
        return false;
    *bytes = blocks * type->block_bytes;
    return true;
}

uint64_t type_bytes(const struct type_info *type, uint64_t n)
{
    uint64_t bytes = 0;
    const bool ok = type_row_bytes(type, n, &bytes);
    assert(ok);
    (void)ok;
    return bytes;
}

bool type_is_float8(const struct type_info *type)
{
    return type->id >= LQ_TYPE_F8_E4M3 && type->id <= LQ_TYPE_F8_E5M2FNUZ;
}
