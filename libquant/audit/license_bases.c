/* license_bases.c -- the terms of a model against those of what it was made from, link by link. */
#include "libquant/audit/license_rules.h"

#include "libquant/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASES_LIMIT = 64 };

/* A model that another was made from: a folder that was given, or one known by its name. */
struct base {
    const char *name;
    const struct license_origin *declared; /* or NULL */
    const struct license_facts *facts;     /* or NULL */
    const struct expression *e;            /* n_choices 0: its licence is not known */
    bool in_conflict;
};

struct link_check {
    struct findings *out;
    const struct license_view *model;
    const char *path; /* of a base that is itself checked; NULL: the model */
    struct base base[BASES_LIMIT];
    size_t n;
    struct expression known[BASES_LIMIT]; /* of those known by name */
    size_t n_known;
};

/* ---- who is whose base ---- */

static bool is_called(const struct license_facts *f, const char *name)
{
    size_t end = strlen(f->path);
    while (end && f->path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin && f->path[begin - 1] != '/')
        begin--;
    char last[256];
    snprintf(last, sizeof last, "%.*s", (int)(end - begin < 250 ? end - begin : 250),
             f->path + begin);
    return (f->name && license_same_name(f->name, name)) || license_same_name(last, name);
}

static const struct license_origin *declares(const struct license_facts *f,
                                             const struct license_facts *base, bool dataset)
{
    const struct license_origin *const list = dataset ? f->datasets : f->bases;
    for (size_t i = 0; i < (dataset ? f->n_datasets : f->n_bases); i++)
        if (is_called(base, list[i].name))
            return &list[i];
    return NULL;
}

/* Folder i is a base of `v`: it is named there; or v is the model, and nobody names the folder. */
static bool is_base_of(const struct license_view *v, const struct license_view *model,
                       const struct license_view *const *all, size_t n, size_t i)
{
    const struct license_facts *const f = all[i]->facts;
    if (v == all[i] || declares(v->facts, f, false))
        return v != all[i];
    if (v != model || declares(model->facts, f, true))
        return false;
    for (size_t k = 0; k < n; k++)
        if (k != i && declares(all[k]->facts, f, false))
            return false;
    return true;
}

static void add_base(struct link_check *c, const struct base *b)
{
    if (c->n < BASES_LIMIT)
        c->base[c->n++] = *b;
}

static bool have_base(const struct link_check *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (license_same_name(c->base[i].name, name) ||
            (c->base[i].facts && is_called(c->base[i].facts, name)))
            return true;
    return false;
}

static void find_bases(struct link_check *c, const struct license_view *v,
                       const struct license_view *model, const struct license_view *const *all,
                       size_t n)
{
    static const struct expression unknown;
    size_t unnamed = 0;
    for (size_t i = 0; i < n; i++)
        if (is_base_of(v, model, all, n, i)) {
            const struct license_facts *const f = all[i]->facts;
            const struct license_origin *const o = declares(v->facts, f, false);
            add_base(c, &(struct base){f->name ? f->name : f->path, o, f, &all[i]->e, false});
            unnamed += !o;
        }
    for (size_t i = 0; i < v->facts->n_bases; i++) {
        const struct license_origin *const o = &v->facts->bases[i];
        if (have_base(c, o->name) || c->n == BASES_LIMIT)
            continue;
        if (unnamed) { /* a folder whose name differs stands for it */
            unnamed--;
            continue;
        }
        const char *const id = license_of_known_model(o);
        struct expression *const e = &c->known[c->n_known];
        if (id && expression_parse(e, id, NULL) == LQ_OK) {
            c->n_known++;
            add_base(c, &(struct base){o->name, o, NULL, e, false});
        } else {
            add_base(c, &(struct base){o->name, o, NULL, &unknown, false});
        }
    }
}

/* ---- findings ---- */

/* Where the model states its licence, with the path of the model where that is itself a base. */
static struct statement place(const struct link_check *c)
{
    const struct statement *const s = license_main_statement(c->model->facts);
    struct statement at = s ? *s : (struct statement){0};
    if (c->path)
        at.file = c->path;
    return at;
}

static bool all_have(const struct expression *e, unsigned flag)
{
    bool all = e->n_leaves > 0;
    for (size_t i = 0; i < e->n_leaves; i++)
        all &= (license_flags_of(e->leaf[i].id) & flag) != 0;
    return all;
}

static bool any_has(const struct expression *e, unsigned flag)
{
    bool any = false;
    for (size_t i = 0; i < e->n_leaves; i++)
        any |= (license_flags_of(e->leaf[i].id) & flag) != 0;
    return any;
}

static bool is_shared_alike(const struct expression *e)
{
    return e->n_leaves == 1 && ascii_ncasecmp(e->leaf[0].id, "CC-BY-SA-", 9) == 0;
}

/* A permissive licence exchanged for another: allowed, but its text has to stay. */
static void check_kept(struct link_check *c, const struct base *b)
{
    const struct expression *const e = &c->model->e;
    const struct statement at = place(c);
    if (!all_have(b->e, TERMS_PLAIN) || !all_have(e, TERMS_PLAIN) || expression_equal(b->e, e) ||
        !license_duty_find(b->e->leaf[0].id, DUTY_COPY))
        return;
    for (size_t i = 0; i < c->model->facts->n_statements; i++) {
        const struct statement *const s = &c->model->facts->statements[i];
        if (s->kind == STATEMENT_TEXT && s->means && strstr(s->means, b->e->leaf[0].id))
            return;
    }
    license_report(c->out, RULE_RELAXED, SEVERITY_WARNING, &at, b->e->written.data,
                   "\"%.200s\" is under %s, whose text or notices have to go with the model",
                   b->name, b->e->written.data);
}

/* False where the model may not be under its terms at all. */
static bool check_terms(struct link_check *c, const struct base *b)
{
    const struct expression *const e = &c->model->e;
    const struct statement at = place(c);
    const char *const ours = e->written.data, *const theirs = b->e->written.data;
    const char *const how = b->facts ? "" : " (known by its name)";
    if (expression_class(b->e) == LICENSE_ND) {
        const char *const relation = c->model->facts->relation;
        const bool adapter = relation && strcmp(relation, "adapter") == 0;
        license_report(c->out, RULE_ND_BASE, adapter ? SEVERITY_WARNING : SEVERITY_ERROR, &at,
                       theirs, "\"%.200s\"%s is under %s%s%s", b->name, how, theirs,
                       relation ? ", and this is made from it: " : "", relation ? relation : "");
        return false;
    }
    switch (expression_compatible(b->e, e)) {
    case COMPATIBLE: check_kept(c, b); return true;
    case COMPATIBLE_NOTE:
        license_report(c->out, RULE_RELAXED, SEVERITY_NOTE, &at, theirs,
                       "\"%.200s\"%s is under %s, this under %s: its terms still have to be kept",
                       b->name, how, theirs, ours);
        return true;
    case COMPATIBLE_UNKNOWN:
        license_report(c->out, RULE_BASE_UNKNOWN, SEVERITY_NOTE, &at, theirs,
                       "\"%.200s\" is under %s, this under %s: whether that fits is not known here",
                       b->name, theirs, ours);
        return true;
    case INCOMPATIBLE: break;
    }
    const enum license_rule rule = all_have(b->e, TERMS_NC) && !any_has(e, TERMS_NC) ? RULE_NC_BASE
                                   : is_shared_alike(b->e) ? RULE_SHARE_ALIKE
                                                           : RULE_RELAXED;
    license_report(c->out, rule, SEVERITY_ERROR, &at, theirs,
                   "this is under %s, but \"%.200s\"%s is under %s", ours, b->name, how, theirs);
    return false;
}

/* The notices that a base hands down: the line that its licence demands, and a notice file of its
 * own. What the model's own licence demands was checked with it. */
static void check_notices(struct link_check *c, const struct base *b)
{
    const struct text *const ours = &c->model->facts->notices;
    const struct statement at = place(c);
    for (size_t i = 0; i < b->e->n_leaves; i++) {
        const struct license_duty *const d = license_duty_find(b->e->leaf[i].id, DUTY_NOTICE);
        bool own = false;
        for (size_t k = 0; d && d->value && k < c->model->e.n_leaves; k++)
            own |= license_duty_find(c->model->e.leaf[k].id, DUTY_NOTICE) == d;
        if (!d || own)
            continue;
        if (d->value ? license_words_have(ours, d->value)
                     : !b->facts || !b->facts->notices.len || ours->len)
            continue;
        license_report(c->out, RULE_NOTICE_MISSING, SEVERITY_ERROR, &at, d->value,
                       d->value ? "\"%.200s\" demands a notice that is not here (%s, %s)"
                                : "\"%.200s\" has a notice file, which has to go along (%s, %s)",
                       b->name, b->e->leaf[i].id, d->source);
        return;
    }
}

static void check_prefix(struct link_check *c, const struct base *b)
{
    const struct license_facts *const f = c->model->facts;
    const struct statement at = place(c);
    for (size_t i = 0; i < b->e->n_leaves; i++) {
        const struct license_duty *const d = license_duty_find(b->e->leaf[i].id, DUTY_NAME);
        if (!d || !f->name)
            continue;
        char begin[64];
        snprintf(begin, sizeof begin, "%.*s", (int)strlen(d->value), f->name);
        if (!license_same_name(begin, d->value))
            license_report(c->out, RULE_NAME_PREFIX, SEVERITY_WARNING, &at, f->name,
                           "the name \"%.200s\" does not begin with \"%s\" (%s, %s)", f->name,
                           d->value, b->e->leaf[i].id, d->source);
    }
}

static void check_one(struct link_check *c, const struct base *b)
{
    const struct statement at = place(c);
    if (!b->e->n_choices) {
        license_report(c->out, RULE_BASE_UNKNOWN, SEVERITY_NOTE, &at, b->name,
                       b->facts ? "the folder of \"%.200s\" states no licence that is known here"
                                : "\"%.200s\" is named as a base: its terms were not checked",
                       b->name);
        return;
    }
    if (b->in_conflict)
        return;
    if (c->model->e.n_choices && check_terms(c, b))
        check_notices(c, b);
    check_prefix(c, b);
}

/* ---- merges ---- */

static const char *only_id(const struct expression *e)
{
    return e->n_leaves ? e->leaf[0].id : "";
}

static bool is_further_restriction(const struct expression *e)
{
    const enum license_class class = expression_class(e);
    return all_have(e, TERMS_NC) || class == LICENSE_RESTRICTED || class == LICENSE_COMMUNITY ||
           class == LICENSE_ND;
}

/* Why the two cannot be met together; NULL where they can. */
static const char *conflict(const struct expression *a, const struct expression *b)
{
    const struct license_duty *const x = license_duty_find(only_id(a), DUTY_NAME);
    const struct license_duty *const y = license_duty_find(only_id(b), DUTY_NAME);
    if (all_have(a, TERMS_GPL) && is_further_restriction(b))
        return "the GNU licence forbids restrictions beyond its own";
    if (license_duty_find(only_id(a), DUTY_NO_TRAINING) && !expression_equal(a, b))
        return "the first may not be used to improve other models";
    if (x && y && ascii_ncasecmp(x->value, y->value, strlen(x->value)) != 0 &&
        ascii_ncasecmp(x->value, y->value, strlen(y->value)) != 0)
        return "each demands that the name begins with its own word";
    if (all_have(a, TERMS_STRONG) && all_have(b, TERMS_STRONG) &&
        expression_compatible(a, b) == INCOMPATIBLE && expression_compatible(b, a) == INCOMPATIBLE)
        return "each demands that the whole is under its own licence";
    return NULL;
}

static void check_merge(struct link_check *c)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = i + 1; k < c->n; k++) {
            const struct base *first = &c->base[i], *second = &c->base[k];
            if (!first->e->n_choices || !second->e->n_choices)
                continue;
            const char *why = conflict(first->e, second->e);
            if (!why) {
                why = conflict(second->e, first->e);
                first = &c->base[k];
                second = &c->base[i];
            }
            if (!why)
                continue;
            const struct statement at = place(c);
            c->base[i].in_conflict = c->base[k].in_conflict = true;
            license_report(c->out, RULE_MERGE_CONFLICT, SEVERITY_ERROR, &at,
                           second->e->written.data,
                           "\"%.200s\" is under %s and \"%.200s\" under %s: %s", first->name,
                           first->e->written.data, second->name, second->e->written.data, why);
        }
}

/* ---- all links ---- */

static void check_link(struct findings *out, const struct license_view *v,
                       const struct license_view *model, const struct license_view *const *all,
                       size_t n)
{
    struct link_check *const c = mem_calloc(1, sizeof *c);
    if (!c) {
        out->failed = true;
        return;
    }
    c->out = out;
    c->model = v;
    c->path = v == model ? NULL : v->facts->path;
    find_bases(c, v, model, all, n);
    check_merge(c);
    for (size_t i = 0; i < c->n; i++)
        if (v == model || c->base[i].facts) /* what a base says of its own is its maker's matter */
            check_one(c, &c->base[i]);
    for (size_t i = 0; i < c->n_known; i++)
        expression_release(&c->known[i]);
    free(c);
}

static void check_data(struct findings *out, const struct license_view *v,
                       const struct license_view *const *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct license_origin *const o = declares(v->facts, all[i]->facts, true);
        const bool closed = all_have(&all[i]->e, TERMS_NC) ||
                            (all[i]->e.n_choices && expression_class(&all[i]->e) == LICENSE_ND);
        if (o && closed && v->e.n_choices && !any_has(&v->e, TERMS_NC)) {
            const struct statement at = {.file = o->file, .key = o->key};
            license_report(out, RULE_DATA_NC, SEVERITY_NOTE, &at, all[i]->e.written.data,
                           "the data set \"%.200s\" is under %s, the model under %s", o->name,
                           all[i]->e.written.data, v->e.written.data);
        }
    }
}

/* Bases of the card against those of metadata, where both name some. */
static void check_declared(struct findings *out, const struct license_facts *f)
{
    const struct license_origin *other = NULL;
    bool card = false, common = false;
    for (size_t i = 0; i < f->n_bases; i++) {
        const bool here = strcmp(f->bases[i].file, "README.md") == 0;
        card |= here;
        if (!here && !other)
            other = &f->bases[i];
        for (size_t k = 0; k < f->n_bases && here; k++)
            common |= strcmp(f->bases[k].file, "README.md") != 0 &&
                      license_same_name(f->bases[i].name, f->bases[k].name);
    }
    if (!card || !other || common)
        return;
    const struct statement at = {.file = other->file, .key = other->key};
    license_report(out, RULE_BASE_MISMATCH, SEVERITY_WARNING, &at, other->name,
                   "it names \"%.200s\" as a base, which the card does not", other->name);
}

void license_check_bases(struct findings *out, const struct license_view *model,
                         const struct license_view *const *bases, size_t n)
{
    check_declared(out, model->facts);
    check_link(out, model, model, bases, n);
    for (size_t i = 0; i < n; i++)
        check_link(out, bases[i], model, bases, n);
    check_data(out, model, bases, n);
}
