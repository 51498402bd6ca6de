/* sha256_x86.h -- blocks of SHA-256 with the instructions that x86 processors have for it. For hash.c. */
#ifndef LQ_BASE_SHA256_X86_H
#define LQ_BASE_SHA256_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True where the processor has them. */
bool sha256_x86_here(void);
/* Takes in n blocks of 64 bytes. */
void sha256_x86_blocks(uint32_t state[8], const uint8_t *data, size_t n);
/* The same for two messages side by side, n blocks of each. */
void sha256_x86_blocks2(uint32_t a[8], const uint8_t *data_a, uint32_t b[8], const uint8_t *data_b,
                        size_t n);

#endif
