/* finding.h -- what a check found: the same list for every check and every report. */
#ifndef LQ_AUDIT_FINDING_H
#define LQ_AUDIT_FINDING_H

#include "libquant/base/memory.h"
#include "libquant/base/status.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

/* One row of a check's table of rules. */
struct rule {
    const char *id;         /* "LIC-NOTICE-MISSING" */
    enum severity severity; /* as a rule; a finding may be milder */
    const char *summary;    /* what is wrong where it is found, one line */
    const char *help;       /* what to do */
};

/* Strings live in the findings' arena. They may hold what a file says: make them printable. */
struct finding {
    const struct rule *rule;
    enum severity severity;
    const char *file;     /* within the model, or the path given; NULL: the model as a whole */
    const char *location; /* key within the file, or NULL */
    size_t line;          /* from 1; 0: none */
    const char *message;  /* one sentence */
    const char *evidence; /* what was read, or NULL */
};

/* Zero-initialise. */
struct findings {
    struct arena arena;
    struct finding *list;
    size_t n, cap;
    bool failed; /* out of memory: some are missing. Check once, at the end. */
};

/* Adds a copy of *f with this message; a severity above its rule's is cut to that. */
void findings_add(struct findings *fs, const struct finding *f, const char *fmt, ...)
    LQ_PRINTF(3, 4);
void findings_release(struct findings *fs);
/* Most severe first; of equal ones in the order in which they were added. */
void findings_sort(struct findings *fs);
size_t findings_count(const struct findings *fs, enum severity at_least);

/* "note", "warning", "error" */
const char *severity_name(enum severity s);
/* False where the name is none of these. */
bool severity_parse(const char *name, enum severity *out);

#endif
