/* eval_logits.c -- logits of a GGUF model for tokens given as arguments, as raw floats to a file:
 * eval_logits MODEL OUT TOKEN... */
#include "formats/format.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/engine.h"

#include <stdio.h>
#include <stdlib.h>

static lq_status run(const char *path, const uint32_t *tokens, uint32_t n, FILE *out, lq_error *err)
{
    struct catalog c = {0};
    struct engine e = {0};
    LQ_TRY(model_open(&c, path, err));
    LQ_TRY(catalog_index(&c, err));
    const struct weights w = weights_stored(&c);
    const struct engine_options o = {isa_detect(), 2, n, 1, NULL};
    LQ_TRY(engine_open(&e, &w, &o, err));
    LQ_TRY(engine_run(&e, tokens, 1, err));
    const size_t row = e.graph.causal ? e.graph.vocab : e.graph.embd;
    float *const y = e.graph.causal ? mem_calloc(n * row, sizeof *y) : e.x;
    if (!y)
        return lq_fail_memory(err);
    if (e.graph.causal)
        LQ_TRY(engine_logits(&e, 0, n, y, err));
    return fwrite(y, sizeof *y, n * row, out) == n * row ? LQ_OK : LQ_E_IO;
}

int main(int argc, char **argv)
{
    lq_error err = {.offset = -1};
    uint32_t tokens[4096], n = 0;
    char text[sizeof err + 64];
    FILE *const out = argc > 3 ? fopen(argv[2], "wb") : NULL;
    if (!out)
        return 2;
    for (int i = 3; i < argc && n < 4096; i++)
        tokens[n++] = (uint32_t)strtoul(argv[i], NULL, 10);
    const lq_status status = run(argv[1], tokens, n, out, &err);
    if (status != LQ_OK)
        fprintf(stderr, "%s\n", lq_error_text(&err, text, sizeof text));
    return fclose(out) == 0 && status == LQ_OK ? 0 : 1;
}
