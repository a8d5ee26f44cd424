/* How packets find their flows, and what a packet changes in its flow. */
#include "table.h"

#include "../packet/address.h"
#include "clock.h"
#include "tcp.h"
#include "totals.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct sl_flow_options sl_flow_defaults(void) {
    struct sl_flow_options o = {
        .idle_tcp_s = 300, .idle_other_s = 60, .closing_s = 5, .ordered = 1};

    if (getrandom(&o.seed, sizeof o.seed, 0) != (ssize_t)sizeof o.seed)
        o.seed = (struct sl_hash_seed){0x243f6a8885a308d3, 0x13198a2e03707344};
    return o;
}

static int64_t never_at_0(int64_t timeout_s) {
    return timeout_s ? timeout_s : SL_NEVER_S;
}

struct sl_flows *sl_flows_new(const struct sl_flow_options *options, struct sl_error *err) {
    struct sl_flows *t = calloc(1, sizeof *t);

    if (!t || sl_slots_init(&t->slots, 0) < 0 || sl_store_init(&t->store) < 0 ||
        (options->ordered && !(t->handed = malloc(sizeof *t->handed)))) {
        sl_flows_free(t);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory for the flow table");
        return NULL;
    }
    t->options = *options;
    t->timeout_s[SL_TIMEOUT_OTHER] = never_at_0(options->idle_other_s);
    t->timeout_s[SL_TIMEOUT_TCP] = never_at_0(options->idle_tcp_s);
    t->timeout_s[SL_TIMEOUT_CLOSING] = options->closing_s;
    sl_wheel_init(&t->wheel, &t->store);
    return t;
}

void sl_flows_free(struct sl_flows *t) {
    if (!t)
        return;
    sl_slots_free(&t->slots);
    sl_store_free(&t->store);
    sl_wheel_free(&t->wheel);
    sl_evict_free(&t->evict);
    free(t->fragments);
    free(t->decided);
    free(t->handed);
    free(t);
}

void sl_flows_meter(struct sl_flows *t, struct sl_meters *meters) {
    t->meters = meters && meters->n ? meters : NULL;
}

void sl_flows_begin(struct sl_flows *t, struct sl_time origin) {
    t->origin = origin;
}

const struct sl_flow_stats *sl_flows_stats(const struct sl_flows *t) {
    return &t->stats;
}

/* ---- finding and making flows ---- */

/* IPv6 addresses stand in the key as hashes only. */
static int same_addresses(const struct sl_rare *r, const struct sl_flow_event *e,
                          const struct sl_event_more *more) {
    int from_upper = e->kind & SL_KEY_FROM_UPPER;
    const struct sl_addr *lower = from_upper ? &more->dst : &more->src,
                         *upper = from_upper ? &more->src : &more->dst;

    return sl_addr_same(&r->lower, lower) && sl_addr_same(&r->upper, upper);
}

static inline int same(const struct sl_flows *t, const struct sl_hot *h,
                       const struct sl_flow_event *e, const struct sl_event_more *more) {
    uint32_t kind = (uint32_t)(h->kind ^ e->kind) & SL_KEY_SAME;

    if ((h->hosts ^ e->hosts) | (h->ports ^ e->ports) | kind)
        return 0;
    return !(e->kind & SL_KEY_V6) || same_addresses(sl_store_rare(&t->store, h->index), e, more);
}

/* Whether this is the place of the event's flow; nobody may have it. */
static inline int is_at(const struct sl_flows *t, uint32_t index, const struct sl_flow_event *e,
                        const struct sl_event_more *more) {
    const struct sl_hot *h = sl_store_hot(&t->store, index);

    return h->flags & SL_FLOW_LIVE && same(t, h, e, more);
}

static struct sl_hot *find(const struct sl_flows *t, const struct sl_flow_event *e,
                           const struct sl_event_more *more) {
    uint8_t tag = sl_slots_tag(e->hash);

    for (const struct sl_slots_bucket *b = sl_slots_home(&t->slots, e->hash);;
         b = sl_slots_next(&t->slots, b)) {
        for (uint32_t found = sl_slots_match(b, tag); found; found &= found - 1) {
            struct sl_hot *h = sl_store_hot(&t->store, b->indexes[__builtin_ctz(found)]);
            if (same(t, h, e, more))
                return h;
        }
        if (!b->passed)
            return NULL;
    }
}

/* Makes the hash table twice as large. */
static int grow(struct sl_flows *t) {
    struct sl_slots bigger;

    if (sl_slots_init(&bigger, 2 * t->slots.used) < 0)
        return -1;
    for (uint32_t i = sl_store_next(&t->store, 0); i < t->store.used;
         i = sl_store_next(&t->store, i + 1)) {
        const struct sl_hot *h = sl_store_hot(&t->store, i);
        if (h->flags & SL_FLOW_LIVE)
            sl_slots_add(&bigger, sl_flow_hash_of(t, h), i);
    }
    sl_slots_free(&t->slots);
    t->slots = bigger;
    return 0;
}

static int make_room(struct sl_flows *t, struct sl_time now) {
    if (!t->options.max_flows || t->stats.live < t->options.max_flows)
        return 0;
    struct sl_hot *h = sl_evict_take(&t->evict, &t->store);
    return h ? sl_flow_end_early(t, h, SL_END_EVICTED, now) : 0;
}

static void fill(struct sl_flows *t, struct sl_hot *h, const struct sl_flow_event *e,
                 const struct sl_event_more *more, uint64_t number) {
    /* A SYN+ACK that comes first was answered to the originator. */
    int answer = (e->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == (SL_TCP_SYN | SL_TCP_ACK);
    int from_upper = e->kind & SL_KEY_FROM_UPPER;
    int tcp = (e->kind & SL_KEY_PROTO) == SL_PROTO_TCP;

    *h = (struct sl_hot){.hosts = e->hosts,
                         .ports = e->ports,
                         .kind = (uint16_t)(e->kind ^ (answer ? SL_KEY_FROM_UPPER : 0)),
                         .flags = SL_FLOW_LIVE,
                         .timeout = tcp ? SL_TIMEOUT_TCP : SL_TIMEOUT_OTHER,
                         .last_s = e->ts_s,
                         .last_nsec = e->ts_nsec,
                         .index = h->index,
                         .wheel_bucket = SL_WHEEL_NONE};
    *sl_store_cold(&t->store, h->index) = (struct sl_cold){.first_s = e->ts_s,
                                                           .first_nsec = e->ts_nsec,
                                                           .number_low = (uint32_t)number,
                                                           .number_high = (uint8_t)(number >> 32)};
    if (e->kind & SL_KEY_V6) {
        struct sl_rare *r = sl_store_rare(&t->store, h->index);
        r->lower = from_upper ? more->dst : more->src;
        r->upper = from_upper ? more->src : more->dst;
    }
}

static struct sl_hot *create(struct sl_flows *t, const struct sl_flow_event *e,
                             const struct sl_event_more *more, uint64_t number) {
    if (make_room(t, sl_event_time(e)) < 0 || (sl_slots_full(&t->slots) && grow(t) < 0))
        return NULL;
    struct sl_hot *h = sl_store_get(&t->store, (e->kind & SL_KEY_V6) != 0);
    if (!h)
        return NULL;
    fill(t, h, e, more, number);
    sl_slots_add(&t->slots, e->hash, h->index);
    if (sl_wheel_put(&t->wheel, h, sl_flow_due(t, h).s) < 0)
        return NULL;
    if (t->options.max_flows && sl_evict_add(&t->evict, h, number) < 0)
        return NULL;
    t->stats.created++;
    if (++t->stats.live > t->stats.live_max)
        t->stats.live_max = t->stats.live;
    return h;
}

/* ---- one packet ---- */

/* Whether the packet cannot belong to this flow any more; the flow has then been ended. */
static int split(struct sl_flows *t, struct sl_hot *h, const struct sl_flow_event *e, int dir,
                 int *failed) {
    struct sl_time until = sl_flow_due(t, h);

    if (sl_before(until, sl_event_time(e))) {
        *failed = sl_flow_end_early(t, h, sl_flow_end_when_idle(h), until);
        return 1;
    }
    if ((e->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN &&
        h->flags & SL_FLOW_HAS_ISN0 << dir &&
        sl_store_cold(&t->store, h->index)->isn[dir] != e->seq) {
        *failed = sl_flow_end_early(t, h, SL_END_REUSE, sl_event_time(e));
        return 1;
    }
    return 0;
}

static void note_time(struct sl_flows *t, struct sl_hot *h, struct sl_time ts) {
    if (sl_before(ts, sl_hot_last(h))) {
        struct sl_cold *c = sl_store_cold(&t->store, h->index);
        if (sl_before(ts, sl_cold_first(c))) {
            c->first_s = ts.s;
            c->first_nsec = ts.nsec;
        }
        return;
    }
    h->last_s = ts.s;
    h->last_nsec = ts.nsec;
}

/* Whether a FIN or RST has closed the connection just now. */
static int closes(struct sl_flows *t, struct sl_hot *h, const struct sl_flow_event *e) {
    unsigned control = sl_store_cold(&t->store, h->index)->control;

    if (!(e->tcp_flags & (SL_TCP_FIN | SL_TCP_RST)) || h->flags & (SL_FLOW_FIN | SL_FLOW_RST) ||
        !t->options.idle_tcp_s)
        return 0;
    if (e->tcp_flags & SL_TCP_RST)
        h->flags |= SL_FLOW_RST;
    else if (control & control >> 3 & SL_TCP_FIN)
        h->flags |= SL_FLOW_FIN;
    else
        return 0;
    return 1;
}

static int track_tcp(struct sl_flows *t, struct sl_hot *h, const struct sl_flow_event *e, int dir) {
    if (sl_tcp_expected(h, dir, e))
        return 0;
    if (sl_tcp_take(&t->store, h, dir, e) < 0)
        return -1;
    if (!closes(t, h, e))
        return 0;
    h->timeout = SL_TIMEOUT_CLOSING;
    return sl_wheel_put(&t->wheel, h, sl_flow_due(t, h).s); /* sooner than its bucket says */
}

static int count_fragment(struct sl_flows *t, const struct sl_hot *h) {
    struct sl_extra *x = sl_store_extra(&t->store, h->index);

    if (!x)
        return -1;
    x->fragments++;
    return 0;
}

static int direction(const struct sl_hot *h, const struct sl_flow_event *e) {
    return ((h->kind ^ e->kind) & SL_KEY_FROM_UPPER) != 0;
}

/* likely: where it most likely is, or any place. */
static int take(struct sl_flows *t, const struct sl_event_batch *b, const struct sl_flow_event *e,
                uint32_t likely, struct sl_stamp *stamp) {
    const struct sl_event_more *more = &b->more[e->more];
    struct sl_hot *h =
        is_at(t, likely, e, more) ? sl_store_hot(&t->store, likely) : find(t, e, more);
    int failed = 0;

    if (h && split(t, h, e, direction(h, e), &failed))
        h = NULL;
    if (failed || (!h && !(h = create(t, e, more, b->base + e->number))))
        return -1;
    int dir = direction(h, e);
    if (t->meters && dir)
        sl_meters_received(t->meters, sl_event_time(e), e->len);
    note_time(t, h, sl_event_time(e));
    if (sl_totals_add(&t->store, h, dir, e) < 0 ||
        (e->bits & SL_EVENT_LATER_FRAGMENT && count_fragment(t, h) < 0))
        return -1;
    if (stamp)
        *stamp = (struct sl_stamp){sl_totals_packets(&t->store, h), h->index, (uint8_t)dir};
    return e->bits & SL_EVENT_TCP ? track_tcp(t, h, e, dir) : 0;
}

/* ---- a batch ---- */

/* Later fragments ask for their first one's ports, without which they belong to no flow. */
static int meet_fragment(struct sl_flows *t, const struct sl_event_batch *b,
                         struct sl_flow_event *e) {
    const struct sl_event_more *more = &b->more[e->more];
    struct sl_ports ports = {0};

    if (e->bits & SL_EVENT_FIRST_FRAGMENT) {
        if (!t->fragments && !(t->fragments = calloc(1, sizeof *t->fragments)))
            return -1;
        sl_fragments_put(t->fragments, e, more);
    } else if (sl_proto_wants_ports(e->kind & SL_KEY_PROTO)) {
        if (t->fragments && sl_fragments_get(t->fragments, e, more, &ports)) {
            sl_event_set_key(e, more, ports, &t->options.seed);
        } else {
            e->bits |= SL_EVENT_NO_FLOW;
            t->stats.fragments_lost++;
        }
    }
    return 0;
}

/* Each packet's flow is somewhere else in memory, so a packet is taken when the flow that its hash
 * bucket names was asked for some packets ago, and the bucket itself before that. The distance is
 * time for memory to answer, with few enough questions under way that the processor can keep them.
 */
enum { AHEAD = 16 };

/* All lines of a place that its packet may touch. Nobody can foretell which packets are IPv6, so
 * their line is chosen without a jump: of others it is the hot one again. */
static inline void ask_for_place(const struct sl_flows *t, uint32_t index, uint32_t kind) {
    uintptr_t hot = (uintptr_t)sl_store_hot(&t->store, index);
    uintptr_t rare = (uintptr_t)sl_store_rare(&t->store, index);
    uintptr_t v6 = 0 - (uintptr_t)(kind / SL_KEY_V6 & 1);

    sl_prefetch((const void *)hot);
    sl_prefetch(sl_store_cold(&t->store, index));
    sl_prefetch((const void *)(hot ^ ((hot ^ rare) & v6)));
}

/* Returns the place where the flow most likely is. Whether it is known cannot be foretold either:
 * of one that is not, it is some place. */
static inline uint32_t ask_flow(const struct sl_flows *t, const struct sl_flow_event *e) {
    const struct sl_slots_bucket *s = sl_slots_home(&t->slots, e->hash);
    uint32_t found = sl_slots_match(s, sl_slots_tag(e->hash)), known = 0 - (uint32_t)(found != 0);
    uint32_t first = s->indexes[__builtin_ctz(found | 1u << (SL_SLOTS_A_BUCKET - 1))] & known;

    ask_for_place(t, first, e->kind);
    for (found &= found - 1; __builtin_expect(found != 0, 0); found &= found - 1)
        ask_for_place(t, s->indexes[__builtin_ctz(found)], e->kind);
    return first;
}

static int take_batch(struct sl_flows *t, struct sl_event_batch *b, struct sl_stamp *stamps) {
    uint32_t likely[SL_BATCH + AHEAD], asked = 0;

    for (uint32_t i = 0; i < b->n; i++)
        sl_slots_prefetch(&t->slots, b->events[i].hash);
    for (; asked < b->n && asked < AHEAD; asked++)
        likely[asked] = ask_flow(t, &b->events[asked]);
    for (uint32_t i = 0; i < b->n; i++) {
        struct sl_flow_event *e = &b->events[i];
        if (asked < b->n) {
            likely[asked] = ask_flow(t, &b->events[asked]);
            asked++;
        }
        if (__builtin_expect(e->bits & (SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT), 0)) {
            if (meet_fragment(t, b, e) < 0)
                return -1;
            if (e->bits & SL_EVENT_NO_FLOW)
                continue;
        }
        if (take(t, b, e, likely[i], stamps ? &stamps[i] : NULL) < 0)
            return -1;
        t->stats.packets++;
    }
    return 0;
}

int sl_flows_no_memory(const struct sl_flows *t, struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_INPUT,
                        "out of memory with %u live flows: try --max-flows, --idle or a filter",
                        t->stats.live);
}

int sl_flows_take(struct sl_flows *t, struct sl_event_batch *b, struct sl_stamp *stamps,
                  struct sl_error *err) {
    int failed = take_batch(t, b, stamps);

    if (t->meters)
        sl_meters_flush(t->meters);
    return failed < 0 ? sl_flows_no_memory(t, err) : 0;
}
