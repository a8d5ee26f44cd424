/* What reader.c and the format readers share. */
#ifndef SL_CAPTURE_FORMAT_H
#define SL_CAPTURE_FORMAT_H

#include "blocks.h"
#include "reader.h"

/* A chain of headers that resync.c follows: each record's size leads to the next one. */
enum { SL_LOOK_SHORT = -1, SL_LOOK_MAX_BYTES = 1 << 20 }; /* no larger records are believed */
struct sl_chain {
    const void *state; /* of the format, to begin with */
    int timely;        /* pcap: times must be near that of the state */
    uint32_t records;
    int weak;  /* the last record is one that captures hold seldom, and payload looks like often */
    int64_t s; /* pcap: time of the record before */
    int swap;  /* pcapng: byte order and interfaces of the section it is in */
    uint32_t n_ifaces;
};

struct sl_format {
    const char *name;
    uint32_t align; /* offsets of records are multiples of it */
    /* Parses whole records at the front of the window into packets, consuming them, and returns
     * how many. 0: to go on it needs r->want bytes in the window or, where r->skip is set,
     * r->skip bytes consumed. -1 with *err: the capture is damaged at r->buffer.offset. A parse
     * that found packets before the damage returns them and meets the damage again. */
    int (*parse)(struct sl_reader *, struct sl_packet *packets, uint32_t max, struct sl_error *);
    /* Passes over the records at the front of the window that end by `until`, as parse would, and
     * returns how many; *first: the stamp of the first. 0: parse says why. NULL: there is none,
     * parse does it. */
    uint32_t (*pass)(struct sl_reader *, uint64_t until, struct sl_time *first);
    /* Judges n bytes at a place where a record may begin, and moves the chain's memory on. Returns
     * the record's size, 0 where none can begin, SL_LOOK_SHORT where n bytes do not tell. */
    int64_t (*look)(struct sl_chain *, const uint8_t *, size_t n);
    /* Of the format's own state: what reader.state and sl_reader_state.of_format point to. */
    void *(*copy)(const void *); /* NULL: out of memory */
    int (*equal)(const void *, const void *);
    uint32_t (*sum)(const void *);        /* a checksum of what equal compares */
    struct sl_time (*last)(const void *); /* what a packet without time gets */
    void (*free)(void *);
    /* The one interface of a format that has no blocks; NULL: parse queues blocks. */
    void (*describe)(const void *, struct sl_interface *);
};

struct sl_reader_state {
    const struct sl_format *format;
    void *of_format;
};

struct sl_reader {
    const struct sl_format *format;
    struct sl_buffer buffer;
    struct sl_source *unpacked; /* what the buffer reads instead of a compressed source; or NULL */
    const char *compression;    /* the name of that compression */
    int64_t size;               /* of the source, as far as it was known when the reader opened */
    struct sl_reader_stats stats;
    uint64_t packets;         /* handed out so far, and those before it */
    uint64_t before;          /* sl_reader_count_from */
    size_t want;              /* bytes that parse needs in the window */
    uint64_t skip;            /* bytes to pass over before parse goes on */
    uint64_t record;          /* offset of the record that parse stands at */
    uint64_t limit;           /* records that begin here or behind are not read */
    uint64_t queued;          /* before here, of blocks only sections and interfaces are queued */
    int passed_over;          /* interfaces may have been described that are not known */
    int unknown;              /* parse stands before one of them */
    void *state;              /* of the format */
    struct sl_blocks *blocks; /* NULL: nobody asked for them */
};

static inline int sl_reader_at_limit(const struct sl_reader *r) {
    return r->buffer.offset >= r->limit;
}

/* The pcapng block that a packet of a pcapng came from, which lies in the window around its data.
 */
const uint8_t *sl_pcapng_packet_block(const struct sl_packet *, int swap, uint32_t *size);

/* What parse asked for, when it gave no packets: 1, or as sl_reader_next. And what is left to say
 * of an error of parse. */
int sl_reader_fetch(struct sl_reader *, int timeout_ms, struct sl_error *) SL_USED;
int sl_reader_failed(const struct sl_reader *, struct sl_error *);

int sl_pcap_open(struct sl_reader *, struct sl_error *) SL_USED;
int sl_pcapng_open(struct sl_reader *, struct sl_error *) SL_USED;

/* Numbers of a file that was written in this machine's byte order, or the other one (swap). */
static inline uint32_t sl_load32(const uint8_t *p, int swap) {
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return swap ? __builtin_bswap32(v) : v;
}
static inline uint64_t sl_load64(const uint8_t *p, int swap) {
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return swap ? __builtin_bswap64(v) : v;
}
static inline uint16_t sl_load16(const uint8_t *p, int swap) {
    uint16_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return swap ? __builtin_bswap16(v) : v;
}

#endif
