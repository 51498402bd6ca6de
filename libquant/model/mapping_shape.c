/* mapping_shape.c -- shapes of tensors: what the configuration promises, and what transforms make. */
#include "libquant/model/mapping_parts.h"

#include <inttypes.h>
#include <string.h>

/* A word of dims.def or a number. False where the configuration does not tell it. */
static bool factor_of(const struct model *m, const char *s, size_t len, uint64_t *out)
{
    char number[12];
    bool known;
    if (*s < '0' || *s > '9') {
        *out = model_dim(m, s, len, &known);
        return known && *out;
    }
    if (len >= sizeof number)
        return false;
    memcpy(number, s, len);
    number[len] = '\0';
    return text_parse_u64(number, UINT32_MAX, out) && *out;
}

/* One size: factors joined by '*', or a divisor behind '/'. */
static bool size_of(const struct model *m, const char *expr, size_t len, uint64_t *out)
{
    bool divide = false;
    *out = 1;
    while (len) {
        size_t n = 0;
        uint64_t factor;
        while (n < len && expr[n] != '*' && expr[n] != '/')
            n++;
        if (!factor_of(m, expr, n, &factor))
            return false;
        if (divide && *out % factor)
            return false;
        if (divide)
            *out /= factor;
        else if (!mul_u64(*out, factor, out))
            return false;
        divide = n < len && expr[n] == '/';
        expr += n + (n < len);
        len -= n + (n < len);
    }
    return true;
}

/* The sizes of a shape, outermost first; *unknown points to the word that is not told, or is NULL. */
static bool shape_of(const struct model *m, const char *shape, uint64_t dim[MAPPED_RANK],
                     uint32_t *rank, const char **unknown)
{
    *rank = 0;
    for (const char *p = shape; *p;) {
        const size_t len = strcspn(p, " ");
        if (*rank == MAPPED_RANK || !size_of(m, p, len, &dim[*rank])) {
            *unknown = p;
            return false;
        }
        (*rank)++;
        p += len + strspn(p + len, " ");
    }
    return true;
}

bool mapping_sized(const struct model *m, const struct tensor_rule *r)
{
    uint64_t dim[MAPPED_RANK];
    uint32_t rank;
    const char *unknown;
    return shape_of(m, r->shape, dim, &rank, &unknown);
}

static void put_shape(struct text *t, const uint64_t *dim, uint32_t rank)
{
    for (uint32_t i = 0; i < rank; i++)
        text_printf(t, "%s%" PRIu64, i ? ", " : "[", dim[i]);
    text_puts(t, rank ? "]" : "[]");
}

static lq_status wrong_shape(const struct tensor *t, const char *shape, const uint64_t *want,
                             uint32_t rank, lq_error *err)
{
    struct text message = {0};
    text_puts(&message, "has the shape ");
    put_shape(&message, t->dim, t->rank);
    text_puts(&message, ", but the configuration promises ");
    put_shape(&message, want, rank);
    text_printf(&message, " (%s)", shape);
    lq_fail(err, LQ_E_MODEL, "%s", message.data ? message.data : "has another shape");
    text_free(&message);
    lq_error_add_tensor(err, t->name);
    return LQ_E_MODEL;
}

lq_status mapping_check_shape(const struct model *m, const char *shape, const struct tensor *t,
                              lq_error *err)
{
    uint64_t want[MAPPED_RANK];
    uint32_t rank;
    const char *unknown;
    if (!shape_of(m, shape, want, &rank, &unknown)) {
        lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                   "does not tell the size \"%.*s\", which a tensor depends on",
                   (int)strcspn(unknown, " "), unknown);
        lq_error_add_tensor(err, t->name);
        return LQ_E_MODEL;
    }
    if (rank == t->rank && (!rank || memcmp(want, t->dim, rank * sizeof *want) == 0))
        return LQ_OK;
    return wrong_shape(t, shape, want, rank, err);
}

static void swap(uint64_t *a, uint64_t *b)
{
    const uint64_t t = *a;
    *a = *b;
    *b = t;
}

/* Latent attention's kv_b has the keys' and the values' rows of each head: [heads * kv_b, rank]. */
static void split_kv_b(struct mapped *o, const struct model *m, bool keys)
{
    const uint64_t rank = o->dim[1];
    o->rank = 3;
    o->dim[0] = m->dim[DIM_HEADS];
    o->dim[1] = keys ? rank : m->dim[DIM_V_DIM];
    o->dim[2] = keys ? m->dim[DIM_NOPE] : rank;
}

lq_status mapping_out_shape(struct mapped *o, const struct model *m, lq_error *err)
{
    const struct tensor_rule *const r = o->rule;
    const struct tensor *const t = o->in[0];
    uint64_t *const d = o->dim;
    if (t->rank + (r->transform == TRANSFORM_STACK) > MAPPED_RANK)
        return lq_fail(err, LQ_E_UNSUPPORTED, "has too many dimensions");
    if ((r->transform == TRANSFORM_PERMUTE_Q || r->transform == TRANSFORM_PERMUTE_K) &&
        m->dim[DIM_HEAD_DIM] % 2)
        return lq_fail(err, LQ_E_MODEL, "has heads of %" PRIu64 " rows, which make no pairs",
                       m->dim[DIM_HEAD_DIM]);
    o->rank = t->rank;
    memcpy(d, t->dim, t->rank * sizeof *t->dim);
    switch ((enum transform)r->transform) {
    case TRANSFORM_STACK:
        memmove(d + 1, d, t->rank * sizeof *d);
        d[0] = o->n_in;
        o->rank++;
        break;
    case TRANSFORM_PART:
    case TRANSFORM_EVERY:           d[t->rank - 2] /= (uint64_t)r->arg[1]; break;
    case TRANSFORM_EVERY_COLUMN:    d[t->rank - 1] /= (uint64_t)r->arg[1]; break;
    case TRANSFORM_TRANSPOSE:       swap(&d[t->rank - 2], &d[t->rank - 1]); break;
    case TRANSFORM_TRANSPOSE_EVERY:
        swap(&d[t->rank - 2], &d[t->rank - 1]);
        d[t->rank - 2] /= (uint64_t)r->arg[1];
        break;
    case TRANSFORM_SKIP_ROWS:
        if (d[0] <= m->dim[DIM_SKIP])
            return lq_fail(err, LQ_E_MODEL, "has no rows beyond the first %" PRIu64,
                           m->dim[DIM_SKIP]);
        d[0] -= m->dim[DIM_SKIP];
        break;
    case TRANSFORM_KV_B_K:
    case TRANSFORM_KV_B_V: split_kv_b(o, m, r->transform == TRANSFORM_KV_B_K); break;
    case TRANSFORM_MXFP4: /* [.., rows, blocks, 16] */
        o->rank = t->rank - 1;
        d[o->rank - 1] *= 32;
        if (r->arg[1])
            d[o->rank - 2] /= (uint64_t)r->arg[1];
        o->packed = &type_MXFP4;
        break;
    default: break;
    }
    return LQ_OK;
}
