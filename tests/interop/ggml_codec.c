/* ggml_codec.c -- every tensor type against the ggml library: the same bytes from the same numbers,
 * the same numbers from the same bytes. Linked with libggml-base; see scripts/interop-codec.
 *
 *   ggml_codec [--share] [--rounding strict|fused] [TYPE ...]
 *
 * --share counts the blocks that are the same instead of looking for one that is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ggml.h"
#include "libquant/codec/kernels.h"
#include "tests/codec_data.h"

enum { ROWS = 24, COLS = 2048, ELEMENTS = ROWS * COLS };

/* Exported by libggml-base, but not reachable through the table of types. */
void quantize_row_q8_1_ref(const float *x, void *y, int64_t k);
void quantize_row_q8_K_ref(const float *x, void *y, int64_t k);
void dequantize_row_q8_K(const void *x, float *y, int64_t k);

static float input[ELEMENTS], weights[COLS], ours[ELEMENTS], theirs[ELEMENTS];
static uint8_t our_bytes[ELEMENTS * 8], *their_bytes; /* the latter shared with child processes */
static int passed, failed, aborted;
static enum rounding rounding = ROUNDING_STRICT;

static void result(bool ok, const char *type, const char *what, const char *data, size_t where)
{
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("FAIL %s: %s, %s: at or count %zu\n", type, what, data, where);
    fflush(stdout);
}

/* Two NaNs are equal: which of two operands gives its payload is up to the compiler. */
static size_t first_number(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (f32_bits(a[i]) != f32_bits(b[i]) && !(isnan(a[i]) && isnan(b[i])))
            return i;
    return n;
}

/* Whether ggml can encode the type. */
static bool reference_encodes(const struct type_info *type)
{
    return type->encode && type->id != GGML_TYPE_F64;
}

static void reference_encode(const struct type_info *type, void *dst, const float *src, size_t rows,
                             size_t cols, const float *importance)
{
    const enum ggml_type id = (enum ggml_type)type->id;

    if (id == GGML_TYPE_Q8_1)
        quantize_row_q8_1_ref(src, dst, (int64_t)(rows * cols));
    else if (id == GGML_TYPE_Q8_K)
        quantize_row_q8_K_ref(src, dst, (int64_t)(rows * cols));
    else
        ggml_quantize_chunk(id, src, dst, 0, (int64_t)rows, (int64_t)cols, importance);
}

/* reference_encode in a child process, as ggml aborts on some data. False where it did. */
static bool reference_survives(const struct type_info *type, const float *importance)
{
    int status;
    const pid_t child = fork();

    if (child == 0) {
        freopen("/dev/null", "w", stdout);
        reference_encode(type, their_bytes, input, ROWS, COLS, importance);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* First byte of the first block that differs and that one side accepts. The sign of a NaN scale is
 * up to the compiler, and files with such a scale are refused. */
static size_t first_block(const struct type_info *type, const uint8_t *a, const uint8_t *b,
                          size_t bytes)
{
    for (size_t at = 0; at < bytes; at += type->block_bytes) {
        if (memcmp(a + at, b + at, type->block_bytes) == 0)
            continue;
        if (!type->check || type->check(a + at, type->block_len) == type->block_len ||
            type->check(b + at, type->block_len) == type->block_len)
            return at;
    }
    return bytes;
}

/* Blocks compared, and those that are the same, by what they are made of. */
static struct share {
    size_t blocks, same;
} plain_share, weighted_share, decode_share;

static bool sharing; /* --share */

static void count_blocks(const struct type_info *type, const float *importance)
{
    struct share *const share = importance ? &weighted_share : &plain_share;
    const size_t blocks = (size_t)ELEMENTS / type->block_len;
    size_t same = 0;

    for (size_t i = 0; i < blocks; i++)
        same += first_block(type, our_bytes + i * type->block_bytes,
                            their_bytes + i * type->block_bytes,
                            type->block_bytes) == type->block_bytes;
    share->blocks += blocks;
    share->same += same;
}

/* The scalar encoder and what this CPU runs in its place. */
static void compare_encode(const struct type_info *type, const struct generator *g,
                           const char *what, const float *importance)
{
    const size_t bytes = (size_t)ELEMENTS / type->block_len * type->block_bytes;
    type_encode_fn *const kernel = kernel_for(type, isa_detect()).encode;

    memset(their_bytes, 0, bytes);
    if (!reference_survives(type, importance)) {
        aborted++;
        return;
    }
    for (int i = 0; i < 2 && (i == 0 || kernel != type->encode); i++) {
        memset(our_bytes, 0, bytes);
        (i ? kernel : type->encode)(our_bytes, input, ROWS, COLS, importance);
        if (sharing) {
            count_blocks(type, importance);
            continue;
        }
        const size_t where = first_block(type, our_bytes, their_bytes, bytes);
        result(where == bytes, type->name, what, g->name, where);
    }
}

/* Data whose results are casts that C leaves undefined: they differ between x86 and Arm, however
 * sums are rounded. Not for --share. */
static bool undefined_for(const char *data)
{
    static const char *const names[] = {"denormal", "huge", "nan", "bits"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], data) == 0)
            return true;
    return false;
}

static void encode_type(const struct type_info *type)
{
    static const char *const kinds[] = {"encode, importance", "encode, importance with zeros",
                                        "encode, constant importance"};
    const bool needs = ggml_quantize_requires_imatrix((enum ggml_type)type->id);

    ggml_quantize_init((enum ggml_type)type->id); /* once, not in every child */
    if (needs != ((type->flags & TYPE_NEEDS_IMPORTANCE) != 0))
        result(false, type->name, "needs importance", "", 0);
    for (size_t i = 0; i < GENERATORS; i++) {
        struct rng r = {i + 1};
        if (sharing && undefined_for(generators[i].name))
            continue;
        generators[i].fill(&r, input, ELEMENTS);
        if (!needs)
            compare_encode(type, &generators[i], "encode", NULL);
        for (int kind = 0; kind < IMPORTANCE_KINDS; kind++) {
            fill_importance(&r, kind, weights, COLS);
            compare_encode(type, &generators[i], kinds[kind], weights);
        }
    }
}

/* Random bytes are random codes under random scales, NaN and infinite ones among them. */
static void decode_type(const struct type_info *type, type_decode_fn *decode)
{
    const struct ggml_type_traits *const traits = ggml_get_type_traits((enum ggml_type)type->id);
    const size_t bytes = (size_t)ELEMENTS / type->block_len * type->block_bytes;
    struct rng r = {42};

    for (int round = 0; round < 8; round++) {
        for (size_t i = 0; i < bytes; i++)
            our_bytes[i] = (uint8_t)rng_next(&r);
        if (type->id == GGML_TYPE_Q8_K)
            dequantize_row_q8_K(our_bytes, theirs, ELEMENTS);
        else if (traits->to_float)
            traits->to_float(our_bytes, theirs, ELEMENTS);
        else
            return;
        decode(ours, our_bytes, ELEMENTS);
        const size_t where = first_number(ours, theirs, ELEMENTS);
        if (sharing) {
            decode_share.blocks++;
            decode_share.same += where == ELEMENTS;
            continue;
        }
        result(where == ELEMENTS, type->name, "decode", "random bytes", where);
    }
}

/* ggml_validate_row_data and `check` refuse the same rows. Of an F64 it checks the value as single,
 * Q8_1 it does not know. */
static void check_type(const struct type_info *type)
{
    struct rng r = {7};
    size_t differences = 0;

    if (type->id == GGML_TYPE_F64 || type->id == GGML_TYPE_Q8_1)
        return;
    for (int round = 0; round < 2000; round++) {
        const size_t bytes = type->block_bytes;
        for (size_t i = 0; i < bytes; i++)
            our_bytes[i] = (uint8_t)rng_next(&r);
        if (round % 2) /* one of many patterns that only an all-ones exponent makes invalid */
            memset(our_bytes + rng_below(&r, (uint32_t)bytes), 0xff, 1);
        const bool theirs_ok = ggml_validate_row_data((enum ggml_type)type->id, our_bytes, bytes);
        const bool ours_ok =
            !type->check || type->check(our_bytes, type->block_len) == type->block_len;
        differences += ours_ok != theirs_ok;
    }
    result(differences == 0, type->name, "check", "random bytes", differences);
}

static void test_type(const struct type_info *type)
{
    const enum ggml_type id = (enum ggml_type)type->id;

    result(ggml_blck_size(id) == type->block_len, type->name, "elements of a block", "", 0);
    result(ggml_type_size(id) == type->block_bytes, type->name, "bytes of a block", "", 0);
    if (reference_encodes(type))
        encode_type(type);
    if (type->decode)
        decode_type(type, type->decode);
    check_type(type);
}

/* Also the conversions themselves, for every seventh single-precision number. (All have been
 * compared once; that takes half a minute.) */
static void test_halves(void)
{
    uint64_t half = 0, bf16 = 0, rounded = 0;

    for (uint64_t u = 0; u < UINT64_C(1) << 32; u += 7) {
        const float f = f32_from_bits((uint32_t)u);
        half += f32_to_f16(f) != ggml_fp32_to_fp16(f);
        bf16 += f32_to_bf16(f) != ggml_fp32_to_bf16(f).bits;
        rounded += round_i32(f) != f32_to_i32(roundf(f));
    }
    result(half == 0, "F16", "single-precision numbers", "", (size_t)half);
    result(bf16 == 0, "BF16", "single-precision numbers", "", (size_t)bf16);
    result(rounded == 0, "I32", "roundf of single-precision numbers", "", (size_t)rounded);
}

/* "100 %" is all of them; the figure is not rounded up. */
static void print_share(const struct share *s)
{
    if (s->blocks == 0)
        printf(" %12s", "-");
    else
        printf(" %10.4f %%", (double)(s->same * 1000000 / s->blocks) / 10000.0);
}

/* One line of a table; a type passes if all is the same. */
static void share_type(const struct type_info *type)
{
    plain_share = weighted_share = decode_share = (struct share){0, 0};
    if (reference_encodes(type))
        encode_type(type);
    if (type->decode)
        decode_type(type, type->decode);
    if (plain_share.blocks + weighted_share.blocks + decode_share.blocks == 0)
        return;
    printf("%-8s", type->name);
    print_share(&plain_share);
    print_share(&weighted_share);
    print_share(&decode_share);
    printf(" %10zu\n", plain_share.blocks + weighted_share.blocks);
    fflush(stdout);
    if (plain_share.same == plain_share.blocks && weighted_share.same == weighted_share.blocks &&
        decode_share.same == decode_share.blocks)
        passed++;
    else
        failed++;
}

static bool wanted(const char *name, int argc, char **argv, int first)
{
    for (int i = first; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return first >= argc;
}

int main(int argc, char **argv)
{
    int first = 1;

    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
        sharing = sharing || strcmp(argv[first], "--share") == 0;
        if (strcmp(argv[first], "--rounding") == 0 &&
            (++first == argc || !rounding_by_name(argv[first], &rounding)))
            return 2;
    }
    setenv("GGML_NO_BACKTRACE", "1", 1);
    their_bytes =
        mmap(NULL, sizeof our_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (their_bytes == MAP_FAILED)
        return 4;
    freopen("/dev/null", "w", stderr);     /* ggml_validate_row_data tells every row it refuses */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* nothing is left for a child process to write again */
    if (sharing)
        printf("%-8s %12s %12s %12s %10s\n", "type", "encode", "importance", "decode", "blocks");
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const type = type_rounded(type_at(i), rounding);
        if (type->id >= GGML_TYPE_COUNT || !wanted(type->name, argc, argv, first))
            continue;
        (sharing ? share_type : test_type)(type);
    }
    if (!sharing && wanted("F16", argc, argv, first))
        test_halves();
    if (aborted)
        printf("not compared, as ggml aborts: %d\n", aborted);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
