/* encode_gguf.c -- encoders as the tokenizer.ggml.* metadata of GGUF files describe them. */
#include "libquant/model/encode_parts.h"

lq_status encoder_from_metadata(struct encoder **out, const struct catalog *c, lq_error *err)
{
    *out = NULL;
    return lq_fail_at(err, LQ_E_UNSUPPORTED, c->path, -1, "no tokenizers of GGUF yet");
}
