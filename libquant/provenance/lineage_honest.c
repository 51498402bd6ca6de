/* lineage_honest.c -- bounds of honest quantizers. */
#include "libquant/provenance/lineage_honest.h"

const struct honest *honest_of(const struct type_info *type)
{
    (void)type;
    return 0;
}

float honest_distance(const struct honest *h, const void *stored, const float *v, const float *x,
                      const float *again)
{
    (void)h;
    (void)stored;
    (void)v;
    (void)x;
    (void)again;
    return 0;
}
