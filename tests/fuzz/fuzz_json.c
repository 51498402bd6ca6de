/* fuzz_json.c -- the pull parser, and that cJSON agrees with it about small documents. */
#include "libquant/base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *s;
    struct json j;
    lq_error err = {0};
    enum json_event event, first = JSON_ERROR;
    size_t events = 0, depth = 0;
    if (source_open_memory(&s, "j", data, size, &err) != LQ_OK)
        return 0;
    if (json_open(&j, s, 0, size, 1000, &err) == LQ_OK) {
        while ((event = json_next(&j)) != JSON_ERROR && event != JSON_END) {
            first = events++ ? first : event;
            depth += event == JSON_OBJECT || event == JSON_ARRAY;
            depth -= event == JSON_OBJECT_END || event == JSON_ARRAY_END;
            if (depth != j.depth || j.token_at > json_offset(&j) || json_offset(&j) > size)
                abort();
        }
        if ((event == JSON_ERROR) != (json_status(&j) != LQ_OK) ||
            (event == JSON_ERROR) != (err.status != 0))
            abort();
        if (json_next(&j) != event)
            abort(); /* the end, and an error, stay */
        json_close(&j);
        cJSON *root = NULL;
        const lq_status status = json_document(&root, s, NULL);
        if (status == LQ_OK && (event != JSON_END || first != JSON_OBJECT || !root) &&
            err.status == 0)
            abort();
        cJSON_Delete(root);
    }
    source_close(s);
    return 0;
}
