/* Where live flows stand: addressed by a dense index, never moved, reused after they end.
 *
 * A flow is cut in three by how often it is touched, because a packet costs what it misses in the
 * cache. Every packet touches the hot line and nothing else; the cold line is touched when a flow
 * begins, at SYN, and at the end; the rare line by IPv6 and by counters past 2^32. What nobody
 * touches stays untouched memory: without IPv6 a flow takes 128 bytes.
 */
#ifndef SL_FLOW_STORE_H
#define SL_FLOW_STORE_H

#include "../types.h"

enum { SL_STORE_SHIFT = 15, SL_STORE_CHUNK = 1 << SL_STORE_SHIFT, SL_NIL = 0xffffffff };

/* sl_hot.flags */
enum {
    SL_FLOW_HAS_ISN0 = 1, /* cold isn[0] is set; the next bit: isn[1] */
    SL_FLOW_HAS_ISN1 = 2,
    SL_FLOW_FIN = 4, /* both sides have sent FIN */
    SL_FLOW_RST = 8,
    SL_FLOW_DECIDED = 16, /* it has ended; stays set until the place is given out again */
    SL_FLOW_CARRIED = 32  /* the rare line's high words count */
};

/* The key as in key.h, and what every packet changes. Arrays: 0: sent by src, 1: by dst. */
struct sl_hot {
    uint64_t hosts;
    uint32_t ports;
    uint8_t proto, kind, flags;
    uint8_t timeout; /* which of struct sl_flows' */
    int64_t last_s;
    uint32_t last_nsec;
    uint16_t tcp_flags[2];
    uint32_t packets[2], bytes[2], payload[2]; /* modulo 2^32; the rest stands in the rare line */
    uint32_t index;
    uint16_t wheel_bucket;
};

struct sl_cold {
    int64_t first_s;
    uint32_t first_nsec;
    uint32_t fragments;
    uint64_t number; /* of the first packet */
    double t;
    uint32_t isn[2];
    int64_t decided_s;
    uint32_t decided_nsec;
    uint8_t end;
};

struct sl_rare {
    struct sl_addr lower, upper; /* IPv6: the ends in the key's order */
    uint32_t packets[2], bytes[2], payload[2]; /* high words, where SL_FLOW_CARRIED */
};

/* A cache line each, and SL_STORE_CHUNK of each fill one huge page. */
struct sl_chunk {
    _Alignas(64) union { struct sl_hot flow; char line[64]; } hot[SL_STORE_CHUNK];
    union { struct sl_cold flow; char line[64]; } cold[SL_STORE_CHUNK];
    union { struct sl_rare flow; char line[64]; } rare[SL_STORE_CHUNK];
};

struct sl_store {
    struct sl_chunk **chunks;
    uint32_t n_chunks;
    uint32_t used;   /* indexes below it have been given out */
    uint32_t *freed; /* a stack of the n_freed of them that are free again */
    uint32_t n_freed, room;
};

void sl_store_init(struct sl_store *);
void sl_store_free(struct sl_store *);
/* A flow's place with its index set and everything else as it happens to be, or NULL: out of
 * memory. */
struct sl_hot *sl_store_get(struct sl_store *);
int sl_store_put(struct sl_store *, uint32_t index) SL_USED; /* -1: out of memory */

/* Asks for a cache line that will be written. The empty statement is there for gcc 12, which takes a
 * function that only prefetches for one without effect and drops its calls. */
static inline void sl_prefetch(const void *line) {
    __builtin_prefetch(line, 1);
    __asm__ volatile("");
}

static inline struct sl_hot *sl_store_hot(const struct sl_store *s, uint32_t index) {
    return &s->chunks[index >> SL_STORE_SHIFT]->hot[index & (SL_STORE_CHUNK - 1)].flow;
}
static inline struct sl_cold *sl_store_cold(const struct sl_store *s, uint32_t index) {
    return &s->chunks[index >> SL_STORE_SHIFT]->cold[index & (SL_STORE_CHUNK - 1)].flow;
}
static inline struct sl_rare *sl_store_rare(const struct sl_store *s, uint32_t index) {
    return &s->chunks[index >> SL_STORE_SHIFT]->rare[index & (SL_STORE_CHUNK - 1)].flow;
}

static inline struct sl_time sl_hot_last(const struct sl_hot *h) {
    return (struct sl_time){h->last_s, h->last_nsec};
}
static inline struct sl_time sl_cold_first(const struct sl_cold *c) {
    return (struct sl_time){c->first_s, c->first_nsec};
}
static inline struct sl_time sl_cold_decided(const struct sl_cold *c) {
    return (struct sl_time){c->decided_s, c->decided_nsec};
}

/* Memory for a large table that is met at random: zeroed, on whole cache lines, and on huge
 * pages where the system has them. The size is a multiple of 64. Freed with sl_huge_free of the same size. */
void *sl_huge_alloc(size_t size) SL_USED;
void sl_huge_free(void *, size_t size);

#endif
