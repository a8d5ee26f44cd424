#include "head.h"

#include "../packet/layers.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256, LATER_MAX = 4, FIRST_FLOWS = 1024 };

/* Bytes [from, to) behind a hole. */
struct range {
    uint32_t from, to;
};

/*      0          have     later[0]          room     size
 *      |==========|........|=======|.........|
 *      in order     hole     behind it         not yet allocated
 */
struct side {
    uint8_t *bytes;
    uint32_t room, have;
    uint32_t start; /* TCP: sequence number of bytes[0] */
    uint8_t started, n_later, lost;
    struct range later[LATER_MAX];
};

struct sl_heads {
    struct side (*flows)[2];
    uint32_t n_flows; /* places by index */
    uint32_t size;
    uint64_t memory; /* of all bytes */
    uint64_t lost;
};

struct sl_heads *sl_heads_new(uint32_t size, struct sl_error *err) {
    struct sl_heads *h = calloc(1, sizeof *h);

    if (h)
        h->size = size;
    else
        sl_error_set(err, SL_EXIT_USAGE, "out of memory for the heads of flows");
    return h;
}

void sl_heads_free(struct sl_heads *h) {
    if (!h)
        return;
    for (uint32_t i = 0; i < h->n_flows; i++)
        for (int dir = 0; dir < 2; dir++)
            free(h->flows[i][dir].bytes);
    free(h->flows);
    free(h);
}

static int make_place(struct sl_heads *h, uint32_t flow) {
    uint32_t n = h->n_flows ? h->n_flows : FIRST_FLOWS;

    while (n <= flow)
        n *= 2;
    if (n == h->n_flows)
        return 0;
    void *grown = realloc(h->flows, n * sizeof *h->flows);
    if (!grown)
        return -1;
    h->flows = grown;
    memset(h->flows + h->n_flows, 0, (n - h->n_flows) * sizeof *h->flows);
    h->n_flows = n;
    return 0;
}

/* The index belongs to another flow now; its memory is used again. */
static void begin(struct side side[2]) {
    for (int dir = 0; dir < 2; dir++) {
        side[dir].have = 0;
        side[dir].started = side[dir].n_later = side[dir].lost = 0;
    }
}

/* Room for bytes up to end. 0: there is none. */
static int make_room(struct sl_heads *h, struct side *s, uint32_t end) {
    uint32_t room = s->room ? s->room : FIRST_ROOM;

    if (end <= s->room)
        return 1;
    while (room < end)
        room *= 2;
    if (room > h->size)
        room = h->size;
    uint8_t *grown = h->memory + (room - s->room) > SL_HEADS_MAX ? NULL : realloc(s->bytes, room);
    if (!grown) {
        h->lost += !s->lost;
        s->lost = 1;
        return 0;
    }
    h->memory += room - s->room;
    s->bytes = grown;
    s->room = room;
    return 1;
}

/* Bytes in order now reach up to end: what stood behind a hole may follow. */
static void advance(struct side *s, uint32_t end) {
    s->have = end;
    for (int i = 0; i < s->n_later;) {
        if (s->later[i].from > s->have) {
            i++;
            continue;
        }
        if (s->later[i].to > s->have)
            s->have = s->later[i].to;
        s->later[i] = s->later[--s->n_later];
        i = 0;
    }
}

/* Remembers bytes behind a hole: joined to those that they touch. Without a place for one more
 * they are forgotten, as if they had not been captured. */
static void keep_later(struct side *s, uint32_t from, uint32_t to) {
    for (int i = 0; i < s->n_later; i++) {
        struct range *r = &s->later[i];
        if (from <= r->to && to >= r->from) {
            r->from = from < r->from ? from : r->from;
            r->to = to > r->to ? to : r->to;
            return;
        }
    }
    if (s->n_later < LATER_MAX)
        s->later[s->n_later++] = (struct range){from, to};
}

/* Bytes that belong at offset at. Where two segments differ the one that came first counts, as long
 * as no hole was before it. */
static void put(struct sl_heads *h, struct side *s, uint32_t at, const uint8_t *data, uint32_t n) {
    if (at >= h->size)
        return;
    uint32_t end = n > h->size - at ? h->size : at + n;
    if (at < s->have) {
        if (end <= s->have)
            return;
        data += s->have - at;
        at = s->have;
    }
    if (!make_room(h, s, end))
        return;
    memcpy(s->bytes + at, data, end - at);
    if (at == s->have)
        advance(s, end);
    else
        keep_later(s, at, end);
}

static void take_tcp(struct sl_heads *h, struct side *s, const struct sl_packet *p) {
    uint32_t seq = p->seq + (p->tcp_flags & SL_TCP_SYN ? 1 : 0), n = p->payload_cap;
    const uint8_t *data = p->data + p->payload_off;

    if (!s->started && (n || p->tcp_flags & SL_TCP_SYN)) {
        s->start = seq;
        s->started = 1;
    }
    if (!n)
        return;
    int32_t offset = (int32_t)(seq - s->start);
    if (offset < 0) { /* a keep-alive, or sent before what was seen first */
        uint32_t before = 0u - (uint32_t)offset;
        if (n <= before)
            return;
        data += before;
        n -= before;
        offset = 0;
    }
    put(h, s, (uint32_t)offset, data, n);
}

int sl_heads_take(struct sl_heads *h, const struct sl_packet *packets, const uint32_t *sel,
                  uint32_t n, struct sl_error *err) {
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_packet *p = &packets[sel[i]];
        if (p->flow == SL_NO_FLOW)
            continue;
        if (p->flow >= h->n_flows && make_place(h, p->flow) < 0)
            return sl_error_set(err, SL_EXIT_INPUT, "out of memory for the heads of flows");
        struct side *side = h->flows[p->flow];
        if (p->flow_pkt64 == 1)
            begin(side);
        if (side[p->dir].have == h->size || p->frag_offset)
            continue;
        if (p->protos >> SL_P_TCP & 1)
            take_tcp(h, &side[p->dir], p);
        else if (p->payload_cap)
            put(h, &side[p->dir], side[p->dir].have, p->data + p->payload_off, p->payload_cap);
    }
    return 0;
}

uint32_t sl_heads_wants(const struct sl_heads *h, const struct sl_packet *p) {
    static const struct side none;
    int known = p->flow < h->n_flows && p->flow_pkt64 != 1;
    uint32_t n = p->payload_cap;

    if (p->flow == SL_NO_FLOW || p->frag_offset)
        return 0;
    const struct side *s = known ? &h->flows[p->flow][p->dir] : &none;
    int64_t want = (int64_t)h->size - s->have;
    if (want && p->protos >> SL_P_TCP & 1) {
        uint32_t seq = p->seq + (p->tcp_flags & SL_TCP_SYN ? 1 : 0);
        int64_t offset = s->started ? (int32_t)(seq - s->start) : 0;
        want = n + offset <= 0 ? 0 : (int64_t)h->size - offset;
    }
    return want <= 0 ? 0 : want < n ? (uint32_t)want : n;
}

struct sl_view sl_heads_of(const struct sl_heads *h, uint32_t flow, int dir) {
    if (flow >= h->n_flows)
        return (struct sl_view){NULL, 0};
    const struct side *s = &h->flows[flow][dir];
    return (struct sl_view){s->bytes, s->have};
}

uint64_t sl_heads_lost(const struct sl_heads *h) {
    return h->lost;
}
