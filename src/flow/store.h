/* Where live flows stand: addressed by a dense index, reused after they end.
 *
 * A flow is cut in four by how often it is touched, because a packet costs what it misses in the
 * cache. Every packet touches the hot line; the cold line is touched when a flow begins and ends,
 * by SYN, FIN and RST, and where TCP does what it had not done before; the rare line by IPv6. What
 * nobody touches takes no memory, so flows of IPv6 stand in blocks of their own, and the others
 * need 128 bytes each. The extra record is made for flows that have what few have: more than a MiB,
 * loss, fragments, a long history. Pointers are good until the next sl_store_get; those to extra
 * records until the next sl_store_extra.
 */
#ifndef SL_FLOW_STORE_H
#define SL_FLOW_STORE_H

#include "history.h"
#include "key.h"

/* A block of places for flows of one kind: as many cache lines as fill a huge page, fewer at first.
 */
enum { SL_STORE_FIRST_BLOCK = 4096, SL_STORE_BLOCK = 32768, SL_STORE_FIRST_EXTRA = 64 };

/* sl_hot.flags */
enum {
    SL_FLOW_HAS_ISN0 = 1, /* cold isn[0] is set; the next bit: isn[1] */
    SL_FLOW_HAS_ISN1 = 2,
    SL_FLOW_FIN = 4, /* both sides have sent FIN */
    SL_FLOW_RST = 8,
    SL_FLOW_LIVE = 16,    /* it has not been decided */
    SL_FLOW_CARRIED = 32, /* the extra record's high words of packets count */
    SL_FLOW_CAREFUL = 64, /* TCP: every packet is looked at closely (tcp.h) */
    SL_FLOW_EXTRA = 128   /* it has an extra record: the cold line says which */
};

/* sl_hot.sums: three sums in one word, so that a packet adds to all at once. Each has a bit to
 * spare, which says that its sum is to be moved to the extra record. */
enum { SL_SUM_BITS = 20, SL_SUM_STEP = SL_SUM_BITS + 1, SL_SUM_MAX = (1 << SL_SUM_BITS) - 1 };
enum sl_sum { SL_SUM_BYTES, SL_SUM_PAYLOAD, SL_SUM_IP, SL_SUMS };

/* The key as in key.h, and what every packet changes. Arrays: 0: sent by src, 1: by dst. */
struct sl_hot {
    uint64_t hosts;
    uint32_t ports;
    uint16_t kind;
    uint8_t flags;
    uint8_t timeout; /* which of struct sl_flows' */
    int64_t last_s;
    uint32_t last_nsec;
    uint32_t index;
    uint64_t sums[2];
    uint32_t next_seq[2]; /* TCP: the sequence number behind the highest one seen */
    uint8_t seen[2];      /* TCP: what need not be noted again (tcp.h) */
    uint16_t packets[2];  /* modulo 2^16; the rest stands in the extra record */
    uint16_t wheel_bucket;
};

/* The phase of a connection: which member of the union counts. */
enum {
    SL_PHASE_OPEN,
    SL_PHASE_SYN,     /* waiting: time of the last SYN */
    SL_PHASE_SYN_ACK, /* waiting: time of the last SYN+ACK */
    SL_PHASE_CLOSING  /* last_fin, last_rst */
};

enum { SL_ENDS_BITS = 12 };

struct sl_cold {
    int64_t first_s;
    uint32_t first_nsec;
    uint32_t extra;      /* its extra record, where SL_FLOW_EXTRA */
    uint32_t number_low; /* of the first packet: sl_cold_number */
    uint8_t number_high;
    uint8_t control;  /* TCP: FIN, SYN, RST that src sent; three bits above them, those of dst */
    uint16_t ends;    /* TCP: sl_tcp_ends; SL_ENDS_BITS above them the phase */
    uint32_t isn[2];  /* TCP: the sequence number of the SYN */
    uint64_t history; /* the first letters; the rest stands in the extra record */
    uint32_t rtt[2]; /* TCP: nanoseconds + 1 that src, that dst took in the handshake; 0: unknown */
    union {
        struct {
            int64_t waiting_s;
            uint32_t waiting_nsec;
        };
        struct {
            uint32_t last_fin[2], last_rst[2]; /* less isn */
        };
        struct { /* of a flow that is not live */
            int64_t decided_s;
            uint32_t decided_nsec;
            uint8_t end;
        };
    };
};

enum { SL_HISTORY_WORDS = 4, SL_HOLES = 6 };

/* Sequence numbers [from, to) that no segment has brought, though later ones came. */
struct sl_hole {
    uint32_t from, to;
};

struct sl_extra {
    uint64_t sums[2][SL_SUMS];
    uint64_t retransmitted[2], missed[2]; /* payload bytes */
    uint64_t history[SL_HISTORY_WORDS];
    struct sl_hole holes[2][SL_HOLES]; /* in the order of sequence numbers */
    uint32_t packets[2];               /* high words, where SL_FLOW_CARRIED */
    uint32_t retransmissions[2], zero_windows[2], gaps[2];
    uint32_t acked[2];    /* where ahead[]: dst has acknowledged more than was seen from src; … */
    uint32_t last_syn[2]; /* less isn */
    uint32_t fragments;
    uint8_t n_holes[2];
    uint8_t ahead[2];
};

struct sl_rare {
    struct sl_addr lower, upper; /* IPv6: the ends in the key's order */
};

/* Two cache lines side by side: processors fetch them in pairs, and pages are looked up once. */
union sl_place {
    struct {
        struct sl_hot hot;
        struct sl_cold cold;
    };
    char lines[128];
};
_Static_assert(sizeof(struct sl_hot) == 64 && sizeof(union sl_place) == 128, "lines of the cache");
union sl_rare_line {
    struct sl_rare flow;
    char line[32];
};

union sl_extra_line {
    struct sl_extra flow;
    uint32_t next_free;
    char lines[256];
};

/* Places of one kind: with or without IPv6 addresses. */
struct sl_pool {
    uint32_t next, end; /* the block that places are given out of */
    uint32_t *freed;    /* a stack of the n_freed that are free again; these come first */
    uint32_t n_freed, room;
};

struct sl_store {
    union sl_place *places;
    union sl_rare_line *rare;
    uint32_t used, size; /* indexes below used belong to a pool; the arrays hold size */
    struct sl_pool pools[2];
    union sl_extra_line *extra;
    uint32_t n_extra, size_extra, free_extra; /* the first free one, 0: none */
};

int sl_store_init(
    struct sl_store *) SL_USED; /* there are places from the start. -1: out of memory */
void sl_store_free(struct sl_store *);
/* A flow's place with its index set and everything else as it happens to be, or NULL: out of
 * memory. */
struct sl_hot *sl_store_get(struct sl_store *, int v6);
int sl_store_put(struct sl_store *, uint32_t index) SL_USED; /* -1: out of memory */
/* The flow's extra record; makes one, all zero, where it has none. NULL: out of memory. */
struct sl_extra *sl_store_extra(struct sl_store *, uint32_t index);

/* Asks for a cache line that will be written. The empty statement is there for gcc 12, which takes
 * a function that only prefetches for one without effect and drops its calls. */
static inline void sl_prefetch(const void *line) {
    __builtin_prefetch(line, 1);
    __asm__ volatile("");
}

static inline struct sl_hot *sl_store_hot(const struct sl_store *s, uint32_t index) {
    return &s->places[index].hot;
}
static inline struct sl_cold *sl_store_cold(const struct sl_store *s, uint32_t index) {
    return &s->places[index].cold;
}
/* The first place from `index` on that ever was a flow's; s->used: there is none. Memory that
 * nobody has touched is no place to look for flows: each page of it would become the program's by
 * that. */
static inline uint32_t sl_store_next(const struct sl_store *s, uint32_t index) {
    for (int i = 0; i < 2; i++)
        if (index == s->pools[i].next)
            return s->pools[i].end;
    return index;
}
static inline struct sl_rare *sl_store_rare(const struct sl_store *s, uint32_t index) {
    return &s->rare[index].flow;
}

/* NULL: it has none. */
static inline struct sl_extra *sl_store_has_extra(const struct sl_store *s, uint32_t index) {
    const union sl_place *place = &s->places[index];
    return place->hot.flags & SL_FLOW_EXTRA ? &s->extra[place->cold.extra].flow : NULL;
}

static inline uint64_t sl_hot_sum(const struct sl_hot *h, int dir, enum sl_sum which) {
    return h->sums[dir] >> which * SL_SUM_STEP & ((1 << SL_SUM_STEP) - 1);
}
static inline struct sl_time sl_hot_last(const struct sl_hot *h) {
    return (struct sl_time){h->last_s, h->last_nsec};
}
/* Modulo 2^40: that many packets are 44 TB or more. */
static inline uint64_t sl_cold_number(const struct sl_cold *c) {
    return c->number_low | (uint64_t)c->number_high << 32;
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
/* Makes it the program's own at once, all of it. Else a page that is read first and written then
 * comes twice. */
void sl_huge_touch(void *, size_t size);
void sl_huge_free(void *, size_t size);
/* Moves it to one of another size; NULL: out of memory, and the old one stays. */
void *sl_huge_grow(void *, size_t size, size_t larger) SL_USED;

#endif
