/* eval_embeddings.c -- embeddings of the lines of a text, by lq, as raw floats to a file:
 * eval_embeddings MODEL TEXT OUT */
#include "formats/format.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/embedding.h"
#include "libquant/model/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 512, MAX_LINES = 4096 };

static lq_status run(const char *path, FILE *text, FILE *out, lq_error *err)
{
    static size_t first[MAX_LINES + 1];
    char line[4096];
    struct catalog c = {0};
    struct engine e = {0};
    struct encoder *encoder;
    struct token_list ids = {0};
    struct lines lines = {NULL, first, 0};
    LQ_TRY(model_open(&c, path, err));
    LQ_TRY(catalog_index(&c, err));
    LQ_TRY(encoder_from_metadata(&encoder, &c, err));
    while (lines.n < MAX_LINES && fgets(line, sizeof line, text)) {
        LQ_TRY(encoder_encode(encoder, line, strcspn(line, "\n"), ENCODE_ADD, &ids, err));
        first[++lines.n] = ids.n;
    }
    lines.ids = ids.id;
    const struct weights w = weights_stored(&c);
    const struct engine_options o = {isa_detect(), 2, LENGTH, 4, NULL};
    LQ_TRY(engine_open(&e, &w, &o, err));
    const size_t n = lines.n * e.graph.embd;
    float *const v = mem_calloc(n, sizeof *v);
    if (!v)
        return lq_fail_memory(err);
    LQ_TRY(embed_lines(&e, &lines, 0, lines.n, v, err));
    return fwrite(v, sizeof *v, n, out) == n ? LQ_OK : LQ_E_IO;
}

int main(int argc, char **argv)
{
    lq_error err = {.offset = -1};
    char message[sizeof err + 64];
    FILE *const text = argc == 4 ? fopen(argv[2], "rb") : NULL;
    FILE *const out = text ? fopen(argv[3], "wb") : NULL;
    if (!out)
        return 2;
    const lq_status status = run(argv[1], text, out, &err);
    if (status != LQ_OK)
        fprintf(stderr, "%s\n", lq_error_text(&err, message, sizeof message));
    return fclose(out) == 0 && status == LQ_OK ? 0 : 1;
}
