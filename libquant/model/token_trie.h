/* token_trie.h -- tokens by their bytes, for finding those that a text begins with. */
#ifndef LQ_MODEL_TOKEN_TRIE_H
#define LQ_MODEL_TOKEN_TRIE_H

#include "libquant/catalog/catalog.h"

/* Children of a node stand together, in the order of their bytes. */
struct trie_node {
    uint32_t child; /* index of the first */
    uint32_t value; /* of the text that ends here, or UINT32_MAX */
    uint16_t n;     /* children, 0 to 256 */
    uint8_t byte;   /* that leads here */
};

/* Zero-initialised: a trie that holds nothing. */
struct token_trie {
    struct trie_node *node;
    size_t n;
};

struct trie_entry {
    struct bytes text; /* not empty */
    uint32_t value;
};

/* Sorts the entries. Of two with one text the smaller value counts. LQ_E_UNSUPPORTED above 64 MiB of
 * texts: no vocabulary comes near. */
lq_status token_trie_make(struct token_trie *t, struct trie_entry *entries, size_t n, lq_error *err);
void token_trie_free(struct token_trie *t);

/* The node that a byte leads to, or 0. The root is 0. */
uint32_t token_trie_step(const struct token_trie *t, uint32_t node, uint8_t byte);

#endif
