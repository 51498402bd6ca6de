/* statement.h -- everything in a model that says under which licence it is: where it stands, what
 * it claims, what that means; and the facts that the terms of licences turn on (name, base models,
 * notices). */
#ifndef LQ_LICENSE_STATEMENT_H
#define LQ_LICENSE_STATEMENT_H

#include "libquant/catalog/catalog.h"
#include "libquant/license/identify.h"
#include "libquant/license/spdx.h"

enum statement_kind {
    STATEMENT_TEXT,     /* LICENSE, COPYING, ... */
    STATEMENT_CARD,     /* front matter of README.md */
    STATEMENT_METADATA, /* GGUF or safetensors */
    STATEMENT_CONFIG,   /* config.json, adapter_config.json */
    STATEMENT_HEADER,   /* SPDX-License-Identifier in code */
    STATEMENT_NOTICE,   /* NOTICE */
    STATEMENT_POLICY    /* USE_POLICY */
};

/* Strings live in the facts' arena. */
struct statement {
    enum statement_kind kind;
    const char *file;           /* within the model, or the path given */
    const char *key;            /* "license", "general.license"; NULL: the file as a whole */
    size_t line;                /* from 1; 0: none */
    const char *claim;          /* as it is written; NULL for texts */
    const char *means;          /* the SPDX expression; NULL: none, or not known */
    enum hub_kind hub;          /* of a claim */
    bool family;                /* among the claims is a family without version */
    const char *problem;        /* why it says nothing; NULL: it was read */
    struct identification text; /* of a text */
    bool loose_exception;       /* in it: it is not told to which licence it belongs */
};

/* A model or data set that this one is made from. */
struct license_origin {
    const char *name;         /* "Llama-3.1-8B" */
    const char *organization; /* or NULL */
    const char *file, *key;
};

struct license_facts {
    struct arena arena;
    const char *path;
    struct statement *statements;
    size_t n_statements, cap_statements;
    struct license_origin *bases;
    size_t n_bases, cap_bases;
    struct license_origin *datasets;
    size_t n_datasets, cap_datasets;
    const char *name, *organization; /* of the model; or NULL */
    const char *relation;            /* "adapter", "merge", "quantized", "finetune", or NULL */
    const char *license_name, *license_link; /* of the card, else of metadata */
    const char *metadata_license_name;       /* of metadata */
    const char *link_file; /* the file that license_link names, where it should be in the model */
    bool link_missing;     /* and is not there */
    bool has_card;         /* there is a README.md that could be read */
    struct text notices, card; /* words of the notice files and of the card, with blanks between */
};

/* Zero-initialise; license_facts_release also after a failure. */
void license_facts_release(struct license_facts *f);

/* Reads all statements of a model. `files` (NULL: none) finds the files beside it, the n_c catalogs
 * have its metadata (several where a folder holds several variants), `path` is for messages and for
 * the name. What cannot be read is a statement with a problem; fails for want of memory only. */
lq_status license_facts_read(struct license_facts *f, const char *path, struct resolver *files,
                             const struct catalog *const *c, size_t n_c, lq_error *err);
/* The same for one text: "LICENSE". */
lq_status license_facts_read_text(struct license_facts *f, struct source *s, lq_error *err);

/* True where the words of `phrase` stand in `words` (facts' notices or card) in this order. */
bool license_words_have(const struct text *words, const char *phrase);

/* True where two names are one but for case and the signs between words. */
bool license_same_name(const char *a, const char *b);
/* The licence of a model that is known by its name (known_models.def); NULL of others. */
const char *license_of_known_model(const struct license_origin *o);

/* What a claim means, in the arena: an SPDX expression, or NULL. */
const char *license_meaning(struct arena *a, const char *claim, enum hub_kind *hub);

const char *statement_kind_name(enum statement_kind kind);

/* ---- for the files that implement it ---- */

/* The expression in its one form, in the arena; NULL where it is none or has unknown licences. */
const char *license_written(struct arena *a, const char *expression);

struct statement *statement_add(struct license_facts *f, enum statement_kind kind, const char *file,
                                const char *key);
/* Sets claim, hub and means; of several claims all apply. False: no memory. */
bool statement_claim(struct license_facts *f, struct statement *s, const char *const *claims,
                     size_t n);
/* "ORG/NAME", a URL of the hub, or a name. False: no memory. */
bool license_add_origin(struct license_facts *f, bool dataset, const char *id, const char *file,
                        const char *key);
lq_status statement_read_files(struct license_facts *f, struct resolver *files, lq_error *err);
lq_status statement_read_card(struct license_facts *f, struct resolver *files, lq_error *err);
lq_status statement_read_config(struct license_facts *f, struct resolver *files, lq_error *err);
lq_status statement_read_metadata(struct license_facts *f, const struct catalog *c, lq_error *err);
lq_status statement_read_text(struct license_facts *f, struct source *source,
                              enum statement_kind kind, const char *file, lq_error *err);

#endif
