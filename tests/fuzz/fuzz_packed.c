/* fuzz_packed.c -- a configuration and, behind a NUL, a safetensors file: every packed weight that is
 * accepted is read whole, and element by element to the same floats. */
#include "libquant/model/packed.h"
#include "tests/fuzz/fuzz_format.h"

#include "libquant/base/json.h"

enum { ELEMENTS = 4096 };

static void read_weight(const struct model *m, const struct packed *p)
{
    const size_t n = (size_t)p->tensor.elements, cols = (size_t)p->tensor.dim[1];
    lq_error err = {0};
    float one;
    if (n > ELEMENTS)
        return;
    float *const all = malloc(n * sizeof *all);
    if (!all)
        return;
    if (packed_read(&m->source, &p->tensor, 0, n, all, &err) == LQ_OK) {
        for (size_t i = 0; i < n; i += cols > 64 ? 61 : 1)
            if (packed_read(&m->source, &p->tensor, i, 1, &one, &err) != LQ_OK ||
                memcmp(&one, all + i, sizeof one) != 0)
                broken("an element alone is not what it is among others", &err);
    } else if (!err.status || !err.message[0]) {
        broken("not read without a reason", &err);
    }
    free(all);
}

static void open_weights(struct model *m)
{
    lq_error err = {0};
    if (packed_check_config(m, &err) != LQ_OK)
        return;
    for (size_t i = 0; i < m->source.n_tensors; i++) {
        struct packed *p;
        err = (lq_error){0};
        if (!packed_is_main(m, &m->source.tensors[i]))
            continue;
        if (packed_open(&p, m, &m->source.tensors[i], &m->arena, &err) == LQ_OK)
            read_weight(m, p);
        else if (!err.status || !err.message[0])
            broken("refused without a reason", &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *const end = size ? memchr(data, '\0', size) : NULL;
    struct model m = {0};
    struct source *source = NULL;
    lq_error err = {0};
    if (!end)
        return 0;
    const size_t len = (size_t)(end - data);
    if (source_open_memory(&source, "config.json", data, len, &err) != LQ_OK)
        return 0;
    if (json_document(&m.config.root, source, &err) == LQ_OK &&
        fuzz_open(&m.source, "m", end + 1, size - len - 1, NULL, &err) == LQ_OK &&
        catalog_index(&m.source, &err) == LQ_OK)
        open_weights(&m);
    source_close(source);
    model_close(&m);
    return 0;
}
