/* license-index.c -- writes libquant/license/index.bin, to standard output, and texts.bin, to the
 * file that is its argument, from texts on standard input; compiled and run by
 * scripts/make-license-index. Each text is a line "FLAGS LENGTH IDENTIFIER" and LENGTH bytes. */
#include "libquant/base/memory.h"
#include "libquant/license/codes.h"
#include "libquant/license/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    KEEP_WORDS = 256, /* flag: the words themselves go to texts.bin */
    BLOCK = 1 << 15,  /* codes, about */
    ID_BYTES = 128
};

/* A licence whose words are kept. */
struct kept {
    char id[ID_BYTES];
    struct text words;
};

struct builder {
    struct index_text *texts;
    size_t n, cap;
    struct text *names; /* of each text */
    size_t cap_names;
    struct text pairs;
    struct text *blocks; /* codes */
    size_t n_blocks, cap_blocks;
    struct kept *kept;
    size_t n_kept, cap_kept;
};

static void die(const char *what)
{
    fprintf(stderr, "license-index: %s\n", what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Appends the distinct pairs of the first n words; sampled where there are many. */
static void put_pairs(struct builder *b, struct index_text *t, const struct words *w, size_t n)
{
    uint32_t *const pair = mem_calloc(n + 1, sizeof *pair);
    size_t kept = 0, count = 0;
    if (!pair)
        die("out of memory");
    for (size_t i = 0; i + 1 < n; i++)
        pair[count++] = words_pair(w, i);
    qsort(pair, count, sizeof *pair, by_value);
    for (size_t i = 0; i < count; i++)
        if (!kept || pair[kept - 1] != pair[i])
            pair[kept++] = pair[i];
    if (kept >= INDEX_SMALL)
        t->flags |= INDEX_SAMPLED;
    t->first = (uint32_t)(b->pairs.len / 3);
    for (size_t i = 0; i < kept; i++)
        if (kept < INDEX_SMALL || index_sampled(pair[i])) {
            const uint8_t bytes[3] = {(uint8_t)pair[i], (uint8_t)(pair[i] >> 8),
                                      (uint8_t)(pair[i] >> 16)};
            text_put(&b->pairs, bytes, 3);
            t->count++;
        }
    free(pair);
}

static void add_block(struct builder *b, struct text block)
{
    if (!mem_grow((void **)&b->blocks, &b->cap_blocks, b->n_blocks, sizeof *b->blocks))
        die("out of memory");
    b->blocks[b->n_blocks++] = block;
}

static void keep(struct builder *b, const char *id, const struct words *w)
{
    if (!mem_grow((void **)&b->kept, &b->cap_kept, b->n_kept, sizeof *b->kept))
        die("out of memory");
    struct kept *const k = &b->kept[b->n_kept++];
    *k = (struct kept){0};
    memcpy(k->id, id, strlen(id));
    text_put(&k->words, w->stream.data, w->stream.len);
}

/* Each text of a group gets the words of the first licence in it that has them. */
static void put_kept(struct builder *b)
{
    for (size_t k = 0; k < b->n_kept; k++) {
        add_block(b, b->kept[k].words);
        for (size_t i = 0; i < b->n; i++)
            if (!b->texts[i].kept && index_group_has(b->names[i].data, b->kept[k].id))
                b->texts[i].kept = (uint16_t)(b->n_blocks - 1);
    }
}

static void put_codes(struct builder *b, struct index_text *t, const struct words *w, size_t n)
{
    uint8_t *const codes = codes_of(w);
    if (!codes)
        die("out of memory");
    if (!b->n_blocks || b->blocks[b->n_blocks - 1].len >= BLOCK)
        add_block(b, (struct text){0});
    struct text *const block = &b->blocks[b->n_blocks - 1];
    t->block = (uint32_t)b->n_blocks - 1;
    t->begin = (uint32_t)block->len;
    t->words = (uint32_t)n;
    text_put(block, (const char *)codes, n);
    free(codes);
}

static void add(struct builder *b, const struct words *w, size_t n, unsigned flags, const char *id)
{
    struct index_text t = {.flags = (uint16_t)flags};
    if (words_digest(w, n, t.digest, NULL) != LQ_OK)
        die("out of memory");
    for (size_t i = 0; i < b->n; i++)
        if (memcmp(b->texts[i].digest, t.digest, sizeof t.digest) == 0) {
            text_printf(&b->names[i], " %s", id);
            return;
        }
    if (!mem_grow((void **)&b->texts, &b->cap, b->n, sizeof *b->texts) ||
        !mem_grow((void **)&b->names, &b->cap_names, b->n, sizeof *b->names))
        die("out of memory");
    b->names[b->n] = (struct text){0};
    text_puts(&b->names[b->n], id);
    put_pairs(b, &t, w, n);
    put_codes(b, &t, w, n);
    b->texts[b->n++] = t;
}

static void write_index(struct builder *b)
{
    struct text names = {0};
    for (size_t i = 0; i < b->n; i++) {
        b->texts[i].name = (uint32_t)names.len;
        text_put(&names, b->names[i].data, b->names[i].len + 1);
    }
    const struct index_header h = {
        {'L', 'Q', 'L', 'I'},
        (uint32_t)b->n, (uint32_t)(b->pairs.len / 3), (uint32_t)names.len
    };
    fwrite(&h, sizeof h, 1, stdout);
    fwrite(b->texts, sizeof *b->texts, b->n, stdout);
    fwrite(b->pairs.data, 1, b->pairs.len, stdout);
    fwrite(names.data, 1, names.len, stdout);
}

static void write_texts(struct builder *b, const char *path)
{
    struct text data = {0};
    FILE *const f = fopen(path, "wb");
    const uint32_t n = (uint32_t)b->n_blocks;
    if (!f)
        die("cannot write the words of texts");
    fwrite(&n, sizeof n, 1, f);
    for (size_t i = 0; i < b->n_blocks; i++) {
        uLongf len = compressBound(b->blocks[i].len);
        Bytef *const packed = malloc(len);
        if (!packed ||
            compress2(packed, &len, (const Bytef *)b->blocks[i].data, b->blocks[i].len, 9) != Z_OK)
            die("cannot compress");
        const uint32_t sizes[2] = {(uint32_t)b->blocks[i].len, (uint32_t)len};
        fwrite(sizes, sizeof sizes, 1, f);
        text_put(&data, (const char *)packed, len);
        free(packed);
    }
    fwrite(data.data, 1, data.len, f);
    if (data.failed || fclose(f) != 0)
        die("cannot write the words of texts");
    text_free(&data);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("the file for the words of texts is to be named");
    struct builder b = {0};
    unsigned flags;
    size_t len;
    char id[ID_BYTES];
    while (scanf("%u %zu %127[^\n]", &flags, &len, id) == 3 && getchar() == '\n') {
        struct words w = {0};
        char *const text = malloc(len + 1);
        if (!text || fread(text, 1, len, stdin) != len || words_read(&w, text, len, NULL) != LQ_OK)
            die("cannot read a text");
        if (flags & KEEP_WORDS) {
            keep(&b, id, &w);
            flags &= ~(unsigned)KEEP_WORDS;
        }
        add(&b, &w, w.n, flags, id);
        const size_t end = words_after(&w, "end of terms and conditions");
        if (end < w.n && !strstr(w.stream.data + w.at[end], "attachment "))
            add(&b, &w, end, flags | INDEX_WITHOUT_APPENDIX, id);
        words_release(&w);
        free(text);
    }
    put_kept(&b);
    write_index(&b);
    write_texts(&b, argv[1]);
    return fflush(stdout) ? 1 : 0;
}
