/* terms.c -- classes, duties and what may be made of what, by the table in terms.def. */
#include "libquant/license/terms.h"

#include "libquant/base/text.h"
#include "libquant/license/spdx.h"

#include <stdlib.h>
#include <string.h>

static const struct license_terms terms[] = {
#define TERMS(id, class, flags, source) {id, class, flags, source},
#define DUTY(id, kind, value, source)
#include "libquant/license/terms.def"
#undef TERMS
#undef DUTY
};

static const struct license_duty duties[] = {
#define TERMS(id, class, flags, source)
#define DUTY(id, kind, value, source) {id, kind, value, source},
#include "libquant/license/terms.def"
#undef TERMS
#undef DUTY
};

/* Length of the licence's own identifier: without "+" and exception. */
static size_t bare_length(const char *id)
{
    return strcspn(id, " +");
}

static bool fits(const char *row, const char *id)
{
    const size_t n = strlen(row), len = bare_length(id);
    if (row[n - 1] == '*')
        return len >= n - 1 && ascii_ncasecmp(row, id, n - 1) == 0;
    return len == n && ascii_ncasecmp(row, id, n) == 0;
}

const struct license_terms *license_terms_find(const char *id)
{
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        if (fits(terms[i].id, id))
            return &terms[i];
    return NULL;
}

enum license_class license_class_of(const char *id)
{
    const struct license_terms *const t = license_terms_find(id);
    if (t)
        return t->class;
    const struct spdx_license *const l = spdx_license_find(id, bare_length(id));
    return l && l->osi ? LICENSE_OSI : LICENSE_UNKNOWN;
}

unsigned license_flags_of(const char *id)
{
    const struct license_terms *const t = license_terms_find(id);
    return t ? t->flags : 0;
}

const struct license_duty *license_duty_at(const char *id, size_t n)
{
    for (size_t i = 0; i < sizeof duties / sizeof duties[0]; i++)
        if (fits(duties[i].id, id) && n-- == 0)
            return &duties[i];
    return NULL;
}

const struct license_duty *license_duty_find(const char *id, enum duty_kind kind)
{
    const struct license_duty *d;
    for (size_t n = 0; (d = license_duty_at(id, n)) != NULL; n++)
        if (d->kind == kind)
            return d;
    return NULL;
}

static bool has_duty(const struct expression *e, size_t leaves, const struct license_duty *d)
{
    for (size_t i = 0; i < leaves; i++)
        if (fits(d->id, e->leaf[i].id))
            return true;
    return false;
}

void expression_duties(const struct expression *e,
                       void (*each)(void *ctx, const char *id, const struct license_duty *d),
                       void *ctx)
{
    const struct license_duty *d;
    for (size_t i = 0; i < e->n_leaves; i++)
        for (size_t n = 0; (d = license_duty_at(e->leaf[i].id, n)) != NULL; n++)
            if (!has_duty(e, i, d))
                each(ctx, e->leaf[i].id, d);
}

enum license_class expression_class(const struct expression *e)
{
    enum license_class best = LICENSE_UNKNOWN;
    for (size_t c = 0; c < e->n_choices; c++) {
        enum license_class worst = LICENSE_OSI;
        for (size_t i = 0; i < e->n_leaves; i++) {
            const enum license_class class = license_class_of(e->leaf[i].id);
            if ((e->choice[c] >> i & 1) && class > worst)
                worst = class;
        }
        if (worst < best)
            best = worst;
    }
    return best;
}

static const char *const class_texts[LICENSE_CLASSES][2] = {
    [LICENSE_OSI] = {"osi", "open source (OSI)"},
    [LICENSE_OPEN] = {"open", "open"},
    [LICENSE_OPEN_DATA] = {"open-data", "open data"},
    [LICENSE_RESTRICTED] = {"use-restricted", "use-restricted"},
    [LICENSE_COMMUNITY] = {"community", "community, with conditions"},
    [LICENSE_NC] = {"non-commercial", "non-commercial"},
    [LICENSE_ND] = {"no-derivatives", "no derivatives"},
    [LICENSE_RESEARCH] = {"research", "research only"},
    [LICENSE_PROPRIETARY] = {"proprietary", "proprietary"},
    [LICENSE_UNKNOWN] = {"unknown", "unknown"},
};

const char *license_class_name(enum license_class class)
{
    return class_texts[class][0];
}

const char *license_class_text(enum license_class class)
{
    return class_texts[class][1];
}

static const char *const duty_texts[DUTY_KINDS][2] = {
    [DUTY_COPY] = {"copy", "pass on a copy of the licence"},
    [DUTY_NOTICE] = {"notice", "keep the notices"},
    [DUTY_ATTRIBUTION] = {"attribution", "name the author"},
    [DUTY_CHANGES] = {"changes", "say what was changed"},
    [DUTY_NAME] = {"name", "begin the names of derived models with"},
    [DUTY_DISPLAY] = {"display", "show"},
    [DUTY_PASS_ON] = {"pass-on", "pass on its restrictions as a term"},
    [DUTY_POLICY] = {"policy", "keep to the use policy"},
    [DUTY_SHARE_ALIKE] = {"share-alike", "derived works under the same licence"},
    [DUTY_SOURCE] = {"source", "source goes with it"},
    [DUTY_THRESHOLD] = {"threshold", "ask or pay above a threshold"},
    [DUTY_REGION] = {"region", "regions"},
    [DUTY_OUTPUTS] = {"outputs", "limits on outputs"},
    [DUTY_NO_TRAINING] = {"no-training", "not to improve other models"},
};

const char *duty_name(enum duty_kind kind)
{
    return duty_texts[kind][0];
}

const char *duty_text(enum duty_kind kind)
{
    return duty_texts[kind][1];
}

/* ---- what may be made of what ---- */

enum group { G_PLAIN, G_WEAK, G_STRONG, G_RESTRICTED, G_COMMUNITY, G_NC, G_ND, G_UNKNOWN };

static enum group group_of(const char *id)
{
    const enum license_class class = license_class_of(id);
    const unsigned flags = license_flags_of(id);
    switch (class) {
    case LICENSE_RESTRICTED: return G_RESTRICTED;
    case LICENSE_COMMUNITY: return G_COMMUNITY;
    case LICENSE_NC:
    case LICENSE_RESEARCH: return G_NC;
    case LICENSE_ND: return G_ND;
    case LICENSE_PROPRIETARY:
    case LICENSE_UNKNOWN: return G_UNKNOWN;
    default: break;
    }
    return flags & TERMS_STRONG  ? G_STRONG
           : flags & TERMS_WEAK  ? G_WEAK
           : flags & TERMS_PLAIN ? G_PLAIN
                                 : G_UNKNOWN;
}

static bool same_license(const char *a, const char *b)
{
    const size_t n = bare_length(a);
    return n == bare_length(b) && ascii_ncasecmp(a, b, n) == 0;
}

/* '.' may be, 'n' may be with care, 'x' may not. Rows: base; columns: derived. */
enum compatibility license_compatible(const char *base, const char *derived)
{
    static const char cells[G_UNKNOWN][G_UNKNOWN + 1] = {
        /*                 plain, weak, strong, restricted, community, nc, nd */
        [G_PLAIN] = ".......",
        [G_WEAK] = "x..xxxx",
        [G_STRONG] = "xxxxxxx",
        [G_RESTRICTED] = "xxx.nnn",
        [G_COMMUNITY] = "xxxnxnn",
        [G_NC] = "xxxxx.n",
        [G_ND] = "xxxxxxx",
    };
    const enum group b = group_of(base), d = group_of(derived);
    if (same_license(base, derived) || b == G_PLAIN)
        return COMPATIBLE;
    if (b == G_UNKNOWN || d == G_UNKNOWN)
        return COMPATIBLE_UNKNOWN;
    /* CC-BY-SA 4.0 names GPL-3.0 as compatible, one way; its own versions follow each other, and so
     * do the GNU licences with "or later". */
    if (ascii_ncasecmp(base, "CC-BY-SA-", 9) == 0 &&
        (ascii_ncasecmp(derived, "CC-BY-SA-", 9) == 0 ||
         (ascii_ncasecmp(base, "CC-BY-SA-4.0", 12) == 0 &&
          ascii_ncasecmp(derived, "GPL-3.0", 7) == 0)))
        return COMPATIBLE_NOTE;
    if ((license_flags_of(base) & TERMS_GPL) && (license_flags_of(derived) & TERMS_GPL))
        return strstr(base, "-or-later") || strstr(derived, "AGPL") ? COMPATIBLE : COMPATIBLE_NOTE;
    const char cell = cells[b][d];
    return cell == '.' ? COMPATIBLE : cell == 'n' ? COMPATIBLE_NOTE : INCOMPATIBLE;
}

/* All licences of choice `b` of the base, each at the side of the one of choice `d` that suits it
 * best. */
static enum compatibility choice_compatible(const struct expression *base, size_t b,
                                            const struct expression *derived, size_t d)
{
    enum compatibility worst = COMPATIBLE;
    for (size_t i = 0; i < base->n_leaves; i++) {
        enum compatibility best = INCOMPATIBLE;
        for (size_t k = 0; k < derived->n_leaves && (base->choice[b] >> i & 1); k++) {
            const enum compatibility c =
                license_compatible(base->leaf[i].id, derived->leaf[k].id);
            if ((derived->choice[d] >> k & 1) && c < best)
                best = c;
        }
        if ((base->choice[b] >> i & 1) && best > worst)
            worst = best;
    }
    return worst;
}

enum compatibility expression_compatible(const struct expression *base,
                                         const struct expression *derived)
{
    enum compatibility worst = COMPATIBLE;
    for (size_t d = 0; d < derived->n_choices; d++) {
        enum compatibility best = INCOMPATIBLE;
        for (size_t b = 0; b < base->n_choices; b++) {
            const enum compatibility c = choice_compatible(base, b, derived, d);
            if (c < best)
                best = c;
        }
        if (best > worst)
            worst = best;
    }
    return worst;
}
