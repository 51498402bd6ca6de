/* kept_texts.c -- the words of the licences that are changed most often (texts.bin: u32 bytes, and
 * so many of "identifier NUL words NUL", compressed by zlib). */
#include "libquant/base/memory.h"
#include "libquant/license/identify.h"
#include "libquant/license/index.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

extern const uint8_t lq_license_texts[], lq_license_texts_end[];

lq_status license_kept_words(struct words *w, const char *ids, lq_error *err)
{
    uint32_t raw;
    memcpy(&raw, lq_license_texts, sizeof raw);
    const uLong packed = (uLong)(lq_license_texts_end - lq_license_texts) - sizeof raw;
    uLongf len = raw;
    char *const all = mem_calloc(raw, 1);
    if (!all || uncompress((Bytef *)all, &len, lq_license_texts + sizeof raw, packed) != Z_OK) {
        free(all);
        return lq_fail_memory(err);
    }
    lq_status status = LQ_OK;
    for (const char *s = all; s < all + len;) {
        const char *const words = s + strlen(s) + 1;
        if (license_group_has(ids, s, strlen(s))) {
            status = words_read(w, words, strlen(words), err);
            break;
        }
        s = words + strlen(words) + 1;
    }
    free(all);
    return status;
}
