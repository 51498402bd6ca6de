/* model_signature.c -- signing models and verifying them. */
#include "libquant/trust/model_signature.h"

#include "libquant/base/hash.h"
#include "libquant/base/sink.h"
#include "libquant/base/text.h"
#include "libquant/trust/certificate.h"
#include "libquant/trust/keyless.h"
#include "libquant/trust/model_statement.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const git_names[] = {".git", ".gitattributes", ".github", ".gitignore"};

/* ---- names ---- */

/* The absolute path, with the links of its folders resolved and its own last part kept. */
static char *place_of(const char *path)
{
    struct text t = {0};
    text_puts(&t, path);
    while (t.len > 1 && t.data[t.len - 1] == '/')
        t.data[--t.len] = '\0';
    const char *const last = t.data ? path_last_part(t.data) : "";
    char *place = NULL;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        place = t.failed ? NULL : realpath(t.data, NULL);
        text_free(&t);
        return place;
    }
    const size_t n = (size_t)(last - t.data);
    char *const folder = n ? strndup(t.data, n) : strdup(".");
    char *const real = folder ? realpath(folder, NULL) : NULL;
    struct text whole = {0};
    if (real)
        text_printf(&whole, "%s/%s", strcmp(real, "/") == 0 ? "" : real, last);
    free(folder);
    free(real);
    text_free(&t);
    return whole.failed ? NULL : whole.data;
}

bool model_relative(const char *model, const char *path, struct text *name)
{
    char *const root = realpath(model, NULL), *const place = place_of(path);
    const size_t n = root ? strlen(root) : 0;
    const bool within = root && place && strncmp(place, root, n) == 0 && place[n] == '/' &&
                        place[n + 1];
    if (within)
        text_puts(name, place + n + 1);
    free(root);
    free(place);
    return within && !name->failed;
}

/* ---- what is left out ---- */

/* Names that are left out, from all who have a say. */
struct ignored {
    const char **names;
    size_t n, n_user; /* those of the user first */
    struct text signature; /* the signature's own name, where it lies within the model */
};

static lq_status ignored_make(struct ignored *g, const char *model, const char *path,
                              const struct file_list_options *o, const struct model_statement *s,
                              lq_error *err)
{
    g->names = mem_calloc(o->n_ignore + (s ? s->n_ignore : 0) + 2, sizeof *g->names);
    if (!g->names)
        return lq_fail_memory(err);
    for (size_t i = 0; i < o->n_ignore; i++)
        g->names[g->n++] = o->ignore[i];
    g->n_user = g->n;
    for (size_t i = 0; s && i < s->n_ignore; i++)
        g->names[g->n++] = s->ignore[i];
    if (model_relative(model, path, &g->signature))
        g->names[g->n++] = g->signature.data;
    return g->signature.failed ? lq_fail_memory(err) : LQ_OK;
}

static void ignored_release(struct ignored *g)
{
    free(g->names);
    text_free(&g->signature);
}

/* ---- signing ---- */

static lq_status check_recordable(const struct file_list_options *o, const char *model,
                                  lq_error *err)
{
    for (size_t i = 0; i < o->n_ignore; i++)
        if (!model_ignore_is_plain(o->ignore[i]))
            return lq_fail_at(err, LQ_E_USAGE, model, -1,
                              "\"%.200s\" cannot be left out: signatures take names without *, ? "
                              "and [ only",
                              o->ignore[i]);
    return LQ_OK;
}

static lq_status put_bundle(struct text *out, const struct file_list *l, const char *subject,
                            const struct sign_key *key, const STACK_OF(X509) *chain,
                            const struct file_list_options *o, lq_error *err)
{
    struct dsse e = {0};
    model_statement_put(&e.payload, l, subject, o);
    const lq_status status = e.payload.failed ? lq_fail_memory(err) : dsse_sign(&e, key, err);
    if (status == LQ_OK)
        bundle_put(out, &e, key, chain);
    dsse_release(&e);
    return status == LQ_OK && out->failed ? lq_fail_memory(err) : status;
}

static lq_status write_bundle(const struct text *t, const char *path, lq_error *err)
{
    struct sink *s;
    LQ_TRY(sink_open(&s, path, SINK_SYNC, err));
    const lq_status status = sink_append(s, t->data, t->len, err);
    if (status == LQ_OK)
        return sink_commit(s, NULL, err);
    sink_abort(s);
    return status;
}

static lq_status sign_files(struct text *out, const char *model, const struct sign_key *key,
                            const STACK_OF(X509) *chain, const struct signature_options *o,
                            const struct file_list_options *files, size_t *n_files, lq_error *err)
{
    struct file_list l = {0};
    char *const real = realpath(model, NULL);
    lq_status status = real ? file_list_walk(&l, real, files, err)
                            : lq_fail_errno(err, model, "cannot open");
    if (status == LQ_OK && !l.n)
        status = lq_fail_at(err, LQ_E_VERIFY, model, -1, "there is no file to sign");
    if (status == LQ_OK)
        status = file_list_hash(&l, o->threads, o->progress, err);
    file_list_sort(&l, FILE_ORDER_COMPONENTS);
    if (status == LQ_OK)
        status = put_bundle(out, &l, path_last_part(real), key, chain, files, err);
    if (n_files)
        *n_files = l.n;
    file_list_release(&l);
    free(real);
    return status;
}

lq_status signature_write(const char *model, const char *path, const struct sign_key *key,
                          const STACK_OF(X509) *chain, const struct signature_options *o,
                          size_t *n_files, lq_error *err)
{
    struct file_list_options files = o->files;
    struct ignored g = {0};
    struct text t = {0};
    lq_status status = ignored_make(&g, model, path, &o->files, NULL, err);
    files.ignore = g.names;
    files.n_ignore = g.n;
    if (status == LQ_OK)
        status = check_recordable(&files, model, err);
    if (status == LQ_OK)
        status = sign_files(&t, model, key, chain, o, &files, n_files, err);
    if (status == LQ_OK)
        status = write_bundle(&t, path, err);
    text_free(&t);
    ignored_release(&g);
    return status;
}

/* ---- the signature ---- */

/* Who has signed, in the words of an item. */
struct signer {
    const char *name, *trust_root, *time;
};

static lq_status verify_with_key(struct verification *v, const struct bundle *b,
                                 const struct signature_trust *t, const char *name,
                                 struct signer *who, lq_error *err)
{
    if (b->hint && strcmp(b->hint, t->key->fingerprint) != 0)
        return lq_fail_at(err, LQ_E_VERIFY, name, -1,
                          "is signed with another key: its hint is %.64s, and this key's %s", b->hint,
                          t->key->fingerprint);
    LQ_TRY(dsse_verify(&b->envelope, t->key, NULL, err));
    who->name = arena_printf(&v->arena, "%s key %s", t->key->curve, t->key->fingerprint);
    who->trust_root = "the public key";
    return who->name ? LQ_OK : lq_fail_memory(err);
}

static lq_status verify_with_certificate(struct verification *v, const struct bundle *b,
                                         const struct signature_trust *t, const char *name,
                                         struct signer *who, lq_error *err)
{
    X509 *const leaf = sk_X509_value(b->chain, 0);
    struct sign_key key = {0};
    struct text signer = {0};
    LQ_TRY(certificate_verify(b->chain, t->roots, t->at, NULL, name, err));
    lq_status status = key_adopt(&key, X509_get_pubkey(leaf), name, err);
    if (status == LQ_OK)
        status = dsse_verify(&b->envelope, &key, NULL, err);
    certificate_put_name(&signer, leaf);
    who->name = signer.len ? arena_strdup(&v->arena, signer.data) : "a certificate without name";
    who->trust_root = t->roots_name;
    text_free(&signer);
    key_release(&key);
    return status == LQ_OK && !who->name ? lq_fail_memory(err) : status;
}

static lq_status verify_keyless(struct verification *v, const struct bundle *b,
                                const struct signature_trust *t, const char *name,
                                struct signer *who, lq_error *err)
{
    struct text when = {0};
    time_t at;
    LQ_TRY(keyless_verify(b, t->keyless, &at, name, err));
    time_put(&when, at);
    who->time = when.failed ? NULL : arena_strdup(&v->arena, when.data);
    who->name = arena_printf(&v->arena, "%s (%s)", t->keyless->identity, t->keyless->issuer);
    who->trust_root = t->keyless->root_name;
    text_free(&when);
    return who->name && who->time ? LQ_OK : lq_fail_memory(err);
}

/* False: `trust` has not what this method takes. */
static bool can_verify(enum bundle_method m, const struct signature_trust *t)
{
    const bool can[BUNDLE_METHODS] = {t->key != NULL, t->roots != NULL, t->keyless != NULL};
    return can[m];
}

static lq_status verify_bundle(struct verification *v, const struct bundle *b,
                               const struct signature_trust *t, const char *name,
                               struct signer *who, lq_error *err)
{
    static lq_status (*const verify[BUNDLE_METHODS])(
        struct verification *, const struct bundle *, const struct signature_trust *, const char *,
        struct signer *, lq_error *) = {verify_with_key, verify_with_certificate, verify_keyless};
    const lq_status status = verify[b->method](v, b, t, name, who, err);
    lq_error_add_file(err, name);
    return status;
}

/* A signature whose file has been read and verified. */
static lq_status open_signature(struct bundle *b, const char *path, lq_error *err)
{
    struct source *s;
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status = bundle_read(b, s, err);
    source_close(s);
    return status;
}

/* ---- comparing ---- */

struct comparing {
    struct verification *v;
    const struct model_statement *s;
    const struct file_list *l;
    const struct signature_options *o;
    const char *source; /* of the claims: the signature */
    struct signer who;
    size_t n_problems;  /* items that the walk has made, which come first */
};

static lq_status problem(void *ctx, const char *name, const lq_error *why, lq_error *err)
{
    return verify_note(ctx, name, VERIFY_BAD, NULL, err, "%s", why->message);
}

static bool is_problem(const struct comparing *c, const char *name)
{
    for (size_t i = 0; i < c->n_problems; i++)
        if (strcmp(c->v->items[i].name, name) == 0)
            return true;
    return false;
}

/* The file as it is here. One that was signed alone has any name. */
static struct list_file *local_file(const struct comparing *c, const char *name)
{
    if (c->l->single)
        return c->s->n == 1 && (strcmp(name, ".") == 0 || strcmp(name, c->l->files->name) == 0)
                   ? c->l->files
                   : NULL;
    return file_list_find(c->l, name);
}

static lq_status compare_file(const struct comparing *c, const struct signed_file *f, bool *seen,
                              lq_error *err)
{
    const struct list_file *const here = local_file(c, f->name);
    char hex[65];
    if (!here && is_problem(c, f->name))
        return LQ_OK;
    hex_of(hex, f->sha256, 32);
    LQ_TRY(verify_claim(c->v, here ? here->name : f->name, CLAIM_SHA256, hex, CLAIM_NO_SIZE,
                        c->source, c->who.time, err));
    struct verify_item *const i = &c->v->items[c->v->n - 1];
    i->signer = c->who.name;
    i->trust_root = c->who.trust_root;
    i->state = VERIFY_MISSING;
    if (!here && i->real && !c->l->single)
        i->why = "it was signed, and is left out here";
    if (!here)
        return LQ_OK;
    seen[here - c->l->files] = true;
    i->size = here->size;
    i->state = VERIFY_OK;
    if (memcmp(here->sha256, f->sha256, 32) == 0)
        return LQ_OK;
    hex_of(hex, here->sha256, 32);
    i->state = VERIFY_CHANGED;
    i->found = arena_strdup(&c->v->arena, hex);
    return i->found ? LQ_OK : lq_fail_memory(err);
}

static lq_status compare_files(const struct comparing *c, lq_error *err)
{
    bool *const seen = mem_calloc(c->l->n + 1, sizeof *seen);
    lq_status status = seen ? LQ_OK : lq_fail_memory(err);
    for (size_t i = 0; i < c->s->n && status == LQ_OK; i++)
        status = compare_file(c, &c->s->files[i], seen, err);
    for (size_t i = 0; i < c->l->n && status == LQ_OK; i++) {
        if (seen[i])
            continue;
        status = verify_note(c->v, c->l->files[i].name,
                             c->o->ignore_unsigned ? VERIFY_NOT_CHECKED : VERIFY_BAD, NULL, err,
                             "is not among the files that were signed");
        if (status == LQ_OK)
            c->v->items[c->v->n - 1].aside = c->o->ignore_unsigned;
    }
    free(seen);
    return status;
}

/* Says of each name that was left out, and is there, who has left it out. */
static lq_status note_ignored(struct verification *v, const struct ignored *g, bool git,
                              lq_error *err)
{
    const size_t n_git = git ? sizeof git_names / sizeof *git_names : 0;
    for (size_t i = 0; i < n_git + g->n; i++) {
        const char *const name = i < n_git ? git_names[i] : g->names[i - n_git];
        const char *const path = verify_path(v, name);
        struct stat st;
        bool told = false;
        if (!path)
            return lq_fail_memory(err);
        for (size_t k = 0; k < i && !told; k++)
            told = strcmp(k < n_git ? git_names[k] : g->names[k - n_git], name) == 0;
        if (told || lstat(path, &st) != 0)
            continue;
        if (g->signature.len && strcmp(name, g->signature.data) == 0) {
            LQ_TRY(verify_note(v, name, VERIFY_CLAIMS, NULL, err, "the signature"));
            continue;
        }
        LQ_TRY(verify_note(v, name, VERIFY_NOT_CHECKED, NULL, err, "left out: %s",
                           i < n_git               ? "git's"
                           : i - n_git < g->n_user ? "as asked for"
                                                   : "by the signature"));
        v->items[v->n - 1].aside = true;
    }
    return LQ_OK;
}

static lq_status compare(struct verification *v, const char *model, const char *path,
                         const struct model_statement *s, const struct signature_options *o,
                         const struct signer *who, lq_error *err)
{
    struct ignored g = {0};
    struct file_list l = {0};
    struct file_list_options files = o->files;
    char *const real = realpath(model, NULL);
    lq_status status = real ? ignored_make(&g, model, path, &o->files, s, err)
                            : lq_fail_errno(err, model, "cannot open");
    files.ignore = g.names;
    files.n_ignore = g.n;
    files.problem = problem;
    files.problem_ctx = v;
    if (status == LQ_OK)
        status = file_list_walk(&l, real, &files, err);
    if (status == LQ_OK) {
        const char *const slash = strrchr(real, '/');
        v->root = l.single ? arena_strndup(&v->arena, real, (size_t)(slash - real) + (slash == real))
                           : arena_strdup(&v->arena, real);
        v->kind = l.single ? "file" : "folder";
        status = v->root ? file_list_hash(&l, o->threads, o->progress, err) : lq_fail_memory(err);
    }
    struct comparing c = {v, s, &l, o, path, *who, v->n};
    if (status == LQ_OK)
        status = compare_files(&c, err);
    if (status == LQ_OK && !l.single)
        status = note_ignored(v, &g, !o->files.keep_git, err);
    file_list_release(&l);
    ignored_release(&g);
    free(real);
    return status;
}

lq_status signature_verify(struct verification *v, const char *model, const char *path,
                           enum bundle_method method, const struct signature_trust *trust,
                           const struct signature_options *o, lq_error *err)
{
    struct bundle b = {0};
    struct model_statement s = {0};
    struct signer who = {0};
    lq_status status = open_signature(&b, path, err);
    if (status == LQ_OK && b.method != method)
        status = lq_fail_at(err, LQ_E_VERIFY, path, -1, "is of the method %s, not %s",
                            bundle_method_name(b.method), bundle_method_name(method));
    if (status == LQ_OK)
        status = verify_bundle(v, &b, trust, path, &who, err);
    if (status == LQ_OK)
        status = model_statement_read(&s, b.envelope.payload.data, b.envelope.payload.len, path, err);
    if (status == LQ_OK)
        status = compare(v, model, path, &s, o, &who, err);
    if (status == LQ_OK)
        status = verify_check(v, o->threads, o->progress, err); /* sorts; nothing is pending */
    model_statement_release(&s);
    bundle_release(&b);
    return status;
}

/* ---- signatures that are come upon ---- */

/* What the one file is called here that a signature is about. */
static const char *single_name(struct verification *v, const char *base, const char *signature,
                               const char *subject)
{
    const char *const last = path_last_part(signature), *const dot = strrchr(last, '.');
    const char *const beside = arena_printf(&v->arena, "%s%.*s", base,
                                            (int)(dot ? dot - last : 0), last);
    const char *const path = beside ? verify_path(v, beside) : NULL;
    struct stat st;
    if (path && dot && dot > last && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return beside;
    return arena_printf(&v->arena, "%s%s", base, subject);
}

static lq_status claim_files(struct verification *v, const char *name,
                             const struct model_statement *s, const struct signer *who,
                             lq_error *err)
{
    const char *const base = arena_strndup(&v->arena, name, (size_t)(path_last_part(name) - name));
    if (!base)
        return lq_fail_memory(err);
    for (size_t i = 0; i < s->n; i++) {
        char hex[65];
        hex_of(hex, s->files[i].sha256, 32);
        const char *const about = strcmp(s->files[i].name, ".") == 0
                                      ? single_name(v, base, name, path_last_part(s->subject))
                                      : arena_printf(&v->arena, "%s%s", base, s->files[i].name);
        if (!about)
            return lq_fail_memory(err);
        LQ_TRY(verify_claim(v, about, CLAIM_SHA256, hex, CLAIM_NO_SIZE, name, who->time, err));
        v->items[v->n - 1].signer = who->name;
        v->items[v->n - 1].trust_root = who->trust_root;
    }
    return verify_note(v, name, VERIFY_CLAIMS, NULL, err, "a signature by %s", who->name);
}

bool signature_is_name(const char *name)
{
    static const char *const ends[] = {".sig", ".sigstore.json", ".sigstore", ".intoto.jsonl",
                                       "claims.jsonl"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (text_ends_with(name, ends[i]))
            return true;
    return false;
}

/* Under the name of the one file that is asked about, where that is another. */
static lq_status note_signature(struct verification *v, const char *name, enum verify_state state,
                                const char *what, const char *why, lq_error *err)
{
    const size_t n = v->only ? strlen(v->only) : 0;
    const bool other = v->only && (strncmp(name, v->only, n) != 0 || (name[n] && name[n] != '/'));
    LQ_TRY(verify_note(v, other ? v->only : name, state, other ? name : NULL, err, "a signature%s%s",
                       what, why));
    return LQ_OK;
}

/* What is missing to verify with. */
static lq_status note_needed(struct verification *v, const char *name, const struct bundle *b,
                             lq_error *err)
{
    static const char *const needed[BUNDLE_METHODS] = {
        " with a key: --public-key is needed",
        " with a certificate: --certificate-chain with the root is needed",
        " without key: --trust-config, --identity and --identity-provider are needed"};
    LQ_TRY(note_signature(v, name, VERIFY_NOT_CHECKED, needed[b->method], "", err));
    v->items[v->n - 1].aside = true;
    return LQ_OK;
}

/* Where nothing was given to verify with, a file that only looks like a signature is no fault. */
static lq_status note_failure(struct verification *v, const char *name, lq_status status,
                              const struct signature_trust *t, const char *why, lq_error *err)
{
    const bool wrong = status == LQ_E_VERIFY;
    LQ_TRY(note_signature(v, name, wrong ? VERIFY_BAD : VERIFY_NOT_CHECKED,
                          wrong ? " that does not verify: " : " that cannot be checked: ", why, err));
    v->items[v->n - 1].aside = !t->key && !t->roots && !t->keyless;
    return LQ_OK;
}

lq_status signature_claims(struct verification *v, const char *name, lq_error *err)
{
    static const struct signature_trust none = {0};
    const struct signature_trust *const trust = v->trust ? v->trust : &none;
    struct bundle b = {0};
    struct model_statement s = {0};
    struct signer who = {0};
    lq_error why = {0};
    const char *const path = verify_path(v, name);
    lq_status status = path ? open_signature(&b, path, &why) : lq_fail_memory(&why);
    const bool can = status == LQ_OK && can_verify(b.method, trust);
    if (can)
        status = verify_bundle(v, &b, trust, path, &who, &why);
    if (can && status == LQ_OK)
        status = model_statement_read(&s, b.envelope.payload.data, b.envelope.payload.len, path, &why);
    if (status == LQ_OK)
        status = can ? claim_files(v, name, &s, &who, err) : note_needed(v, name, &b, err);
    else if (status < LQ_E_IO)
        status = note_failure(v, name, status, trust, why.message, err);
    else if (err)
        *err = why;
    model_statement_release(&s);
    bundle_release(&b);
    return status;
}

lq_status signature_claims_all(struct verification *v, lq_error *err)
{
    const size_t n = v->n;
    if (!v->trust || (!v->trust->key && !v->trust->roots && !v->trust->keyless))
        return LQ_OK;
    for (size_t i = 0; i < n; i++) {
        const char *const name = v->items[i].name;
        bool told = !signature_is_name(name) || v->items[i].state == VERIFY_MISSING;
        for (size_t k = 0; k < i && !told; k++)
            told = strcmp(v->items[k].name, name) == 0;
        if (!told)
            LQ_TRY(signature_claims(v, name, err));
    }
    return LQ_OK;
}
