/* spdx.c -- look-ups in the SPDX licence list and in the identifiers of model cards. */
#include "libquant/license/spdx.h"

#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

/* In the order of ascii_casecmp, as scripts/make-license-index writes them. */
static const struct spdx_license licenses[] = {
#define LICENSE(id, osi, deprecated) {id, osi, deprecated},
#define EXCEPTION(id)
#define LIST_VERSION(version)
#include "libquant/license/spdx_ids.def"
#undef LICENSE
#undef EXCEPTION
#undef LIST_VERSION
};

static const char *const exceptions[] = {
#define LICENSE(id, osi, deprecated)
#define EXCEPTION(id) id,
#define LIST_VERSION(version)
#include "libquant/license/spdx_ids.def"
#undef LICENSE
#undef EXCEPTION
#undef LIST_VERSION
};

static const char list_version[] =
#define LICENSE(id, osi, deprecated)
#define EXCEPTION(id)
#define LIST_VERSION(version) version;
#include "libquant/license/spdx_ids.def"
#undef LICENSE
#undef EXCEPTION
#undef LIST_VERSION

static const struct {
    const char *id;
    struct hub_license means;
} hub_ids[] = {
#define HUB(hub, kind, id) {hub, {kind, id}},
#include "libquant/license/hub_ids.def"
#undef HUB
};

static const struct {
    const char *old, *now;
} replacements[] = {
    {"BSD-2-Clause-FreeBSD", "BSD-2-Clause"},
    {"BSD-2-Clause-NetBSD", "BSD-2-Clause"},
    {"bzip2-1.0.5", "bzip2-1.0.6"},
    {"eCos-2.0", "GPL-2.0-or-later WITH eCos-exception-2.0"},
    {"GPL-2.0-with-bison-exception", "GPL-2.0-or-later WITH Bison-exception-2.2"},
    {"GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0"},
    {"GPL-2.0-with-font-exception", "GPL-2.0-only WITH Font-exception-2.0"},
    {"GPL-2.0-with-GCC-exception", "GPL-2.0-or-later WITH GCC-exception-2.0"},
    {"GPL-3.0-with-GCC-exception", "GPL-3.0-only WITH GCC-exception-3.1"},
    {"Nunit", "zlib-acknowledgement"},
    {"StandardML-NJ", "SMLNJ"},
    {"AGPL-1.0", "AGPL-1.0-only"},
    {"AGPL-3.0", "AGPL-3.0-only"},
    {"GFDL-1.1", "GFDL-1.1-only"},
    {"GFDL-1.2", "GFDL-1.2-only"},
    {"GFDL-1.3", "GFDL-1.3-only"},
    {"GPL-1.0", "GPL-1.0-only"},
    {"GPL-1.0+", "GPL-1.0-or-later"},
    {"GPL-2.0", "GPL-2.0-only"},
    {"GPL-2.0+", "GPL-2.0-or-later"},
    {"GPL-3.0", "GPL-3.0-only"},
    {"GPL-3.0+", "GPL-3.0-or-later"},
    {"LGPL-2.0", "LGPL-2.0-only"},
    {"LGPL-2.0+", "LGPL-2.0-or-later"},
    {"LGPL-2.1", "LGPL-2.1-only"},
    {"LGPL-2.1+", "LGPL-2.1-or-later"},
    {"LGPL-3.0", "LGPL-3.0-only"},
    {"LGPL-3.0+", "LGPL-3.0-or-later"},
};

const char *spdx_list_version(void)
{
    return list_version;
}

/* ascii_casecmp of a counted string with a C string. */
static int compare(const char *s, size_t len, const char *id)
{
    const int order = ascii_ncasecmp(s, id, len);
    return order ? order : id[len] ? -1 : 0;
}

const struct spdx_license *spdx_license_find(const char *id, size_t len)
{
    size_t low = 0, high = sizeof licenses / sizeof licenses[0];
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = compare(id, len, licenses[mid].id);
        if (order == 0)
            return &licenses[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const char *spdx_exception_find(const char *id, size_t len)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        if (compare(id, len, exceptions[i]) == 0)
            return exceptions[i];
    return NULL;
}

const char *spdx_replacement(const char *id)
{
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++)
        if (strcmp(replacements[i].old, id) == 0)
            return replacements[i].now;
    return NULL;
}

const char *spdx_exception_of_text(const char *ids)
{
    static const char with[] = " WITH ";
    for (const char *s = ids; *s;) {
        const size_t n = strcspn(s, " ");
        const char *const exception = spdx_exception_find(s, n);
        if (exception)
            return exception;
        s += n + (s[n] == ' ');
    }
    const char *const now = strstr(ids, "-with-") ? spdx_replacement(ids) : NULL;
    const char *const at = now ? strstr(now, with) : NULL;
    return at ? at + sizeof with - 1 : NULL;
}

struct hub_license hub_license_find(const char *id)
{
    for (size_t i = 0; i < sizeof hub_ids / sizeof hub_ids[0]; i++)
        if (ascii_casecmp(hub_ids[i].id, id) == 0)
            return hub_ids[i].means;
    const struct spdx_license *const l = spdx_license_find(id, strlen(id));
    return l ? (struct hub_license){HUB_LICENSE, l->id} : (struct hub_license){HUB_UNKNOWN, NULL};
}
