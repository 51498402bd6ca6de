/* iquant_book.c -- the codebooks of the IQ types with the lists of entries near each point. */
#include "libquant/codec/iquant.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

/* Half a group: 4 elements of 3 levels, or 2 of 8. */
enum { HALF_MAX = 81, MOST_ENTRIES = 2048, MOST_SHELLS = 3 };

/* Room for the places and lists of a book; the codebooks are constants, so the lists' sizes are. */
#define BOOK(name, table, n, dimensions, width, distances, points, room)                           \
    static int32_t name##_places[points];                                                          \
    static uint16_t name##_lists[room];                                                            \
    static struct book name = {.codes = (table),                                                   \
                               .entries = (n),                                                     \
                               .dims = (dimensions),                                               \
                               .bits = (width),                                                    \
                               .shells = (distances),                                              \
                               .ranks = (points),                                                  \
                               .places = name##_places,                                            \
                               .lists = name##_lists}

BOOK(iq2_xxs, iq2xxs_codes, 256, 8, 2, 2, 6561, 167441);
BOOK(iq2_xs, iq2xs_codes, 512, 8, 2, 2, 6561, 236609);
BOOK(iq2_s, iq2s_codes, 1024, 8, 2, 1, 6561, 106113);
BOOK(iq1, iq1_codes, 2048, 8, 2, 3, 6561, 366865);
BOOK(iq3_xxs, iq3xxs_codes, 256, 4, 3, 2, 4096, 66272);
BOOK(iq3_s, iq3s_codes, 512, 4, 3, 3, 4096, 62880);

static struct book *const books[BOOK_COUNT] = {
    [BOOK_IQ2_XXS] = &iq2_xxs, [BOOK_IQ2_XS] = &iq2_xs,   [BOOK_IQ2_S] = &iq2_s,
    [BOOK_IQ1] = &iq1,         [BOOK_IQ3_XXS] = &iq3_xxs, [BOOK_IQ3_S] = &iq3_s,
};

static const size_t list_room[BOOK_COUNT] = {
    [BOOK_IQ2_XXS] = sizeof iq2_xxs_lists / sizeof(uint16_t),
    [BOOK_IQ2_XS] = sizeof iq2_xs_lists / sizeof(uint16_t),
    [BOOK_IQ2_S] = sizeof iq2_s_lists / sizeof(uint16_t),
    [BOOK_IQ1] = sizeof iq1_lists / sizeof(uint16_t),
    [BOOK_IQ3_XXS] = sizeof iq3_xxs_lists / sizeof(uint16_t),
    [BOOK_IQ3_S] = sizeof iq3_s_lists / sizeof(uint16_t),
};

uint32_t book_rank(const struct book *book, uint32_t code)
{
    if (book->dims == 4)
        return code;
    /* digits to pairs, pairs to fours, these to eight */
    const uint32_t pairs = (code & 0x3333) + 3 * (code >> 2 & 0x3333);
    const uint32_t fours = (pairs & 0x0f0f) + 9 * (pairs >> 4 & 0x0f0f);
    return (fours & 0xff) + 81 * (fours >> 8);
}

/* What does not depend on the point: squared distances between half groups, and the halves of the
 * entries. */
struct builder {
    const struct book *book;
    uint32_t halves;                   /* ranks of half a group: 3^4 or 8^2 */
    uint8_t apart[HALF_MAX][HALF_MAX]; /* squared distance of two halves, at most 98 */
    uint8_t low[MOST_ENTRIES];         /* of each entry: rank of the first half */
    uint8_t high[MOST_ENTRIES];        /* ... and of the second */
    uint16_t shell[MOST_SHELLS][MOST_ENTRIES];
};

static uint8_t squared_distance(uint32_t a, uint32_t b, uint32_t base, int digits)
{
    int sum = 0;
    for (; digits; digits--, a /= base, b /= base) {
        const int step = (int)(a % base) - (int)(b % base);
        sum += step * step;
    }
    return (uint8_t)sum;
}

static void builder_init(struct builder *b, const struct book *book)
{
    const uint32_t base = book->dims == 8 ? 3 : 8;

    b->book = book;
    b->halves = book->dims == 8 ? 81 : 64;
    for (uint32_t i = 0; i < b->halves; i++)
        for (uint32_t j = 0; j < b->halves; j++)
            b->apart[i][j] = squared_distance(i, j, base, book->dims / 2);
    for (int e = 0; e < book->entries; e++) {
        const uint32_t rank = book_rank(book, book->codes[e]);
        b->low[e] = (uint8_t)(rank % b->halves);
        b->high[e] = (uint8_t)(rank / b->halves);
    }
}

/* Writes the list of a point: the entries at the `shells` smallest distances that occur, sorted by
 * distance, then by number. Returns the length with count and padding. */
static size_t list_neighbours(struct builder *b, uint32_t rank, uint16_t *list)
{
    const struct book *const book = b->book;
    const uint8_t *const from_low = b->apart[rank % b->halves];
    const uint8_t *const from_high = b->apart[rank / b->halves];
    uint8_t distance[MOST_ENTRIES];
    bool seen[2 * 98 + 1] = {false};
    uint16_t count[MOST_SHELLS] = {0};
    uint8_t shell_of[2 * 98 + 1];

    for (int e = 0; e < book->entries; e++) {
        distance[e] = (uint8_t)(from_low[b->low[e]] + from_high[b->high[e]]);
        seen[distance[e]] = true;
    }
    int last = -1;
    for (uint8_t s = 0; s < book->shells; s++) {
        do
            last++;
        while (!seen[last]);
        shell_of[last] = s;
    }
    for (int e = 0; e < book->entries; e++)
        if (distance[e] <= last) {
            const uint8_t s = shell_of[distance[e]];
            b->shell[s][count[s]++] = book->codes[e];
        }

    size_t n = 1;
    for (int s = 0; s < book->shells; s++)
        for (int i = 0; i < count[s]; i++)
            list[n++] = b->shell[s][i];
    list[0] = (uint16_t)(n - 1);
    for (; n % BOOK_PAD != 1; n++)
        list[n] = list[n - 1];
    return n;
}

static void build(enum book_id id)
{
    static struct builder b; /* too large for a worker's stack; callers hold the lock */
    const struct book *const book = books[id];
    size_t used = 0;

    builder_init(&b, book);
    for (int rank = 0; rank < book->ranks; rank++)
        book->places[rank] = -1;
    for (int e = 0; e < book->entries; e++)
        book->places[book_rank(book, book->codes[e])] = e;
    for (uint32_t rank = 0; rank < book->ranks; rank++)
        if (book->places[rank] < 0) {
            book->places[rank] = ~(int32_t)used;
            used += list_neighbours(&b, rank, book->lists + used);
        }
    assert(used == list_room[id]);
}

const struct book *book_get(enum book_id id)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static atomic_bool ready[BOOK_COUNT];

    if (!atomic_load_explicit(&ready[id], memory_order_acquire)) {
        pthread_mutex_lock(&lock);
        if (!atomic_load_explicit(&ready[id], memory_order_relaxed)) {
            build(id);
            atomic_store_explicit(&ready[id], true, memory_order_release);
        }
        pthread_mutex_unlock(&lock);
    }
    return books[id];
}
