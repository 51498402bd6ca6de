/* sentencepiece.c -- reads the wire format of protocol buffers, as much of it as is needed.
 * Encoding: https://protobuf.dev/programming-guides/encoding/ */
#include "libquant/model/sentencepiece.h"

#include "libquant/base/bytes.h"
#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 256 << 20, PIECE_LIMIT = 1 << 24 };

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* A part of the file that is read from front to back. */
struct wire_reader {
    const unsigned char *at, *end;
};

struct field {
    uint32_t number;
    uint8_t wire;
    uint64_t value;             /* VARINT, FIXED32, FIXED64 */
    struct wire_reader content; /* BYTES */
};

static bool varint(struct wire_reader *r, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        const unsigned char c = *r->at++;
        *out |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return true;
    }
    return false;
}

static size_t left(const struct wire_reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Reads the next field. False where the bytes are none. */
static bool next_field(struct wire_reader *r, struct field *f)
{
    uint64_t tag, len;
    if (!varint(r, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return false;
    *f = (struct field){.number = (uint32_t)(tag >> 3), .wire = (uint8_t)(tag & 7)};
    switch (f->wire) {
    case WIRE_VARINT: return varint(r, &f->value);
    case WIRE_FIXED64:
        if (left(r) < 8)
            return false;
        f->value = load_u64(r->at);
        r->at += 8;
        return true;
    case WIRE_FIXED32:
        if (left(r) < 4)
            return false;
        f->value = load_u32(r->at);
        r->at += 4;
        return true;
    case WIRE_BYTES:
        if (!varint(r, &len) || len > left(r))
            return false;
        f->content = (struct wire_reader){r->at, r->at + len};
        r->at += len;
        return true;
    default: return false; /* groups are obsolete and never occur here */
    }
}

static bool bytes_of(struct sentencepiece *sp, const struct field *f, struct bytes *out)
{
    out->len = left(&f->content);
    out->data = arena_strndup(&sp->arena, (const char *)f->content.at, out->len);
    return out->data != NULL;
}

static bool piece(struct sentencepiece *sp, struct wire_reader r, struct piece *p)
{
    struct field f;
    *p = (struct piece){.type = PIECE_NORMAL};
    while (r.at < r.end) {
        if (!next_field(&r, &f))
            return false;
        if (f.number == 1 && f.wire == WIRE_BYTES) {
            if (!bytes_of(sp, &f, &p->text))
                return false;
        } else if (f.number == 2 && f.wire == WIRE_FIXED32) {
            const uint32_t bits = (uint32_t)f.value;
            memcpy(&p->score, &bits, sizeof bits);
        } else if (f.number == 3 && f.wire == WIRE_VARINT) {
            if (f.value < PIECE_NORMAL || f.value > PIECE_BYTE)
                return false;
            p->type = (uint8_t)f.value;
        }
    }
    return p->text.data && utf8_check(p->text.data, p->text.len) == p->text.len;
}

static bool trainer(struct sentencepiece *sp, struct wire_reader r)
{
    struct field f;
    while (r.at < r.end) {
        if (!next_field(&r, &f))
            return false;
        if (f.number == 3 && f.wire == WIRE_VARINT)
            sp->model_type = (int32_t)(f.value & 0xff);
    }
    return true;
}

static bool normalizer(struct sentencepiece *sp, struct wire_reader r)
{
    struct field f;
    while (r.at < r.end) {
        if (!next_field(&r, &f))
            return false;
        if (f.number == 2 && f.wire == WIRE_BYTES && !bytes_of(sp, &f, &sp->charsmap))
            return false;
        if (f.number == 3 && f.wire == WIRE_VARINT)
            sp->add_dummy_prefix = f.value != 0;
        if (f.number == 4 && f.wire == WIRE_VARINT)
            sp->remove_extra_whitespaces = f.value != 0;
    }
    return true;
}

/* What SentencePiece writes: the pieces, then how they were trained. */
static lq_status model(struct sentencepiece *sp, struct wire_reader r, const char *name,
                       lq_error *err)
{
    const unsigned char *const begin = r.at;
    size_t cap = 0;
    bool trained = false;
    struct field f;
    while (r.at < r.end) {
        const int64_t at = r.at - begin;
        bool ok = next_field(&r, &f);
        if (ok && f.wire == WIRE_BYTES && f.number == 1) {
            if (sp->n_pieces == PIECE_LIMIT ||
                !mem_grow((void **)&sp->pieces, &cap, sp->n_pieces, sizeof *sp->pieces))
                return lq_fail_memory(err);
            struct piece *const p = &sp->pieces[sp->n_pieces++];
            ok = piece(sp, f.content, p);
            if (ok && memchr(p->text.data, '\0', p->text.len))
                return lq_fail_at(err, LQ_E_FORMAT, name, at, "a NUL in a piece");
        } else if (ok && f.wire == WIRE_BYTES && f.number == 2) {
            ok = trained = trainer(sp, f.content);
        } else if (ok && f.wire == WIRE_BYTES && f.number == 3) {
            ok = normalizer(sp, f.content);
        }
        if (!ok)
            return lq_fail_at(err, LQ_E_FORMAT, name, at,
                              "this is no SentencePiece model, or it is damaged here");
    }
    if (!sp->n_pieces)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "the SentencePiece model is empty");
    return trained ? LQ_OK
                   : lq_fail_at(err, LQ_E_FORMAT, name, r.at - begin,
                                "the SentencePiece model ends behind its pieces: it is cut short");
}

lq_status sentencepiece_read(struct sentencepiece *sp, struct source *s, lq_error *err)
{
    char *data;
    size_t len;
    LQ_TRY(source_read_all(s, FILE_LIMIT, &data, &len, err));
    sp->model_type = 1;
    sp->add_dummy_prefix = sp->remove_extra_whitespaces = true;
    const struct wire_reader all = {(const unsigned char *)data, (const unsigned char *)data + len};
    const lq_status status = model(sp, all, s->name, err);
    free(data);
    return status;
}

void sentencepiece_release(struct sentencepiece *sp)
{
    free(sp->pieces);
    arena_free(&sp->arena);
    memset(sp, 0, sizeof *sp);
}
