/* fuzz_claims.c -- files that claim what other files are: lists of checksums, pointers, metadata, manifests.
 *
 * The first byte chooses the place, the rest is the file. A small tree of every place that lq verify knows
 * is made once. However the claims are: every item is judged, model.bin is accounted for, nothing outside
 * of the place is read, and nothing verifies but what was hashed.
 */
#include "libquant/trust/verification.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define DIGEST "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c" /* of "weights" */

static const struct {
    const char *place, *claims, *model;
} places[] = {
    {"a", "SHA256SUMS", "model.bin"},
    {"b", "model.bin.sha512", "model.bin"},
    {"c", "checksums.txt", "model.bin"},
    {"d", "lq-digest.json", "model.bin"},
    {"e", "model.intoto.json", "model.bin"},
    {"f", "model.bin", "model.bin"}, /* a git-lfs pointer */
    {"g", ".cache/huggingface/download/model.bin.metadata", "model.bin"},
    {"h", ".cache/huggingface/trees/" COMMIT ".json", "model.bin"},
    {"i/models--a--b", "refs/main", "blobs/" DIGEST},
    {"j/models--a--b", "trees/" COMMIT ".json", "blobs/" DIGEST},
    {"k", "manifests/h/n/m/latest", "blobs/sha256-" DIGEST},
    {"l", "index.json", "blobs/sha256/" DIGEST},
    {"m", "oci-layout", "blobs/sha256/" DIGEST},
};

enum { PLACES = sizeof places / sizeof *places };

static char root[PATH_MAX];

static void put_file(const char *place, const char *name, const void *data, size_t size)
{
    char path[2 * PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s/%s", root, place, name);
    for (int i = (int)strlen(root) + 1; i < n; i++)
        if (path[i] == '/') {
            path[i] = '\0';
            mkdir(path, 0700);
            path[i] = '/';
        }
    FILE *const f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void remove_tree(void)
{
    char command[PATH_MAX + 32];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    if (system(command) != 0)
        fprintf(stderr, "%s is left behind\n", root);
}

static void make_tree(void)
{
    static const char weights[] = "weights", layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    static const char index[] = "{\"schemaVersion\":2,\"manifests\":[]}";
    char template[] = "/tmp/fuzz_claims.XXXXXX", path[2 * PATH_MAX];
    if (!mkdtemp(template) || !realpath(template, root))
        exit(1);
    atexit(remove_tree);
    for (size_t i = 0; i < PLACES; i++)
        put_file(places[i].place, places[i].model, weights, 7);
    for (int k = 'i'; k <= 'j'; k++) {
        const char place[] = {(char)k, '\0'};
        put_file(place, "models--a--b/snapshots/" COMMIT "/x", "", 0);
        snprintf(path, sizeof path, "%s/%c/models--a--b/snapshots/" COMMIT "/x", root, k);
        unlink(path);
        if (symlink("../../blobs/" DIGEST, path) != 0)
            exit(1);
    }
    put_file("l", "oci-layout", layout, strlen(layout));
    put_file("m", "index.json", index, strlen(index));
}

static void expect(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void check_item(const struct verify_item *i, const char *place)
{
    const size_t n = strlen(place);
    expect(i->state != VERIFY_PENDING, "every item is judged");
    expect(i->state != VERIFY_OK || (i->expected && i->real && !i->found), "what verifies was hashed");
    expect(!i->real || (strncmp(i->real, place, n) == 0 && i->real[n] == '/'), "nothing outside is read");
    expect(i->state == VERIFY_OK || i->why || i->expected, "a reason is given");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct verification v = {0};
    lq_error err = {0};
    char place[2 * PATH_MAX], claims[3 * PATH_MAX];
    bool seen = false;
    if (!size)
        return 0;
    if (!*root)
        make_tree();
    const size_t k = (data[0] - 'a' + 256u) % 256u % PLACES;
    put_file(places[k].place, places[k].claims, data + 1, size - 1);
    snprintf(place, sizeof place, "%s/%s", root, places[k].place);
    snprintf(claims, sizeof claims, "%s/%s", place, places[k].claims);
    lq_status status = verify_collect(&v, place, &err);
    if (status == LQ_OK)
        status = verify_check(&v, 1, NULL, &err);
    expect(status == LQ_OK, "the place can be verified");
    const lq_status verdict = verify_verdict(&v);
    for (size_t i = 0; i < v.n; i++) {
        check_item(&v.items[i], place);
        seen = seen || strcmp(v.items[i].name, places[k].model) == 0;
        const enum verify_state s = v.items[i].state;
        if (s == VERIFY_CHANGED || s == VERIFY_MISSING || s == VERIFY_BAD)
            expect(verdict == LQ_E_VERIFY, "what is wrong makes the verdict");
    }
    expect(seen, "the model is accounted for");
    expect(verdict != LQ_OK || verify_count(&v, VERIFY_OK) > 0, "nothing verifies by itself");
    verification_release(&v);
    unlink(claims);
    return 0;
}
