/* progress.h -- how a long run tells its caller where it is, and is told to stop. */
#ifndef LQ_BASE_PROGRESS_H
#define LQ_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Both members may be NULL. They are called from one thread at a time. */
struct progress {
    /* `done` of `total` bytes of input; `what` is the tensor or file at hand. */
    void (*step)(void *ctx, uint64_t done, uint64_t total, const char *what);
    /* True: stop, undo, return LQ_E_INTERRUPTED. */
    bool (*stop)(void *ctx);
    void *ctx;
};

static inline void progress_step(const struct progress *p, uint64_t done, uint64_t total,
                                 const char *what)
{
    if (p && p->step)
        p->step(p->ctx, done, total, what);
}

static inline bool progress_stop(const struct progress *p)
{
    return p && p->stop && p->stop(p->ctx);
}

#endif
