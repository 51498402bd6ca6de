/* test_model_open_faults.c -- opening and laying out when memory runs out or the disk fails, at
 * every single point: always an error, never a crash, nothing left allocated.
 */
#include "formats/safetensors.h"
#include "tests/unit/format_support.h"
#include "tests/unit/temp_folder.h"

#include <errno.h>

/* ---- an allocator that fails when it is told to ---- */

#if defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#ifndef OWN_ALLOCATOR
#ifdef __GLIBC__
#define OWN_ALLOCATOR 1
#else
#define OWN_ALLOCATOR 0
#endif
#endif

static bool armed;
static long until_failure; /* the allocation that fails, counted down; below 0: none */
static long balance;       /* allocations minus releases while armed */

/* LQ_API: the C library's own calls must find these, too. */
#if OWN_ALLOCATOR
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

static bool fails(void)
{
    if (!armed || until_failure < 0 || until_failure-- > 0)
        return false;
    errno = ENOMEM;
    return true;
}

static void *counted(void *p)
{
    balance += armed && p;
    return p;
}

LQ_API void *malloc(size_t n)
{
    return fails() ? NULL : counted(__libc_malloc(n));
}

LQ_API void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(n, size));
}

LQ_API void *realloc(void *p, size_t n)
{
    if (fails())
        return NULL;
    return p ? __libc_realloc(p, n) : counted(__libc_malloc(n));
}

LQ_API void free(void *p)
{
    balance -= armed && p;
    __libc_free(p);
}
#endif

/* ---- the work that is disturbed ---- */

struct work {
    const char *path;
    lq_status (*run)(const struct work *w, lq_error *err);
};

static lq_status open_model(const struct work *w, lq_error *err)
{
    struct catalog c = {0};
    const lq_status status = model_open(&c, w->path, err);
    if (status != LQ_OK && c.arena.chunk)
        return LQ_OK; /* not released: reported as an error that was swallowed */
    catalog_release(&c);
    return status;
}

static lq_status open_and_lay_out(const struct work *w, lq_error *err)
{
    struct catalog c = {0};
    struct text t = {0};
    lq_status status = model_open(&c, w->path, err);
    if (status == LQ_OK) {
        const struct format *const f = c.format->layout ? c.format : &format_safetensors;
        status = f->layout(&c, 0, &t, err);
        if (status == LQ_OK && f == &format_safetensors)
            status = safetensors_index(&c, &t, err);
    }
    text_free(&t);
    catalog_release(&c);
    return status;
}

static void write_models(void)
{
    struct text t = {0};
    put_gguf(&t, 3, 1, 5);
    put_meta_string(&t, "general.architecture", "llama");
    put_meta(&t, "tokens", META_ARRAY), put_u32(&t, META_STRING), put_u64(&t, 2);
    put_string(&t, "a"), put_string(&t, "b");
    put_meta(&t, "split.no", META_U16), put_u16(&t, 0);
    put_meta(&t, "split.count", META_U16), put_u16(&t, 2);
    put_meta_u32(&t, "split.tensors.count", 2);
    put_vector(&t, "a", 8, 0);
    put_padding(&t, 32), put_zeros(&t, 32);
    temp_write("m-00001-of-00002.gguf", t.data, t.len);
    text_free(&t);
    put_gguf(&t, 3, 1, 2);
    put_meta(&t, "split.no", META_U16), put_u16(&t, 1);
    put_meta(&t, "split.count", META_U16), put_u16(&t, 2);
    put_vector(&t, "b", 8, 0);
    put_padding(&t, 32), put_zeros(&t, 32);
    temp_write("m-00002-of-00002.gguf", t.data, t.len);
    text_free(&t);
    temp_mkdir("hf");
    put_safetensors(&t,
                    "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
                    "\"data_offsets\":[0,1]}}",
                    1);
    temp_write("hf/model-00001-of-00002.safetensors", t.data, t.len);
    text_free(&t);
    put_safetensors(&t, "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    temp_write("hf/model-00002-of-00002.safetensors", t.data, t.len);
    text_free(&t);
    temp_write_text("hf/model.safetensors.index.json",
                    "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
                    "\"b\":\"model-00002-of-00002.safetensors\"}}");
}

/* Fails each allocation in turn, until the work succeeds because there are no more. */
static void run_out_of_memory_everywhere(const struct work *w)
{
    char message[2048];
    lq_error err = {0};
    if (w->run(w, &err) != LQ_OK)
        fail_msg("fails by itself: %s", lq_error_text(&err, message, sizeof message));
    for (long n = 0; OWN_ALLOCATOR; n++) {
        err = (lq_error){0};
        balance = 0;
        until_failure = n;
        armed = true;
        const lq_status status = w->run(w, &err);
        const bool failed = until_failure < 0;
        armed = false;
        if (balance != 0)
            fail_msg("allocation %ld failed: %ld not released", n, balance);
        if (failed != (status != LQ_OK))
            fail_msg("allocation %ld failed: status %d", n, (int)status);
        if (!failed)
            break;
        if (status != LQ_E_MEMORY)
            fail_msg("allocation %ld failed: %s", n, lq_error_text(&err, message, sizeof message));
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    if (!OWN_ALLOCATOR)
        skip();
    write_models();
    run_out_of_memory_everywhere(&(struct work){temp_path("m-00001-of-00002.gguf"), open_model});
    run_out_of_memory_everywhere(&(struct work){temp_path("hf"), open_model});
    run_out_of_memory_everywhere(
        &(struct work){temp_path("hf/model-00001-of-00002.safetensors"), open_model});
    run_out_of_memory_everywhere(
        &(struct work){temp_path("m-00001-of-00002.gguf"), open_and_lay_out});
    run_out_of_memory_everywhere(&(struct work){temp_path("hf"), open_and_lay_out});
}

/* ---- reads that fail ---- */

static long reads_left;
static lq_status (*real_read)(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err);

static lq_status failing_read(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err)
{
    if (reads_left-- == 0)
        return lq_fail_at(err, LQ_E_IO, s->name, (int64_t)at, "broken disk");
    return real_read(s, dst, n, at, err);
}

/* A folder on disk whose sources fail. */
struct failing_folder {
    struct resolver base;
    struct resolver *real;
};

static lq_status failing_open(struct resolver *r, const char *name, struct source **out,
                              lq_error *err)
{
    struct resolver *const real = ((struct failing_folder *)(void *)r)->real;
    const lq_status status = real->open(real, name, out, err);
    if (status == LQ_OK) {
        real_read = (*out)->read;
        (*out)->read = failing_read;
    }
    return status;
}

static bool failing_exists(struct resolver *r, const char *name)
{
    struct resolver *const real = ((struct failing_folder *)(void *)r)->real;
    return real->exists(real, name);
}

static void check_reads(const char *folder, const char *name)
{
    struct failing_folder f = {
        .base = {.open = failing_open, .exists = failing_exists}
    };
    assert_int_equal(resolver_open_folder(&f.real, folder, NULL), LQ_OK);
    for (long n = 0;; n++) {
        struct catalog c = {0};
        struct source *s;
        lq_error err = {0};
        reads_left = -1;
        assert_int_equal(failing_open(&f.base, name, &s, NULL), LQ_OK);
        reads_left = n;
        const lq_status status = model_open_source(&c, s, &f.base, &err);
        if (reads_left >= 0) {
            assert_int_equal(status, LQ_OK);
            catalog_release(&c);
            assert_true(n > 2);
            break;
        }
        assert_int_equal(status, LQ_E_IO);
        assert_string_equal(err.message, "broken disk");
        assert_null(c.files);
    }
    resolver_close(f.real);
}

static void every_read_may_fail(void **state)
{
    (void)state;
    write_models();
    check_reads(temp_folder, "m-00001-of-00002.gguf");
    check_reads(temp_path("hf"), "model.safetensors.index.json");
    check_reads(temp_path("hf"), "model-00001-of-00002.safetensors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(every_allocation_may_fail),
        temp_test(every_read_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
