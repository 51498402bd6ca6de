/* encode.c -- the stages of encoding, one after the other. */
#include "libquant/model/encode_parts.h"
#include "libquant/model/unicode.h"

#include <stdlib.h>
#include <string.h>

/* An honest text takes some tens of steps for each byte; texts and tokenizers that are made for it could
 * take millions. */
enum { STEPS_PER_BYTE = 256, STEPS_BESIDES = 1 << 22, MOST_BYTES = 1 << 30 };

void token_list_free(struct token_list *l)
{
    free(l->id);
    memset(l, 0, sizeof *l);
}

lq_status run_put(struct run *r, uint32_t id)
{
    struct token_list *const l = r->out;
    if (!mem_grow((void **)&l->id, &l->cap, l->n, sizeof *l->id))
        return lq_fail_memory(r->err);
    l->id[l->n++] = id;
    return LQ_OK;
}

bool run_spend(struct run *r, size_t steps)
{
    if (r->regex.steps < steps)
        return false;
    r->regex.steps -= steps;
    return true;
}

lq_status run_exhausted(const struct run *r)
{
    return lq_fail(r->err, LQ_E_UNSUPPORTED,
                   "the tokenizer takes more steps on this text than any honest one");
}

/* ---- text that is no UTF-8 ---- */

/* Length of what U+FFFD takes the place of: the bytes that begin a character but do not end it (as
 * WHATWG, Rust and Python have it), or one byte. */
static size_t broken_length(const char *s, size_t len)
{
    const uint8_t c = (uint8_t)s[0], d = len > 1 ? (uint8_t)s[1] : 0;
    const size_t want = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3
                        : c >= 0xf0 && c <= 0xf4 ? 4 : 1;
    const uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    size_t n = 1;
    if (want == 1 || d < low || d > high)
        return 1;
    while (n < want && n < len && ((uint8_t)s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static void put_valid(struct text *out, const char *s, size_t len, bool by_byte)
{
    while (len) {
        size_t n = utf8_check(s, len);
        text_put(out, s, n);
        s += n;
        len -= n;
        if (!len)
            break;
        n = by_byte ? 1 : broken_length(s, len);
        text_puts(out, "\xef\xbf\xbd");
        s += n;
        len -= n;
    }
}

/* ---- added tokens ---- */

/* Length of the longest added token at s, and which; 0: none. */
static size_t longest(struct run *r, const struct token_trie *t, const char *s, size_t len,
                      uint32_t *which)
{
    size_t best = 0, n = 0;
    uint32_t node = 0;
    while (n < len && (node = token_trie_step(t, node, (uint8_t)s[n]))) {
        n++;
        if (t->node[node].value != UINT32_MAX) {
            best = n;
            *which = t->node[node].value;
        }
    }
    return run_spend(r, n + 1) ? best : 0;
}

static bool word_before(const char *s, size_t at)
{
    uint32_t cp;
    size_t from = at - 1;
    while (from > 0 && ((uint8_t)s[from] & 0xc0) == 0x80)
        from--;
    utf8_decode(s + from, at - from, &cp);
    return cp != UINT32_MAX && unicode_is_word(cp);
}

static bool word_after(const char *s, size_t len)
{
    uint32_t cp;
    utf8_decode(s, len, &cp);
    return cp != UINT32_MAX && unicode_is_word(cp);
}

/* Whether the match counts, with the blanks around it that the token takes along. */
static bool accept(const struct added_entry *a, unsigned flags, const char *s, size_t len,
                   size_t done, size_t *begin, size_t *end)
{
    uint32_t cp;
    if (a->special && !(flags & ENCODE_CONTROL))
        return false;
    if (a->single_word && ((*begin > 0 && word_before(s, *begin)) ||
                           (*end < len && word_after(s + *end, len - *end))))
        return false;
    while (a->lstrip && *begin > done) {
        size_t at = *begin - 1;
        while (at > done && ((uint8_t)s[at] & 0xc0) == 0x80)
            at--;
        utf8_decode(s + at, *begin - at, &cp);
        if (!unicode_is_space(cp))
            break;
        *begin = at;
    }
    while (a->rstrip && *end < len) {
        const size_t n = utf8_decode(s + *end, len - *end, &cp);
        if (!unicode_is_space(cp))
            break;
        *end += n;
    }
    return true;
}

typedef lq_status segment_fn(struct run *r, const char *s, size_t len, bool at_start, unsigned flags);

/* Calls `segment` for what is between the added tokens, and puts these. */
static lq_status partition(struct run *r, const struct token_trie *t, const char *s, size_t len,
                           bool at_start, unsigned flags, segment_fn *segment)
{
    size_t done = 0;
    for (size_t at = 0, n; t->n && at < len; at += n) {
        uint32_t which = 0;
        n = longest(r, t, s + at, len - at, &which);
        if (!n) {
            n = 1;
            continue;
        }
        const struct added_entry *const a = &r->e->added[which];
        size_t begin = at, end = at + n;
        if (!accept(a, flags, s, len, done, &begin, &end))
            continue;
        if (begin > done)
            LQ_TRY(segment(r, s + done, begin - done, at_start && done == 0, flags));
        LQ_TRY(run_put(r, a->id));
        done = end;
    }
    if (!run_spend(r, 1))
        return run_exhausted(r);
    return done < len ? segment(r, s + done, len - done, at_start && done == 0, flags) : LQ_OK;
}

/* ---- stages ---- */

static lq_status words(struct run *r, const char *s, size_t len, bool at_start, unsigned flags)
{
    (void)flags;
    r->at_start = at_start;
    if (r->text.data != s) {
        r->text.len = 0;
        text_put(&r->text, s, len);
        if (r->text.failed)
            return lq_fail_memory(r->err);
    }
    LQ_TRY(cut_words(r));
    for (size_t i = 0; i < r->spans.n; i++)
        LQ_TRY(r->e->word(r, r->text.data + r->spans.item[i].at, r->spans.item[i].len));
    return LQ_OK;
}

/* Text between the tokens that are found before it is normalized. */
static lq_status normal_segment(struct run *r, const char *s, size_t len, bool at_start, unsigned flags)
{
    r->text.len = 0;
    text_put(&r->text, s, len);
    LQ_TRY(normalize(r));
    if (!r->e->normal.n)
        return r->text.len ? words(r, r->text.data, r->text.len, at_start, flags) : LQ_OK;
    /* The words are made in r->text: what is still to be partitioned moves away. */
    struct text text = r->text;
    r->text = (struct text){0};
    const lq_status status = partition(r, &r->e->normal, text.data, text.len, at_start, flags, words);
    text_free(&text);
    return status;
}

static lq_status put_all(struct run *r, const uint32_t *id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        LQ_TRY(run_put(r, id[i]));
    return LQ_OK;
}

static lq_status encode(struct run *r, const char *text, size_t len, unsigned flags)
{
    const struct encoder *const e = r->e;
    struct text valid = {0};
    lq_status status = LQ_OK;
    if (flags & ENCODE_ADD)
        LQ_TRY(put_all(r, e->before, e->n_before));
    if (!e->raw_bytes && utf8_check(text, len) != len) {
        put_valid(&valid, text, len, e->lossy_bytes);
        status = valid.failed ? lq_fail_memory(r->err) : LQ_OK;
        text = valid.data;
        len = valid.len;
    }
    if (status == LQ_OK)
        status = partition(r, &e->raw, text, len, true, flags, normal_segment);
    text_free(&valid);
    LQ_TRY(status);
    return flags & ENCODE_ADD ? put_all(r, e->after, e->n_after) : LQ_OK;
}

static void run_release(struct run *r)
{
    regex_run_release(&r->regex);
    text_free(&r->text);
    text_free(&r->next);
    free(r->spans.item);
    free(r->next_spans.item);
    bpe_work_free(r->bpe);
    spm_work_free(r->spm);
    unigram_work_free(r->unigram);
}

lq_status encoder_encode(const struct encoder *e, const char *text, size_t len, unsigned flags,
                         struct token_list *out, lq_error *err)
{
    struct run r = {.e = e, .out = out, .err = err};
    if (len > MOST_BYTES)
        return lq_fail(err, LQ_E_UNSUPPORTED, "a text of more than 1 GiB cannot be tokenized at once");
    r.regex.steps = (uint64_t)len * STEPS_PER_BYTE + STEPS_BESIDES;
    const lq_status status = encode(&r, text, len, flags);
    run_release(&r);
    return status;
}

lq_status normalize_text(const struct encoder *e, const char *s, size_t len, struct text *out,
                         lq_error *err)
{
    struct run r = {.e = e, .err = err};
    r.regex.steps = (uint64_t)len * STEPS_PER_BYTE + STEPS_BESIDES;
    text_put(&r.text, s, len);
    const lq_status status = normalize(&r);
    *out = r.text;
    r.text = (struct text){0};
    run_release(&r);
    return status;
}

/* ---- making and releasing ---- */

lq_status encoder_index(struct encoder *e, bool last, lq_error *err)
{
    LQ_TRY(token_lookup_open(&e->lookup, e->tokens, e->n_tokens, err));
    for (uint32_t id = 0; id < e->n_tokens; id++) {
        if (!e->tokens[id].data)
            continue;
        uint32_t *const slot = token_slot(&e->lookup, e->tokens[id].data, e->tokens[id].len);
        if (!slot)
            return lq_fail(err, LQ_E_FORMAT, "too many tokens are alike to a hash function");
        if (!*slot || last)
            *slot = id + 1;
    }
    return LQ_OK;
}

static lq_status index_some(struct encoder *e, bool normalized, struct token_trie *t, lq_error *err)
{
    struct trie_entry *const entry = mem_calloc(e->n_added, sizeof *entry);
    lq_status status = entry ? LQ_OK : lq_fail_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < e->n_added && status == LQ_OK; i++) {
        const struct added_entry *const a = &e->added[i];
        if (a->normalized != normalized || !a->content.len)
            continue;
        struct bytes content = a->content;
        if (normalized && e->n_norm) {
            struct text text = {0};
            status = normalize_text(e, content.data, content.len, &text, err);
            content = (struct bytes){arena_strndup(&e->arena, text.len ? text.data : "", text.len),
                                     text.len};
            text_free(&text);
            if (status == LQ_OK && !content.data)
                status = lq_fail_memory(err);
            if (!content.len)
                continue;
        }
        entry[n++] = (struct trie_entry){content, (uint32_t)i};
    }
    if (status == LQ_OK)
        status = token_trie_make(t, entry, n, err);
    free(entry);
    return status;
}

lq_status encoder_index_added(struct encoder *e, lq_error *err)
{
    if (!e->n_added)
        return LQ_OK;
    e->is_added = arena_calloc(&e->arena, encoder_size(e) / 8 + 1, 1);
    if (!e->is_added)
        return lq_fail_memory(err);
    for (size_t i = 0; i < e->n_added; i++)
        e->is_added[e->added[i].id >> 3] |= (uint8_t)(1u << (e->added[i].id & 7));
    LQ_TRY(index_some(e, false, &e->raw, err));
    return index_some(e, true, &e->normal, err);
}

struct norm_step *encoder_add_norm(struct encoder *e, enum normalizer_kind kind)
{
    size_t cap = e->n_norm;
    if (!mem_grow((void **)&e->norm, &cap, e->n_norm, sizeof *e->norm))
        return NULL;
    e->norm[e->n_norm] = (struct norm_step){.kind = kind};
    return &e->norm[e->n_norm++];
}

struct pre_step *encoder_add_pre(struct encoder *e, enum pre_kind kind)
{
    size_t cap = e->n_pre;
    if (!mem_grow((void **)&e->pre, &cap, e->n_pre, sizeof *e->pre))
        return NULL;
    e->pre[e->n_pre] = (struct pre_step){.kind = kind};
    return &e->pre[e->n_pre++];
}

lq_status encoder_add_split(struct encoder *e, const char *pattern, size_t len,
                            enum split_behaviour behaviour, bool invert, lq_error *err)
{
    struct pre_step *const step = encoder_add_pre(e, PRE_SPLIT);
    if (!step)
        return lq_fail_memory(err);
    step->behaviour = behaviour;
    step->invert = invert;
    return regex_compile(&step->regex, pattern, len, err);
}

void encoder_free(struct encoder *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n_norm; i++)
        regex_free(e->norm[i].regex);
    for (size_t i = 0; i < e->n_pre; i++)
        regex_free(e->pre[i].regex);
    free(e->norm);
    free(e->pre);
    token_lookup_close(&e->lookup);
    token_trie_free(&e->raw);
    token_trie_free(&e->normal);
    token_trie_free(&e->pieces);
    bpe_free(e->bpe);
    unigram_free(e->unigram);
    arena_free(&e->arena);
    free(e);
}

/* ---- tokens ---- */

struct bytes encoder_token(const struct encoder *e, uint32_t id)
{
    if (id < e->n_tokens && e->tokens[id].data)
        return e->tokens[id];
    for (size_t i = 0; i < e->n_added; i++)
        if (e->added[i].id == id)
            return e->added[i].content;
    return (struct bytes){NULL, 0};
}

bool encoder_first(const struct encoder *e, uint32_t *id)
{
    if (e->n_before)
        *id = e->before[0];
    return e->n_before != 0;
}

uint32_t encoder_size(const struct encoder *e)
{
    uint32_t n = e->n_tokens;
    for (size_t i = 0; i < e->n_added; i++)
        n = e->added[i].id >= n ? e->added[i].id + 1 : n;
    return n;
}

static bool is_added(const struct encoder *e, uint32_t id)
{
    return e->is_added && e->is_added[id >> 3] >> (id & 7) & 1;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void encoder_put_piece(const struct encoder *e, uint32_t id, struct text *out)
{
    const struct bytes b = encoder_token(e, id);
    if (!b.data || is_added(e, id) || !(e->byte_level || e->blanks)) {
        text_put(out, b.data, b.len);
        return;
    }
    if (e->blanks && b.len == 6 && memcmp(b.data, "<0x", 3) == 0 && b.data[5] == '>' &&
        hex_digit(b.data[3]) >= 0 && hex_digit(b.data[4]) >= 0) {
        text_putc(out, (char)(hex_digit(b.data[3]) * 16 + hex_digit(b.data[4])));
        return;
    }
    for (size_t i = 0, n; i < b.len; i += n) {
        uint32_t cp;
        n = utf8_decode(b.data + i, b.len - i, &cp);
        const int byte = e->byte_level ? byte_level_byte(cp) : -1;
        if (byte >= 0)
            text_putc(out, (char)byte);
        else if (e->blanks && cp == 0x2581)
            text_putc(out, ' ');
        else
            text_put(out, b.data + i, n);
    }
}
