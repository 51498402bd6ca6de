/* arch.c -- look-ups in the table of architectures. */
#include "libquant/model/arch.h"

#include <string.h>

static const struct arch *const archs[] = {
#define ARCH(symbol) &arch_##symbol,
#include "libquant/model/archs.def"
#undef ARCH
};

size_t arch_count(void)
{
    return sizeof archs / sizeof *archs;
}

const struct arch *arch_at(size_t i)
{
    return archs[i];
}

const struct arch *arch_by_class(const char *name, const struct arch_class **of)
{
    for (size_t i = 0; i < arch_count(); i++)
        for (const struct arch_class *c = archs[i]->classes; c->name; c++)
            if (strcmp(c->name, name) == 0) {
                *of = c;
                return archs[i];
            }
    return NULL;
}

const struct arch *arch_by_name(const char *name)
{
    for (size_t i = 0; i < arch_count(); i++)
        if (strcmp(archs[i]->name, name) == 0)
            return archs[i];
    return NULL;
}
