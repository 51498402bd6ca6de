/* test_model_open.c -- recognising what a file is, by its content, or saying what it is not. */
#include "tests/unit/format_support.h"
#include "tests/unit/temp_folder.h"

static void refuse_bytes(const char *name, const char *data, size_t n, lq_status status,
                         const char *says)
{
    check_refused(open_named(name, data, n, NULL), status, says);
}

#define REFUSE(bytes, says) refuse_bytes("model", bytes, sizeof bytes - 1, LQ_E_UNSUPPORTED, says)

static void what_is_no_model_is_named(void **state)
{
    (void)state;
    refuse_bytes("m.gguf", "", 0, LQ_E_FORMAT, "m.gguf: the file is empty");
    REFUSE("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
           "a git-lfs pointer");
    REFUSE("<!DOCTYPE html><html>", "a web page, not a model");
    REFUSE("<html lang=en>", "a web page");
    REFUSE("<?xml version='1.0'?><Error><Code>AccessDenied", "an XML document");
    REFUSE("PK\3\4\0\0\0\0\0\0archive/data.pkl", "a zip archive: a PyTorch checkpoint");
    REFUSE("\x80\2}q\0.", "a Python pickle, which only running it could read");
    REFUSE("\x80\4\x95\0\0\0\0\0\0\0\0", "a Python pickle");
    REFUSE("\x89HDF\r\n\x1a\n", "an HDF5 file");
    REFUSE("\x93NUMPY\1\0", "a NumPy array");
    REFUSE("\x1c\0\0\0TFL3", "a TensorFlow Lite model");
    REFUSE("lmgg\0\0\0\0", "a GGML file from before GGUF");
    REFUSE("tjgg\3\0\0\0", "a GGML file from before GGUF");
    REFUSE("\x1f\x8b\10\0", "compressed with gzip");
    REFUSE("\x28\xb5\x2f\xfd", "compressed with zstd");
    REFUSE("hello, world", "not a model in a format that is known here");
    REFUSE("\0\0\0\0\0\0\0\0\0\0\0\0\0", "not a model in a format");
    REFUSE("G", "not a model in a format");
}

static void a_name_that_promises_a_model_is_mentioned(void **state)
{
    (void)state;
    refuse_bytes("x.gguf", "hello", 5, LQ_E_UNSUPPORTED,
                 "named like a gguf file, but does not begin");
    refuse_bytes("x.safetensors", "short", 5, LQ_E_UNSUPPORTED, "named like a safetensors file");
}

static void the_content_decides_and_not_the_name(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 0, 0);
    struct opened *const o = open_named("x.safetensors", t.data, t.len, NULL);
    assert_int_equal(o->status, LQ_OK);
    assert_ptr_equal(o->c.format, &format_gguf);
    close_opened(o);
    text_free(&t);
}

static void a_json_document_is_not_mistaken_for_safetensors(void **state)
{
    (void)state;
    static const char doc[] = "{\"meta\":{\"x\":1}}"; /* its ninth byte is '{' */
    refuse_bytes("config.json", doc, sizeof doc - 1, LQ_E_UNSUPPORTED, "without \"weight_map\"");
}

static void an_index_without_its_folder_is_refused(void **state)
{
    (void)state;
    static const char doc[] = "{\"weight_map\":{\"a\":\"b.safetensors\"}}";
    refuse_bytes("i.json", doc, sizeof doc - 1, LQ_E_UNSUPPORTED, "cannot be reached from here");
}

static void check_path_refused(const char *path, lq_status status, const char *says)
{
    struct catalog c = {0};
    lq_error err = {0};
    assert_refused(model_open(&c, path, &err), &err, status, says);
    assert_string_equal(err.file, path);
    assert_null(c.files); /* released */
}

static void paths_that_cannot_be_opened_are_refused(void **state)
{
    (void)state;
    check_path_refused(temp_path("none.gguf"), LQ_E_IO, "No such file");
    temp_link("loop", "loop");
    check_path_refused(temp_path("loop"), LQ_E_IO, "Too many levels");
    assert_int_equal(mkfifo(temp_path("pipe"), 0666), 0);
    check_path_refused(temp_path("pipe"), LQ_E_FORMAT, "not a regular file");
    check_path_refused("", LQ_E_IO, "No such file");
}

static void a_model_can_be_opened_from_its_own_folder(void **state)
{
    (void)state;
    struct catalog c = {0};
    struct text t = {0};
    char before[4096];
    put_gguf(&t, 3, 0, 0);
    temp_write("m.gguf", t.data, t.len);
    text_free(&t);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(temp_folder), 0);
    assert_int_equal(model_open(&c, "m.gguf", NULL), LQ_OK);
    assert_string_equal(c.path, "m.gguf");
    assert_string_equal(c.files[0].name, "m.gguf");
    struct resolver *siblings;
    assert_int_equal(model_siblings(&c, &siblings, NULL), LQ_OK);
    assert_true(siblings->exists(siblings, "m.gguf"));
    assert_string_equal(siblings->root, ".");
    resolver_close(siblings);
    catalog_release(&c);
    assert_int_equal(model_open(&c, "./", NULL), LQ_OK);
    assert_int_equal(model_siblings(&c, &siblings, NULL), LQ_OK);
    assert_true(siblings->exists(siblings, "m.gguf"));
    resolver_close(siblings);
    catalog_release(&c);
    assert_int_equal(chdir(before), 0);
}

static void formats_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(format_by_name("gguf"), &format_gguf);
    assert_ptr_equal(format_by_name("safetensors"), &format_safetensors);
    assert_null(format_by_name("GGUF2"));
    assert_null(format_by_name(""));
    for (size_t i = 0; i < format_count(); i++)
        assert_ptr_equal(format_by_name(format_at(i)->name), format_at(i));
}

/* ---- the files of tests/attacks ---- */

/* Every line of tests/attacks/list names a file and what the refusal must say. */
static void every_attack_is_refused_for_its_reason(void **state)
{
    (void)state;
    FILE *const list = fopen("tests/attacks/list", "r");
    char line[600];
    unsigned n = 0, wrong = 0;
    if (!list)
        skip(); /* not run from the project's root */
    while (fgets(line, sizeof line, list)) {
        char path[300];
        line[strcspn(line, "\n")] = '\0';
        char *const says = strchr(line, '\t');
        if (line[0] == '#' || !says)
            continue;
        *says = '\0';
        snprintf(path, sizeof path, "tests/attacks/%.200s", line);
        struct catalog c = {0};
        lq_error err = {0};
        char message[2048] = "accepted";
        const lq_status got = model_open(&c, path, &err);
        if (got != LQ_OK)
            lq_error_text(&err, message, sizeof message);
        if (lq_exit_code(got) != 3 || !strstr(message, says + 1)) {
            print_error("%s: expected \"%s\", but: %s\n", path, says + 1, message);
            wrong++;
        }
        catalog_release(&c);
        n++;
    }
    fclose(list);
    assert_int_equal(wrong, 0);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_model_is_named),
        cmocka_unit_test(a_name_that_promises_a_model_is_mentioned),
        cmocka_unit_test(the_content_decides_and_not_the_name),
        cmocka_unit_test(a_json_document_is_not_mistaken_for_safetensors),
        cmocka_unit_test(an_index_without_its_folder_is_refused),
        temp_test(paths_that_cannot_be_opened_are_refused),
        temp_test(a_model_can_be_opened_from_its_own_folder),
        cmocka_unit_test(formats_are_found_by_name),
        cmocka_unit_test(every_attack_is_refused_for_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
