/* terms.h -- what licences ask: the class of each, and its duties, from the texts that were read.
 *
 * A licence that has no row, and that the Open Source Initiative has not approved, is unknown:
 * nothing is assumed from its name. */
#ifndef LQ_LICENSE_TERMS_H
#define LQ_LICENSE_TERMS_H

#include "libquant/license/expression.h"

/* From the fewest restrictions to the most; LICENSE_UNKNOWN is none of these. */
enum license_class {
    LICENSE_OSI,         /* approved by the Open Source Initiative */
    LICENSE_OPEN,        /* open otherwise */
    LICENSE_OPEN_DATA,   /* open, written for data */
    LICENSE_RESTRICTED,  /* free but for certain uses (RAIL) */
    LICENSE_COMMUNITY,   /* free up to a threshold, or with duties of name and display */
    LICENSE_NC,          /* no commercial use */
    LICENSE_ND,          /* no changed versions */
    LICENSE_RESEARCH,    /* research only */
    LICENSE_PROPRIETARY, /* rights that fit no class above */
    LICENSE_UNKNOWN,
    LICENSE_CLASSES
};

enum terms_flags {
    TERMS_WEAK = 1 << 0,   /* changed files stay under the licence */
    TERMS_STRONG = 1 << 1, /* whole works stay under the licence, or are shared alike */
    TERMS_NC = 1 << 2,     /* no commercial use, whatever the class */
    TERMS_GPL = 1 << 3,    /* forbids restrictions beyond its own */
    TERMS_PLAIN = 1 << 4   /* OSI licence known to be permissive */
};

enum duty_kind {
    DUTY_COPY,        /* recipients get a copy of the licence */
    DUTY_NOTICE,      /* a notice file with this line (NULL: keep the notices that are there) */
    DUTY_ATTRIBUTION, /* name the author */
    DUTY_CHANGES,     /* say what was changed */
    DUTY_NAME,        /* names of derived models begin with this */
    DUTY_DISPLAY,     /* show this text; alternatives with '|' between */
    DUTY_PASS_ON,     /* its restrictions go to recipients as a term */
    DUTY_POLICY,      /* a use policy that is part of it */
    DUTY_SHARE_ALIKE, /* derived works under the same licence */
    DUTY_SOURCE,      /* source goes with what is distributed */
    DUTY_THRESHOLD,   /* above this, ask or pay */
    DUTY_REGION,      /* where it does not apply */
    DUTY_OUTPUTS,     /* limits on what the model produces */
    DUTY_NO_TRAINING, /* not to be used to improve other models */
    DUTY_KINDS
};

/* One row of the table. `id` may end with '*', which stands for anything. */
struct license_terms {
    const char *id;
    enum license_class class;
    unsigned flags;     /* enum terms_flags */
    const char *source; /* which text was read */
};

struct license_duty {
    const char *id; /* as above */
    enum duty_kind kind;
    const char
        *value; /* the line, the prefix, the threshold...; NULL where there is nothing to say */
    const char *source; /* where the licence says it: "section 4(a)" */
};

/* The row of an identifier ("Apache-2.0"; an exception behind WITH does not count); NULL where no
 * text was read. */
const struct license_terms *license_terms_find(const char *id);
/* Its class: by its row, else by the approval of the OSI, else unknown. */
enum license_class license_class_of(const char *id);
unsigned license_flags_of(const char *id);

/* Duty number `n` (from 0) of an identifier; NULL behind the last. */
const struct license_duty *license_duty_at(const char *id, size_t n);
/* Its duty of one kind; NULL where it has none. */
const struct license_duty *license_duty_find(const char *id, enum duty_kind kind);

/* Calls `each` for every duty of the licences of an expression; rows that several versions of a
 * licence share once. */
void expression_duties(const struct expression *e,
                       void (*each)(void *ctx, const char *id, const struct license_duty *d),
                       void *ctx);

/* Of an expression: what the user picks is the best choice, and all licences of a choice apply. */
enum license_class expression_class(const struct expression *e);

/* "osi", "community", ... as --json has it */
const char *license_class_name(enum license_class class);
/* "open source (OSI)", ... */
const char *license_class_text(enum license_class class);
const char *duty_name(enum duty_kind kind);
const char *duty_text(enum duty_kind kind);

/* ---- what may be made of what ---- */

enum compatibility { COMPATIBLE, COMPATIBLE_NOTE, COMPATIBLE_UNKNOWN, INCOMPATIBLE };

/* May something under `base` be passed on changed under `derived`? Both are identifiers. */
enum compatibility license_compatible(const char *base, const char *derived);
/* The same for expressions: every choice of the derived one must rest on a choice of the base. */
enum compatibility expression_compatible(const struct expression *base,
                                         const struct expression *derived);

#endif
