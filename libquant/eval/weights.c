/* weights.c -- rows of stored tensors. */
#include "libquant/eval/weights.h"

#include "libquant/codec/kernels.h"

static uint64_t stored_bytes(const struct weights *w, const struct tensor *t, uint64_t n)
{
    (void)w;
    const uint64_t rows = tensor_rows(t);
    return rows ? t->bytes / rows * n : 0;
}

static lq_status stored_rows(const struct weights *w, const struct tensor *t, uint64_t row,
                             uint64_t n, void *raw, float *dst, unsigned isa, lq_error *err)
{
    const uint64_t bytes = stored_bytes(w, t, n);
    type_decode_fn *const decode = kernel_for(t->type, isa).decode;
    if (!decode) {
        lq_fail(err, LQ_E_UNSUPPORTED, "type %s has no numbers to compute with", t->type->name);
        lq_error_add_tensor(err, t->name);
        return LQ_E_UNSUPPORTED;
    }
    LQ_TRY(catalog_read(w->catalog, t, raw, bytes, stored_bytes(w, t, row), err));
    decode(dst, raw, (size_t)(n * tensor_cols(t)));
    return LQ_OK;
}

struct weights weights_stored(const struct catalog *c)
{
    return (struct weights){c, stored_rows, stored_bytes, NULL, true};
}
