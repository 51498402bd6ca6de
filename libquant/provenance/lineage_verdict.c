/* lineage_verdict.c -- the strongest statement that holds for all tensors of a model. */
#include "libquant/provenance/lineage_verdict.h"

#include "libquant/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[LINEAGE_VERDICTS] = {
    [LINEAGE_IDENTICAL] = "identical",       [LINEAGE_DERIVED] = "re-derived",
    [LINEAGE_EXPLAINED] = "explained",       [LINEAGE_ALTERED] = "altered",
    [LINEAGE_PARTIAL] = "partial",           [LINEAGE_MERGED] = "merged",
    [LINEAGE_TUNED] = "fine-tuned",          [LINEAGE_UNRELATED] = "unrelated",
    [LINEAGE_UNDETERMINED] = "undetermined",
};

const char *lineage_verdict_name(enum lineage_verdict v)
{
    return names[v];
}

enum lineage_verdict lineage_verdict_by_name(const char *name, size_t len)
{
    int v = 0;
    while (v < LINEAGE_VERDICTS && (strlen(names[v]) != len || strncmp(names[v], name, len) != 0))
        v++;
    return (enum lineage_verdict)v;
}

/* What the verdict of the model depends on. */
struct tally {
    size_t paired, shapes;       /* tensors with a counterpart; with one of another shape */
    size_t unpaired;             /* without any */
    size_t vectors;              /* undetermined ones that are too small for statistics */
    size_t of[LINEAGE_VERDICTS]; /* all others */
    size_t from[LINEAGE_BASES];  /* paired ones that are not unrelated, by base */
    size_t moved, dropped;       /* layers */
    bool rows;                   /* another size of vocabulary */
};

static void count_layers(const struct lineage *l, struct tally *n)
{
    if (!l->n_layers)
        return;
    const uint32_t base_layers = l->base_layers[l->main];
    bool *const used = mem_calloc(base_layers, sizeof *used);
    for (uint32_t i = 0; i < l->n_layers; i++) {
        const struct layer_match *const m = &lineage_layers(l)[i];
        n->moved += m->found && m->layer != i;
        if (used && m->layer < base_layers && (m->found || m->layer == i))
            used[m->layer] = true;
    }
    for (uint32_t i = 0; used && i < base_layers; i++)
        n->dropped += !used[i];
    free(used);
}

static struct tally tally(struct lineage *l)
{
    struct tally n = {0};
    for (size_t i = 0; i < l->n_tensors; i++) {
        const struct tensor_lineage *const t = &l->tensors[i];
        l->count[t->verdict]++;
        l->marked += t->marked;
        if (!t->base) {
            n.shapes += t->other_shape;
            n.unpaired += !t->other_shape;
            continue;
        }
        n.paired++;
        n.rows = n.rows || t->more_rows;
        if (t->verdict == LINEAGE_UNDETERMINED && t->vector)
            n.vectors++;
        else
            n.of[t->verdict]++;
        if (t->verdict != LINEAGE_UNRELATED && !t->vector)
            n.from[t->from]++;
    }
    for (size_t b = 1; b < l->n_bases; b++)
        l->main = n.from[b] > n.from[l->main] ? b : l->main;
    count_layers(l, &n);
    return n;
}

/* Tensors of the main base that no claimed one was paired with. */
static lq_status count_missing(struct lineage *l, lq_error *err)
{
    const struct catalog *const c = l->base[l->main].catalog;
    bool *const used = mem_calloc(c->n_tensors, sizeof *used);
    if (!used)
        return lq_fail_memory(err);
    for (size_t i = 0; i < l->n_tensors; i++) {
        const struct tensor *base = l->tensors[i].base;
        if (l->tensors[i].from != l->main) /* what stands for it in another base is not missing here */
            base = catalog_find(c, l->tensors[i].claimed->name);
        if (base)
            used[base - c->tensors] = true;
    }
    for (size_t i = 0; i < c->n_tensors; i++)
        l->missing += !used[i];
    free(used);
    return LQ_OK;
}

static bool several_bases(const struct lineage *l, const struct tally *n)
{
    size_t bases = 0;
    for (size_t b = 0; b < l->n_bases; b++)
        bases += n->from[b] > 0;
    return bases > 1;
}

static bool is_partial(const struct lineage *l, const struct tally *n)
{
    return n->moved || n->dropped || n->rows || n->unpaired || n->shapes || l->missing;
}

static enum lineage_verdict decide(const struct lineage *l, const struct tally *n)
{
    const size_t same =
        n->of[LINEAGE_IDENTICAL] + n->of[LINEAGE_DERIVED] + n->of[LINEAGE_EXPLAINED];
    const size_t changed = n->of[LINEAGE_TUNED] + n->of[LINEAGE_MERGED];
    const size_t altered = n->of[LINEAGE_ALTERED];
    const size_t unrelated = n->of[LINEAGE_UNRELATED], open = n->of[LINEAGE_UNDETERMINED];
    if (!n->paired)
        return LINEAGE_UNDETERMINED;
    if (unrelated)
        return unrelated > open + changed + altered + same ? LINEAGE_UNRELATED
                                                           : LINEAGE_UNDETERMINED;
    if (changed) {
        if (open > changed)
            return LINEAGE_UNDETERMINED;
        if (is_partial(l, n))
            return LINEAGE_PARTIAL;
        return n->of[LINEAGE_MERGED] >= n->of[LINEAGE_TUNED] ? LINEAGE_MERGED : LINEAGE_TUNED;
    }
    if (open || n->vectors)
        return LINEAGE_UNDETERMINED;
    if (several_bases(l, n))
        return LINEAGE_MERGED;
    if (altered)
        return LINEAGE_ALTERED;
    if (is_partial(l, n))
        return LINEAGE_PARTIAL;
    return n->of[LINEAGE_EXPLAINED] ? LINEAGE_EXPLAINED
           : n->of[LINEAGE_DERIVED] ? LINEAGE_DERIVED
                                    : LINEAGE_IDENTICAL;
}

/* ---- why ---- */

static void add(struct text *t, const char *fmt, size_t n)
{
    if (!n)
        return;
    if (t->len)
        text_puts(t, ", ");
    text_printf(t, fmt, n);
}

static lq_status say_why(struct lineage *l, const struct tally *n, lq_error *err)
{
    struct text t = {0};
    for (int v = 0; v < LINEAGE_VERDICTS; v++) {
        const size_t count = v == LINEAGE_UNDETERMINED ? n->of[v] + n->vectors : n->of[v];
        if (count && t.len)
            text_puts(&t, ", ");
        if (count)
            text_printf(&t, "%zu %s", count, names[v]);
    }
    add(&t, "%zu blocks stand out", l->marked);
    add(&t, "%zu layers come from another place", n->moved);
    add(&t, "%zu layers of the base are left out", n->dropped);
    add(&t, "%zu tensors have no counterpart", n->unpaired);
    add(&t, "%zu tensors have another shape", n->shapes);
    add(&t, "%zu tensors of the base are missing", l->missing);
    if (n->rows)
        text_puts(&t, ", another number of tokens");
    if (several_bases(l, n) && l->verdict == LINEAGE_MERGED && !n->of[LINEAGE_MERGED])
        text_puts(&t, ", tensors come from several bases");
    snprintf(l->why, sizeof l->why, "%s", t.data ? t.data : "nothing to compare");
    const bool failed = t.failed;
    text_free(&t);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

lq_status lineage_judge(struct lineage *l, lq_error *err)
{
    const struct tally n = tally(l);
    if (!n.paired && !n.shapes)
        return lq_fail(err, LQ_E_MODEL, "no tensor of %s has the name of one of %s",
                       l->claimed.stored.path, l->base[0].stored.path);
    LQ_TRY(count_missing(l, err));
    l->verdict = decide(l, &n);
    return say_why(l, &n, err);
}
