/* fuzz_safetensors.c -- a safetensors file, or (input that begins with '{') an index and, behind a
 * NUL, the shard that it names.
 */
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_folder folder = {
        .base = {.open = fuzz_open_sibling, .exists = fuzz_exists}
    };
    struct catalog c = {0};
    lq_error err = {0};
    const uint8_t *const end = size && data[0] == '{' ? memchr(data, '\0', size) : NULL;
    if (end) {
        folder.data = end + 1;
        folder.size = size - (size_t)(end + 1 - data);
        size = (size_t)(end - data);
    }
    if (fuzz_open(&c, "m", data, size, end ? &folder : NULL, &err) == LQ_OK) {
        use_tensors(&c);
        if (c.format == &format_safetensors)
            check_round_trip(&format_safetensors, &c);
    } else if (!err.status || !err.message[0]) {
        broken("refused without a reason", &err);
    }
    catalog_release(&c);
    return 0;
}
