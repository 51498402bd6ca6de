/* mapping.c -- applies an architecture's tensor rules to a checkpoint. Everything that can be wrong
 * with the set of tensors is found here, before anything is written. */
#include "libquant/model/mapping_parts.h"

#include "libquant/model/packed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LAYER = -1 };

/* A source tensor under the name by which rules look for it. */
struct known {
    const char *name;
    const struct tensor *tensor;
    const char *file;
    bool last;   /* comes after all that are not */
    bool sorted; /* the tensors of its file count in the order of their names, not as stored */
    uint64_t position; /* in the order in which llama.cpp's converter meets them */
    bool used;
};

struct state {
    struct model *m;
    struct mapping *map;
    struct known *known; /* sorted by name */
    size_t n;
};

void mapping_release(struct mapping *map)
{
    free(map->tensors);
    arena_free(&map->arena);
    memset(map, 0, sizeof *map);
}

struct mapped *mapping_add(struct mapping *map)
{
    if (!mem_grow((void **)&map->tensors, &map->cap, map->n, sizeof *map->tensors))
        return NULL;
    struct mapped *const t = &map->tensors[map->n++];
    memset(t, 0, sizeof *t);
    return t;
}

/* ---- the source tensors ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->name, ((const struct known *)b)->name);
}

static int by_place(const void *a, const void *b)
{
    const struct known *const x = a, *const y = b;
    if (x->last != y->last)
        return x->last ? 1 : -1;
    const int files = strcmp(x->file, y->file);
    if (files)
        return files;
    return x->sorted ? strcmp(x->tensor->name, y->tensor->name)
                     : (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

/* Puts packed weights into the places of their main parts. Other parts are used by that. */
static lq_status find_packed(struct state *s, lq_error *err)
{
    const struct catalog *const c = &s->m->source;
    size_t found = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct packed *p;
        if (!packed_is_main(s->m, &c->tensors[i]))
            continue;
        found++;
        LQ_TRY(packed_open(&p, s->m, &c->tensors[i], &s->map->arena, err));
        s->known[i].tensor = &p->tensor;
        s->known[i].last = packed_comes_last(p);
        for (size_t k = 1; k < PACKED_PARTS; k++)
            if (p->part[k])
                s->known[p->part[k] - c->tensors].used = true;
    }
    return found ? LQ_OK : packed_check_absent(s->m, err);
}

static lq_status index_source(struct state *s, lq_error *err)
{
    const struct catalog *const c = &s->m->source;
    s->known = arena_calloc(&s->map->arena, c->n_tensors, sizeof *s->known);
    if (!s->known)
        return lq_fail_memory(err);
    s->n = c->n_tensors;
    for (size_t i = 0; i < s->n; i++) {
        s->known[i].tensor = &c->tensors[i];
        s->known[i].file = c->files[c->tensors[i].file].name;
        s->known[i].sorted = text_ends_with(s->known[i].file, ".safetensors");
    }
    LQ_TRY(find_packed(s, err));
    for (size_t i = 0; i < s->n; i++) {
        s->known[i].name = mapping_canonical(s->m, s->known[i].tensor->name, &s->map->arena);
        if (!s->known[i].name)
            return lq_fail_memory(err);
    }
    qsort(s->known, s->n, sizeof *s->known, by_place);
    for (size_t i = 0; i < s->n; i++)
        s->known[i].position = i + 1;
    qsort(s->known, s->n, sizeof *s->known, by_name);
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(s->known[i - 1].name, s->known[i].name) == 0) {
            lq_fail(err, LQ_E_MODEL, "two tensors of the checkpoint are this one");
            lq_error_add_tensor(err, s->known[i].name);
            return LQ_E_MODEL;
        }
    return LQ_OK;
}

static struct known *look_up(const struct state *s, const char *name)
{
    const struct known key = {.name = name};
    return bsearch(&key, s->known, s->n, sizeof *s->known, by_name);
}

/* ---- rules ---- */

static bool applies(const struct model *m, const struct tensor_rule *r, uint32_t layer)
{
    if (r->flags & TENSOR_EXPERT_LAYER)
        return model_experts_at(m, layer);
    if (r->flags & TENSOR_DENSE_LAYER)
        return !model_experts_at(m, layer);
    return true;
}

static bool tied(const struct model *m)
{
    bool tie = false;
    return config_bool(&m->config, "tie_word_embeddings", &tie, NULL) == LQ_OK && tie;
}

static bool stays_f32(const struct tensor_rule *r, const char *name, uint32_t rank)
{
    return rank <= 1 || r->flags & TENSOR_F32 || text_ends_with(name, "_norm.weight") ||
           !text_ends_with(name, ".weight");
}

static lq_status missing(const struct state *s, const char *name, int64_t layer, lq_error *err)
{
    if (layer == NO_LAYER)
        lq_fail(err, LQ_E_MODEL, "is missing: a %s model has it", s->m->of->name);
    else
        lq_fail(err, LQ_E_MODEL,
                "is missing: config.json promises %" PRIu64 " layers, and every layer has it",
                s->m->dim[DIM_LAYERS]);
    lq_error_add_tensor(err, name);
    return LQ_E_MODEL;
}

/* One input of an output, or what takes the place of several. */
struct inputs {
    const struct tensor **in, **scales; /* scales NULL: none is stored scaled */
    uint32_t n;
    uint64_t position; /* of the last of them */
    bool found;
    char absent[MAPPING_NAME]; /* the first that is not there, where !found */
};

/* A tensor that belongs to the input: its scales in 8-bit floats, or those of packed blocks. */
static lq_status find_scale(struct state *s, const struct tensor_rule *r, struct inputs *x,
                            uint32_t i, const char *name, lq_error *err)
{
    static const char *const suffixes[] = {"_scale_inv", "_scale"};
    char scale[MAPPING_NAME];
    struct known *k = NULL;
    if (r->transform == TRANSFORM_MXFP4) {
        const size_t stem = strlen(name) - strlen("_blocks");
        snprintf(scale, sizeof scale, "%.*s_scales", (int)stem, name);
        k = look_up(s, scale);
    }
    for (size_t n = 0; n < 2 && !k && type_is_float8(x->in[i]->type); n++) {
        snprintf(scale, sizeof scale, "%.480s%s", name, suffixes[n]);
        k = look_up(s, scale);
    }
    if (!k)
        return r->transform == TRANSFORM_MXFP4 ? missing(s, scale, 0, err) : LQ_OK;
    if (!x->scales &&
        !(x->scales = arena_calloc(&s->map->arena, x->n, sizeof *x->scales)))
        return lq_fail_memory(err);
    x->scales[i] = k->tensor;
    k->used = true;
    x->position = k->position > x->position ? k->position : x->position;
    return LQ_OK;
}

/* Whole numbers stand for weights only where a transform knows how they are packed. */
static lq_status check_type(const struct tensor_rule *r, const struct tensor *t, lq_error *err)
{
    if (!(t->type->flags & TYPE_INTEGER) || r->transform == TRANSFORM_MXFP4)
        return LQ_OK;
    lq_fail(err, LQ_E_UNSUPPORTED,
            "holds whole numbers (%s) where weights are expected: packed in a way that is not known",
            t->type->name);
    lq_error_add_tensor(err, t->name);
    return LQ_E_UNSUPPORTED;
}

/* Finds the inputs of one output. A partial set of experts is an error. */
static lq_status find_inputs(struct state *s, const struct tensor_rule *r, int64_t layer,
                             struct inputs *x, lq_error *err)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < x->n; i++) {
        char name[MAPPING_NAME];
        if (!mapping_expand(name, r->from, layer, i))
            return lq_fail(err, LQ_E_MODEL, "a tensor's name is too long");
        struct known *const k = look_up(s, name);
        if (!k) {
            if (count == i)
                memcpy(x->absent, name, sizeof name);
            continue;
        }
        LQ_TRY(check_type(r, k->tensor, err));
        LQ_TRY(mapping_check_shape(s->m, r->shape, k->tensor, err));
        k->used = true;
        x->in[i] = k->tensor;
        x->position = k->position > x->position ? k->position : x->position;
        count++;
        LQ_TRY(find_scale(s, r, x, i, name, err));
    }
    x->found = count == x->n;
    return count && !x->found ? missing(s, x->absent, layer, err) : LQ_OK;
}

static lq_status add_output(struct state *s, const struct tensor_rule *r, int64_t layer,
                            const struct inputs *x, lq_error *err)
{
    char name[MAPPING_NAME];
    struct mapped *const o = mapping_add(s->map);
    if (!o)
        return lq_fail_memory(err);
    if (!mapping_expand(name, r->to, layer, 0))
        return lq_fail(err, LQ_E_MODEL, "a tensor's name is too long");
    o->name = arena_strdup(&s->map->arena, name);
    if (!o->name)
        return lq_fail_memory(err);
    o->rule = r;
    o->in = x->in;
    o->scales = x->scales;
    o->n_in = x->n;
    o->layer = layer == NO_LAYER ? UINT32_MAX : (uint32_t)layer;
    o->order = x->position << 16 | (uint64_t)(r - s->m->arch->tensors);
    if (r->transform != TRANSFORM_MXFP4)
        o->order |= (uint64_t)1 << 63; /* packed blocks come before all others */
    const lq_status status = mapping_out_shape(o, s->m, err);
    if (status != LQ_OK) {
        lq_error_add_tensor(err, x->in[0]->name);
        return status;
    }
    o->f32 = stays_f32(r, o->name, o->rank);
    return LQ_OK;
}

/* Whether another rule makes the same output of what is there. */
static bool has_alternative(const struct state *s, const struct tensor_rule *r, int64_t layer)
{
    for (const struct tensor_rule *a = s->m->arch->tensors; a->from; a++) {
        char name[MAPPING_NAME];
        if (a != r && strcmp(a->to, r->to) == 0 && mapping_expand(name, a->from, layer, 0) &&
            look_up(s, name))
            return true;
    }
    return false;
}

/* One rule for one layer. */
static lq_status apply(struct state *s, const struct tensor_rule *r, int64_t layer,
                       struct inputs *x, lq_error *err)
{
    const uint64_t n = r->transform == TRANSFORM_STACK ? s->m->dim[r->arg[0]] : 1;
    x->n = (uint32_t)n;
    x->in = arena_calloc(&s->map->arena, n, sizeof *x->in);
    if (!x->in)
        return lq_fail_memory(err);
    LQ_TRY(find_inputs(s, r, layer, x, err));
    return x->found ? add_output(s, r, layer, x, err) : LQ_OK;
}

static lq_status apply_everywhere(struct state *s, const struct tensor_rule *r, lq_error *err)
{
    const bool layered = strstr(r->from, "{bid}") != NULL;
    const bool optional = r->flags & (TENSOR_OPTIONAL | TENSOR_ANY_LAYER) ||
                          (r->flags & TENSOR_UNTIED && tied(s->m));
    const int64_t end = layered ? (int64_t)s->m->dim[DIM_LAYERS] : 1;
    char absent[MAPPING_NAME];
    int64_t absent_at = NO_LAYER;
    bool any = false;
    if (r->flags & TENSOR_SIZED && !mapping_sized(s->m, r))
        return LQ_OK;
    for (int64_t i = 0; i < end; i++) {
        struct inputs x = {0};
        if (layered && !applies(s->m, r, (uint32_t)i))
            continue;
        LQ_TRY(apply(s, r, layered ? i : NO_LAYER, &x, err));
        any = any || x.found;
        if (!x.found && absent_at == NO_LAYER && !has_alternative(s, r, layered ? i : NO_LAYER)) {
            memcpy(absent, x.absent, sizeof absent);
            absent_at = i;
        }
    }
    if (absent_at == NO_LAYER || (optional && (!any || r->flags & TENSOR_ANY_LAYER)))
        return LQ_OK;
    return missing(s, absent, layered ? absent_at : NO_LAYER, err);
}

/* ---- the whole ---- */

/* Older AutoGPTQ gives every packed weight a bias, also where the model has none: of zeros then. */
static lq_status is_bias_of_zeros(struct state *s, const struct known *k, bool *zeros,
                                  lq_error *err)
{
    const struct tensor *const t = k->tensor;
    char name[MAPPING_NAME], part[1024];
    *zeros = false;
    if (!text_ends_with(k->name, ".bias") || t->rank != 1)
        return LQ_OK;
    snprintf(name, sizeof name, "%.*s.weight", (int)(strlen(k->name) - strlen(".bias")), k->name);
    const struct known *const weight = look_up(s, name);
    if (!weight || weight->tensor->type != &type_packed)
        return LQ_OK;
    for (uint64_t at = 0; at < t->bytes; at += sizeof part) {
        const size_t n = t->bytes - at < sizeof part ? (size_t)(t->bytes - at) : sizeof part;
        LQ_TRY(catalog_read(&s->m->source, t, part, n, at, err));
        for (size_t i = 0; i < n; i++)
            if (part[i])
                return LQ_OK;
    }
    *zeros = true;
    return LQ_OK;
}

static lq_status check_left_over(struct state *s, lq_error *err)
{
    size_t dropped = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct known *const k = &s->known[i];
        if (k->used)
            continue;
        bool ignorable = mapping_ignorable(s->m, k->name);
        if (!ignorable)
            LQ_TRY(is_bias_of_zeros(s, k, &ignorable, err));
        if (ignorable) {
            dropped++;
            continue;
        }
        lq_fail(err, LQ_E_MODEL,
                "is left over: nothing in a %s model with the sizes of config.json (%" PRIu64
                " layers) has this name",
                s->m->of->name, s->m->dim[DIM_LAYERS]);
        lq_error_add_tensor(err, k->tensor->name);
        return LQ_E_MODEL;
    }
    if (dropped)
        model_note(s->m, "%zu tensors that inference has no use for are left out", dropped);
    return LQ_OK;
}

static int by_order(const void *a, const void *b)
{
    const uint64_t x = ((const struct mapped *)a)->order, y = ((const struct mapped *)b)->order;
    return x < y ? -1 : x > y;
}

static bool is_expert_stack(const struct mapped *t)
{
    return t->rule && t->rule->transform == TRANSFORM_STACK &&
           t->rule->flags & TENSOR_EXPERT_LAYER;
}

/* Experts of a layer come out together, after the last of them. */
static void gather_experts(struct mapping *map)
{
    for (size_t i = 0; i < map->n; i++) {
        struct mapped *const t = &map->tensors[i];
        uint64_t last = 0;
        if (!is_expert_stack(t))
            continue;
        for (size_t k = 0; k < map->n; k++) {
            const struct mapped *const o = &map->tensors[k];
            if (is_expert_stack(o) && o->layer == t->layer && o->order >> 16 > last)
                last = o->order >> 16;
        }
        t->order = last << 16 | (t->order & 0xffff);
    }
}

static int by_output_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two ways to say the same must not both be there. */
static lq_status check_unique(struct mapping *map, lq_error *err)
{
    const char **const names = arena_calloc(&map->arena, map->n, sizeof *names);
    if (!names)
        return lq_fail_memory(err);
    for (size_t i = 0; i < map->n; i++)
        names[i] = map->tensors[i].name;
    qsort(names, map->n, sizeof *names, by_output_name);
    for (size_t i = 1; i < map->n; i++)
        if (strcmp(names[i - 1], names[i]) == 0) {
            lq_fail(err, LQ_E_MODEL, "two tensors of the checkpoint would become this one");
            lq_error_add_tensor(err, names[i]);
            return LQ_E_MODEL;
        }
    return LQ_OK;
}

static lq_status count_parameters(struct mapping *map, lq_error *err)
{
    uint64_t sum_of_counts = 0, n = 0;
    for (size_t i = 0; i < map->n; i++) {
        const struct mapped *const t = &map->tensors[i];
        uint64_t size = 1;
        for (uint32_t k = 0; k < t->rank; k++)
            if (!mul_u64(size, t->dim[k], &size))
                return lq_fail(err, LQ_E_MODEL, "the sizes of the tensors overflow");
        const uint32_t from_end = strstr(t->name, ".bias") ? 2 : 3;
        if (strstr(t->name, "_exps.") && t->rank >= 3) {
            const uint64_t count = t->dim[t->rank - from_end];
            map->experts += size / count;
            sum_of_counts += count;
            n++;
        } else {
            map->shared += size;
        }
        map->parameters += size;
    }
    map->expert_count = n ? sum_of_counts / n : 0;
    return LQ_OK;
}

lq_status mapping_make(struct mapping *map, struct model *m, lq_error *err)
{
    struct state s = {.m = m, .map = map};
    LQ_TRY(packed_check_config(m, err));
    LQ_TRY(index_source(&s, err));
    if (m->arch->extra)
        LQ_TRY(m->arch->extra(m, map, err));
    for (const struct tensor_rule *r = m->arch->tensors; r->from; r++)
        LQ_TRY(apply_everywhere(&s, r, err));
    LQ_TRY(check_left_over(&s, err));
    LQ_TRY(check_unique(map, err));
    gather_experts(map);
    qsort(map->tensors, map->n, sizeof *map->tensors, by_order);
    return count_parameters(map, err);
}
