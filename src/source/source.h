/* A source of bytes: file, pipe, HTTP(S), memory. Readers know nothing of what is behind it.
 *
 * Every kind embeds struct sl_source first and fills ops, name and size in its open function.
 * Who opens closes, with sl_source_close.
 */
#ifndef SL_SOURCE_H
#define SL_SOURCE_H

#include <stdatomic.h>
#include <sys/types.h>

#include "../error.h"

struct sl_source;

enum { SL_SOURCE_WAIT = -2 }; /* read: nothing arrived within timeout_ms; call again */

struct sl_source_ops {
    /* Like read(2): copies 1..cap bytes to buf and returns how many; 0 at the end of the input;
     * -1 with *err filled when the input cannot be read further (bytes already handed out stay
     * good); SL_SOURCE_WAIT after timeout_ms without a byte (timeout_ms < 0: wait for ever). */
    ssize_t (*read)(struct sl_source *, void *buf, size_t cap, int timeout_ms, struct sl_error *);
    /* The next read starts at this byte offset. 0, or -1 with *err. NULL: cannot seek. Costs no
     * request by itself; a short way ahead is read through, and what is fetched after a seek grows
     * from 128 KiB with what is read. */
    int (*seek)(struct sl_source *, uint64_t offset, struct sl_error *);
    void (*close)(struct sl_source *); /* frees the source itself too */
    /* Reads at an offset of its own, as pread does; several threads may, while another one reads
     * on. NULL: cannot. */
    ssize_t (*read_at)(struct sl_source *, void *buf, size_t cap, uint64_t offset);
};

/* Stretches of the input that somebody reads one after the other, seeking from one to the next, so
 * that a remote source may ask for several of them at once. */
struct sl_source_plan {
    /* The first stretch [*first, *end) that does not end before `behind`, without what lies before
     * that. 0: there is none. */
    int (*next)(const struct sl_source_plan *, uint64_t behind, uint64_t *first, uint64_t *end);
};

/* What a remote source has done so far. Atomic: the thread of another source may read this one
 * (ahead.h) while the progress line looks here. */
struct sl_source_traffic {
    atomic_ullong fetched; /* bytes of bodies */
    atomic_uint requests, retries, in_flight;
    atomic_uint last_status; /* HTTP status of the latest failed request; 0: it had none */
};

struct sl_source {
    const struct sl_source_ops *ops;
    char *name;   /* for messages: secrets redacted; owned by the source */
    int64_t size; /* bytes, or -1 while unknown */
    /* What an HTTP server calls the version that is read, with its quotes; "": it does not say, or
     * has not yet; NULL: there is no such thing. The source's. */
    const char *etag;
    uint64_t packed; /* where it unpacks another source: bytes of that one behind what was given */
    /* A hint that whoever seeks may set, 0 for none: what lies at this offset or behind it will
     * hardly be read, so nothing there is fetched ahead. Reading there works all the same. */
    uint64_t until;
    /* What will be read behind `until`; NULL: nobody knows. Borrowed; as long as it is set. */
    const struct sl_source_plan *plan;
    uint8_t
        in_order; /* has turned out to give its bytes from first to last only, whatever ops say */
    struct sl_source_traffic traffic;
};

/* Zero stands for the default everywhere. */
struct sl_source_options {
    uint32_t http_first_bytes; /* size of the first range request: 1 MiB */
    uint32_t http_range_bytes; /* the largest size of the later ones */
    uint32_t http_in_flight;   /* requests at once, at most SL_HTTP_IN_FLIGHT_MAX: 8 */
    int http_no_ranges;        /* ask for all at once: an answer that is made on demand */
    int (*interrupted)(void);  /* asked now and then during a wait without timeout, which it ends */
};

enum { SL_HTTP_IN_FLIGHT_MAX = 64 };

/* Opens a path, "-" (standard input) or an http(s):// URL. NULL with *err on failure. */
struct sl_source *sl_source_open(const char *input, const struct sl_source_options *,
                                 struct sl_error *) SL_USED;

/* Whether sl_source_open takes it for an http(s) URL. */
int sl_source_is_url(const char *input);

struct sl_source *sl_source_file_open(const char *path, struct sl_error *) SL_USED;
/* Reads the descriptor from where it stands; takes it over and closes it. name is copied. */
struct sl_source *sl_source_pipe_open(int fd, const char *name, struct sl_error *) SL_USED;
/* url is kept verbatim for requests; name holds it with query and user information redacted. */
struct sl_source *sl_source_http_open(const char *url, const struct sl_source_options *,
                                      struct sl_error *) SL_USED;
/* Borrows data until the source is closed. Reads give at most chunk bytes each (0: no limit),
 * which lets tests and fuzzers put block ends anywhere. */
struct sl_source *sl_source_memory_open(const void *data, size_t size, size_t chunk,
                                        struct sl_error *) SL_USED;

void sl_source_close(struct sl_source *); /* NULL is allowed */

#endif
