/* make_random.c -- write a Llama of any size with random weights, as GGUF or as a folder of
 * safetensors shards, for measurements of memory and speed.
 *
 *   make_random gguf|hf TARGET TYPE HIDDEN FFN LAYERS HEADS KV_HEADS VOCAB TIED
 *
 * TYPE is f16 or bf16, TIED 0 or 1. Weights are heavy-tailed (Student's t with 5 degrees of freedom)
 * with a scale of its own for each row: quantizers that search do the work they do on trained weights,
 * where zeros or uniform noise would let them stop early. The vocabulary is a byte-level BPE whose
 * merges build words of up to four letters.
 *
 * Test code: it writes what it is told to and stops at the first error.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARD_BYTES (UINT64_C(1) << 30)
#define TABLE 65536
#define N_TABLES 8

struct shape {
    bool bf16, tied;
    uint64_t hidden, ffn, layers, heads, kv_heads, vocab;
};

struct tensor {
    char name[2][64]; /* [0] GGUF, [1] safetensors */
    uint64_t rows, cols; /* rows 0: a vector of cols */
};

static _Noreturn void die(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("make_random: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void put(FILE *f, const void *p, size_t n) {
    if (fwrite(p, 1, n, f) != n)
        die("write failed");
}

static FILE *create(const char *path) {
    FILE *f = fopen(path, "wb");
    if (!f)
        die("cannot write %s", path);
    setvbuf(f, NULL, _IOFBF, 1 << 20);
    return f;
}

static void finish(FILE *f) {
    if (fclose(f))
        die("write failed");
}

/* ---- random numbers ---- */

static uint64_t random_state[2] = {0x9e3779b97f4a7c15, 0xd1b54a32d192ed03};

/* xorshift128+ */
static uint64_t random64(void) {
    uint64_t a = random_state[0];
    const uint64_t b = random_state[1];
    random_state[0] = b;
    a ^= a << 23;
    random_state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
    return random_state[1] + b;
}

static double random_unit(void) {
    return ((double)(random64() >> 11) + 0.5) * 0x1p-53;
}

static double random_normal(void) {
    return sqrt(-2 * log(random_unit())) * cos(6.283185307179586 * random_unit());
}

static double random_student5(void) {
    double sum = 0;
    for (int i = 0; i < 5; i++) {
        const double n = random_normal();
        sum += n * n;
    }
    return random_normal() / sqrt(sum / 5);
}

static uint32_t float_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

/* Truncated; subnormals become zero. Good enough for random numbers of moderate size. */
static uint16_t to_half(float x, bool bf16) {
    const uint32_t u = float_bits(x);
    if (bf16)
        return (uint16_t)(u >> 16);
    const int exponent = (int)(u >> 23 & 255) - 127 + 15;
    if (exponent <= 0)
        return (uint16_t)(u >> 16 & 0x8000);
    if (exponent >= 31)
        die("a weight is out of range");
    return (uint16_t)((u >> 16 & 0x8000) | (uint32_t)exponent << 10 | (u >> 13 & 0x3ff));
}

/* Draws of the distribution at N_TABLES scales: a weight is then one look-up. */
static uint16_t (*weights)[TABLE];

static void make_weights(bool bf16) {
    weights = malloc(sizeof(*weights) * N_TABLES);
    if (!weights)
        die("out of memory");
    for (int t = 0; t < N_TABLES; t++) {
        const double scale = 0.02 * exp(0.25 * (t - N_TABLES / 2));
        for (int i = 0; i < TABLE; i++)
            weights[t][i] = to_half((float)(scale * random_student5()), bf16);
    }
}

static void put_row(FILE *f, uint16_t *row, uint64_t cols) {
    const uint16_t *table = weights[random64() % N_TABLES];
    for (uint64_t i = 0; i < cols; i += 4) {
        const uint64_t r = random64();
        row[i] = table[r & 0xffff];
        row[i + 1] = table[r >> 16 & 0xffff];
        row[i + 2] = table[r >> 32 & 0xffff];
        row[i + 3] = table[r >> 48];
    }
    put(f, row, cols * 2);
}

/* A norm's weights, around one: F32 in GGUF, the model's type elsewhere. Returns its bytes. */
static void put_vector(FILE *f, uint64_t n, bool wide, bool bf16) {
    for (uint64_t i = 0; i < n; i++) {
        const float x = (float)(1 + 0.1 * random_normal());
        const uint16_t half = to_half(x, bf16);
        if (wide)
            put(f, &x, sizeof x);
        else
            put(f, &half, sizeof half);
    }
}

static void put_tensor(FILE *f, const struct tensor *t, bool gguf, bool bf16) {
    if (!t->rows) {
        put_vector(f, t->cols, gguf, bf16);
        return;
    }
    uint16_t *row = malloc(t->cols * 2);
    if (!row)
        die("out of memory");
    for (uint64_t i = 0; i < t->rows; i++)
        put_row(f, row, t->cols);
    free(row);
}

/* ---- tensors ---- */

static uint64_t tensor_bytes(const struct tensor *t, bool gguf) {
    return t->rows ? t->rows * t->cols * 2 : t->cols * (gguf ? 4 : 2);
}

/* `block` < 0: not part of a block. */
static struct tensor tensor(int block, const char *gguf, const char *hf, uint64_t rows,
                            uint64_t cols) {
    struct tensor t = {.rows = rows, .cols = cols};
    if (block < 0) {
        snprintf(t.name[0], sizeof t.name[0], "%s.weight", gguf);
        snprintf(t.name[1], sizeof t.name[1], "%s.weight", hf);
    } else {
        snprintf(t.name[0], sizeof t.name[0], "blk.%d.%s.weight", block, gguf);
        snprintf(t.name[1], sizeof t.name[1], "model.layers.%d.%s.weight", block, hf);
    }
    return t;
}

static struct tensor *make_tensors(const struct shape *s, size_t *n) {
    struct tensor *list = calloc(s->layers * 9 + 3, sizeof *list), *t = list;
    if (!list)
        die("out of memory");
    const uint64_t h = s->hidden, kv = h / s->heads * s->kv_heads;
    *t++ = tensor(-1, "token_embd", "model.embed_tokens", s->vocab, h);
    for (int i = 0; i < (int)s->layers; i++) {
        *t++ = tensor(i, "attn_norm", "input_layernorm", 0, h);
        *t++ = tensor(i, "attn_q", "self_attn.q_proj", h, h);
        *t++ = tensor(i, "attn_k", "self_attn.k_proj", kv, h);
        *t++ = tensor(i, "attn_v", "self_attn.v_proj", kv, h);
        *t++ = tensor(i, "attn_output", "self_attn.o_proj", h, h);
        *t++ = tensor(i, "ffn_norm", "post_attention_layernorm", 0, h);
        *t++ = tensor(i, "ffn_gate", "mlp.gate_proj", s->ffn, h);
        *t++ = tensor(i, "ffn_up", "mlp.up_proj", s->ffn, h);
        *t++ = tensor(i, "ffn_down", "mlp.down_proj", h, s->ffn);
    }
    *t++ = tensor(-1, "output_norm", "model.norm", 0, h);
    if (!s->tied)
        *t++ = tensor(-1, "output", "lm_head", s->vocab, h);
    *n = (size_t)(t - list);
    return list;
}

/* ---- vocabulary: 256 bytes, words of 2, 3 and 4 letters, two control tokens ---- */

#define N_CONTROL 2
static const char *const control[N_CONTROL] = {"<|begin|>", "<|end|>"};

struct token {
    char text[16];
    char left[16], right[16]; /* what it is merged from; "" for bytes */
};

/* The letter that byte-level BPE writes for a byte. */
static void byte_letter(uint32_t byte, char out[16]) {
    uint32_t code = byte;
    if (byte < 33)
        code = 256 + byte;
    else if (byte >= 127 && byte < 161)
        code = 256 + 33 + byte - 127;
    else if (byte == 173)
        code = 323;
    const size_t n = code < 128 ? 1 : 2;
    out[0] = (char)(n == 1 ? code : 0xc0 | code >> 6);
    out[1] = (char)(n == 1 ? 0 : 0x80 | (code & 63));
    out[n] = 0;
}

static struct token make_token(uint64_t i) {
    struct token t = {0};
    if (i < 256) {
        byte_letter((uint32_t)i, t.text);
        return t;
    }
    i -= 256;
    int letters = 2;
    for (uint64_t count = 676; i >= count; count *= 26, letters++)
        i -= count;
    for (int k = letters - 1; k >= 0; k--, i /= 26)
        t.text[k] = (char)('a' + i % 26);
    memcpy(t.left, t.text, (size_t)letters - 1);
    t.right[0] = t.text[letters - 1];
    return t;
}

static void check_vocab(const struct shape *s) {
    if (s->vocab < 256 + N_CONTROL || s->vocab > 256 + 676 + 17576 + 456976 + N_CONTROL)
        die("the vocabulary must have 258 to 475486 tokens");
}

/* ---- GGUF ---- */

static void put_u32(FILE *f, uint32_t v) { put(f, &v, 4); }
static void put_u64(FILE *f, uint64_t v) { put(f, &v, 8); }

static void put_string(FILE *f, const char *s) {
    put_u64(f, strlen(s));
    put(f, s, strlen(s));
}

static void key(FILE *f, const char *name, uint32_t type) {
    put_string(f, name);
    put_u32(f, type);
}

static void key_u32(FILE *f, const char *name, uint64_t v) {
    key(f, name, 4);
    put_u32(f, (uint32_t)v);
}

static void key_f32(FILE *f, const char *name, float v) {
    key(f, name, 6);
    put(f, &v, 4);
}

static void key_string(FILE *f, const char *name, const char *v) {
    key(f, name, 8);
    put_string(f, v);
}

static void key_array(FILE *f, const char *name, uint32_t type, uint64_t n) {
    key(f, name, 9);
    put_u32(f, type);
    put_u64(f, n);
}

static void put_gguf_tokens(FILE *f, const struct shape *s) {
    const uint64_t words = s->vocab - N_CONTROL;
    key_array(f, "tokenizer.ggml.tokens", 8, s->vocab);
    for (uint64_t i = 0; i < words; i++)
        put_string(f, make_token(i).text);
    for (int i = 0; i < N_CONTROL; i++)
        put_string(f, control[i]);
    key_array(f, "tokenizer.ggml.token_type", 5, s->vocab);
    for (uint64_t i = 0; i < s->vocab; i++)
        put_u32(f, i < words ? 1 : 3);
    key_array(f, "tokenizer.ggml.merges", 8, words - 256);
    for (uint64_t i = 256; i < words; i++) {
        const struct token t = make_token(i);
        char merge[40];
        snprintf(merge, sizeof merge, "%s %s", t.left, t.right);
        put_string(f, merge);
    }
}

#define N_KEYS 19

static void put_gguf_keys(FILE *f, const struct shape *s) {
    key_string(f, "general.architecture", "llama");
    key_string(f, "general.type", "model");
    key_string(f, "general.name", "Random");
    key_u32(f, "general.file_type", s->bf16 ? 32 : 1);
    key_u32(f, "llama.vocab_size", s->vocab);
    key_u32(f, "llama.context_length", 4096);
    key_u32(f, "llama.embedding_length", s->hidden);
    key_u32(f, "llama.block_count", s->layers);
    key_u32(f, "llama.feed_forward_length", s->ffn);
    key_u32(f, "llama.rope.dimension_count", s->hidden / s->heads);
    key_u32(f, "llama.attention.head_count", s->heads);
    key_u32(f, "llama.attention.head_count_kv", s->kv_heads);
    key_f32(f, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    key_f32(f, "llama.rope.freq_base", 10000);
    key_string(f, "tokenizer.ggml.model", "gpt2");
    key_string(f, "tokenizer.ggml.pre", "gpt-2");
    put_gguf_tokens(f, s); /* 3 keys */
}

static void pad_to_32(FILE *f) {
    while (ftello(f) % 32)
        put(f, "", 1);
}

static void write_gguf(const char *path, const struct shape *s, const struct tensor *t, size_t n) {
    FILE *f = create(path);
    put(f, "GGUF", 4);
    put_u32(f, 3);
    put_u64(f, n);
    put_u64(f, N_KEYS);
    put_gguf_keys(f, s);
    uint64_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        put_string(f, t[i].name[0]);
        put_u32(f, t[i].rows ? 2 : 1);
        put_u64(f, t[i].cols);
        if (t[i].rows)
            put_u64(f, t[i].rows);
        put_u32(f, !t[i].rows ? 0 : s->bf16 ? 30 : 1);
        put_u64(f, offset);
        offset += (tensor_bytes(&t[i], true) + 31) / 32 * 32;
    }
    for (size_t i = 0; i < n; i++) {
        pad_to_32(f);
        put_tensor(f, &t[i], true, s->bf16);
    }
    pad_to_32(f);
    finish(f);
}

/* ---- the folder ---- */

static FILE *create_in(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return create(path);
}

static void write_config(const char *folder, const struct shape *s) {
    FILE *f = create_in(folder, "config.json");
    fprintf(f,
            "{\n  \"architectures\": [\"LlamaForCausalLM\"],\n  \"model_type\": \"llama\",\n"
            "  \"hidden_size\": %" PRIu64 ",\n  \"intermediate_size\": %" PRIu64 ",\n"
            "  \"num_hidden_layers\": %" PRIu64 ",\n  \"num_attention_heads\": %" PRIu64 ",\n"
            "  \"num_key_value_heads\": %" PRIu64 ",\n  \"vocab_size\": %" PRIu64 ",\n",
            s->hidden, s->ffn, s->layers, s->heads, s->kv_heads, s->vocab);
    fprintf(f,
            "  \"max_position_embeddings\": 4096,\n  \"rms_norm_eps\": 1e-05,\n"
            "  \"rope_theta\": 10000.0,\n  \"hidden_act\": \"silu\",\n"
            "  \"attention_bias\": false,\n  \"mlp_bias\": false,\n"
            "  \"bos_token_id\": %" PRIu64 ",\n  \"eos_token_id\": %" PRIu64 ",\n"
            "  \"tie_word_embeddings\": %s,\n  \"torch_dtype\": \"%s\"\n}\n",
            s->vocab - 2, s->vocab - 1, s->tied ? "true" : "false",
            s->bf16 ? "bfloat16" : "float16");
    finish(f);
}

static void put_json_string(FILE *f, const char *s) {
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

static void write_tokenizer(const char *folder, const struct shape *s) {
    const uint64_t words = s->vocab - N_CONTROL;
    FILE *f = create_in(folder, "tokenizer.json");
    fputs("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n"
          "  \"added_tokens\": [", f);
    for (int i = 0; i < N_CONTROL; i++)
        fprintf(f,
                "%s\n    {\n      \"id\": %" PRIu64 ",\n      \"content\": \"%s\",\n"
                "      \"single_word\": false,\n      \"lstrip\": false,\n      \"rstrip\": false,\n"
                "      \"normalized\": false,\n      \"special\": true\n    }",
                i ? "," : "", words + (uint64_t)i, control[i]);
    fputs("\n  ],\n  \"normalizer\": null,\n  \"pre_tokenizer\": {\n    \"type\": \"ByteLevel\",\n"
          "    \"add_prefix_space\": false,\n    \"trim_offsets\": true,\n    \"use_regex\": true\n"
          "  },\n  \"post_processor\": null,\n  \"decoder\": {\n    \"type\": \"ByteLevel\",\n"
          "    \"add_prefix_space\": true,\n    \"trim_offsets\": true,\n    \"use_regex\": true\n"
          "  },\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n"
          "    \"unk_token\": null,\n    \"continuing_subword_prefix\": null,\n"
          "    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
          "    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n    \"vocab\": {", f);
    for (uint64_t i = 0; i < words; i++) {
        fputs(i ? ",\n      " : "\n      ", f);
        put_json_string(f, make_token(i).text);
        fprintf(f, ": %" PRIu64, i);
    }
    fputs("\n    },\n    \"merges\": [", f);
    for (uint64_t i = 256; i < words; i++) {
        const struct token t = make_token(i);
        fprintf(f, "%s\n      [\n        \"%s\",\n        \"%s\"\n      ]", i > 256 ? "," : "",
                t.left, t.right);
    }
    fputs("\n    ]\n  }\n}\n", f);
    finish(f);

    f = create_in(folder, "tokenizer_config.json");
    fprintf(f,
            "{\n  \"add_bos_token\": false,\n  \"add_prefix_space\": false,\n"
            "  \"bos_token\": \"%s\",\n  \"eos_token\": \"%s\",\n"
            "  \"clean_up_tokenization_spaces\": false,\n  \"model_max_length\": 4096,\n"
            "  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n",
            control[0], control[1]);
    finish(f);
}

/* Tensors [first, end) as one safetensors file. */
static void write_shard(const char *folder, const char *name, const struct shape *s,
                        const struct tensor *t, size_t first, size_t end) {
    char *header = NULL;
    size_t size = 0;
    uint64_t at = 0;
    FILE *h = open_memstream(&header, &size);
    if (!h)
        die("out of memory");
    fputs("{\"__metadata__\":{\"format\":\"pt\"}", h);
    for (size_t i = first; i < end; i++) {
        const uint64_t bytes = tensor_bytes(&t[i], false);
        fprintf(h, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", t[i].name[1], s->bf16 ? "BF16" : "F16");
        if (t[i].rows)
            fprintf(h, "%" PRIu64 ",", t[i].rows);
        fprintf(h, "%" PRIu64 "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", t[i].cols, at,
                at + bytes);
        at += bytes;
    }
    fputc('}', h);
    fflush(h);
    while (size % 8) {
        fputc(' ', h);
        fflush(h);
    }
    finish(h);

    FILE *f = create_in(folder, name);
    put_u64(f, size);
    put(f, header, size);
    for (size_t i = first; i < end; i++)
        put_tensor(f, &t[i], false, s->bf16);
    finish(f);
    free(header);
}

/* The tensor after the last one of the shard that begins at `first`. */
static size_t shard_end(const struct tensor *t, size_t n, size_t first) {
    uint64_t bytes = 0;
    size_t i = first;
    while (i < n && (i == first || bytes + tensor_bytes(&t[i], false) <= SHARD_BYTES))
        bytes += tensor_bytes(&t[i++], false);
    return i;
}

static void write_folder(const char *folder, const struct shape *s, const struct tensor *t,
                         size_t n) {
    if (mkdir(folder, 0777) && access(folder, W_OK))
        die("cannot make %s", folder);
    write_config(folder, s);
    write_tokenizer(folder, s);

    size_t shards = 0, k = 0;
    uint64_t total = 0;
    for (size_t i = 0; i < n; i = shard_end(t, n, i))
        shards++;
    for (size_t i = 0; i < n; i++)
        total += tensor_bytes(&t[i], false);
    FILE *index = create_in(folder, "model.safetensors.index.json");
    fprintf(index, "{\n  \"metadata\": {\n    \"total_size\": %" PRIu64 "\n  },\n"
                   "  \"weight_map\": {", total);
    for (size_t i = 0, end; i < n; i = end) {
        char name[64];
        snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", ++k, shards);
        end = shard_end(t, n, i);
        write_shard(folder, name, s, t, i, end);
        for (size_t j = i; j < end; j++)
            fprintf(index, "%s\n    \"%s\": \"%s\"", j ? "," : "", t[j].name[1], name);
    }
    fputs("\n  }\n}\n", index);
    finish(index);
}

static uint64_t number(const char *s) {
    char *end;
    const unsigned long long v = strtoull(s, &end, 10);
    if (*end || end == s)
        die("'%s' is not a number", s);
    return v;
}

int main(int argc, char **argv) {
    if (argc != 11)
        die("usage: make_random gguf|hf TARGET f16|bf16 HIDDEN FFN LAYERS HEADS KV_HEADS VOCAB TIED");
    const struct shape s = {
        .bf16 = !strcmp(argv[3], "bf16"), .tied = number(argv[10]) != 0,
        .hidden = number(argv[4]), .ffn = number(argv[5]), .layers = number(argv[6]),
        .heads = number(argv[7]), .kv_heads = number(argv[8]), .vocab = number(argv[9]),
    };
    if (s.hidden % 4 || s.ffn % 4 || !s.heads || s.hidden % s.heads || s.layers > 1000)
        die("these sizes do not fit together");
    check_vocab(&s);
    make_weights(s.bf16);
    size_t n;
    struct tensor *t = make_tensors(&s, &n);
    if (!strcmp(argv[1], "gguf"))
        write_gguf(argv[2], &s, t, n);
    else
        write_folder(argv[2], &s, t, n);
    free(t);
    free(weights);
    return 0;
}
