/* What the tests of readers that start anywhere share: captures as bytes, packets as they were
 * read, and reading in splits as the run does it. */
#ifndef TEST_RECORDS_UTIL_H
#define TEST_RECORDS_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/capture/resync.h"

enum { UTIL_BATCH = 64 };

struct bytes {
    uint8_t *data;
    size_t size, room;
};

static inline void put(struct bytes *b, const void *data, size_t n) {
    if (b->size + n > b->room) {
        b->room = 2 * (b->size + n);
        b->data = realloc(b->data, b->room);
        assert_non_null(b->data);
    }
    if (n)
        memcpy(b->data + b->size, data, n);
    b->size += n;
}

/* A number in this machine's byte order or the other one. */
static inline void put32(struct bytes *b, uint32_t v, int swap) {
    v = swap ? __builtin_bswap32(v) : v;
    put(b, &v, 4);
}

static inline void put16(struct bytes *b, uint16_t v, int swap) {
    v = swap ? __builtin_bswap16(v) : v;
    put(b, &v, 2);
}

static inline void pcap_header(struct bytes *b, int swap) {
    put32(b, 0xa1b2c3d4, swap);
    put16(b, 2, swap);
    put16(b, 4, swap);
    for (int i = 0; i < 2; i++)
        put32(b, 0, swap);
    put32(b, 262144, swap);
    put32(b, 1, swap);
}

static inline void pcap_record(struct bytes *b, int swap, uint32_t s, uint32_t usec,
                               const void *data, uint32_t n) {
    put32(b, s, swap);
    put32(b, usec, swap);
    put32(b, n, swap);
    put32(b, n, swap);
    put(b, data, n);
}

/* A pcapng block; body is padded to 4 bytes. */
static inline void block(struct bytes *b, int swap, uint32_t type, const void *body, uint32_t n) {
    uint32_t padded = (n + 3) / 4 * 4;

    put32(b, type, swap);
    put32(b, padded + 12, swap);
    put(b, body, n);
    put(b, "\0\0\0", padded - n);
    put32(b, padded + 12, swap);
}

static inline void section(struct bytes *b, int swap) {
    struct bytes body = {0};

    put32(&body, 0x1a2b3c4d, swap);
    put16(&body, 1, swap);
    put16(&body, 0, swap);
    put32(&body, UINT32_MAX, swap);
    put32(&body, UINT32_MAX, swap);
    block(b, swap, 0x0a0d0d0a, body.data, (uint32_t)body.size);
    free(body.data);
}

/* resolution: if_tsresol, a power of ten. */
static inline void interface(struct bytes *b, int swap, uint16_t link_type, uint8_t resolution) {
    struct bytes body = {0};

    put16(&body, link_type, swap);
    put16(&body, 0, swap);
    put32(&body, 0, swap);
    put16(&body, 9, swap);
    put16(&body, 1, swap);
    put(&body, &resolution, 1);
    put(&body, "\0\0\0", 3);
    put32(&body, 0, swap);
    block(b, swap, 1, body.data, (uint32_t)body.size);
    free(body.data);
}

static inline void enhanced(struct bytes *b, int swap, uint32_t iface, uint64_t ticks,
                            const void *data, uint32_t n) {
    struct bytes body = {0};

    put32(&body, iface, swap);
    put32(&body, (uint32_t)(ticks >> 32), swap);
    put32(&body, (uint32_t)ticks, swap);
    put32(&body, n, swap);
    put32(&body, n, swap);
    put(&body, data, n);
    block(b, swap, 6, body.data, (uint32_t)body.size);
    free(body.data);
}

/* The same numbers for everybody. */
static inline uint32_t lots(uint64_t *seed) {
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(*seed >> 33);
}

struct seen {
    uint64_t offset;
    struct sl_time ts;
    uint32_t caplen, len;
    uint16_t link_type, iface;
};

struct packets {
    struct seen *at;
    size_t n, room;
    int state; /* what sl_reader_next ended with */
    struct sl_error err;
};

static inline void add_packet(struct packets *list, const struct sl_packet *p) {
    if (list->n == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        list->at = realloc(list->at, list->room * sizeof *list->at);
        assert_non_null(list->at);
    }
    struct seen *s = &list->at[list->n++];
    memset(s, 0, sizeof *s); /* padding too: they are compared as bytes */
    s->offset = p->offset64;
    s->ts.s = p->ts.s;
    s->ts.nsec = p->ts.nsec;
    s->caplen = p->caplen;
    s->len = p->len;
    s->link_type = p->link_type;
    s->iface = p->iface;
}

static inline void read_on(struct sl_reader *r, struct packets *list) {
    struct sl_packet packets[UTIL_BATCH];
    int n;

    while ((n = sl_reader_next(r, packets, UTIL_BATCH, -1, &list->err)) > 0)
        for (int i = 0; i < n; i++)
            add_packet(list, &packets[i]);
    list->state = n;
}

static inline struct sl_source *source_of(const struct bytes *b) {
    struct sl_error err = {0};
    struct sl_source *source = sl_source_memory_open(b->data, b->size, 0, &err);

    assert_non_null(source);
    return source;
}

/* Everything, in one go; *assumed is the state behind the first packet, or NULL. */
static inline struct packets read_whole(const struct bytes *b, struct sl_reader_state **assumed) {
    struct packets list = {0};
    struct sl_packet first;
    struct sl_source *source = source_of(b);
    struct sl_reader *r = sl_reader_open(source, &list.err);

    *assumed = NULL;
    list.state = SL_READ_ERROR;
    if (r && (list.state = sl_reader_next(r, &first, 1, -1, &list.err)) > 0) {
        add_packet(&list, &first);
        assert_non_null(*assumed = sl_reader_state(r, &list.err));
        read_on(r, &list);
    }
    sl_reader_close(r);
    sl_source_close(source);
    return list;
}

static inline void must_be_equal(const struct packets *a, const struct packets *b) {
    assert_int_equal(a->n, b->n);
    if (a->n)
        assert_memory_equal(a->at, b->at, a->n * sizeof *a->at);
    assert_int_equal(a->state, b->state);
    if (a->state == SL_READ_ERROR)
        assert_string_equal(a->err.message, b->err.message);
}

/* What was read of one split. */
struct split {
    struct packets packets;
    uint64_t began, ended;
    struct sl_reader_state *state; /* at the end */
    struct sl_reader_stats stats;
};

static inline struct split read_split(const struct bytes *b, uint64_t offset, uint64_t end,
                                      const struct sl_reader_state *state, uint64_t before) {
    struct split s = {.began = offset};
    struct sl_error err = {0};
    struct sl_source *source = source_of(b);
    struct sl_reader *r = sl_reader_open_at(source, offset, state, &err);

    assert_non_null(r);
    sl_reader_count_from(r, before);
    sl_reader_limit(r, end);
    read_on(r, &s.packets);
    s.ended = sl_reader_offset(r);
    s.stats = *sl_reader_stats(r);
    assert_non_null(s.state = sl_reader_state(r, &err));
    sl_reader_close(r);
    sl_source_close(source);
    return s;
}

static inline void free_split(struct split *s) {
    free(s->packets.at);
    sl_reader_state_free(s->state);
}

#endif
