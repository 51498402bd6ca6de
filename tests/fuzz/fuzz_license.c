/* fuzz_license.c -- what a model says about its licence: the input is, by the bits of its first
 * byte, the card, the licence text, the notice, a source file, the configuration, and the claim of
 * its metadata. Identification, statements and all rules run over it. */
#include "libquant/audit/license_rules.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"LICENSE",  "NOTICE",      "README.md",
                                    "model.py", "config.json", "adapter_config.json"};
enum { N_NAMES = sizeof names / sizeof names[0] };

struct memory_files {
    struct resolver base;
    const uint8_t *data;
    size_t size;
    unsigned has; /* bit i: names[i] is there */
};

static bool memory_exists(struct resolver *r, const char *name)
{
    const struct memory_files *const m = (const struct memory_files *)(const void *)r;
    for (size_t i = 0; i < N_NAMES; i++)
        if (strcmp(names[i], name) == 0)
            return m->has >> i & 1;
    return false;
}

static lq_status memory_open(struct resolver *r, const char *name, struct source **out,
                             lq_error *err)
{
    const struct memory_files *const m = (const struct memory_files *)(const void *)r;
    if (!memory_exists(r, name))
        return lq_fail(err, LQ_E_IO, "no such file");
    return source_open_memory(out, name, m->data, m->size, err);
}

static lq_status memory_list(struct resolver *r, const char *folder,
                             void (*each)(void *ctx, const char *name), void *ctx, lq_error *err)
{
    if (*folder)
        return lq_fail(err, LQ_E_IO, "no such folder");
    for (size_t i = 0; i < N_NAMES; i++)
        if (memory_exists(r, names[i]))
            each(ctx, names[i]);
    return LQ_OK;
}

static void check_findings(const struct license_facts *f)
{
    const struct license_facts *const bases[] = {f};
    struct findings fs = {0};
    if (license_rules(&fs, f, bases, 1, NULL) != LQ_OK)
        abort();
    for (size_t i = 0; i < fs.n; i++)
        if (!fs.list[i].message || !*fs.list[i].message ||
            fs.list[i].severity > fs.list[i].rule->severity)
            abort();
    findings_release(&fs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct license_facts f = {0};
    struct catalog c = {0};
    const struct catalog *const metadata = &c;
    if (size < 2)
        return 0;
    struct memory_files m = {
        {memory_open, memory_exists, memory_list, "m"},
        data + 1, size - 1, data[0]
    };
    const size_t n = size - 1 < 4096 ? size - 1 : 4096;
    if (catalog_set_string(&c, "general.license", (const char *)data + 1, n, NULL) != LQ_OK ||
        catalog_set_string(&c, "general.base_model.0.repo_url", (const char *)data + 1, n, NULL) !=
            LQ_OK)
        abort();
    if (license_facts_read(&f, "m", &m.base, &metadata, (data[0] & 0x40) != 0, NULL) != LQ_OK)
        abort(); /* nothing in a model makes it fail */
    for (size_t i = 0; i < f.n_statements; i++)
        if (!f.statements[i].file || f.statements[i].text.n > IDENTIFY_MAX)
            abort();
    check_findings(&f);
    license_facts_release(&f);
    catalog_release(&c);
    return 0;
}
