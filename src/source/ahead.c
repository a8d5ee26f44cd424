#include "ahead.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "name.h"

enum { BLOCKS = 8, BLOCK_BYTES = 128 * 1024 };

/* How long the thread waits for input before it looks whether it shall end. */
enum { POLL_MS = 100 };

struct block {
    uint8_t *data;
    size_t size;
    uint64_t packed; /* sl_source.packed behind its last byte */
    int result;      /* 1: more follow; 0 or -1: what reading inner ended with */
};

/* A ring of blocks that the thread fills and the caller empties, one behind the other; the
 * semaphores count what is full and what is empty. They also order the memory, but ThreadSanitizer
 * does not know sem_clockwait: it sees that order by `filled`. */
struct ahead_source {
    struct sl_source base;
    struct sl_source *inner;
    pthread_t thread;
    sem_t full, empty;
    atomic_uint filled;
    atomic_int stop;
    unsigned at;  /* the block that is emptied now or next */
    int held;     /* it was waited for, and is the caller's */
    size_t taken; /* bytes of it */
    struct block blocks[BLOCKS];
    struct sl_error error; /* of the block whose result is -1 */
};

/* ---- the thread ---- */

/* Reads until the block is full, the input makes it wait, or it ends. */
static void fill(struct ahead_source *ahead, struct block *b) {
    struct sl_source *inner = ahead->inner;

    b->size = 0;
    b->result = 1;
    while (b->size < BLOCK_BYTES && b->result > 0 && !atomic_load(&ahead->stop)) {
        ssize_t n = inner->ops->read(inner, b->data + b->size, BLOCK_BYTES - b->size,
                                     b->size ? 0 : POLL_MS, &ahead->error);
        if (n > 0)
            b->size += (size_t)n;
        else if (n != SL_SOURCE_WAIT)
            b->result = (int)n;
        else if (b->size)
            break;
    }
    b->packed = inner->packed;
}

static void *read_ahead(void *argument) {
    struct ahead_source *ahead = argument;
    int result = 1;

    for (unsigned i = 0; result > 0; i++) {
        struct block *b = &ahead->blocks[i % BLOCKS];
        (void)sem_wait(&ahead->empty); /* no signal reaches this thread */
        if (atomic_load(&ahead->stop))
            break;
        fill(ahead, b);
        result = b->result; /* the block is no longer ours behind the next line */
        atomic_store(&ahead->filled, i + 1);
        (void)sem_post(&ahead->full);
    }
    return NULL;
}

/* ---- the caller ---- */

static struct timespec after_ms(int ms) {
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* A signal ends the wait as a timeout does, as in pipe.c. */
static int hold_block(struct ahead_source *ahead, int timeout_ms) {
    struct timespec until;

    if (ahead->held)
        return 0;
    if (timeout_ms >= 0)
        until = after_ms(timeout_ms);
    if (timeout_ms < 0 ? sem_wait(&ahead->full)
                       : sem_clockwait(&ahead->full, CLOCK_MONOTONIC, &until))
        return -1;
    (void)atomic_load(&ahead->filled);
    ahead->held = 1;
    ahead->taken = 0;
    return 0;
}

static ssize_t ahead_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                          struct sl_error *err) {
    struct ahead_source *ahead = (struct ahead_source *)source;

    while (hold_block(ahead, timeout_ms) == 0) {
        struct block *b = &ahead->blocks[ahead->at % BLOCKS];
        size_t n = b->size - ahead->taken;
        source->packed = b->packed;
        if (n) {
            n = n < cap ? n : cap;
            memcpy(buf, b->data + ahead->taken, n);
            ahead->taken += n;
            return (ssize_t)n;
        }
        if (b->result <= 0) { /* it stays the last one */
            if (b->result < 0)
                *err = ahead->error;
            return b->result;
        }
        ahead->held = 0;
        ahead->at++;
        (void)sem_post(&ahead->empty);
    }
    return SL_SOURCE_WAIT;
}

static void free_all(struct ahead_source *ahead) {
    sl_source_close(ahead->inner);
    (void)sem_destroy(&ahead->full);
    (void)sem_destroy(&ahead->empty);
    for (int i = 0; i < BLOCKS; i++)
        free(ahead->blocks[i].data);
    free(ahead->base.name);
    free(ahead);
}

static void ahead_close(struct sl_source *source) {
    struct ahead_source *ahead = (struct ahead_source *)source;

    atomic_store(&ahead->stop, 1);
    (void)sem_post(&ahead->empty);
    (void)pthread_join(ahead->thread, NULL);
    free_all(ahead);
}

static const struct sl_source_ops ahead_ops = {ahead_read, NULL, ahead_close, NULL};

/* The thread inherits a mask that blocks every signal. */
static int start(struct ahead_source *ahead) {
    sigset_t all, before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&ahead->thread, NULL, read_ahead, ahead);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static int allocate(struct ahead_source *ahead, const char *name) {
    ahead->base =
        (struct sl_source){.ops = &ahead_ops, .name = sl_source_name_copy(name), .size = -1};
    for (int i = 0; i < BLOCKS; i++)
        if (!(ahead->blocks[i].data = malloc(BLOCK_BYTES)))
            return ENOMEM;
    return ahead->base.name ? 0 : ENOMEM;
}

struct sl_source *sl_source_ahead_open(struct sl_source *inner, struct sl_error *err) {
    struct ahead_source *ahead = calloc(1, sizeof *ahead);
    int failed;

    if (!ahead) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", inner->name);
        sl_source_close(inner);
        return NULL;
    }
    ahead->inner = inner;
    (void)sem_init(&ahead->full, 0, 0);
    (void)sem_init(&ahead->empty, 0, BLOCKS);
    failed = allocate(ahead, inner->name);
    if (!failed)
        failed = start(ahead);
    if (failed) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: no thread to unpack it in: %s", inner->name,
                     strerror(failed));
        free_all(ahead);
        return NULL;
    }
    return &ahead->base;
}
