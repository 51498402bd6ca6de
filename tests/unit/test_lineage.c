/* test_lineage.c -- models of known descent are told apart, and blocks of every type are unpacked
 * as they are decoded. */
#include <math.h>

#include "libquant/codec/kernels.h"
#include "libquant/codec/num.h"
#include "libquant/provenance/lineage.h"
#include "libquant/provenance/lineage_derive.h"
#include "libquant/provenance/lineage_honest.h"
#include "libquant/provenance/lineage_parts.h"
#include "tests/unit/temp_folder.h"

enum { SIZE = 256, LAYERS = 3, TOKENS = 300, EXTRA = 7 };

static uint32_t state;

static float random_value(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(int32_t)state * 0x1p-31f;
}

/* ---- small models: an embedding, and a square matrix and a norm for each layer ---- */

struct small_model {
    uint32_t layers, tokens;
    uint32_t order[LAYERS]; /* which matrix is that of a layer */
    float embedding[(TOKENS + EXTRA) * SIZE];
    float matrix[LAYERS][SIZE * SIZE];
    float norm[SIZE]; /* of all layers */
};

static struct small_model base_model, other_model, claimed_model;

static void randomize(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 0.1f * random_value();
}

static void model_fill(struct small_model *m, uint32_t seed)
{
    state = seed;
    m->layers = LAYERS;
    m->tokens = TOKENS;
    randomize(m->embedding, (TOKENS + EXTRA) * SIZE);
    randomize(m->norm, SIZE);
    for (uint32_t i = 0; i < LAYERS; i++) {
        m->order[i] = i;
        randomize(m->matrix[i], (size_t)SIZE * SIZE);
    }
}

/* Two models of different weights, and a claimed one that is the first so far. */
static void fill_models(void)
{
    model_fill(&base_model, 1);
    model_fill(&other_model, 2);
    claimed_model = base_model;
}

/* As safetensors; returns the path. */
static const char *model_write(const struct small_model *m, const char *name)
{
    char header[4096];
    size_t at = 0, n = 0;
    const char *const path = temp_path(name);
    const size_t matrix = SIZE * SIZE * sizeof(float), norm = SIZE * sizeof(float);
    n += (size_t)snprintf(header + n, sizeof header - n,
                          "{\"embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[%u,%d],"
                          "\"data_offsets\":[0,%zu]}",
                          m->tokens, SIZE, m->tokens * norm);
    at = m->tokens * norm;
    for (uint32_t i = 0; i < m->layers; i++, at += matrix + norm)
        n += (size_t)snprintf(header + n, sizeof header - n,
                              ",\"layers.%u.w\":{\"dtype\":\"F32\",\"shape\":[%d,%d],"
                              "\"data_offsets\":[%zu,%zu]},\"layers.%u.norm\":{\"dtype\":\"F32\","
                              "\"shape\":[%d],\"data_offsets\":[%zu,%zu]}",
                              i, SIZE, SIZE, at, at + matrix, i, SIZE, at + matrix,
                              at + matrix + norm);
    header[n++] = '}';
    FILE *const f = fopen(path, "wb");
    assert_non_null(f);
    const uint64_t len = n;
    fwrite(&len, sizeof len, 1, f);
    fwrite(header, n, 1, f);
    fwrite(m->embedding, norm, m->tokens, f);
    for (uint32_t i = 0; i < m->layers; i++) {
        fwrite(m->matrix[m->order[i]], matrix, 1, f);
        fwrite(m->norm, norm, 1, f);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

/* What is found of the claimed model beside the base, and beside the other one too. */
static void compare(struct lineage *l, bool both, enum lineage_verdict verdict)
{
    const struct lineage_options o = {.isa = isa_detect(), .threads = 2};
    const char *const bases[2] = {model_write(&base_model, "base.safetensors"),
                                  model_write(&other_model, "other.safetensors")};
    lq_error err = {0};
    memset(l, 0, sizeof *l);
    const lq_status status = lineage_find(l, model_write(&claimed_model, "claimed.safetensors"),
                                          bases, both ? 2 : 1, &o, &err);
    if (status != LQ_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, LQ_OK);
    if (l->verdict != verdict)
        print_error("%s: %s\n", lineage_verdict_name(l->verdict), l->why);
    assert_int_equal(l->verdict, verdict);
}

static const struct tensor_lineage *tensor_of(const struct lineage *l, const char *name)
{
    for (size_t i = 0; i < l->n_tensors; i++)
        if (strcmp(l->tensors[i].claimed->name, name) == 0)
            return &l->tensors[i];
    fail();
    return NULL;
}

static void copies_and_others_are_told_apart(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    compare(&l, false, LINEAGE_IDENTICAL);
    lineage_release(&l);
    claimed_model = other_model;
    compare(&l, false, LINEAGE_UNRELATED);
    lineage_release(&l);
}

static void low_rank_has_its_rank(void **unused)
{
    static float down[5 * SIZE], up[5 * SIZE];
    struct lineage l;
    (void)unused;
    fill_models();
    randomize(down, 5 * SIZE);
    randomize(up, 5 * SIZE);
    for (int r = 0; r < SIZE; r++)
        for (int c = 0; c < SIZE; c++) {
            double sum = (double)claimed_model.matrix[1][r * SIZE + c];
            for (int k = 0; k < 5; k++)
                sum += (double)up[k * SIZE + r] * (double)down[k * SIZE + c];
            claimed_model.matrix[1][r * SIZE + c] = (float)sum;
        }
    compare(&l, false, LINEAGE_TUNED);
    const struct tensor_lineage *const t = tensor_of(&l, "layers.1.w");
    assert_int_equal(t->verdict, LINEAGE_TUNED);
    assert_true(t->rank.low);
    assert_int_equal(t->rank.rank, 5);
    assert_int_equal(tensor_of(&l, "layers.0.w")->verdict, LINEAGE_IDENTICAL);
    lineage_release(&l);
}

static void full_change_has_no_low_rank(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    for (int i = 0; i < SIZE * SIZE; i++)
        claimed_model.matrix[1][i] += 0.01f * random_value();
    compare(&l, false, LINEAGE_TUNED);
    assert_false(tensor_of(&l, "layers.1.w")->rank.low);
    assert_true(fabs(tensor_of(&l, "layers.1.w")->change - 0.1) < 0.01);
    lineage_release(&l);
}

static void weighted_sum(float *out, double p, const float *x, double q, const float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(p * (double)x[i] + q * (double)y[i]);
}

static void merges_give_their_weights(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    for (int m = 0; m < LAYERS; m++)
        weighted_sum(claimed_model.matrix[m], 0.75, base_model.matrix[m], 0.25,
                     other_model.matrix[m], SIZE * SIZE);
    weighted_sum(claimed_model.embedding, 0.75, base_model.embedding, 0.25, other_model.embedding,
                 TOKENS * SIZE);
    compare(&l, true, LINEAGE_MERGED);
    const struct tensor_lineage *const t = tensor_of(&l, "layers.2.w");
    assert_true(t->fitted && !t->spherical);
    assert_true(fabs(t->weight[0] - 0.75) < 1e-4 && fabs(t->weight[1] - 0.25) < 1e-4);
    lineage_release(&l);
}

/* Weights s of (1 - t) and t on the arc between two vectors of angle pi / 2, nearly that of
 * independent ones: sin((1 - t) angle) / sin(angle). Here t = 0.5 on the exact angle of each pair.
 */
static void spherical_merges_are_told_from_linear_ones(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    for (int m = 0; m < LAYERS; m++) {
        const float *const x = base_model.matrix[m], *const y = other_model.matrix[m];
        double xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < SIZE * SIZE; i++) {
            xx += (double)x[i] * (double)x[i];
            yy += (double)y[i] * (double)y[i];
            xy += (double)x[i] * (double)y[i];
        }
        const double half = 1 / sqrt(2 + 2 * xy / sqrt(xx * yy)); /* sin(x / 2) / sin(x) */
        weighted_sum(claimed_model.matrix[m], half, x, half, y, SIZE * SIZE);
    }
    compare(&l, true, LINEAGE_MERGED);
    assert_true(tensor_of(&l, "layers.0.w")->spherical);
    lineage_release(&l);
}

/* On an arc that is hardly longer than its chord: the weights need not add up to 1. */
static void merges_of_near_models_have_free_weights(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    for (int m = 0; m < LAYERS; m++) {
        weighted_sum(other_model.matrix[m], 1, base_model.matrix[m], 0.03, other_model.matrix[m],
                     SIZE * SIZE);
        weighted_sum(claimed_model.matrix[m], 0.7005, base_model.matrix[m], 0.3004,
                     other_model.matrix[m], SIZE * SIZE);
    }
    weighted_sum(other_model.embedding, 1, base_model.embedding, 0.03, other_model.embedding,
                 TOKENS * SIZE);
    compare(&l, true, LINEAGE_MERGED);
    const struct tensor_lineage *const t = tensor_of(&l, "layers.1.w");
    assert_int_equal(t->verdict, LINEAGE_MERGED);
    assert_false(t->spherical);
    assert_true(fabs(t->weight[0] - 0.7005) < 1e-4 && fabs(t->weight[1] - 0.3004) < 1e-4);
    lineage_release(&l);
}

/* F32 files of values that were rounded to BF16 before: that is no change of anybody's. */
static void values_on_a_coarser_grid_were_rounded_to_it(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    for (int m = 0; m < LAYERS; m++)
        for (int i = 0; i < SIZE * SIZE; i++) {
            const double sum =
                0.75 * (double)base_model.matrix[m][i] + 0.25 * (double)other_model.matrix[m][i];
            claimed_model.matrix[m][i] = bf16_to_f32(f32_to_bf16((float)sum));
        }
    compare(&l, true, LINEAGE_MERGED);
    assert_int_equal(tensor_of(&l, "layers.2.w")->verdict, LINEAGE_MERGED);
    lineage_release(&l);
    claimed_model = base_model;
    for (int i = 0; i < SIZE * SIZE; i++) /* toward zero, as some converters do */
        claimed_model.matrix[1][i] = f32_from_bits(f32_bits(base_model.matrix[1][i]) & 0xffff0000u);
    compare(&l, false, LINEAGE_UNDETERMINED);
    assert_int_equal(tensor_of(&l, "layers.1.w")->verdict, LINEAGE_UNDETERMINED);
    lineage_release(&l);
}

/* A base that is the claimed model, rounded: neither has been trained. */
static void what_the_base_has_rounded_is_no_fine_tuning(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    for (int i = 0; i < SIZE * SIZE; i++)
        base_model.matrix[1][i] = f16_to_f32(f32_to_f16(base_model.matrix[1][i]));
    compare(&l, false, LINEAGE_UNDETERMINED);
    assert_int_equal(tensor_of(&l, "layers.1.w")->verdict, LINEAGE_UNDETERMINED);
    lineage_release(&l);
}

static void layers_of_two_models_are_attributed(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    memcpy(claimed_model.matrix[1], other_model.matrix[1], sizeof claimed_model.matrix[1]);
    compare(&l, true, LINEAGE_MERGED);
    assert_int_equal(tensor_of(&l, "layers.0.w")->from, 0);
    assert_int_equal(tensor_of(&l, "layers.1.w")->from, 1);
    lineage_release(&l);
}

/* A base that nothing comes from says nothing about what is left out. */
static void the_order_of_the_bases_does_not_matter(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    other_model.layers = 2;
    claimed_model = other_model;
    compare(&l, true, LINEAGE_IDENTICAL);
    assert_int_equal(l.main, 1);
    assert_int_equal(l.missing, 0);
    lineage_release(&l);
}

static void moved_layers_are_found(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    claimed_model.order[0] = 2;
    claimed_model.order[2] = 0;
    compare(&l, false, LINEAGE_PARTIAL);
    assert_int_equal(l.layers[0].layer, 2);
    assert_int_equal(l.layers[1].layer, 1);
    lineage_release(&l);
    claimed_model.layers = 2; /* layers 2 and 1 of the base */
    compare(&l, false, LINEAGE_PARTIAL);
    assert_int_equal(l.layers[0].layer, 2);
    assert_int_equal(tensor_of(&l, "layers.0.w")->verdict, LINEAGE_IDENTICAL);
    lineage_release(&l);
}

static void more_tokens_are_found(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    claimed_model.tokens = TOKENS + EXTRA;
    compare(&l, false, LINEAGE_PARTIAL);
    assert_true(tensor_of(&l, "embed_tokens.weight")->more_rows);
    assert_int_equal(tensor_of(&l, "embed_tokens.weight")->verdict, LINEAGE_IDENTICAL);
    lineage_release(&l);
}

static void more_tokens_than_the_second_base_has_are_found(void **unused)
{
    struct lineage l;
    (void)unused;
    fill_models();
    claimed_model = other_model;
    claimed_model.tokens = TOKENS + EXTRA;
    compare(&l, true, LINEAGE_PARTIAL);
    assert_int_equal(tensor_of(&l, "embed_tokens.weight")->verdict, LINEAGE_IDENTICAL);
    assert_int_equal(tensor_of(&l, "embed_tokens.weight")->from, 1);
    lineage_release(&l);
    base_model = claimed_model; /* all rows are better than the first ones of another */
    other_model.tokens = TOKENS;
    claimed_model.embedding[TOKENS * SIZE] += 1;
    compare(&l, true, LINEAGE_ALTERED);
    assert_int_equal(tensor_of(&l, "embed_tokens.weight")->from, 0);
    lineage_release(&l);
}

/* ---- one tensor in memory ---- */

enum { ROWS = 64, WIDTH = 1024 };

/* A model of one tensor; data must outlive it. */
static const struct tensor *memory_model(struct catalog *c, const struct type_info *type,
                                         const void *data)
{
    static const uint64_t dim[2] = {ROWS, WIDTH};
    lq_error err;
    struct file *const file = catalog_add_file(c);
    struct tensor *const t = catalog_add_tensor(c);
    *t = (struct tensor){.name = "w", .type = type, .rank = 2, .dim = dim};
    assert_true(tensor_measure(t));
    assert_int_equal(source_open_memory(&file->source, "memory", data, t->bytes, &err), LQ_OK);
    file->size = t->bytes;
    return t;
}

/* A claimed tensor of a type beside a base of F32, both in memory. */
struct memory_pair {
    struct catalog claimed, base;
    const struct tensor *claimed_tensor, *base_tensor;
    struct lineage_pair pair;
    struct pass_options options;
};

static void memory_pair_init(struct memory_pair *m, const struct type_info *type,
                             const void *stored, const float *x)
{
    *m = (struct memory_pair){
        .options = {.isa = isa_detect(), .rooms = pass_rooms_new(0)}
    };
    m->claimed_tensor = memory_model(&m->claimed, type, stored);
    m->base_tensor = memory_model(&m->base, &type_F32, x);
    m->pair = (struct lineage_pair){.claimed = compared_tensor(&m->claimed, &m->claimed_tensor),
                                    .base = {compared_tensor(&m->base, &m->base_tensor)},
                                    .base_tensor = {m->base_tensor},
                                    .n_bases = 1,
                                    .rows = ROWS,
                                    .cols = WIDTH,
                                    .type = type,
                                    .precision = type};
}

static void memory_pair_release(struct memory_pair *m)
{
    pass_rooms_free(m->options.rooms);
    catalog_release(&m->claimed);
    catalog_release(&m->base);
}

static struct tensor_lineage derive_pair(const struct memory_pair *m)
{
    struct tensor_lineage t = {0};
    struct hypothesis last = {.copy = true};
    lq_error err = {0};
    assert_int_equal(lineage_derive(&t, &m->pair, &last, &m->options, &err), LQ_OK);
    return t;
}

/* Stores x in a type and decodes it again. */
static void pass_through(const struct type_info *type, float *out, const float *x)
{
    static uint8_t stored[ROWS * WIDTH * 2];
    type->encode(stored, x, ROWS, WIDTH, NULL);
    type->decode(out, stored, ROWS * WIDTH);
}

/* Derives the tensor that `how` makes, with one block changed where it is not UINT64_MAX. */
static struct tensor_lineage derive(const struct type_info *type, const struct hypothesis *how,
                                    uint64_t changed)
{
    static float x[ROWS * WIDTH], y[ROWS * WIDTH], importance[WIDTH];
    static uint8_t stored[ROWS * WIDTH * 5];
    struct memory_pair m;
    state = 9;
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = y[i] = random_value();
    for (int i = 0; i < WIDTH; i++)
        importance[i] = 0.1f + fabsf(random_value());
    if (how->via)
        pass_through(how->via, y, x);
    type_rounded(type, how->rounding)
        ->encode(stored, y, ROWS, WIDTH, how->weighted ? importance : NULL);
    if (changed != UINT64_MAX)
        stored[changed * type->block_bytes + 5] ^= 4;
    memory_pair_init(&m, type, stored, x);
    m.pair.importance = importance;
    m.pair.group_rows = ROWS;
    const struct tensor_lineage t = derive_pair(&m);
    memory_pair_release(&m);
    return t;
}

static void every_way_is_found(void **unused)
{
    static const struct type_info *const types[] = {&type_Q4_0, &type_Q4_K, &type_Q6_K,
                                                    &type_IQ4_XS, &type_IQ3_S};
    static const struct type_info *const vias[] = {NULL, &type_F16, &type_BF16, &type_Q8_0};
    (void)unused;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        for (int weighted = 0; weighted < 2; weighted++)
            for (int fused = 0; fused < 2; fused++)
                for (size_t v = 0; v < 4; v++) {
                    const struct hypothesis how = {.weighted = weighted,
                                                   .rounding =
                                                       fused ? ROUNDING_FUSED : ROUNDING_STRICT,
                                                   .via = vias[v]};
                    if (fused && type_rounded(types[k], ROUNDING_FUSED) == types[k])
                        continue;
                    const struct tensor_lineage t = derive(types[k], &how, UINT64_MAX);
                    assert_true(t.derived);
                    assert_int_equal(t.marked, 0);
                    assert_int_equal(t.how.weighted, how.weighted);
                    assert_ptr_equal(t.how.via, how.via);
                    /* of others, both roundings may give the same few blocks */
                    if (types[k] == &type_Q4_K && weighted)
                        assert_int_equal(t.how.rounding, how.rounding);
                    free(t.marks);
                }
}

static void the_changed_block_is_named(void **unused)
{
    const struct hypothesis how = {.weighted = true, .rounding = ROUNDING_FUSED, .via = &type_BF16};
    (void)unused;
    const struct tensor_lineage t = derive(&type_Q4_K, &how, 201);
    assert_true(t.derived);
    assert_int_equal(t.marked, 1);
    assert_int_equal(t.marks[0].block, 201);
    free(t.marks);
}

/* Whether a tensor, made of `from` and but for one block what x gives too, is one that any
 * importance gives of x. */
static bool is_on_grid(const struct type_info *type, const float *from, const float *x)
{
    static uint8_t stored[ROWS * WIDTH];
    struct memory_pair m;
    lq_error err = {0};
    bool out;
    type->encode(stored, from, ROWS, WIDTH, NULL);
    stored[0] ^= 1;
    memory_pair_init(&m, type, stored, x);
    const struct tensor_lineage t = derive_pair(&m);
    assert_true(t.derived && t.marked == 1);
    assert_int_equal(lineage_is_on_grid(&t, &m.pair, &out, &m.options, &err), LQ_OK);
    free(t.marks);
    memory_pair_release(&m);
    return out;
}

static void a_grid_is_known_where_importance_changes_nothing(void **unused)
{
    static float x[ROWS * WIDTH];
    (void)unused;
    state = 10;
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = random_value();
    assert_false(is_on_grid(&type_Q4_1, x, x));
    pass_through(&type_Q4_1, x, x);
    assert_true(is_on_grid(&type_Q4_1, x, x));
}

static void a_grid_is_known_whatever_the_way_to_it(void **unused)
{
    static float x[ROWS * WIDTH], y[ROWS * WIDTH];
    (void)unused;
    state = 11;
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = random_value();
    pass_through(&type_Q5_0, x, x);
    pass_through(&type_F16, x, x);
    pass_through(&type_Q8_0, y, x);
    assert_true(is_on_grid(&type_Q5_0, y, x));
}

/* ---- blocks ---- */

enum { COLS = 512 };

static void each_decoded_value_is_one_of_its_part(void **unused)
{
    static float x[COLS], v[COLS];
    static uint8_t stored[COLS * 5];
    (void)unused;
    state = 5;
    for (int i = 0; i < COLS; i++)
        x[i] = random_value();
    for (size_t t = 0; t < type_count(); t++) {
        const struct type_info *const type = type_at(t);
        const struct block_shape *const s = block_shape_of(type);
        struct block_part parts[BLOCK_PARTS];
        size_t at = 0;
        if (!s)
            continue;
        type->encode(stored, x, 1, COLS, NULL);
        type->decode(v, stored, COLS);
        const size_t n = s->parts(stored, parts);
        for (size_t p = 0; p < n; p++)
            for (size_t i = 0; i < parts[p].len; i++, at++) {
                const double u = ((double)v[at] - parts[p].base) / parts[p].unit;
                const double level = s->flags & SHAPE_MIRRORED ? fabs(u) : u;
                bool found = false;
                for (int k = 0; k < parts[p].n_levels; k++)
                    found =
                        found || fabs(level - (parts[p].levels ? parts[p].levels[k] : k)) < 1e-3;
                if (!found)
                    print_error("%s: element %zu\n", type->name, at);
                assert_true(found);
            }
        assert_int_equal(at, type->block_len);
    }
}

/* Blocks made of `of`, beside x: how far the worst is. */
static float farthest_block(const struct honest *h, const float *x, const float *of, const float *w)
{
    static float v[COLS], again[COLS];
    static uint8_t stored[COLS * 5], again_stored[COLS * 5];
    const struct type_info *const type = h->type;
    float worst = 0;
    type->encode(stored, of, 1, COLS, w);
    type->decode(v, stored, COLS);
    type->encode(again_stored, x, 1, COLS, NULL);
    type->decode(again, again_stored, COLS);
    for (size_t i = 0; i < COLS / type->block_len; i++) {
        const size_t at = i * type->block_len;
        const struct honest_block b = {stored + i * type->block_bytes, v + at, x + at,
                                       again_stored + i * type->block_bytes, again + at};
        const float far = honest_distance(h, &b);
        worst = far > worst ? far : worst;
    }
    return worst;
}

static void honest_blocks_are_not_accused_and_others_are(void **unused)
{
    static float x[COLS], other[COLS], w[COLS];
    (void)unused;
    state = 6;
    for (int i = 0; i < COLS; i++) {
        x[i] = random_value();
        other[i] = random_value();
        w[i] = 0.01f + fabsf(random_value());
    }
    for (size_t t = 0; t < type_count(); t++) {
        const struct honest *const h = honest_of(type_at(t));
        if (!h)
            continue;
        assert_true(farthest_block(h, x, x, w) <= 1);
        if (!(farthest_block(h, x, other, NULL) > 1))
            print_error("%s\n", h->type->name);
        assert_true(farthest_block(h, x, other, NULL) > 1);
        other[3] = (float)NAN;
        assert_true(farthest_block(h, other, x, NULL) == 0 || h->type->block_len < COLS);
        other[3] = 0;
    }
}

/* Elements that are nearly nothing beside the others of a block. */
static void parts_that_are_left_empty_are_honest(void **unused)
{
    static float x[COLS], w[COLS];
    (void)unused;
    state = 13;
    for (int i = 0; i < COLS; i++) {
        x[i] = (i % 256 < 32 ? 1e-16f : 1) * random_value();
        w[i] = 0.01f + fabsf(random_value());
    }
    for (size_t t = 0; t < type_count(); t++) {
        const struct honest *const h = honest_of(type_at(t));
        if (h && !(farthest_block(h, x, x, w) <= 1))
            print_error("%s\n", h->type->name);
        assert_true(!h || farthest_block(h, x, x, w) <= 1);
    }
}

/* The types whose elements share the entries of a codebook. */
static const struct type_info *const book_types[] = {
    &type_IQ2_XXS, &type_IQ2_XS, &type_IQ2_S, &type_IQ3_XXS, &type_IQ3_S, &type_IQ1_S, &type_IQ1_M};
enum { BOOK_TYPES = sizeof book_types / sizeof *book_types };

/* Then the scale is fitted to the small elements, and far below the one that chose the codes. */
static void importance_in_the_smallest_elements_is_honest(void **unused)
{
    static float x[COLS], w[COLS];
    (void)unused;
    state = 12;
    for (int i = 0; i < COLS; i++) {
        const bool small = i % 8 == 3;
        x[i] = small ? 0.01f : random_value();
        w[i] = small ? 1 : 1e-7f;
    }
    for (int t = 0; t < BOOK_TYPES; t++) {
        struct honest h = *honest_of(book_types[t]);
        h.bound[HONEST_CODES] = 1.001f; /* what follows from the lists of neighbours */
        h.bound[HONEST_PART] = h.bound[HONEST_BLOCK] = INFINITY;
        assert_true(farthest_block(&h, x, x, w) <= 1);
    }
}

/* Without their signs, and whatever the error. */
static void entries_of_other_values_are_found(void **unused)
{
    static float x[COLS], other[COLS], w[COLS];
    (void)unused;
    state = 14;
    for (int i = 0; i < COLS; i++) {
        x[i] = fabsf(random_value());
        other[i] = fabsf(random_value());
        w[i] = 0.01f + fabsf(random_value());
    }
    for (int t = 0; t < BOOK_TYPES; t++) {
        struct honest h = *honest_of(book_types[t]);
        h.bound[HONEST_PART] = h.bound[HONEST_BLOCK] = INFINITY;
        if (!(farthest_block(&h, x, other, w) > 1))
            print_error("%s\n", h.type->name);
        assert_true(farthest_block(&h, x, other, w) > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(copies_and_others_are_told_apart),
        temp_test(low_rank_has_its_rank),
        temp_test(full_change_has_no_low_rank),
        temp_test(merges_give_their_weights),
        temp_test(spherical_merges_are_told_from_linear_ones),
        temp_test(merges_of_near_models_have_free_weights),
        temp_test(values_on_a_coarser_grid_were_rounded_to_it),
        temp_test(what_the_base_has_rounded_is_no_fine_tuning),
        temp_test(layers_of_two_models_are_attributed),
        temp_test(the_order_of_the_bases_does_not_matter),
        temp_test(moved_layers_are_found),
        temp_test(more_tokens_are_found),
        temp_test(more_tokens_than_the_second_base_has_are_found),
        cmocka_unit_test(every_way_is_found),
        cmocka_unit_test(the_changed_block_is_named),
        cmocka_unit_test(a_grid_is_known_where_importance_changes_nothing),
        cmocka_unit_test(a_grid_is_known_whatever_the_way_to_it),
        cmocka_unit_test(each_decoded_value_is_one_of_its_part),
        cmocka_unit_test(honest_blocks_are_not_accused_and_others_are),
        cmocka_unit_test(parts_that_are_left_empty_are_honest),
        cmocka_unit_test(importance_in_the_smallest_elements_is_honest),
        cmocka_unit_test(entries_of_other_values_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
