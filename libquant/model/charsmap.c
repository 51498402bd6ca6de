/* charsmap.c -- walks the double array; what leads out of it is no match. */
#include "libquant/model/charsmap.h"

#include "libquant/base/bytes.h"

#include <string.h>

lq_status charsmap_open(struct charsmap *m, const char *data, size_t len, lq_error *err)
{
    const uint32_t bytes = len >= 4 ? load_u32(data) : 0;
    if (len < 4 || bytes % 4 || bytes > len - 4)
        return lq_fail(err, LQ_E_FORMAT, "the compiled rules of normalization are damaged");
    *m = (struct charsmap){data + 4, bytes / 4, data + 4 + bytes, len - 4 - bytes};
    return LQ_OK;
}

/* A unit: label in bits 0-7 and 31, whether a value follows in 8, offset in 10-30, shifted by 8 more
 * where bit 9 is set. */
static uint32_t offset_of(uint32_t unit)
{
    return unit >> 10 << ((unit & 0x200) >> 6);
}

static bool unit_at(const struct charsmap *m, uint32_t i, uint32_t *unit)
{
    if (i >= m->n_units)
        return false;
    *unit = load_u32(m->units + (size_t)i * 4);
    return true;
}

static bool text_at(const struct charsmap *m, uint32_t at, struct bytes *text)
{
    const char *const end = at < m->n_texts ? memchr(m->texts + at, 0, m->n_texts - at) : NULL;
    if (end)
        *text = (struct bytes){m->texts + at, (size_t)(end - (m->texts + at))};
    return end != NULL;
}

size_t charsmap_find(const struct charsmap *m, const char *s, size_t len, bool longest,
                     struct bytes *replacement)
{
    uint32_t unit, value, at;
    size_t found = 0;
    if (!unit_at(m, 0, &unit))
        return 0;
    at = offset_of(unit);
    for (size_t i = 0; i < len && s[i]; i++) {
        at ^= (uint8_t)s[i];
        if (!unit_at(m, at, &unit) || (unit & 0x800000ff) != (uint8_t)s[i])
            break;
        at ^= offset_of(unit);
        if (unit >> 8 & 1 && unit_at(m, at, &value) &&
            text_at(m, value & 0x7fffffff, replacement)) {
            found = i + 1;
            if (!longest)
                break;
        }
    }
    return found;
}
