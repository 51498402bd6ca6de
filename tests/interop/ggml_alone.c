/* ggml_alone.c -- what ggml.c asks of the C++ parts of ggml, for a program of one thread that only
 * quantizes: ggml.c and ggml-quants.c can then be built by any C compiler. See
 * scripts/interop-fused. */
#include "ggml-backend.h"
#include "ggml-threading.h"

void ggml_critical_section_start(void)
{
}

void ggml_critical_section_end(void)
{
}

enum ggml_backend_buffer_usage ggml_backend_buffer_get_usage(ggml_backend_buffer_t buffer)
{
    (void)buffer;
    return GGML_BACKEND_BUFFER_USAGE_ANY;
}

void ggml_backend_tensor_set(struct ggml_tensor *tensor, const void *data, size_t offset,
                             size_t size)
{
    (void)tensor, (void)data, (void)offset, (void)size;
}

void ggml_backend_tensor_memset(struct ggml_tensor *tensor, uint8_t value, size_t offset,
                                size_t size)
{
    (void)tensor, (void)value, (void)offset, (void)size;
}
