/* mutate.c -- a damaged copy of a file, the same for the same seed.
 *
 *   mutate SEED IN OUT [REACH]
 *
 * One to six changes, most of them within the first REACH bytes (default: 64 KiB), where headers are:
 * bits flipped, numbers of 1, 2, 4 or 8 bytes replaced by ones that lie, digits of text changed,
 * pieces removed, doubled, moved, and the end cut off.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t random64(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(size_t n)
{
    return n ? (size_t)(random64() % n) : 0;
}

struct file {
    uint8_t *data;
    size_t n, cap;
};

static void flip(struct file *f, size_t at)
{
    f->data[at] ^= (uint8_t)(1 << below(8));
}

static void lie(struct file *f, size_t at)
{
    static const uint64_t lies[] = {0, 1, 2, 255, 256, 0x7fff, 0xffff, 0x10000, 0x7fffffff,
                                    0x80000000, 0xffffffff, 0x100000000, UINT64_C(1) << 60,
                                    INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 31, UINT64_MAX};
    const size_t size = (size_t)1 << below(4);
    const uint64_t v = lies[below(sizeof lies / sizeof lies[0])] + below(2);
    for (size_t i = 0; i < size && at + i < f->n; i++)
        f->data[at + i] = (uint8_t)(v >> 8 * i);
}

/* The next byte of a kind at or after `at`, or the end. */
static size_t next(const struct file *f, size_t at, const char *kind)
{
    while (at < f->n && (!f->data[at] || !strchr(kind, f->data[at])))
        at++;
    return at;
}

static void change_digit(struct file *f, size_t at)
{
    at = next(f, at, "0123456789");
    if (at < f->n)
        f->data[at] = (uint8_t)"0123456789-.eE\" "[below(16)];
}

static void change_mark(struct file *f, size_t at)
{
    at = next(f, at, "{}[],:\"\\");
    if (at < f->n)
        f->data[at] = (uint8_t)"{}[],:\"\\ \n"[below(10)];
}

static void cut_out(struct file *f, size_t at)
{
    const size_t n = 1 + below(at + 64 < f->n ? 64 : f->n - at);
    memmove(f->data + at, f->data + at + n, f->n - at - n);
    f->n -= n;
}

static void repeat(struct file *f, size_t at)
{
    size_t n = 1 + below(64);
    n = n < f->n - at ? n : f->n - at;
    if (f->n + n > f->cap)
        return;
    memmove(f->data + at + n, f->data + at, f->n - at);
    f->n += n;
}

static void copy(struct file *f, size_t at)
{
    const size_t from = below(f->n), n = 1 + below(32);
    for (size_t i = 0; i < n && at + i < f->n && from + i < f->n; i++)
        f->data[at + i] = f->data[from + i];
}

static void cut_off(struct file *f, size_t at)
{
    f->n = below(4) ? at : below(f->n);
}

static void mutate(struct file *f, size_t reach)
{
    static void (*const ways[])(struct file *, size_t) = {
        flip, flip, lie, lie, lie, change_digit, change_digit, change_mark, cut_out, repeat, copy,
        cut_off};
    for (size_t k = 1 + below(6); k > 0 && f->n > 0; k--) {
        const size_t within = below(8) && reach < f->n ? reach : f->n;
        ways[below(sizeof ways / sizeof ways[0])](f, below(within));
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: mutate SEED IN OUT [REACH]\n", stderr);
        return 2;
    }
    struct file f = {.cap = 64 << 20};
    FILE *const in = fopen(argv[2], "rb");
    f.data = malloc(f.cap);
    if (!in || !f.data)
        return perror(argv[2]), 4;
    f.n = fread(f.data, 1, f.cap - 1024, in);
    fclose(in);
    state = strtoull(argv[1], NULL, 10);
    mutate(&f, argc > 4 ? (size_t)strtoull(argv[4], NULL, 10) : 65536);
    FILE *const out = fopen(argv[3], "wb");
    if (!out || fwrite(f.data, 1, f.n, out) != f.n || fclose(out))
        return perror(argv[3]), 4;
    free(f.data);
    return 0;
}
