/* lineage_layers.h -- which layer of a base a claimed layer continues. For lineage.c. */
#ifndef LQ_PROVENANCE_LINEAGE_LAYERS_H
#define LQ_PROVENANCE_LINEAGE_LAYERS_H

#include "libquant/provenance/lineage.h"

/* Compares samples of every claimed layer with those of every layer of each base, and fills
 * l->layers. Layers that are like none keep their number. */
lq_status layers_map(struct lineage *l, const struct lineage_options *options, lq_error *err);

/* The tensor of a base that goes with a claimed one, by its name and the map; *out NULL: there is
 * none. */
lq_status layers_counterpart(const struct lineage *l, size_t base, const struct tensor *claimed,
                             const struct tensor **out, lq_error *err);

/* The layer in a tensor's name: its first part that is a number. False: it has none. */
bool layers_number(const char *name, uint32_t *layer);

#endif
