/* fuzz_gguf.c -- a GGUF file, or two: a second "GGUF" in the input begins the other of a set. */
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_folder folder = {
        .base = {.open = fuzz_open_sibling, .exists = fuzz_exists}
    };
    struct catalog c = {0};
    lq_error err = {0};
    if (size < 4 || memcmp(data, "GGUF", 4) != 0)
        return -1;
    const uint8_t *const second = memmem(data + 4, size - 4, "GGUF", 4);
    if (second) {
        folder.data = second;
        folder.size = size - (size_t)(second - data);
    }
    if (fuzz_open(&c, "m-00001-of-00002.gguf", data, size, &folder, &err) == LQ_OK) {
        use_tensors(&c);
        if (c.n_files == 1)
            check_round_trip(&format_gguf, &c);
    } else if (!err.status || !err.message[0]) {
        broken("refused without a reason", &err);
    }
    catalog_release(&c);
    return 0;
}
