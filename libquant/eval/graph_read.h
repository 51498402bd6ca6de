/* graph_read.h -- what graph.c and graph_layer.c read a graph with. The first failure is kept, with
 * its key or tensor, and what follows is skipped. */
#ifndef LQ_EVAL_GRAPH_READ_H
#define LQ_EVAL_GRAPH_READ_H

#include "libquant/eval/graph.h"

enum { GRAPH_MAX_SIZE = 1 << 24 }; /* of embeddings, feed-forward networks and vocabularies */

struct graph_reader {
    struct graph *g;
    const struct catalog *c;
    unsigned isa;
    lq_error *err;
    uint32_t layer;   /* whose tensors are named; or UINT32_MAX */
    lq_status status; /* the first failure */
};

/* ---- metadata; names without the architecture's ---- */

void graph_key(const struct graph_reader *r, char key[128], const char *name);
void graph_fail_key(struct graph_reader *r, const char *key, const char *what);
/* A whole number from min to max; `fallback` where the key is missing. UINT32_MAX as a fallback: it
 * must be there. An array of equal numbers, one for each layer, is one number. */
uint32_t graph_u32(struct graph_reader *r, const char *name, uint32_t fallback, uint32_t min,
                   uint32_t max);
double graph_f64(struct graph_reader *r, const char *name, double fallback);
bool graph_bool(const struct graph_reader *r, const char *name, bool fallback);
const char *graph_string(struct graph_reader *r, const char *name); /* or NULL */

/* ---- tensors, of the layer that is being read; stems without ".weight" and ".bias" ---- */

const struct tensor *graph_tensor(struct graph_reader *r, const char *name); /* or NULL */
void graph_fail_missing(struct graph_reader *r, const char *name);
/* Checks the shape; sizes are outermost first. */
void graph_expect(struct graph_reader *r, const struct tensor *t, uint32_t rank, uint64_t a,
                  uint64_t b, uint64_t c);
const float *graph_vector(struct graph_reader *r, const char *name, uint64_t n, bool required);
/* A matrix [rows, cols] and, where it is there, its bias. */
struct linear graph_linear(struct graph_reader *r, const char *stem, uint64_t rows, uint64_t cols,
                           bool required);
/* Those of all experts in one, [experts, rows, cols]. */
struct linear graph_expert_matrices(struct graph_reader *r, const char *stem, uint64_t rows,
                                    uint64_t cols);
struct norm graph_norm(struct graph_reader *r, const char *stem, uint32_t n, bool required);
/* As the architecture has them before and behind its parts. */
struct norm graph_main_norm(struct graph_reader *r, const char *stem);
/* Of queries or keys: for all heads the same, one for each head, or one for all heads together. */
struct norm graph_head_norm(struct graph_reader *r, const char *name, uint32_t heads);

/* graph_layer.c */
void graph_read_layer(struct graph_reader *r, uint32_t i);

#endif
