/* base64.h -- RFC 4648 Base64, as tokenizer files have it. */
#ifndef LQ_MODEL_BASE64_H
#define LQ_MODEL_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes len characters to dst, which has room for len / 4 * 3 + 3 bytes; *n is how many there are.
 * Padding may be there or not. False where a character is none of the alphabet. */
bool base64_decode(char *dst, const char *text, size_t len, size_t *n);

#endif
