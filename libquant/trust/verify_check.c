/* verify_check.c -- hashes every file that claims are about, once, and judges the claims. */
#include "libquant/trust/verification.h"

#include "libquant/base/hash.h"
#include "libquant/trust/file_hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* All claims about one file, behind links. */
struct group {
    struct verify_item **items;
    size_t n;
    struct list_file file;
    uint8_t sha512[64], git_sha1[20];
    bool failed; /* to be hashed: its items say why */
};

struct checking {
    struct arena *arena;
    struct verify_item **pending;
    struct group *groups;
    struct hash_job *jobs;
    size_t n_pending, n_groups;
};

static int by_real(const void *a, const void *b)
{
    const struct verify_item *const x = *(struct verify_item *const *)a;
    const struct verify_item *const y = *(struct verify_item *const *)b;
    return strcmp(x->real, y->real);
}

static void spoil(struct checking *c, struct group *g, const char *why)
{
    const char *const copy = arena_strdup(c->arena, why);
    for (size_t i = 0; i < g->n; i++) {
        g->items[i]->state = VERIFY_BAD;
        g->items[i]->why = copy;
    }
    g->failed = true;
}

static void failed(void *ctx, const struct hash_job *job, const lq_error *why)
{
    struct checking *const c = ctx;
    spoil(c, &c->groups[job - c->jobs], why->message);
}

/* ---- groups ---- */

static void add_group(struct checking *c, struct verify_item **first)
{
    struct group *const g = &c->groups[c->n_groups];
    struct hash_job *const job = &c->jobs[c->n_groups++];
    struct stat st = {0};
    *g = (struct group){.items = first};
    while (first + g->n < c->pending + c->n_pending &&
           strcmp(first[g->n]->real, first[0]->real) == 0)
        g->n++;
    const bool is_file = stat(first[0]->real, &st) == 0 && S_ISREG(st.st_mode);
    g->file = list_file_of(first[0]->name, first[0]->real, &st);
    *job = (struct hash_job){.file = &g->file};
    for (size_t i = 0; i < g->n; i++) {
        const enum claim_algorithm a = first[i]->algorithm;
        job->sha256 = job->sha256 || a == CLAIM_SHA256;
        job->sha512 = a == CLAIM_SHA512 ? g->sha512 : job->sha512;
        job->git_sha1 = a == CLAIM_GIT_SHA1 ? g->git_sha1 : job->git_sha1;
    }
    if (!is_file) {
        spoil(c, g, "is no file that can be read");
        c->n_groups--;
    }
}

static lq_status make_groups(struct checking *c, struct verification *v, lq_error *err)
{
    c->pending = mem_calloc(v->n + 1, sizeof(struct verify_item *));
    c->groups = mem_calloc(v->n + 1, sizeof *c->groups);
    c->jobs = mem_calloc(v->n + 1, sizeof *c->jobs);
    if (!c->pending || !c->groups || !c->jobs)
        return lq_fail_memory(err);
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].state == VERIFY_PENDING)
            c->pending[c->n_pending++] = &v->items[i];
    if (c->n_pending)
        qsort(c->pending, c->n_pending, sizeof(struct verify_item *), by_real);
    for (size_t i = 0; i < c->n_pending; i++)
        if (!i || strcmp(c->pending[i - 1]->real, c->pending[i]->real) != 0)
            add_group(c, &c->pending[i]);
    return LQ_OK;
}

/* ---- judging ---- */

static void judge(struct checking *c, const struct group *g, struct verify_item *i)
{
    char found[129];
    if (i->algorithm == CLAIM_SHA256)
        hex_of(found, g->file.sha256, 32);
    else if (i->algorithm == CLAIM_SHA512)
        hex_of(found, g->sha512, 64);
    else
        hex_of(found, g->git_sha1, 20);
    const bool same = strcmp(found, i->expected) == 0;
    i->state = same ? VERIFY_OK : VERIFY_CHANGED;
    if (!same)
        i->found = arena_strdup(c->arena, found);
    if (i->size != CLAIM_NO_SIZE && i->size != g->file.size) {
        i->state = VERIFY_CHANGED;
        i->why = arena_printf(c->arena, "has %" PRIu64 " bytes instead of %" PRIu64, g->file.size,
                              i->size);
    }
    i->size = g->file.size;
}

/* Claims by one algorithm that say two things: one of the lists is wrong, whatever the file is. */
static void compare_claims(struct checking *c, const struct group *g, struct verify_item *i)
{
    for (size_t k = 0; k < g->n && i->state == VERIFY_CHANGED && !i->why; k++) {
        const struct verify_item *const other = g->items[k];
        if (other->algorithm == i->algorithm && strcmp(other->expected, i->expected) != 0)
            i->why = arena_printf(c->arena, "contradicts %s", other->source);
    }
}

lq_status verify_check(struct verification *v, unsigned threads, const struct progress *progress,
                       lq_error *err)
{
    struct checking c = {.arena = &v->arena};
    lq_status status = make_groups(&c, v, err);
    if (status == LQ_OK)
        status = file_hash(c.jobs, c.n_groups, threads, progress, failed, &c, err);
    for (size_t i = 0; i < c.n_groups && status == LQ_OK; i++) {
        const struct group *const g = &c.groups[i];
        for (size_t k = 0; k < g->n && !g->failed; k++)
            judge(&c, g, g->items[k]);
        for (size_t k = 0; k < g->n && !g->failed; k++)
            compare_claims(&c, g, g->items[k]);
    }
    free(c.pending);
    free(c.groups);
    free(c.jobs);
    verify_sort(v);
    return status;
}
