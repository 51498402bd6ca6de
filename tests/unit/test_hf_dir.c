/* test_hf_dir.c -- models that are folders: shards and their index, choosing, cache entries. */
#include "tests/unit/format_support.h"
#include "tests/unit/temp_folder.h"

static const char one_tensor[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
static const char other_tensor[] =
    "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";

static void write_safetensors(const char *name, const char *header, size_t data)
{
    struct text t = {0};
    put_safetensors(&t, header, data);
    temp_write(name, t.data, t.len);
    text_free(&t);
}

static void write_gguf(const char *name)
{
    struct text t = {0};
    put_gguf(&t, 3, 0, 1);
    put_meta_u32(&t, "k", 1);
    temp_write(name, t.data, t.len);
    text_free(&t);
}

/* A complete model of two shards in `folder` (which ends in '/', or is empty). */
static void write_sharded(const char *folder)
{
    char name[200];
    snprintf(name, sizeof name, "%smodel-00001-of-00002.safetensors", folder);
    write_safetensors(name, one_tensor, 1);
    snprintf(name, sizeof name, "%smodel-00002-of-00002.safetensors", folder);
    write_safetensors(name, other_tensor, 2);
    snprintf(name, sizeof name, "%smodel.safetensors.index.json", folder);
    temp_write_text(name, "{\"metadata\": {\"total_size\": 99}, \"weight_map\": {"
                          "\"b\": \"model-00002-of-00002.safetensors\","
                          "\"a\": \"model-00001-of-00002.safetensors\"}}");
}

static void write_index(const char *map)
{
    struct text t = {0};
    text_printf(&t, "{\"weight_map\": {%s}}", map);
    temp_write_text("model.safetensors.index.json", t.data);
    text_free(&t);
}

static void check_opens(const char *path, size_t n_files, size_t n_tensors)
{
    struct catalog c = {0};
    lq_error err = {0};
    char message[2048];
    if (model_open(&c, path, &err) != LQ_OK)
        fail_msg("refused: %s", lq_error_text(&err, message, sizeof message));
    assert_int_equal(c.n_files, n_files);
    assert_int_equal(c.n_tensors, n_tensors);
    catalog_release(&c);
}

static void check_refuses(const char *path, lq_status status, const char *says)
{
    struct catalog c = {0};
    lq_error err = {0};
    assert_refused(model_open(&c, path, &err), &err, status, says);
    catalog_release(&c);
}

/* ---- shards ---- */

static void shards_are_joined_by_their_index(void **state)
{
    (void)state;
    struct catalog c = {0};
    write_sharded("");
    write_safetensors("consolidated.safetensors", one_tensor, 1); /* beside it, not part of it */
    assert_int_equal(model_open(&c, temp_folder, NULL), LQ_OK);
    assert_string_equal(c.path, temp_folder);
    assert_ptr_equal(c.format, &format_hf_dir);
    assert_int_equal(c.n_files, 2);
    assert_string_equal(c.files[1].name, "model-00002-of-00002.safetensors");
    assert_int_equal(catalog_find(&c, "b")->file, 1);
    catalog_release(&c);
    check_opens(temp_path("model.safetensors.index.json"), 2, 2);
    check_opens(temp_path("model-00001-of-00002.safetensors"), 2, 2);
    check_refuses(temp_path("model-00002-of-00002.safetensors"), LQ_E_MODEL,
                  "file 2 of several of a model; open model.safetensors.index.json or the folder");
}

static void a_shard_without_index_is_a_file_but_no_folder(void **state)
{
    (void)state;
    write_safetensors("model-00002-of-00002.safetensors", other_tensor, 2);
    check_opens(temp_path("model-00002-of-00002.safetensors"), 1, 1);
    check_refuses(temp_folder, LQ_E_MODEL, "is the download complete?");
}

static void a_missing_shard_is_named(void **state)
{
    (void)state;
    write_sharded("");
    assert_int_equal(unlink(temp_path("model-00002-of-00002.safetensors")), 0);
    check_refuses(temp_folder, LQ_E_MODEL, "file model-00002-of-00002.safetensors is missing");
}

static void the_index_must_tell_the_truth(void **state)
{
    (void)state;
    static const char first[] = "model-00001-of-00002.safetensors";
    char map[300];
    write_sharded("");
    snprintf(map, sizeof map, "\"a\":\"%s\"", first);
    write_index(map); /* of fewer shards than there are: the second is no part of the model */
    check_opens(temp_folder, 1, 1);
    snprintf(map, sizeof map, "\"a\":\"%s\",\"x\":\"%s\"", first, first);
    write_index(map);
    check_refuses(temp_folder, LQ_E_MODEL,
                  "tensor x: the tensor should be in model-00001-of-00002");
    snprintf(map, sizeof map, "\"x\":\"%s\"", first);
    write_index(map);
    check_refuses(temp_folder, LQ_E_MODEL,
                  "00001-of-00002.safetensors: tensor a: the index does not list");
    snprintf(map, sizeof map, "\"a\":\"model-00002-of-00002.safetensors\",\"b\":\"%s\"", first);
    write_index(map);
    check_refuses(temp_folder, LQ_E_MODEL,
                  "tensor a: the index says that this tensor is in model-00002");
    snprintf(map, sizeof map, "\"a\":\"%s\",\"a\":\"%s\"", first, first);
    write_index(map);
    check_refuses(temp_folder, LQ_E_FORMAT, "\"weight_map\" has this tensor twice");
}

static void a_tensor_in_two_shards_is_refused(void **state)
{
    (void)state;
    write_sharded("");
    write_safetensors("model-00002-of-00002.safetensors", one_tensor, 1);
    check_refuses(temp_folder, LQ_E_MODEL,
                  "model-00002-of-00002.safetensors: tensor a: the index says");
}

static void the_index_names_safetensors_files_of_its_folder_only(void **state)
{
    (void)state;
    static const struct {
        const char *name, *says;
    } bad[] = {
        {"pytorch_model.bin",             "is not the name of a .safetensors file"},
        {"model.SAFETENSORS",             "is not the name of a .safetensors file"},
        {"../x.safetensors",              "would lie outside"                     },
        {"/x.safetensors",                "would lie outside"                     },
        {"a/../x.safetensors",            "would lie outside"                     },
        {"..\\\\x.safetensors",           "would lie outside"                     },
        {"c:x.safetensors",               "would lie outside"                     },
        {"\\\\\\\\host\\\\x.safetensors", "would lie outside"                     },
        {"a\\u0000.safetensors",          "NUL"                                   },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char map[100];
        snprintf(map, sizeof map, "\"a\":\"%s\"", bad[i].name);
        write_index(map);
        check_refuses(temp_folder, LQ_E_FORMAT, bad[i].says);
    }
}

static void a_damaged_index_is_refused(void **state)
{
    (void)state;
    static const char name[] = "model.safetensors.index.json";
    write_index("");
    check_refuses(temp_folder, LQ_E_FORMAT, "\"weight_map\" is empty");
    write_index("\"a\":1");
    check_refuses(temp_folder, LQ_E_FORMAT, "a file name in weight_map: a string was expected");
    temp_write_text(name, "{\"weight_map\":[]}");
    check_refuses(temp_folder, LQ_E_FORMAT, "weight_map: an object was expected");
    temp_write_text(name, "{\"weight_map\":{},\"weight_map\":{}}");
    check_refuses(temp_folder, LQ_E_FORMAT, "\"weight_map\" appears twice");
    temp_write_text(name, "[]");
    check_refuses(temp_folder, LQ_E_FORMAT, "the index: an object was expected");
    temp_write_text(name, "{\"weight_map\":{}} x");
    check_refuses(temp_folder, LQ_E_FORMAT, "something follows");
    temp_write_text(name, "{\"x\":{}}");
    check_refuses(temp_path(name), LQ_E_UNSUPPORTED, "a JSON document without \"weight_map\"");
    assert_int_equal(truncate(temp_path(name), (10 << 20) + 1), 0);
    check_refuses(temp_folder, LQ_E_FORMAT, "too large for the index");
}

static void a_shard_that_is_something_else_is_told_so(void **state)
{
    (void)state;
    write_sharded("");
    temp_write_text("model-00002-of-00002.safetensors",
                    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
    check_refuses(temp_folder, LQ_E_UNSUPPORTED, "a git-lfs pointer, not the model");
    temp_write("model-00002-of-00002.safetensors", "", 0);
    check_refuses(temp_folder, LQ_E_FORMAT, "00002-of-00002.safetensors: the file is empty");
}

/* ---- choosing ---- */

static void a_folder_with_one_model_is_that_model(void **state)
{
    (void)state;
    struct catalog c = {0};
    write_safetensors("model.safetensors", one_tensor, 1);
    temp_write_text("config.json", "{}");
    temp_write_text("pytorch_model.bin", "PK");
    assert_int_equal(model_open(&c, temp_folder, NULL), LQ_OK);
    assert_string_equal(c.files[0].name, "model.safetensors");
    assert_ptr_equal(c.format, &format_hf_dir);
    catalog_release(&c);
}

static void any_single_safetensors_or_gguf_file_will_do(void **state)
{
    (void)state;
    struct catalog c = {0};
    write_safetensors("adapter_model.safetensors", one_tensor, 1);
    check_opens(temp_folder, 1, 1);
    assert_int_equal(unlink(temp_path("adapter_model.safetensors")), 0);
    write_gguf("some.gguf");
    assert_int_equal(model_open(&c, temp_folder, NULL), LQ_OK);
    assert_ptr_equal(c.format, &format_gguf);
    assert_string_equal(c.path, temp_folder);
    assert_string_equal(c.files[0].name, "some.gguf");
    catalog_release(&c);
}

static void several_models_must_be_told_apart_by_the_user(void **state)
{
    (void)state;
    write_gguf("a.gguf");
    write_gguf("b.gguf");
    check_refuses(temp_folder, LQ_E_MODEL,
                  "holds several models; name the one that is meant: a.gguf, b.gguf");
    write_sharded("");
    check_opens(temp_folder, 2, 2); /* the names that Hugging Face's loader looks for go first */
    write_safetensors("model.safetensors", one_tensor, 1);
    check_refuses(temp_folder, LQ_E_MODEL,
                  "holds both model.safetensors and model.safetensors.index.json");
}

static void pickles_are_never_opened(void **state)
{
    (void)state;
    temp_write_text("pytorch_model.bin", "PK\3\4");
    check_refuses(temp_folder, LQ_E_UNSUPPORTED,
                  "holds a model only as pytorch_model.bin, which is not read here; look for a "
                  "safetensors version");
}

static void a_folder_without_a_model_says_so(void **state)
{
    (void)state;
    temp_write_text("config.json", "{}");
    check_refuses(temp_folder, LQ_E_UNSUPPORTED,
                  "holds no model: no .safetensors and no .gguf file");
}

/* ---- the cache of Hugging Face ---- */

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define ENTRY  "models--org--name"

static void make_cache(bool with_ref)
{
    struct text t = {0};
    temp_mkdir(ENTRY), temp_mkdir(ENTRY "/blobs"), temp_mkdir(ENTRY "/refs");
    temp_mkdir(ENTRY "/snapshots"), temp_mkdir(ENTRY "/snapshots/" COMMIT);
    put_safetensors(&t, one_tensor, 1);
    temp_write(ENTRY "/blobs/abc", t.data, t.len);
    temp_link("../../blobs/abc", ENTRY "/snapshots/" COMMIT "/model.safetensors");
    text_free(&t);
    if (with_ref)
        temp_write_text(ENTRY "/refs/main", COMMIT);
}

static void a_cache_entry_stands_for_its_main_snapshot(void **state)
{
    (void)state;
    struct catalog c = {0};
    make_cache(true);
    temp_mkdir(ENTRY "/snapshots/another");
    assert_int_equal(model_open(&c, temp_path(ENTRY), NULL), LQ_OK);
    assert_string_equal(c.path, temp_path(ENTRY "/snapshots/" COMMIT));
    catalog_release(&c);
    check_opens(temp_path(ENTRY "/snapshots/" COMMIT), 1, 1);
    check_opens(temp_path(ENTRY "/snapshots/" COMMIT "/model.safetensors"), 1, 1);
}

static void a_cache_entry_without_ref_needs_a_single_snapshot(void **state)
{
    (void)state;
    make_cache(false);
    check_opens(temp_path(ENTRY), 1, 1);
    temp_mkdir(ENTRY "/snapshots/another");
    check_refuses(temp_path(ENTRY), LQ_E_MODEL, "2 snapshots and no refs/main");
    temp_write_text(ENTRY "/refs/main", "../../../elsewhere");
    check_refuses(temp_path(ENTRY), LQ_E_FORMAT, "not a commit (40 hex digits)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(shards_are_joined_by_their_index),
        temp_test(a_shard_without_index_is_a_file_but_no_folder),
        temp_test(a_missing_shard_is_named),
        temp_test(the_index_must_tell_the_truth),
        temp_test(a_tensor_in_two_shards_is_refused),
        temp_test(the_index_names_safetensors_files_of_its_folder_only),
        temp_test(a_damaged_index_is_refused),
        temp_test(a_shard_that_is_something_else_is_told_so),
        temp_test(a_folder_with_one_model_is_that_model),
        temp_test(any_single_safetensors_or_gguf_file_will_do),
        temp_test(several_models_must_be_told_apart_by_the_user),
        temp_test(pickles_are_never_opened),
        temp_test(a_folder_without_a_model_says_so),
        temp_test(a_cache_entry_stands_for_its_main_snapshot),
        temp_test(a_cache_entry_without_ref_needs_a_single_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
