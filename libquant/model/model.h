/* model.h -- a checkpoint that has been understood: its files, its configuration, its row in the
 * table of architectures, and the sizes that follow. */
#ifndef LQ_MODEL_MODEL_H
#define LQ_MODEL_MODEL_H

#include "libquant/base/text.h"
#include "libquant/model/arch.h"
#include "libquant/model/config.h"

struct tokenizer_json;

struct model {
    const char *path; /* the folder: of the weights, in a cache entry that of the snapshot */
    struct catalog source;
    struct resolver *files;
    struct config config;
    const struct arch *arch;
    const struct arch_class *of;
    uint64_t dim[DIM_COUNT]; /* 0: the model has none */
    struct tokenizer_json *tokenizer; /* tokenizer.json, read on first use; see tokenizer_json.h */
    bool no_tokenizer_json;
    struct arena arena;
    struct text notes; /* lines for the user: what was decided without being asked */
};

/* Opens the folder (or one of its weight files), reads its configuration and finds its architecture.
 * LQ_E_UNSUPPORTED where the table has none. Fills a zeroed struct; model_close also after a
 * failure. */
lq_status model_open_checkpoint(struct model *m, const char *path, lq_error *err);
/* The same for a folder without weights: for --vocab-only. */
lq_status model_open_config(struct model *m, const char *path, lq_error *err);
void model_close(struct model *m);

/* Adds a line to the notes. */
void model_note(struct model *m, const char *fmt, ...) LQ_PRINTF(2, 3);

/* Whether the layer has experts instead of one feed-forward network. */
bool model_experts_at(const struct model *m, uint32_t layer);

/* The size that a word of a shape stands for; *known false where there is no such word. */
uint64_t model_dim(const struct model *m, const char *word, size_t len, bool *known);

#endif
