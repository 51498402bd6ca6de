/* fuzz_imatrix.c -- an importance matrix, in either form of file. */
#include "libquant/convert/imatrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct imatrix m = {0};
    struct source *source;
    lq_error err = {0};
    if (source_open_memory(&source, "matrix", data, size, &err) != LQ_OK)
        return -1;
    if (imatrix_read(&m, source, &err) == LQ_OK) {
        for (size_t i = 0; i < m.n; i++)
            if (imatrix_find(&m, m.entries[i].name) != &m.entries[i])
                abort();
        (void)imatrix_check(&m, &err);
    } else if (!err.status || !err.message[0] || m.entries) {
        fputs("refused without a reason, or not released\n", stderr);
        abort();
    }
    imatrix_release(&m);
    return 0;
}
