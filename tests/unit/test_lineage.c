/* test_lineage.c -- models of known descent are told apart, and blocks of every type are unpacked
 * as they are decoded. */
#include <math.h>

#include "libquant/codec/kernels.h"
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
    float *embedding;          /* [tokens + EXTRA][SIZE] */
    float *matrix[2 * LAYERS]; /* [SIZE][SIZE] */
    float *norm;               /* [SIZE], of all layers */
};

static float *random_matrix(size_t rows)
{
    float *const x = malloc(rows * SIZE * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < rows * SIZE; i++)
        x[i] = 0.1f * random_value();
    return x;
}

static struct small_model model_new(uint32_t seed)
{
    struct small_model m = {.layers = LAYERS, .tokens = TOKENS};
    state = seed;
    m.embedding = random_matrix(TOKENS + EXTRA);
    m.norm = random_matrix(1);
    for (int i = 0; i < 2 * LAYERS; i++)
        m.matrix[i] = random_matrix(SIZE);
    return m;
}

static void model_free(struct small_model *m)
{
    free(m->embedding);
    free(m->norm);
    for (int i = 0; i < 2 * LAYERS; i++)
        free(m->matrix[i]);
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
        fwrite(m->matrix[i], matrix, 1, f);
        fwrite(m->norm, norm, 1, f);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

static void find(struct lineage *l, const char *claimed, const char *const *bases, size_t n)
{
    const struct lineage_options o = {.isa = isa_detect(), .threads = 2};
    lq_error err = {0};
    memset(l, 0, sizeof *l);
    const lq_status status = lineage_find(l, claimed, bases, n, &o, &err);
    if (status != LQ_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, LQ_OK);
}

static void expect(const char *claimed, const char *base, enum lineage_verdict verdict)
{
    struct lineage l;
    find(&l, claimed, &base, 1);
    if (l.verdict != verdict)
        print_error("%s: %s\n", lineage_verdict_name(l.verdict), l.why);
    assert_int_equal(l.verdict, verdict);
    lineage_release(&l);
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
    struct small_model a = model_new(1), b = model_new(2);
    (void)unused;
    const char *const base = model_write(&a, "base.safetensors");
    expect(base, base, LINEAGE_IDENTICAL);
    expect(model_write(&b, "other.safetensors"), base, LINEAGE_UNRELATED);
    model_free(&a);
    model_free(&b);
}

static void low_rank_has_its_rank(void **unused)
{
    struct small_model a = model_new(1), b = model_new(1);
    struct lineage l;
    (void)unused;
    state = 77;
    float *const down = random_matrix(5), *const up = random_matrix(5);
    for (int r = 0; r < SIZE; r++)
        for (int c = 0; c < SIZE; c++) {
            double sum = (double)b.matrix[1][r * SIZE + c];
            for (int k = 0; k < 5; k++)
                sum += (double)up[k * SIZE + r] * (double)down[k * SIZE + c];
            b.matrix[1][r * SIZE + c] = (float)sum;
        }
    const char *const base = model_write(&a, "base.safetensors");
    find(&l, model_write(&b, "lora.safetensors"), &base, 1);
    assert_int_equal(l.verdict, LINEAGE_TUNED);
    const struct tensor_lineage *const t = tensor_of(&l, "layers.1.w");
    assert_int_equal(t->verdict, LINEAGE_TUNED);
    assert_true(t->rank.low);
    assert_int_equal(t->rank.rank, 5);
    assert_int_equal(tensor_of(&l, "layers.0.w")->verdict, LINEAGE_IDENTICAL);
    lineage_release(&l);
    free(down);
    free(up);
    model_free(&a);
    model_free(&b);
}

static void full_change_has_no_low_rank(void **unused)
{
    struct small_model a = model_new(1), b = model_new(1);
    struct lineage l;
    (void)unused;
    state = 78;
    for (int i = 0; i < SIZE * SIZE; i++)
        b.matrix[1][i] += 0.01f * random_value();
    const char *const base = model_write(&a, "base.safetensors");
    find(&l, model_write(&b, "tuned.safetensors"), &base, 1);
    assert_int_equal(l.verdict, LINEAGE_TUNED);
    assert_false(tensor_of(&l, "layers.1.w")->rank.low);
    assert_true(fabs(tensor_of(&l, "layers.1.w")->change - 0.1) < 0.01);
    lineage_release(&l);
    model_free(&a);
    model_free(&b);
}

static void merges_give_their_weights(void **unused)
{
    struct small_model a = model_new(1), b = model_new(2), c = model_new(1);
    struct lineage l;
    (void)unused;
    for (int m = 0; m < LAYERS; m++)
        for (int i = 0; i < SIZE * SIZE; i++)
            c.matrix[m][i] = 0.75f * a.matrix[m][i] + 0.25f * b.matrix[m][i];
    for (int i = 0; i < TOKENS * SIZE; i++)
        c.embedding[i] = 0.75f * a.embedding[i] + 0.25f * b.embedding[i];
    const char *const bases[2] = {model_write(&a, "a.safetensors"),
                                  model_write(&b, "b.safetensors")};
    find(&l, model_write(&c, "c.safetensors"), bases, 2);
    assert_int_equal(l.verdict, LINEAGE_MERGED);
    const struct tensor_lineage *const t = tensor_of(&l, "layers.2.w");
    assert_true(t->fitted && !t->spherical);
    assert_true(fabs(t->weight[0] - 0.75) < 1e-4 && fabs(t->weight[1] - 0.25) < 1e-4);
    lineage_release(&l);
    model_free(&a);
    model_free(&b);
    model_free(&c);
}

/* Weights s of (1 - t) and t on the arc between two vectors of angle pi / 2, nearly that of
 * independent ones: sin((1 - t) angle) / sin(angle). Here t = 0.5 on the exact angle of each pair.
 */
static void spherical_merges_are_told_from_linear_ones(void **unused)
{
    struct small_model a = model_new(1), b = model_new(2), c = model_new(1);
    struct lineage l;
    (void)unused;
    for (int m = 0; m < LAYERS; m++) {
        double aa = 0, bb = 0, ab = 0;
        for (int i = 0; i < SIZE * SIZE; i++) {
            aa += (double)a.matrix[m][i] * (double)a.matrix[m][i];
            bb += (double)b.matrix[m][i] * (double)b.matrix[m][i];
            ab += (double)a.matrix[m][i] * (double)b.matrix[m][i];
        }
        const double half = 1 / sqrt(2 + 2 * ab / sqrt(aa * bb)); /* sin(x / 2) / sin(x) */
        for (int i = 0; i < SIZE * SIZE; i++)
            c.matrix[m][i] = (float)(half * (double)a.matrix[m][i] + half * (double)b.matrix[m][i]);
    }
    const char *const bases[2] = {model_write(&a, "a.safetensors"),
                                  model_write(&b, "b.safetensors")};
    find(&l, model_write(&c, "c.safetensors"), bases, 2);
    assert_int_equal(l.verdict, LINEAGE_MERGED);
    assert_true(tensor_of(&l, "layers.0.w")->spherical);
    lineage_release(&l);
    model_free(&a);
    model_free(&b);
    model_free(&c);
}

static void layers_of_two_models_are_attributed(void **unused)
{
    struct small_model a = model_new(1), b = model_new(2);
    struct lineage l;
    (void)unused;
    const char *const bases[2] = {model_write(&a, "a.safetensors"),
                                  model_write(&b, "b.safetensors")};
    float *const swapped = a.matrix[1];
    a.matrix[1] = b.matrix[1];
    b.matrix[1] = swapped;
    find(&l, model_write(&a, "c.safetensors"), bases, 2);
    assert_int_equal(l.verdict, LINEAGE_MERGED);
    assert_int_equal(tensor_of(&l, "layers.0.w")->from, 0);
    assert_int_equal(tensor_of(&l, "layers.1.w")->from, 1);
    lineage_release(&l);
    model_free(&a);
    model_free(&b);
}

static void moved_layers_are_found(void **unused)
{
    struct small_model a = model_new(1);
    struct lineage l;
    (void)unused;
    const char *const base = model_write(&a, "base.safetensors");
    float *const first = a.matrix[0];
    a.matrix[0] = a.matrix[2];
    a.matrix[2] = first;
    find(&l, model_write(&a, "swapped.safetensors"), &base, 1);
    assert_int_equal(l.verdict, LINEAGE_PARTIAL);
    assert_int_equal(l.layers[0].layer, 2);
    assert_int_equal(l.layers[1].layer, 1);
    lineage_release(&l);
    a.layers = 2; /* layers 2 and 1 of the base */
    find(&l, model_write(&a, "pruned.safetensors"), &base, 1);
    assert_int_equal(l.verdict, LINEAGE_PARTIAL);
    assert_int_equal(l.layers[0].layer, 2);
    assert_int_equal(tensor_of(&l, "layers.0.w")->verdict, LINEAGE_IDENTICAL);
    lineage_release(&l);
    model_free(&a);
}

static void more_tokens_are_found(void **unused)
{
    struct small_model a = model_new(1);
    struct lineage l;
    (void)unused;
    const char *const base = model_write(&a, "base.safetensors");
    a.tokens = TOKENS + EXTRA;
    find(&l, model_write(&a, "extended.safetensors"), &base, 1);
    assert_int_equal(l.verdict, LINEAGE_PARTIAL);
    assert_true(tensor_of(&l, "embed_tokens.weight")->more_rows);
    assert_int_equal(tensor_of(&l, "embed_tokens.weight")->verdict, LINEAGE_IDENTICAL);
    lineage_release(&l);
    model_free(&a);
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

/* Derives the tensor that `how` makes, with one block changed where it is not UINT64_MAX. */
static struct tensor_lineage derive(const struct type_info *type, const struct hypothesis *how,
                                    uint64_t changed)
{
    static float x[ROWS * WIDTH], y[ROWS * WIDTH], importance[WIDTH];
    static uint8_t stored[ROWS * WIDTH * 5];
    struct catalog base = {0}, claimed = {0};
    struct tensor_lineage t = {0};
    struct hypothesis last = {.copy = true};
    const struct pass_options o = {.isa = isa_detect(), .rooms = pass_rooms_new(0)};
    lq_error err = {0};
    state = 9;
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = y[i] = random_value();
    for (int i = 0; i < WIDTH; i++)
        importance[i] = 0.1f + fabsf(random_value());
    if (how->via) {
        how->via->encode(stored, x, ROWS, WIDTH, NULL);
        how->via->decode(y, stored, ROWS * WIDTH);
    }
    type_rounded(type, how->rounding)
        ->encode(stored, y, ROWS, WIDTH, how->weighted ? importance : NULL);
    if (changed != UINT64_MAX)
        stored[changed * type->block_bytes + 5] ^= 4;
    const struct tensor *const a = memory_model(&claimed, type, stored);
    const struct tensor *const b = memory_model(&base, &type_F32, x);
    const struct lineage_pair p = {.claimed = compared_tensor(&claimed, &a),
                                   .base = {compared_tensor(&base, &b)},
                                   .base_tensor = {b},
                                   .n_bases = 1,
                                   .rows = ROWS,
                                   .cols = WIDTH,
                                   .type = type,
                                   .precision = type,
                                   .importance = importance,
                                   .group_rows = ROWS};
    assert_int_equal(lineage_derive(&t, &p, &last, &o, &err), LQ_OK);
    pass_rooms_free(o.rooms);
    catalog_release(&base);
    catalog_release(&claimed);
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
    struct catalog base = {0}, claimed = {0};
    struct tensor_lineage t = {0};
    struct hypothesis last = {.copy = true};
    const struct pass_options o = {.isa = isa_detect(), .rooms = pass_rooms_new(0)};
    lq_error err = {0};
    bool out;
    type->encode(stored, from, ROWS, WIDTH, NULL);
    stored[0] ^= 1;
    const struct tensor *const a = memory_model(&claimed, type, stored);
    const struct tensor *const b = memory_model(&base, &type_F32, x);
    const struct lineage_pair p = {.claimed = compared_tensor(&claimed, &a),
                                   .base = {compared_tensor(&base, &b)},
                                   .base_tensor = {b},
                                   .n_bases = 1,
                                   .rows = ROWS,
                                   .cols = WIDTH,
                                   .type = type,
                                   .precision = type};
    assert_int_equal(lineage_derive(&t, &p, &last, &o, &err), LQ_OK);
    assert_true(t.derived && t.marked == 1);
    assert_int_equal(lineage_is_on_grid(&t, &p, &out, &o, &err), LQ_OK);
    free(t.marks);
    pass_rooms_free(o.rooms);
    catalog_release(&base);
    catalog_release(&claimed);
    return out;
}

static void a_grid_is_known_where_importance_changes_nothing(void **unused)
{
    static float x[ROWS * WIDTH];
    static uint8_t stored[ROWS * WIDTH];
    (void)unused;
    state = 10;
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = random_value();
    assert_false(is_on_grid(&type_Q4_1, x, x));
    type_Q4_1.encode(stored, x, ROWS, WIDTH, NULL);
    type_Q4_1.decode(x, stored, ROWS * WIDTH);
    assert_true(is_on_grid(&type_Q4_1, x, x));
}

static void a_grid_is_known_whatever_the_way_to_it(void **unused)
{
    static float x[ROWS * WIDTH], y[ROWS * WIDTH];
    static uint8_t stored[ROWS * WIDTH * 2];
    (void)unused;
    state = 11;
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = random_value();
    type_Q5_0.encode(stored, x, ROWS, WIDTH, NULL);
    type_Q5_0.decode(x, stored, ROWS * WIDTH);
    type_F16.encode(stored, x, ROWS, WIDTH, NULL);
    type_F16.decode(x, stored, ROWS * WIDTH);
    type_Q8_0.encode(stored, x, ROWS, WIDTH, NULL);
    type_Q8_0.decode(y, stored, ROWS * WIDTH);
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

/* Then the scale is fitted to the small elements, and far below the one that chose the codes. */
static void importance_in_the_smallest_elements_is_honest(void **unused)
{
    static const struct type_info *const types[] = {&type_IQ2_XXS, &type_IQ2_XS, &type_IQ2_S};
    static float x[COLS], w[COLS];
    (void)unused;
    state = 12;
    for (int i = 0; i < COLS; i++) {
        const bool small = i % 8 == 3;
        x[i] = small ? 0.01f : random_value();
        w[i] = small ? 1 : 1e-7f;
    }
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        struct honest h = *honest_of(types[t]);
        h.bound[HONEST_CODES] =
            10; /* alone; they are nearer than the bound that all have to keep */
        h.bound[HONEST_PART] = h.bound[HONEST_BLOCK] = INFINITY;
        assert_true(farthest_block(&h, x, x, w) <= 1);
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
        temp_test(layers_of_two_models_are_attributed),
        temp_test(moved_layers_are_found),
        temp_test(more_tokens_are_found),
        cmocka_unit_test(every_way_is_found),
        cmocka_unit_test(the_changed_block_is_named),
        cmocka_unit_test(a_grid_is_known_where_importance_changes_nothing),
        cmocka_unit_test(a_grid_is_known_whatever_the_way_to_it),
        cmocka_unit_test(each_decoded_value_is_one_of_its_part),
        cmocka_unit_test(honest_blocks_are_not_accused_and_others_are),
        cmocka_unit_test(importance_in_the_smallest_elements_is_honest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
