/* make_bad.c -- write model files that are broken in every way we can think of, for bad-input.sh.
 *
 *   make_bad FOLDER
 *
 * FOLDER gets good.gguf, good.safetensors and the broken ones, and FOLDER/list a line for each:
 * "NAME WORD". WORD is `bad` where every command has to refuse the file, `absent` where it has to
 * because another file is missing, `any` where a command may also get along with it (a flipped bit
 * in a string, a key that it does not need).
 *
 * A GGUF file is built from a description in which every count, length and offset is marked, so
 * that truncations and lies reach all of them and new fields cannot be forgotten.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;
static FILE *list;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "make_bad: %s\n", what);
    exit(1);
}

/* ---- bytes in memory, with marks where numbers that the reader relies on begin ---- */

enum { MAX_BYTES = 1 << 16, MAX_MARKS = 512 };

struct mark {
    size_t at, size; /* size 4 or 8 */
    char name[40];
};

struct image {
    uint8_t data[MAX_BYTES];
    size_t n;
    struct mark marks[MAX_MARKS];
    size_t n_marks;
};

static void put(struct image *f, const void *p, size_t n)
{
    if (n > MAX_BYTES - f->n)
        die("image too large");
    memcpy(f->data + f->n, p, n);
    f->n += n;
}

static void put_number(struct image *f, uint64_t v, size_t size)
{
    uint8_t b[8];
    for (size_t i = 0; i < size; i++)
        b[i] = (uint8_t)(v >> 8 * i);
    put(f, b, size);
}

static void put_marked(struct image *f, uint64_t v, size_t size, const char *name)
{
    if (f->n_marks == MAX_MARKS)
        die("too many marks");
    struct mark *m = &f->marks[f->n_marks++];
    *m = (struct mark){.at = f->n, .size = size};
    snprintf(m->name, sizeof m->name, "%s", name);
    put_number(f, v, size);
}

static void pad(struct image *f, size_t alignment)
{
    while (f->n % alignment)
        put_number(f, 0, 1);
}

/* ---- writing cases ---- */

static void write_bytes(const char *name, const void *data, size_t n, const char *word)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f))
        die("cannot write");
    if (word)
        fprintf(list, "%s %s\n", name, word);
}

/* The image with `size` bytes at `at` replaced by `v`. */
static void write_patched(const struct image *good, const char *name, size_t at, size_t size,
                          uint64_t v, const char *word)
{
    static struct image f;
    f = *good;
    for (size_t i = 0; i < size; i++)
        f.data[at + i] = (uint8_t)(v >> 8 * i);
    write_bytes(name, f.data, f.n, word);
}

/* ---- GGUF ---- */

static void put_string(struct image *f, const char *s, const char *name)
{
    put_marked(f, strlen(s), 8, name);
    put(f, s, strlen(s));
}

static void put_key(struct image *f, const char *key, uint32_t type)
{
    put_string(f, key, "key-length");
    put_marked(f, type, 4, "value-type");
}

static void put_key_u32(struct image *f, const char *key, uint32_t v)
{
    put_key(f, key, 4);
    put_marked(f, v, 4, key);
}

static void put_key_f32(struct image *f, const char *key, float v)
{
    put_key(f, key, 6);
    put(f, &v, sizeof v);
}

static void put_key_string(struct image *f, const char *key, const char *v)
{
    put_key(f, key, 8);
    put_string(f, v, "string-length");
}

static void put_key_array(struct image *f, const char *key, uint32_t type, uint64_t n)
{
    put_key(f, key, 9);
    put_marked(f, type, 4, "array-type");
    put_marked(f, n, 8, "array-length");
}

enum { HIDDEN = 32, FFN = 64, VOCAB = 8, N_KEYS = 17 };

struct tensor {
    const char *name;
    uint32_t rank;
    uint64_t dim[2]; /* innermost first, as GGUF stores them */
};

static const struct tensor tensors[] = {
    {"token_embd.weight", 2, {HIDDEN, VOCAB}},
    {"blk.0.attn_norm.weight", 1, {HIDDEN}},
    {"blk.0.attn_q.weight", 2, {HIDDEN, HIDDEN}},
    {"blk.0.attn_k.weight", 2, {HIDDEN, HIDDEN}},
    {"blk.0.attn_v.weight", 2, {HIDDEN, HIDDEN}},
    {"blk.0.attn_output.weight", 2, {HIDDEN, HIDDEN}},
    {"blk.0.ffn_norm.weight", 1, {HIDDEN}},
    {"blk.0.ffn_gate.weight", 2, {HIDDEN, FFN}},
    {"blk.0.ffn_up.weight", 2, {HIDDEN, FFN}},
    {"blk.0.ffn_down.weight", 2, {FFN, HIDDEN}},
    {"output_norm.weight", 1, {HIDDEN}},
};
enum { N_TENSORS = sizeof tensors / sizeof tensors[0] };

/* Where in the good file some things are, for the hand-made cases. */
static struct {
    size_t n_tensors, n_keys, keys_end, infos, info[N_TENSORS], data;
} place;

static void put_keys(struct image *f)
{
    static const char *const tokens[VOCAB] = {"a", "b", "c", "d", "ab", "abc", "<s>", "</s>"};
    put_key_string(f, "general.architecture", "llama");
    put_key_string(f, "general.name", "Bad");
    put_key_u32(f, "general.file_type", 1);
    put_key_u32(f, "general.alignment", 32);
    put_key_u32(f, "llama.context_length", 64);
    put_key_u32(f, "llama.embedding_length", HIDDEN);
    put_key_u32(f, "llama.block_count", 1);
    put_key_u32(f, "llama.feed_forward_length", FFN);
    put_key_u32(f, "llama.rope.dimension_count", 16);
    put_key_u32(f, "llama.attention.head_count", 2);
    put_key_u32(f, "llama.attention.head_count_kv", 2);
    put_key_f32(f, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    put_key_string(f, "tokenizer.ggml.model", "gpt2");
    put_key_string(f, "tokenizer.ggml.pre", "gpt-2");
    put_key_array(f, "tokenizer.ggml.tokens", 8, VOCAB);
    for (int i = 0; i < VOCAB; i++)
        put_string(f, tokens[i], "token-length");
    put_key_array(f, "tokenizer.ggml.token_type", 5, VOCAB);
    for (int i = 0; i < VOCAB; i++)
        put_number(f, i < 6 ? 1 : 3, 4);
    put_key_array(f, "tokenizer.ggml.merges", 8, 2);
    put_string(f, "a b", "merge-length");
    put_string(f, "ab c", "merge-length");
}

static uint64_t elements(const struct tensor *t)
{
    return t->rank == 1 ? t->dim[0] : t->dim[0] * t->dim[1];
}

static uint64_t stored_bytes(const struct tensor *t)
{
    return elements(t) * (t->rank == 1 ? 4 : 2);
}

static void put_infos(struct image *f)
{
    uint64_t offset = 0;
    place.infos = f->n;
    for (int i = 0; i < N_TENSORS; i++) {
        const struct tensor *t = &tensors[i];
        place.info[i] = f->n;
        put_string(f, t->name, "tensor-name-length");
        put_marked(f, t->rank, 4, "tensor-rank");
        for (uint32_t d = 0; d < t->rank; d++)
            put_marked(f, t->dim[d], 8, "tensor-size");
        put_marked(f, t->rank == 1 ? 0 : 1, 4, "tensor-type");
        put_marked(f, offset, 8, "tensor-offset");
        offset += (stored_bytes(t) + 31) / 32 * 32;
    }
}

/* Half-precision numbers of moderate size, single ones near one. */
static void put_data(struct image *f)
{
    uint32_t random = 1;
    pad(f, 32);
    place.data = f->n;
    for (int i = 0; i < N_TENSORS; i++) {
        for (uint64_t k = 0; k < elements(&tensors[i]); k++) {
            random = random * 1664525 + 1013904223;
            if (tensors[i].rank == 1)
                put_number(f, 0x3f800000 | random >> 16, 4);
            else
                put_number(f, (random >> 16 & 0x83ff) | 0x2800, 2);
        }
        pad(f, 32);
    }
}

static void build_gguf(struct image *f)
{
    f->n = f->n_marks = 0;
    put(f, "GGUF", 4);
    put_marked(f, 3, 4, "version");
    place.n_tensors = f->n;
    put_marked(f, N_TENSORS, 8, "tensor-count");
    place.n_keys = f->n;
    put_marked(f, N_KEYS, 8, "key-count");
    put_keys(f);
    place.keys_end = f->n;
    put_infos(f);
    put_data(f);
}

/* ---- what is done to every marked number ---- */

static void cut_everywhere(const struct image *good)
{
    char name[96];
    for (size_t i = 0; i < good->n_marks; i++) {
        const struct mark *m = &good->marks[i];
        snprintf(name, sizeof name, "cut-%03zu-before-%s.gguf", i, m->name);
        write_bytes(name, good->data, m->at, "bad");
        snprintf(name, sizeof name, "cut-%03zu-within-%s.gguf", i, m->name);
        write_bytes(name, good->data, m->at + m->size / 2, "bad");
        snprintf(name, sizeof name, "cut-%03zu-after-%s.gguf", i, m->name);
        write_bytes(name, good->data, m->at + m->size, "bad");
    }
    for (size_t n = 0; n < 5; n++) {
        snprintf(name, sizeof name, "cut-to-%zu-bytes.gguf", n);
        write_bytes(name, good->data, n, "bad");
    }
    write_bytes("cut-before-data.gguf", good->data, place.data, "bad");
    write_bytes("cut-within-data.gguf", good->data, place.data + 777, "bad");
    write_bytes("cut-last-tensor.gguf", good->data, good->n - 33, "bad");
}

static void lie_everywhere(const struct image *good)
{
    static const uint64_t lies[] = {0, 0x7fffffff, 0xffffffff, 0x100000000, UINT64_C(1) << 61,
                                    INT64_MAX, UINT64_MAX};
    char name[96];
    for (size_t i = 0; i < good->n_marks; i++) {
        const struct mark *m = &good->marks[i];
        for (size_t k = 0; k < sizeof lies / sizeof lies[0]; k++) {
            if (m->size == 4 && lies[k] > UINT32_MAX)
                continue;
            snprintf(name, sizeof name, "lie-%03zu-%s-%zu.gguf", i, m->name, k);
            write_patched(good, name, m->at, m->size, lies[k], "any");
        }
        const uint64_t v = good->data[m->at];
        snprintf(name, sizeof name, "lie-%03zu-%s-more.gguf", i, m->name);
        write_patched(good, name, m->at, 1, v + 1, "any");
        snprintf(name, sizeof name, "lie-%03zu-%s-less.gguf", i, m->name);
        write_patched(good, name, m->at, 1, v - 1, "any");
    }
}

static void flip_everywhere(const struct image *good)
{
    char name[96];
    for (size_t at = 0; at < place.data; at += 7) {
        snprintf(name, sizeof name, "flip-%05zu.gguf", at);
        write_patched(good, name, at, 1, good->data[at] ^ 1u << at % 8, "any");
    }
}

/* ---- hand-made GGUF: each is wrong in a way that must be seen ---- */

/* The place of the number that follows the key in the good file. */
static size_t after_key(const struct image *f, const char *key)
{
    for (size_t i = 0; i + strlen(key) < f->n; i++)
        if (memcmp(f->data + i, key, strlen(key)) == 0)
            return i + strlen(key) + 4;
    die("no such key");
}

static void hand_made_gguf(const struct image *good)
{
    static struct image f;
    const size_t first = place.info[0] + 8 + strlen(tensors[0].name); /* rank of the first tensor */
    const size_t sizes = first + 4, type = sizes + 16, offset = type + 4;

    write_patched(good, "magic-other.gguf", 3, 1, 'X', "bad");
    write_patched(good, "magic-old.gguf", 0, 4, 0x67676d6c, "bad");
    write_patched(good, "version-0.gguf", 4, 4, 0, "bad");
    write_patched(good, "version-4.gguf", 4, 4, 4, "bad");
    write_patched(good, "version-swapped.gguf", 4, 4, 0x03000000, "bad");
    write_patched(good, "tensors-one-more.gguf", place.n_tensors, 8, N_TENSORS + 1, "bad");
    write_patched(good, "tensors-2e63.gguf", place.n_tensors, 8, UINT64_C(1) << 63, "bad");
    write_patched(good, "keys-one-more.gguf", place.n_keys, 8, N_KEYS + 1, "bad");
    write_patched(good, "keys-one-less.gguf", place.n_keys, 8, N_KEYS - 1, "bad");
    write_patched(good, "keys-2e63.gguf", place.n_keys, 8, UINT64_C(1) << 63, "bad");
    write_patched(good, "rank-0.gguf", first, 4, 0, "bad");
    write_patched(good, "rank-5.gguf", first, 4, 5, "bad");
    write_patched(good, "rank-huge.gguf", first, 4, UINT32_MAX, "bad");
    write_patched(good, "size-negative.gguf", sizes, 8, UINT64_C(1) << 63, "bad");
    write_patched(good, "size-too-large.gguf", sizes + 8, 8, 1000000, "bad");
    write_patched(good, "sizes-overflow.gguf", sizes, 8, UINT64_C(0x4000000000000000), "bad");
    write_patched(good, "type-removed.gguf", type, 4, 4, "bad");
    write_patched(good, "type-unknown.gguf", type, 4, 9999, "bad");
    write_patched(good, "type-wider.gguf", type, 4, 28, "bad");
    write_patched(good, "type-block-does-not-divide.gguf", type, 4, 12, "bad");
    write_patched(good, "offset-unaligned.gguf", offset, 8, 1, "bad");
    write_patched(good, "offset-beyond.gguf", offset, 8, UINT64_C(1) << 40, "bad");
    write_patched(good, "offset-wraps.gguf", offset, 8, UINT64_MAX - 31, "bad");
    write_patched(good, "alignment-0.gguf", after_key(good, "general.alignment"), 4, 0, "bad");
    write_patched(good, "alignment-3.gguf", after_key(good, "general.alignment"), 4, 3, "bad");
    write_patched(good, "alignment-2e31.gguf", after_key(good, "general.alignment"), 4,
                  UINT32_C(1) << 31, "bad");
    write_patched(good, "alignment-not-a-number.gguf", after_key(good, "general.alignment") - 4, 4,
                  6, "bad");
    write_patched(good, "value-type-13.gguf", after_key(good, "general.file_type") - 4, 4, 13,
                  "bad");

    /* Two tensors of one name: blk.0.attn_k becomes blk.0.attn_q. */
    f = *good;
    memcpy(f.data + place.info[3] + 8, tensors[2].name, strlen(tensors[2].name));
    write_bytes("tensor-twice.gguf", f.data, f.n, "bad");

    /* Two keys of one name: llama.block_count becomes the other key of its length and type. */
    f = *good;
    memcpy(f.data + after_key(&f, "llama.block_count") - 4 - 17, "general.file_type", 17);
    write_bytes("key-twice.gguf", f.data, f.n, "bad");

    /* An array within arrays, as deep as the file allows. */
    f.n = f.n_marks = 0;
    put(&f, "GGUF", 4);
    put_number(&f, 3, 4);
    put_number(&f, 0, 8);
    put_number(&f, 1, 8);
    put_key(&f, "deep", 9);
    for (int i = 0; i < 4000; i++) {
        put_number(&f, 9, 4);
        put_number(&f, 1, 8);
    }
    write_bytes("array-deep.gguf", f.data, f.n, "bad");

    /* Shard 1 of 3, alone. */
    f.n = f.n_marks = 0;
    put(&f, "GGUF", 4);
    put_number(&f, 3, 4);
    put_number(&f, 0, 8);
    put_number(&f, 3, 8);
    for (int i = 0; i < 3; i++) {
        static const char *const keys[] = {"split.no", "split.count", "split.tensors.count"};
        put_key(&f, keys[i], i < 2 ? 2 : 5);
        put_number(&f, i ? 3 : 0, i < 2 ? 2 : 4);
    }
    pad(&f, 32);
    write_bytes("lonely-00001-of-00003.gguf", f.data, f.n, "absent");
}

/* ---- safetensors: a header of text, and data ---- */

static void write_safetensors(const char *name, const char *header, uint64_t length, size_t data,
                              const char *word)
{
    static struct image f;
    f.n = f.n_marks = 0;
    put_number(&f, length, 8);
    put(&f, header, strlen(header));
    for (size_t i = 0; i < data; i++)
        put_number(&f, i % 4 == 3 ? 0x3c : i * 29, 1);
    write_bytes(name, f.data, f.n, word);
}

static const char good_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"a\":{\"dtype\":\"F32\",\"shape\":[2,32],\"data_offsets\":[0,256]},"
    "\"b\":{\"dtype\":\"F32\",\"shape\":[32],\"data_offsets\":[256,384]}}";
enum { GOOD_DATA = 384 };

/* The good header with one piece replaced. */
static void edited(const char *name, const char *from, const char *to, const char *word)
{
    char header[4096], file[96];
    const char *at = strstr(good_header, from);
    if (!at)
        die("nothing to replace");
    snprintf(header, sizeof header, "%.*s%s%s", (int)(at - good_header), good_header, to,
             at + strlen(from));
    snprintf(file, sizeof file, "header-%s.safetensors", name);
    write_safetensors(file, header, strlen(header), GOOD_DATA, word);
}

static void broken_headers(void)
{
    static const struct {
        const char *name, *from, *to;
    } edits[] = {
        {"dtype-unknown", "F32", "F31"},
        {"dtype-number", "\"F32\"", "32"},
        {"dtype-missing", "\"dtype\":\"F32\",", ""},
        {"dtype-narrower", "F32", "F16"},
        {"shape-missing", "\"shape\":[2,32],", ""},
        {"shape-negative", "[2,32]", "[-2,32]"},
        {"shape-fraction", "[2,32]", "[2.5,32]"},
        {"shape-exponent", "[2,32]", "[2e0,32]"},
        {"shape-text", "[2,32]", "\"2,32\""},
        {"shape-overflow", "[2,32]", "[4294967296,4294967296,4294967296]"},
        {"shape-2e64", "[2,32]", "[18446744073709551616,32]"},
        {"shape-other", "[2,32]", "[2,33]"},
        {"offsets-missing", ",\"data_offsets\":[0,256]", ""},
        {"offsets-reversed", "[0,256]", "[256,0]"},
        {"offsets-three", "[0,256]", "[0,128,256]"},
        {"offsets-one", "[0,256]", "[256]"},
        {"offsets-hole", "[256,384]", "[260,388]"},
        {"offsets-overlap", "[256,384]", "[128,256]"},
        {"offsets-beyond", "[256,384]", "[1000000,1000128]"},
        {"offsets-2e64", "[256,384]", "[18446744073709551615,127]"},
        {"tensor-twice", "\"b\"", "\"a\""},
        {"field-twice", "\"shape\":[2,32]", "\"shape\":[2,32],\"shape\":[2,32]"},
        {"entry-not-an-object", "{\"dtype\":\"F32\",\"shape\":[2,32],\"data_offsets\":[0,256]}", "7"},
        {"metadata-number", "\"pt\"", "7"},
        {"not-closed", "]}}", "]}"},
        {"comma-lost", ",\"b\"", "\"b\""},
        {"comma-doubled", ",\"b\"", ",,\"b\""},
        {"name-not-utf8", "\"b\"", "\"\xff\xfe\""},
        {"name-control", "\"b\"", "\"\x01\""},
        {"escape-broken", "\"b\"", "\"\\u12\""},
        {"surrogate-alone", "\"b\"", "\"\\ud800\""},
    };
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
        edited(edits[i].name, edits[i].from, edits[i].to, "bad");
    edited("name-with-newline", "\"b\"", "\"b\\nlq: all is well\"", "any");
    edited("name-empty", "\"b\"", "\"\"", "any");
    edited("name-nul", "\"b\"", "\"b\\u0000c\"", "any");
    edited("name-escape-codes", "\"b\"", "\"\\u001b[2J\\u001b]0;x\\u0007\"", "any");
}

static void hand_made_safetensors(void)
{
    static const struct {
        const char *name, *header;
    } headers[] = {
        {"empty", ""},
        {"list", "[]      "},
        {"text", "\"abc\"  "},
        {"null", "null    "},
        {"open", "{\"a\":   "},
        {"trailing", "{}x     "},
        {"zeros", "{}\t\v    "},
    };
    static char deep[20001];
    char name[96];
    const size_t n = strlen(good_header);

    write_safetensors("good.safetensors", good_header, n, GOOD_DATA, NULL);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        snprintf(name, sizeof name, "header-%s.safetensors", headers[i].name);
        write_safetensors(name, headers[i].header, strlen(headers[i].header), 0, "bad");
    }
    write_safetensors("length-0.safetensors", good_header, 0, GOOD_DATA, "bad");
    write_safetensors("length-one-more.safetensors", good_header, n + 1, GOOD_DATA, "bad");
    write_safetensors("length-one-less.safetensors", good_header, n - 1, GOOD_DATA, "bad");
    write_safetensors("length-beyond.safetensors", good_header, 100000, GOOD_DATA, "bad");
    write_safetensors("length-2e63.safetensors", good_header, UINT64_C(1) << 63, GOOD_DATA, "bad");
    write_safetensors("length-2e64.safetensors", good_header, UINT64_MAX, GOOD_DATA, "bad");
    write_safetensors("data-one-less.safetensors", good_header, n, GOOD_DATA - 1, "bad");
    write_safetensors("data-one-more.safetensors", good_header, n, GOOD_DATA + 1, "bad");
    write_safetensors("data-none.safetensors", good_header, n, 0, "bad");
    memset(deep, '[', sizeof deep - 1);
    memcpy(deep, "{\"a\":", 5);
    write_safetensors("header-deep.safetensors", deep, sizeof deep - 1, 0, "bad");
    for (size_t cut = 0; cut < n; cut += 3) {
        char header[sizeof good_header];
        snprintf(header, sizeof header, "%.*s", (int)cut, good_header);
        snprintf(name, sizeof name, "header-cut-%03zu.safetensors", cut);
        write_safetensors(name, header, cut, GOOD_DATA, "bad");
    }
}

static void hand_made_other(void)
{
    static const char zeros[4096];
    write_bytes("empty.gguf", "", 0, "bad");
    write_bytes("zeros.gguf", zeros, sizeof zeros, "bad");
    write_bytes("empty.safetensors", "", 0, "bad");
    write_bytes("text.bin", "This is no model.\n", 18, "bad");
}

int main(int argc, char **argv)
{
    static struct image good;
    char path[4096];
    if (argc != 2)
        die("usage: make_bad FOLDER");
    folder = argv[1];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/list", folder);
    list = fopen(path, "w");
    if (!list)
        die("cannot write the list");
    build_gguf(&good);
    write_bytes("good.gguf", good.data, good.n, NULL);
    cut_everywhere(&good);
    lie_everywhere(&good);
    flip_everywhere(&good);
    hand_made_gguf(&good);
    hand_made_safetensors();
    broken_headers();
    hand_made_other();
    return fclose(list) != 0;
}
