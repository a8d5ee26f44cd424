/* What reader.c and the format readers share. */
#ifndef SL_CAPTURE_FORMAT_H
#define SL_CAPTURE_FORMAT_H

#include "reader.h"

struct sl_format {
    const char *name;
    /* Parses whole records at the front of the window into packets, consuming them, and returns
     * how many. 0: to go on it needs r->want bytes in the window or, where r->skip is set,
     * r->skip bytes consumed. -1 with *err: the capture is damaged at r->buffer.offset. A parse
     * that found packets before the damage returns them and meets the damage again. */
    int (*parse)(struct sl_reader *, struct sl_packet *packets, uint32_t max, struct sl_error *);
    void (*free)(struct sl_reader *);
};

struct sl_reader {
    const struct sl_format *format;
    struct sl_buffer buffer;
    struct sl_source *unpacked; /* what the buffer reads instead of a compressed source; or NULL */
    const char *compression;    /* the name of that compression */
    int64_t size;               /* of the source, as far as it was known when the reader opened */
    struct sl_reader_stats stats;
    uint64_t packets; /* handed out so far */
    size_t want;      /* bytes that parse needs in the window */
    uint64_t skip;    /* bytes to pass over before parse goes on */
    uint64_t record;  /* offset of the record that parse stands at */
    void *state;      /* of the format */
};

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
