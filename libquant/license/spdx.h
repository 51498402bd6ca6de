/* spdx.h -- the SPDX licence list: identifiers, exceptions, what replaced the deprecated ones, and
 * the identifiers that model cards use instead. */
#ifndef LQ_LICENSE_SPDX_H
#define LQ_LICENSE_SPDX_H

#include <stdbool.h>
#include <stddef.h>

struct spdx_license {
    const char *id;  /* as the list writes it */
    bool osi;        /* approved by the Open Source Initiative */
    bool deprecated; /* by the list; spdx_replacement may know the successor */
};

/* The list that the tables were made from: "SPDX 3.28.0". */
const char *spdx_list_version(void);

/* By identifier, in any case; NULL where the list has none. */
const struct spdx_license *spdx_license_find(const char *id, size_t len);
/* The exception as the list writes it, or NULL. */
const char *spdx_exception_find(const char *id, size_t len);
/* The exception whose text these identifiers share (with blanks between them), or NULL: that of
 * "GPL-2.0-with-GCC-exception" and its like, too, for which the list has the exception's words. */
const char *spdx_exception_of_text(const char *ids);
/* What the list tells to write instead ("GPL-2.0+": "GPL-2.0-or-later"); NULL where that is not one
 * identifier, or where the identifier is not deprecated. */
const char *spdx_replacement(const char *id);

enum hub_kind {
    HUB_LICENSE,   /* one licence: `id` is its SPDX identifier or a LicenseRef */
    HUB_AMBIGUOUS, /* GNU licences without "only" or "or later": `id` is the expression with both */
    HUB_FAMILY,    /* "bsd", "gpl": a family of licences, no terms; id is NULL */
    HUB_OTHER,     /* "other": license_name and license_link say which */
    HUB_NONE,      /* "unknown": the card states nothing */
    HUB_UNKNOWN    /* no identifier of the hub or of SPDX; id is NULL */
};

struct hub_license {
    enum hub_kind kind;
    const char *id; /* static */
};

/* What `license:` in a model card means; case does not count. */
struct hub_license hub_license_find(const char *id);

#endif
