/* Where live flows stand: addressed by a dense index, reused after they end.
 *
 * A flow is cut in three by how often it is touched, because a packet costs what it misses in the
 * cache. Every packet touches the hot line and nothing else; the cold line is touched when a flow
 * begins, at SYN, and at the end; the rare line by IPv6 and by counters past 2^32. What nobody
 * touches takes no memory, so flows of IPv6 stand in blocks of their own, and the others need 128
 * bytes each. Pointers are good until the next sl_store_get.
 */
#ifndef SL_FLOW_STORE_H
#define SL_FLOW_STORE_H

#include "key.h"

/* A block of places for flows of one kind: as many cache lines as fill a huge page, fewer at first.
 */
enum { SL_STORE_FIRST_BLOCK = 4096, SL_STORE_BLOCK = 32768 };

/* sl_hot.flags */
enum {
    SL_FLOW_HAS_ISN0 = 1, /* cold isn[0] is set; the next bit: isn[1] */
    SL_FLOW_HAS_ISN1 = 2,
    SL_FLOW_FIN = 4, /* both sides have sent FIN */
    SL_FLOW_RST = 8,
    SL_FLOW_LIVE = 16,   /* it has not been decided */
    SL_FLOW_CARRIED = 32 /* the rare line's high words count */
};

/* The key as in key.h, and what every packet changes. Arrays: 0: sent by src, 1: by dst. */
struct sl_hot {
    uint64_t hosts;
    uint32_t ports;
    uint16_t kind;
    uint8_t flags;
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
    uint32_t isn[2];
    int64_t decided_s;
    uint32_t decided_nsec;
    uint8_t end;
};

struct sl_rare {
    struct sl_addr lower, upper;               /* IPv6: the ends in the key's order */
    uint32_t packets[2], bytes[2], payload[2]; /* high words, where SL_FLOW_CARRIED */
};

/* A cache line each. */
union sl_hot_line {
    struct sl_hot flow;
    char line[64];
};
union sl_cold_line {
    struct sl_cold flow;
    char line[64];
};
union sl_rare_line {
    struct sl_rare flow;
    char line[64];
};

/* Places of one kind: with or without IPv6 addresses. */
struct sl_pool {
    uint32_t next, end; /* the block that places are given out of */
    uint32_t *freed;    /* a stack of the n_freed that are free again; these come first */
    uint32_t n_freed, room;
};

struct sl_store {
    union sl_hot_line *hot;
    union sl_cold_line *cold;
    union sl_rare_line *rare;
    uint32_t used, size; /* indexes below used belong to a pool; the arrays hold size */
    struct sl_pool pools[2];
};

void sl_store_init(struct sl_store *);
void sl_store_free(struct sl_store *);
/* A flow's place with its index set and everything else as it happens to be, or NULL: out of
 * memory. */
struct sl_hot *sl_store_get(struct sl_store *, int v6);
int sl_store_put(struct sl_store *, uint32_t index) SL_USED; /* -1: out of memory */

/* Asks for a cache line that will be written. The empty statement is there for gcc 12, which takes
 * a function that only prefetches for one without effect and drops its calls. */
static inline void sl_prefetch(const void *line) {
    __builtin_prefetch(line, 1);
    __asm__ volatile("");
}

static inline struct sl_hot *sl_store_hot(const struct sl_store *s, uint32_t index) {
    return &s->hot[index].flow;
}
static inline struct sl_cold *sl_store_cold(const struct sl_store *s, uint32_t index) {
    return &s->cold[index].flow;
}
static inline struct sl_rare *sl_store_rare(const struct sl_store *s, uint32_t index) {
    return &s->rare[index].flow;
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
 * pages where the system has them. The size is a multiple of 64. Freed with sl_huge_free of the
 * same size. */
void *sl_huge_alloc(size_t size) SL_USED;
void sl_huge_free(void *, size_t size);
/* Moves it to one of another size; NULL: out of memory, and the old one stays. */
void *sl_huge_grow(void *, size_t size, size_t larger) SL_USED;

#endif
