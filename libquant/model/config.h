/* config.h -- what a checkpoint's configuration files say, found under any of the names that a fact
 * has had over the years.
 *
 * A value is looked for in this order: what was set while the model was being understood, the part
 * of config.json about the text model, config.json itself, and the values that the model's own
 * software fills in where its configuration is silent.
 */
#ifndef LQ_MODEL_CONFIG_H
#define LQ_MODEL_CONFIG_H

#include "libquant/base/source.h"

struct cJSON;

struct config {
    struct cJSON *root;       /* config.json */
    const struct cJSON *text; /* its part about the text model, or NULL */
    struct cJSON *set;        /* what config_set_... put in */
    struct cJSON *defaults;   /* of the configuration class, or NULL */
    struct cJSON *rope;       /* position parameters in today's form; see config_resolve_rope */
    struct cJSON *tokenizer;  /* tokenizer_config.json, or NULL */
    struct cJSON *generation; /* generation_config.json, or NULL; also where it is no valid JSON */
};

/* Reads config.json (it must be there), tokenizer_config.json and generation_config.json. Fills a
 * zeroed struct; config_release also after a failure. */
lq_status config_open(struct config *c, struct resolver *files, lq_error *err);
void config_release(struct config *c);

/* The name of the architecture: the first of "architectures", of the text part where only that has
 * one. NULL where there is none. */
const char *config_architecture(const struct config *c);

/* `json`: an object of values that hold where the configuration is silent. */
lq_status config_set_defaults(struct config *c, const char *json, lq_error *err);
lq_status config_set_number(struct config *c, const char *name, double value, lq_error *err);
/* Makes c->rope: "rope_parameters" or "rope_scaling" with "rope_theta", "rope_type" and the others
 * in it, whichever way they were written. To be called once, when defaults are set. */
lq_status config_resolve_rope(struct config *c, lq_error *err);

/* `names`: one or several names of the fact, separated by blanks, the first that has a value counts.
 * A dot leads into an object ("text_config.head_dim"); names that begin with "rope:" are looked up
 * in the position parameters of full-attention layers, "rope.NAME:" in those of layer type NAME.
 * null is no value. */
const struct cJSON *config_find(const struct config *c, const char *names);
/* NULL where it is no string. */
const char *config_string(const struct config *c, const char *names);
/* Where there is no such value, *out is left alone. LQ_E_MODEL where there is one of another kind,
 * or, for whole numbers, outside 0 .. max. */
lq_status config_u64(const struct config *c, const char *names, uint64_t max, uint64_t *out,
                     lq_error *err);
lq_status config_f64(const struct config *c, const char *names, double *out, lq_error *err);
lq_status config_bool(const struct config *c, const char *names, bool *out, lq_error *err);

/* An array of two positive whole numbers. False for anything else. */
bool config_pair(const struct cJSON *v, uint64_t *a, uint64_t *b);

/* Reads a small JSON document of the model; *out is NULL where there is no such file. */
lq_status config_document(struct cJSON **out, struct resolver *files, const char *name,
                          lq_error *err);

/* The same for a document that is an array. */
lq_status config_list(struct cJSON **out, struct resolver *files, const char *name, lq_error *err);

#endif
