/* fuzz_attestation.c -- a statement or an envelope: what is read is written as it was. */
#include "libquant/provenance/attestation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lq_status read_back(struct attestation *a, const void *data, size_t size, lq_error *err)
{
    struct source *source;
    if (source_open_memory(&source, "statement", data, size, err) != LQ_OK)
        abort();
    const lq_status status = attestation_read(a, source, err);
    source_close(source);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct attestation first = {0}, second = {0};
    struct text once = {0}, twice = {0};
    lq_error err = {0};
    if (read_back(&first, data, size, &err) == LQ_OK) {
        attestation_put(&once, &first);
        if (read_back(&second, once.data, once.len, &err) != LQ_OK) {
            fprintf(stderr, "not read again: %s\n", err.message);
            abort();
        }
        attestation_put(&twice, &second);
        if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
            abort();
    } else if (!err.status || !err.message[0]) {
        fputs("refused without a reason\n", stderr);
        abort();
    }
    text_free(&once);
    text_free(&twice);
    attestation_release(&first);
    attestation_release(&second);
    return 0;
}
