/* cmd_tokenize.c -- `lq tokenize`: a text as the tokens of a model. */
#include "tools/command.h"

#include "libquant/base/memory.h"
#include "libquant/eval/figures.h"
#include "libquant/model/tokenizer_open.h"
#include "libquant/model/unicode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 1 << 30 };

struct job {
    const struct context *ctx;
    struct tokenizer tokenizer;
    struct token_list ids;
    char *text; /* allocated */
    size_t len;
    char digest[65];
};

/* ---- the text ---- */

static lq_status read_stdin(struct job *j, lq_error *err)
{
    size_t cap = 0;
    for (;;) {
        if (cap == j->len) {
            cap = cap ? cap * 2 : 1 << 16;
            char *const more = mem_realloc(j->text, cap, 1);
            if (!more)
                return lq_fail_memory(err);
            j->text = more;
        }
        const size_t n = fread(j->text + j->len, 1, cap - j->len, stdin);
        j->len += n;
        if (j->len > MAX_TEXT)
            return lq_fail(err, LQ_E_UNSUPPORTED, "a text of more than 1 GiB cannot be tokenized");
        if (!n)
            return ferror(stdin) ? lq_fail_errno(err, "standard input", "cannot read") : LQ_OK;
    }
}

static lq_status read_file(struct job *j, const char *path, lq_error *err)
{
    struct source *s;
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status = source_read_all(s, MAX_TEXT, &j->text, &j->len, err);
    source_close(s);
    return status;
}

static lq_status read_text(struct job *j, const struct args *args, lq_error *err)
{
    const char *const file = args_value(args, "file");
    const char *const text = args_count(args) > 1 ? args_at(args, 1) : NULL;
    if (file && text)
        return lq_fail(err, LQ_E_USAGE, "there are two texts: '%.60s' and the file '%.200s'", text,
                       file);
    if (text) {
        j->text = strdup(text);
        j->len = strlen(text);
        return j->text ? LQ_OK : lq_fail_memory(err);
    }
    return file && strcmp(file, "-") != 0 ? read_file(j, file, err) : read_stdin(j, err);
}

/* ---- output ---- */

static void print_ids(const struct job *j)
{
    for (size_t i = 0; i < j->ids.n; i++)
        fprintf(j->ctx->out, "%s%" PRIu32, !i ? "" : i % 16 ? " " : "\n", j->ids.id[i]);
    if (j->ids.n)
        fputc('\n', j->ctx->out);
}

/* Blanks at the ends of a piece are seen, and nothing in it steers the terminal. */
static lq_status print_text(const struct job *j, lq_error *err)
{
    struct text piece = {0}, shown = {0};
    for (size_t i = 0; i < j->ids.n; i++) {
        piece.len = shown.len = 0;
        encoder_put_piece(j->tokenizer.encoder, j->ids.id[i], &piece);
        text_put_printable(&shown, piece.len ? piece.data : "", piece.len);
        text_puts(&shown, "");
        if (piece.failed || shown.failed)
            break;
        fprintf(j->ctx->out, "%8" PRIu32 "  '%s'\n", j->ids.id[i], shown.len ? shown.data : "");
    }
    const bool failed = piece.failed || shown.failed;
    text_free(&piece);
    text_free(&shown);
    if (failed)
        return lq_fail_memory(err);
    fprintf(j->ctx->out, "\n%zu tokens, sha256:%s\n", j->ids.n, j->digest);
    return LQ_OK;
}

static lq_status print_json(const struct job *j, const struct args *args, lq_error *err)
{
    struct json_out o = {0};
    struct text piece = {0};
    out_object(&o, NULL);
    out_string(&o, "model", args_at(args, 0));
    out_string(&o, "tokenizer", j->tokenizer.source);
    out_string(&o, "unicode", UNICODE_VERSION);
    out_u64(&o, "bytes", j->len);
    out_u64(&o, "count", j->ids.n);
    out_string(&o, "token_digest", j->digest);
    out_array(&o, "tokens");
    for (size_t i = 0; i < j->ids.n; i++) {
        piece.len = 0;
        encoder_put_piece(j->tokenizer.encoder, j->ids.id[i], &piece);
        out_object(&o, NULL);
        out_u64(&o, "id", j->ids.id[i]);
        out_string_n(&o, "piece", piece.len ? piece.data : "", piece.len);
        out_end(&o, '}');
    }
    out_end(&o, ']');
    out_end(&o, '}');
    o.text.failed |= piece.failed;
    text_free(&piece);
    return out_print(&o, j->ctx, err);
}

/* ---- the command ---- */

static lq_status run_job(struct job *j, const struct args *args, lq_error *err)
{
    const unsigned flags = (args_flag(args, "no-bos") ? 0 : ENCODE_ADD) |
                           (args_flag(args, "no-parse-special") ? 0 : ENCODE_CONTROL);
    LQ_TRY(tokenizer_open(&j->tokenizer, args_at(args, 0), err));
    LQ_TRY(read_text(j, args, err));
    LQ_TRY(encoder_encode(j->tokenizer.encoder, j->text ? j->text : "", j->len, flags, &j->ids, err));
    LQ_TRY(figure_digest(j->ids.id, j->ids.n, sizeof *j->ids.id, j->digest, err));
    if (j->ctx->json)
        return print_json(j, args, err);
    if (args_flag(args, "count"))
        fprintf(j->ctx->out, "%zu\n", j->ids.n);
    else if (args_flag(args, "ids"))
        print_ids(j);
    else
        return print_text(j, err);
    return LQ_OK;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job j = {.ctx = ctx};
    const lq_status status = run_job(&j, args, err);
    token_list_free(&j.ids);
    tokenizer_close(&j.tokenizer);
    free(j.text);
    return status;
}

static const struct option options[] = {
    {"file", 'f', OPT_VALUE, "FILE", "the text is in this file (-: standard input)"},
    {"ids", 0, OPT_FLAG, NULL, "print the numbers only, as lq eval --ids reads them"},
    {"count", 0, OPT_FLAG, NULL, "print only how many there are"},
    {"no-bos", 0, OPT_FLAG, NULL, "add nothing at the beginning and the end of the text"},
    {"no-parse-special", 0, OPT_FLAG, NULL, "control tokens that the text spells out are text"},
    {0},
};

const struct command command_tokenize = {
    .name = "tokenize",
    .summary = "show the tokens that a model makes of a text",
    .synopsis = "MODEL [TEXT] [--file FILE] [--ids | --count] [--json]",
    .description =
        "MODEL is a GGUF file, a checkpoint's folder or a tokenizer.json. Without TEXT and --file the "
        "text comes from standard input. The tokens are those of Hugging Face's tokenizers for a "
        "folder, and those of llama.cpp for a GGUF file. The digest is the one that lq eval prints "
        "for its text.",
    .examples = "lq tokenize model.gguf \"Hello, world!\"\n"
                "lq tokenize ./model-folder --file text.txt --ids > text.ids",
    .options = options,
    .min_args = 1,
    .max_args = 2,
    .has_json = true,
    .run = run,
};
