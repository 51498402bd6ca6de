/* cmd_version.c -- `lq version`: what this program is made of and what it runs on. */
#include "tools/command.h"

#include "formats/format.h"
#include "libquant/codec/kernels.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <archive.h>
#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <string.h>
#include <yaml.h>
#include <zlib.h>

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { VALUE_SIZE = 80 };

/* ---- libraries: the versions that are linked at this moment ---- */

static void version_of_zlib(char *dst)
{
    snprintf(dst, VALUE_SIZE, "%s", zlibVersion());
}

static void version_of_libarchive(char *dst)
{
    const int v = archive_version_number();
    snprintf(dst, VALUE_SIZE, "%d.%d.%d", v / 1000000, v / 1000 % 1000, v % 1000);
}

static void version_of_openssl(char *dst)
{
    snprintf(dst, VALUE_SIZE, "%u.%u.%u", OPENSSL_version_major(), OPENSSL_version_minor(),
             OPENSSL_version_patch());
}

static void version_of_cjson(char *dst)
{
    snprintf(dst, VALUE_SIZE, "%s", cJSON_Version());
}

static void version_of_libyaml(char *dst)
{
    snprintf(dst, VALUE_SIZE, "%s", yaml_get_version_string());
}

static void version_of_pcre2(char *dst)
{
    char text[VALUE_SIZE] = ""; /* the manual asks for 24 */
    pcre2_config(PCRE2_CONFIG_VERSION, text);
    snprintf(dst, VALUE_SIZE, "%.*s", (int)strcspn(text, " "), text);
}

static void version_of_openmp(char *dst)
{
    snprintf(dst, VALUE_SIZE, "%s", STRING(_OPENMP));
}

static const struct {
    const char *name;
    void (*version)(char *dst);
} libraries[] = {
    {"zlib", version_of_zlib},       {"libarchive", version_of_libarchive},
    {"OpenSSL", version_of_openssl}, {"cJSON", version_of_cjson},
    {"libyaml", version_of_libyaml}, {"PCRE2", version_of_pcre2},
    {"OpenMP", version_of_openmp},
};

enum { LIBRARY_COUNT = sizeof libraries / sizeof libraries[0] };

/* ---- instruction sets ---- */

static const struct {
    unsigned bit;
    const char *name;
} isas[] = {{ISA_AVX2, "avx2"}, {ISA_AVX512, "avx512"}, {ISA_NEON, "neon"}};

enum { ISA_COUNT = sizeof isas / sizeof isas[0] };

/* "scalar avx2" */
static void isa_text(char dst[VALUE_SIZE], unsigned mask)
{
    size_t n = (size_t)snprintf(dst, VALUE_SIZE, "scalar");
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (mask & isas[i].bit)
            n += (size_t)snprintf(dst + n, VALUE_SIZE - n, " %s", isas[i].name);
}

static void isa_json(struct json_out *j, const char *key, unsigned mask)
{
    out_array(j, key);
    out_string(j, NULL, "scalar");
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (mask & isas[i].bit)
            out_string(j, NULL, isas[i].name);
    out_end(j, ']');
}

/* ---- the command ---- */

static void print_text(const struct context *ctx)
{
    char value[VALUE_SIZE];
    fprintf(ctx->out, "lq %s\n", lq_version());
    fprintf(ctx->out, "compiler   %s\n", COMPILER);
    isa_text(value, isa_detect());
    fprintf(ctx->out, "machine    %s\n", value);
    isa_text(value, ctx->isa);
    fprintf(ctx->out, "in use     %s\n", value);
    fprintf(ctx->out, "formats    %zu\n", format_count());
    fprintf(ctx->out, "types      %zu\n", type_count());
    fputs("libraries ", ctx->out);
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        libraries[i].version(value);
        fprintf(ctx->out, " %s %s%s", libraries[i].name, value,
                i + 1 < LIBRARY_COUNT ? "," : "\n");
    }
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    (void)args;
    if (!ctx->json) {
        print_text(ctx);
        return LQ_OK;
    }
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "version", lq_version());
    out_string(&j, "compiler", COMPILER);
    isa_json(&j, "isa_detected", isa_detect());
    isa_json(&j, "isa_used", ctx->isa);
    out_array(&j, "formats");
    for (size_t i = 0; i < format_count(); i++)
        out_string(&j, NULL, format_at(i)->name);
    out_end(&j, ']');
    out_array(&j, "types");
    for (size_t i = 0; i < type_count(); i++)
        out_string(&j, NULL, type_at(i)->name);
    out_end(&j, ']');
    out_object(&j, "libraries");
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        char value[VALUE_SIZE];
        libraries[i].version(value);
        out_string(&j, libraries[i].name, value);
    }
    out_end(&j, '}');
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}

const struct command command_version = {
    .name = "version",
    .summary = "show the version, the instruction sets in use and the libraries",
    .synopsis = "[--json]",
    .description = "The environment variable LQ_ISA (scalar, avx2, avx512 or neon) restricts the "
                   "instruction sets in use. They change how long a run takes, never its result.",
    .examples = "lq version\n"
                "LQ_ISA=scalar lq version --json",
    .has_json = true,
    .run = run,
};
