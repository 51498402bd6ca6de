/* meta_text.h -- metadata values for people and for JSON. */
#ifndef LQ_TOOLS_META_TEXT_H
#define LQ_TOOLS_META_TEXT_H

#include "tools/command.h"

#include "libquant/catalog/catalog.h"

/* "u32", "string[49152]". Returns dst. */
char *meta_type_text(char dst[48], const struct meta *m);

/* Appends the value on one line; strings are cut after `max_chars` characters and arrays after
 * `max_items` elements, with "..." (0: no limit). */
void meta_put_line(struct text *t, const struct meta *m, size_t max_chars, uint64_t max_items);

/* Appends the whole value as it is meant to be read: line breaks of a string are kept, array elements
 * are a line each. Other control characters are escaped. */
void meta_put_whole(struct text *t, const struct meta *m);

/* {"key", "type", "value"}, and for arrays "element_type" and "count"; at most `max_items` elements
 * (0: all). Floats of 32 bits are written in the shortest form that reads back as the same float. */
void meta_out(struct json_out *j, const struct meta *m, uint64_t max_items);

#endif
