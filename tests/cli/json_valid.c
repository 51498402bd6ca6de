/* json_valid.c -- exits with 0 where the file is one JSON document by RFC 8259. */
#include "libquant/base/json.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct source *s = NULL;
    struct json j = {0};
    lq_error err = {.offset = -1};
    char text[1600];
    enum json_event event = JSON_ERROR;
    if (argc != 2)
        return 2;
    if (source_open_file(&s, argv[1], &err) == LQ_OK &&
        json_open(&j, s, 0, s->size, 0, &err) == LQ_OK)
        do
            event = json_next(&j);
        while (event != JSON_END && event != JSON_ERROR);
    if (event != JSON_END)
        puts(lq_error_text(&err, text, sizeof text));
    json_close(&j);
    source_close(s);
    return event != JSON_END;
}
