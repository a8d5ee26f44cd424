#include "head_sieve.h"

#include <stdlib.h>

enum {
    PLACES = 1 << 16,
    /* A side that did not begin with a SYN may have begun later than the first byte that is seen of
     * it: where that is sent again. */
    SLACK = 4096,
    TCP_SYN = 2,
    TCP_ACK = 16
};

struct side {
    uint64_t hosts;
    uint32_t ports;
    uint16_t kind;
    uint8_t used;
    uint8_t started, with_syn; /* as in head.c: with a SYN, or the first byte that is seen */
    uint8_t stale;             /* the other side has begun another flow */
    uint32_t first;            /* TCP: sequence number of the first byte */
    uint32_t kept;             /* other protocols: bytes so far */
    int64_t last_s;            /* of its last packet */
};

struct sl_head_sieve {
    uint32_t size;
    int64_t gap_s;
    struct side sides[PLACES];
};

struct sl_head_sieve *sl_head_sieve_new(uint32_t size, int64_t gap_s) {
    struct sl_head_sieve *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->size = size;
    s->gap_s = gap_s;
    return s;
}

void sl_head_sieve_free(struct sl_head_sieve *s) {
    free(s);
}

static struct side *side_of(struct sl_head_sieve *s, const struct sl_flow_event *e, unsigned kind) {
    uint32_t way = (kind & SL_KEY_FROM_UPPER) != 0;

    return &s->sides[((e->hash >> 1) ^ way) % PLACES];
}

static int is_of(const struct side *side, const struct sl_flow_event *e, unsigned kind) {
    return side->used && side->hosts == e->hosts && side->ports == e->ports && side->kind == kind;
}

static int begins_flow(const struct sl_flow_event *e) {
    return (e->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static int may_be_another(const struct sl_head_sieve *s, const struct side *side,
                          const struct sl_flow_event *e) {
    int64_t gap;

    if (side->stale || begins_flow(e))
        return 1;
    return s->gap_s &&
           (__builtin_sub_overflow(e->ts_s, side->last_s, &gap) || gap >= s->gap_s || gap < 0);
}

static void begin(struct side *side, const struct sl_flow_event *e) {
    *side = (struct side){.hosts = e->hosts, .ports = e->ports, .kind = e->kind, .used = 1};
}

static void start(struct side *side, const struct sl_flow_event *e, uint32_t captured) {
    int syn = (e->tcp_flags & TCP_SYN) != 0;

    if (side->started || (!syn && !captured))
        return;
    side->started = 1;
    side->with_syn = (uint8_t)syn;
    side->first = e->seq + (uint32_t)syn;
}

/* What the other side sends from now on is of another flow. */
static void begin_other(struct sl_head_sieve *s, const struct sl_flow_event *e) {
    unsigned kind = e->kind ^ SL_KEY_FROM_UPPER;
    struct side *other = side_of(s, e, kind);

    if (is_of(other, e, kind))
        other->stale = 1;
}

static struct side *side_at(struct sl_head_sieve *s, const struct sl_flow_event *e,
                            uint32_t captured) {
    struct side *side = side_of(s, e, e->kind);
    int known = is_of(side, e, e->kind);

    if (begins_flow(e) && !(known && side->with_syn && side->first == e->seq + 1))
        begin_other(s, e);
    if (!known || may_be_another(s, side, e))
        begin(side, e);
    start(side, e, captured);
    side->last_s = e->ts_s;
    return side;
}

/* Bytes from e's first one that lie before the end of what may be the head. */
static int64_t within(const struct sl_head_sieve *s, const struct side *side,
                      const struct sl_flow_event *e) {
    uint32_t seq = e->seq + (e->tcp_flags & TCP_SYN ? 1 : 0);
    int64_t end = (int64_t)s->size + (side->with_syn ? 0 : SLACK);

    return end - (int32_t)(seq - side->first);
}

uint32_t sl_head_sieve_take(struct sl_head_sieve *s, const struct sl_flow_event *e,
                            uint32_t captured) {
    if (e->bits & SL_EVENT_LATER_FRAGMENT)
        return 0;
    struct side *side = side_at(s, e, captured);
    int64_t most = e->bits & SL_EVENT_TCP ? within(s, side, e) : (int64_t)s->size - side->kept;
    uint32_t n = most <= 0 ? 0 : most < captured ? (uint32_t)most : captured;
    if (!(e->bits & SL_EVENT_TCP))
        side->kept += n;
    return n;
}
