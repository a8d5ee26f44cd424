#include "follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "name.h"

enum { TAIL_BYTES = 4096, POLL_MS = 100, REOPEN_MS = 2000, REOPEN_FIRST_BYTES = 128 * 1024 };

struct follow_source {
    struct sl_source base;
    struct sl_source *inner;
    char *input;
    struct sl_source_options options;
    uint64_t offset;                /* of the next byte */
    unsigned char tail[TAIL_BYTES]; /* what was read last: tail_n bytes */
    size_t tail_n;
    int is_remote;
    int64_t reopen_ms;               /* when a blob may be asked for again */
    struct sl_source_traffic before; /* of the sources that inner has replaced */
};

static int64_t now_ms(void) {
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void remember(struct follow_source *f, const unsigned char *bytes, size_t n) {
    size_t keep = n < TAIL_BYTES ? TAIL_BYTES - n : 0;

    if (n > TAIL_BYTES) {
        bytes += n - TAIL_BYTES;
        n = TAIL_BYTES;
    }
    if (keep > f->tail_n)
        keep = f->tail_n;
    memmove(f->tail, f->tail + f->tail_n - keep, keep);
    memcpy(f->tail + keep, bytes, n);
    f->tail_n = keep + n;
}

/* Adds what another source has fetched. */
static void add_traffic(struct sl_source_traffic *sum, const struct sl_source_traffic *of) {
    unsigned status = atomic_load(&of->last_status);

    atomic_fetch_add(&sum->fetched, atomic_load(&of->fetched));
    atomic_fetch_add(&sum->requests, atomic_load(&of->requests));
    atomic_fetch_add(&sum->retries, atomic_load(&of->retries));
    if (status)
        atomic_store(&sum->last_status, status);
}

/* What the blob's sources have fetched, the one at work and those before it. */
static void tell_traffic(struct follow_source *f) {
    struct sl_source_traffic sum = {0};

    add_traffic(&sum, &f->before);
    add_traffic(&sum, &f->inner->traffic);
    atomic_store(&f->base.traffic.fetched, sum.fetched);
    atomic_store(&f->base.traffic.requests, sum.requests);
    atomic_store(&f->base.traffic.retries, sum.retries);
    atomic_store(&f->base.traffic.last_status, sum.last_status);
    atomic_store(&f->base.traffic.in_flight, atomic_load(&f->inner->traffic.in_flight));
}

/* Reads what should be the tail again. 1: it is; 0: not, or there is less; -1: *err;
 * SL_SOURCE_WAIT: interrupted. */
static int is_the_same(const struct follow_source *f, struct sl_source *again,
                       struct sl_error *err) {
    unsigned char bytes[TAIL_BYTES];
    size_t have = 0;

    if (again->ops->seek(again, f->offset - f->tail_n, err) < 0)
        return -1;
    while (have < f->tail_n) {
        ssize_t n = again->ops->read(again, bytes + have, f->tail_n - have, -1, err);
        if (n <= 0)
            return (int)n;
        have += (size_t)n;
    }
    return memcmp(bytes, f->tail, have) == 0;
}

static int reopen(struct follow_source *f, struct sl_error *err) {
    struct sl_source_options options = f->options;

    options.http_first_bytes = REOPEN_FIRST_BYTES;
    struct sl_source *again = sl_source_open(f->input, &options, err);
    if (!again)
        return -1;
    int same = is_the_same(f, again, err);
    if (same <= 0) {
        sl_source_close(again);
        if (same == 0)
            return sl_error_set(err, SL_EXIT_INPUT,
                                "%s: was replaced or cut while it was followed: the bytes before "
                                "byte %" PRIu64 " are no longer what they were",
                                f->base.name, f->offset);
        return same == SL_SOURCE_WAIT ? 0 : -1;
    }
    add_traffic(&f->before, &f->inner->traffic);
    sl_source_close(f->inner);
    f->inner = again;
    return 0;
}

/* At the end so far: waits a little. 0: read again; SL_SOURCE_WAIT; -1 with *err. */
static int wait_for_more(struct follow_source *f, int64_t deadline_ms, struct sl_error *err) {
    int64_t now = now_ms(), left = deadline_ms - now;
    struct timespec pause = {.tv_nsec = (left < POLL_MS ? left : POLL_MS) * 1000000L};

    if (left <= 0 || (f->options.interrupted && f->options.interrupted()))
        return SL_SOURCE_WAIT;
    (void)nanosleep(&pause, NULL); /* a signal may end it: all the better */
    if (!f->is_remote || now < f->reopen_ms)
        return 0;
    f->reopen_ms = now + REOPEN_MS;
    return reopen(f, err);
}

static ssize_t follow_read(struct sl_source *source, void *buf, size_t cap, int timeout_ms,
                           struct sl_error *err) {
    struct follow_source *f = (struct follow_source *)source;
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;

    for (;;) {
        ssize_t n = f->inner->ops->read(f->inner, buf, cap, timeout_ms, err);
        tell_traffic(f);
        if (n > 0) {
            remember(f, buf, (size_t)n);
            f->offset += (uint64_t)n;
        }
        if (n != 0)
            return n;
        int state = wait_for_more(f, deadline_ms, err);
        if (state != 0)
            return state;
    }
}

static void follow_close(struct sl_source *source) {
    struct follow_source *f = (struct follow_source *)source;

    sl_source_close(f->inner);
    free(f->input);
    free(source->name);
    free(f);
}

static const struct sl_source_ops follow_ops = {follow_read, NULL, follow_close, NULL};

struct sl_source *sl_source_follow_open(const char *input, const struct sl_source_options *options,
                                        struct sl_error *err) {
    struct sl_source *inner = sl_source_open(input, options, err);

    if (!inner || !inner->ops->seek) /* a pipe ends when its writer does */
        return inner;
    struct follow_source *f = calloc(1, sizeof *f);
    char *copy = strdup(input), *name = sl_source_name_copy(inner->name);
    if (!f || !copy || !name) {
        sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", inner->name);
        sl_source_close(inner);
        free(f);
        free(copy);
        free(name);
        return NULL;
    }
    f->base.ops = &follow_ops;
    f->base.name = name;
    f->base.size = -1;
    f->inner = inner;
    f->input = copy;
    f->options = *options;
    f->is_remote = sl_source_is_url(input);
    return &f->base;
}
