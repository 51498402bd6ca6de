/* make_tensors.c -- writes a safetensors file of float32 tensors for the black-box tests.
 *
 *   make_tensors FILE <<EOF
 *   model.embed_tokens.weight 8 16
 *   EOF
 *
 * A line has a tensor's name and its shape, outermost first. The values are small and not all alike.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 256, MAX_RANK = 4 };

struct tensor {
    char name[128];
    uint64_t dim[MAX_RANK], count;
    int rank;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "make_tensors: %s\n", what);
    exit(1);
}

static struct tensor parse(char *line)
{
    struct tensor t = {.count = 1};
    char *word = strtok(line, " \n");
    snprintf(t.name, sizeof t.name, "%s", word);
    while ((word = strtok(NULL, " \n"))) {
        if (t.rank == MAX_RANK)
            die("a shape is too long");
        t.dim[t.rank] = strtoull(word, NULL, 10);
        t.count *= t.dim[t.rank++];
    }
    return t;
}

static size_t put_header(char *header, size_t size, const struct tensor *list, size_t n)
{
    uint64_t at = 0;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(header + len, size - len, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                                i ? "," : "{", list[i].name);
        for (int k = 0; k < list[i].rank; k++)
            len += (size_t)snprintf(header + len, size - len, "%s%" PRIu64, k ? "," : "",
                                    list[i].dim[k]);
        len += (size_t)snprintf(header + len, size - len,
                                "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", at,
                                at + 4 * list[i].count);
        at += 4 * list[i].count;
        if (len + 512 > size)
            die("the header is too long");
    }
    header[len++] = '}';
    while (len % 8)
        header[len++] = ' ';
    return len;
}

int main(int argc, char **argv)
{
    static struct tensor list[MAX_TENSORS];
    static char header[1 << 16], line[512];
    size_t n = 0;
    uint64_t count = 0;
    FILE *const f = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (!f)
        die("cannot write");
    while (fgets(line, sizeof line, stdin)) {
        if (n == MAX_TENSORS)
            die("too many tensors");
        if (*line != '\n')
            list[n++] = parse(line);
    }
    const size_t len = put_header(header, sizeof header, list, n);
    for (int i = 0; i < 8; i++)
        fputc((int)(len >> 8 * i & 0xff), f);
    fwrite(header, 1, len, f);
    for (size_t i = 0; i < n; i++)
        for (uint64_t k = 0; k < list[i].count; k++, count++) {
            const float value = (float)(count % 61) / 64 - 0.5f;
            fwrite(&value, sizeof value, 1, f);
        }
    if (fclose(f) != 0)
        die("cannot write");
    return 0;
}
