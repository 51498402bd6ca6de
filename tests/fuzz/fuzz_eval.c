/* fuzz_eval.c -- a GGUF model is opened for evaluation and run over some tokens: as it is, and with numbers
 * of its metadata and shapes of its tensors changed. What is refused must say why; what is accepted must
 * run without reading past anything. The input's bytes choose the changes. */
#include "tests/fuzz/fuzz_format.h"

#include "libquant/codec/kernels.h"
#include "libquant/eval/embedding.h"

#include <math.h>

enum { LENGTH = 12, VARIANTS = 200, LIMIT = 1 << 16 };

static uint64_t state;

static uint64_t any(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

/* A number that programs do not expect. */
static uint64_t odd_number(uint64_t old)
{
    const uint64_t choice[] = {0, 1, 2, 3, old + 1, old - 1, old * 2, old / 2, 7, 64, 4096, 65536,
                               1 << 24, INT32_MAX, UINT32_MAX, UINT64_MAX};
    return choice[any(sizeof choice / sizeof *choice)];
}

static void change_number(struct catalog *c)
{
    struct meta *const m = &c->meta[any(c->n_meta)];
    switch (m->type) {
    case META_U32: m->v.u64 = (uint32_t)odd_number(m->v.u64); break;
    case META_U64: m->v.u64 = odd_number(m->v.u64); break;
    case META_BOOL: m->v.u64 ^= 1; break;
    case META_F32: m->v.f64 = (double[]){0, -1, 1e-30, 1e30, INFINITY, NAN}[any(6)]; break;
    default: break;
    }
}

static void change_shape(struct catalog *c)
{
    struct tensor *const t = &c->tensors[any(c->n_tensors)];
    struct tensor other = *t;
    if (!t->rank)
        return;
    uint64_t *const dim = arena_calloc(&c->arena, t->rank, sizeof *dim);
    if (!dim)
        return;
    memcpy(dim, t->dim, t->rank * sizeof *dim);
    const uint64_t i = any(t->rank), k = any(t->rank);
    if (any(2)) {
        const uint64_t swapped = dim[i];
        dim[i] = dim[k];
        dim[k] = swapped;
    } else {
        dim[i] = odd_number(dim[i]);
    }
    other.dim = dim;
    if (any(4) == 0)
        other.rank--;
    if (tensor_measure(&other) && other.bytes <= t->bytes)
        *t = other;
}

static void change_name(struct catalog *c)
{
    c->tensors[any(c->n_tensors)].name = any(2) ? "absent" : "blk.0.attn_qkv.weight";
    if (catalog_add_tensor(c)) /* which drops the index of names */
        c->n_tensors--;
}

/* An encoder's tokens as two lines of different lengths. */
static lq_status embed(struct engine *e, uint32_t *tokens, lq_error *err)
{
    size_t first[] = {0, LENGTH / 3, LENGTH};
    const struct lines lines = {tokens, first, 2};
    float *const out = mem_calloc(2 * (size_t)e->graph.embd, sizeof *out);
    const lq_status status = out ? embed_lines(e, &lines, 0, 2, out, err) : lq_fail_memory(err);
    free(out);
    return status;
}

static lq_status evaluate(struct catalog *c, lq_error *err)
{
    struct engine e = {0};
    const struct weights w = weights_stored(c);
    const struct engine_options o = {isa_detect(), 1, LENGTH, 1, NULL};
    uint32_t tokens[LENGTH];
    lq_status status = catalog_index(c, err);
    if (status == LQ_OK)
        status = engine_open(&e, &w, &o, err);
    for (uint32_t i = 0; i < LENGTH && status == LQ_OK; i++)
        tokens[i] = i * 5 % e.graph.vocab;
    if (status == LQ_OK)
        status = engine_run(&e, tokens, 1, err);
    if (status == LQ_OK && !e.graph.causal)
        status = embed(&e, tokens, err);
    if (status == LQ_OK && e.graph.causal) {
        float *const logits = mem_calloc((size_t)e.graph.vocab * LENGTH, sizeof *logits);
        status = logits ? engine_logits(&e, 0, LENGTH, logits, err) : lq_fail_memory(err);
        free(logits);
    }
    engine_release(&e);
    return status;
}

static void one_variant(const uint8_t *data, size_t size, int changes)
{
    struct catalog c = {0};
    lq_error err = {.offset = -1};
    if (fuzz_open(&c, "model.gguf", data, size, NULL, &err) == LQ_OK && c.n_tensors && c.n_meta) {
        for (int i = 0; i < changes; i++)
            (any(2) ? change_number : any(3) ? change_shape : change_name)(&c);
        if (evaluate(&c, &err) != LQ_OK && !err.message[0])
            broken("refused without a reason", &err);
    }
    catalog_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > LIMIT || memcmp(data, "GGUF", 4) != 0)
        return -1;
    state = 0x9e3779b97f4a7c15u + size;
    for (size_t i = 0; i < size; i++)
        state = (state ^ data[i]) * 0x100000001b3u;
    state |= 1;
    for (int i = 0; i < VARIANTS; i++)
        one_variant(data, size, i ? 1 + (int)any(3) : 0);
    return 0;
}
