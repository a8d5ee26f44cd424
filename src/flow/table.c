/* How packets find their flows, and what a packet changes in its flow. */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct sl_flow_options sl_flow_defaults(void) {
    return (struct sl_flow_options){
        .idle_tcp_s = 300, .idle_other_s = 60, .closing_s = 5, .ordered = 1};
}

static int64_t never_at_0(int64_t timeout_s) {
    return timeout_s ? timeout_s : SL_NEVER_S;
}

struct sl_flows *sl_flows_new(const struct sl_flow_options *options, struct sl_error *err) {
    struct sl_flows *t = calloc(1, sizeof *t);

    if (!t || sl_slots_init(&t->slots, 0) < 0 ||
        (options->ordered && !(t->handed = malloc(sizeof *t->handed))) ||
        getrandom(&t->seed, sizeof t->seed, 0) != (ssize_t)sizeof t->seed) {
        sl_flows_free(t);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory for the flow table");
        return NULL;
    }
    t->options = *options;
    t->timeout_s[SL_TIMEOUT_OTHER] = never_at_0(options->idle_other_s);
    t->timeout_s[SL_TIMEOUT_TCP] = never_at_0(options->idle_tcp_s);
    t->timeout_s[SL_TIMEOUT_CLOSING] = options->closing_s;
    sl_store_init(&t->store);
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

const struct sl_flow_stats *sl_flows_stats(const struct sl_flows *t) {
    return &t->stats;
}

/* ---- finding and making flows ---- */

/* IPv6 addresses stand in the key as hashes only. */
static int same_addresses(const struct sl_rare *r, const struct sl_packet *p,
                          const struct sl_flow_key *k) {
    int from_upper = k->kind & SL_KEY_FROM_UPPER;
    const struct sl_addr *lower = from_upper ? &p->dst : &p->src,
                         *upper = from_upper ? &p->src : &p->dst;

    return !memcmp(&r->lower, lower, sizeof r->lower) && !memcmp(&r->upper, upper, sizeof r->upper);
}

static inline int same(const struct sl_flows *t, const struct sl_hot *h, const struct sl_packet *p,
                       const struct sl_flow_key *k) {
    uint32_t kind = (uint32_t)(h->kind ^ k->kind) & SL_KEY_SAME;

    if ((h->hosts ^ k->hosts) | (h->ports ^ k->ports) | kind)
        return 0;
    return !(k->kind & SL_KEY_V6) || same_addresses(sl_store_rare(&t->store, h->index), p, k);
}

static struct sl_hot *find(const struct sl_flows *t, const struct sl_packet *p,
                           const struct sl_flow_key *k) {
    uint8_t tag = sl_slots_tag(k->hash);

    for (const struct sl_slots_bucket *b = sl_slots_home(&t->slots, k->hash);;
         b = sl_slots_next(&t->slots, b)) {
        for (uint32_t found = sl_slots_match(b, tag); found; found &= found - 1) {
            struct sl_hot *h = sl_store_hot(&t->store, b->indexes[__builtin_ctz(found)]);
            if (same(t, h, p, k))
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
    for (uint32_t i = 0; i < t->store.used; i++) {
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

static void fill(struct sl_flows *t, struct sl_hot *h, const struct sl_packet *p,
                 const struct sl_flow_key *k) {
    /* A SYN+ACK that comes first was answered to the originator. */
    int answer = p->proto == SL_PROTO_TCP &&
                 (p->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == (SL_TCP_SYN | SL_TCP_ACK);
    int from_upper = k->kind & SL_KEY_FROM_UPPER;

    *h = (struct sl_hot){.hosts = k->hosts,
                         .ports = k->ports,
                         .kind = (uint16_t)(k->kind ^ (answer ? SL_KEY_FROM_UPPER : 0)),
                         .flags = SL_FLOW_LIVE,
                         .timeout = p->proto == SL_PROTO_TCP ? SL_TIMEOUT_TCP : SL_TIMEOUT_OTHER,
                         .last_s = p->ts.s,
                         .last_nsec = p->ts.nsec,
                         .index = h->index,
                         .wheel_bucket = SL_WHEEL_NONE};
    *sl_store_cold(&t->store, h->index) = (struct sl_cold){
        .first_s = p->ts.s, .first_nsec = p->ts.nsec, .number = p->number64, .t = p->t};
    if (k->kind & SL_KEY_V6) {
        struct sl_rare *r = sl_store_rare(&t->store, h->index);
        r->lower = from_upper ? p->dst : p->src;
        r->upper = from_upper ? p->src : p->dst;
    }
}

static struct sl_hot *create(struct sl_flows *t, const struct sl_packet *p,
                             const struct sl_flow_key *k) {
    if (make_room(t, p->ts) < 0 || (sl_slots_full(&t->slots) && grow(t) < 0))
        return NULL;
    struct sl_hot *h = sl_store_get(&t->store, (k->kind & SL_KEY_V6) != 0);
    if (!h)
        return NULL;
    fill(t, h, p, k);
    sl_slots_add(&t->slots, k->hash, h->index);
    if (sl_wheel_put(&t->wheel, h, sl_flow_due(t, h).s) < 0)
        return NULL;
    if (t->options.max_flows && sl_evict_add(&t->evict, h, p->number64) < 0)
        return NULL;
    t->stats.created++;
    if (++t->stats.live > t->stats.live_max)
        t->stats.live_max = t->stats.live;
    return h;
}

/* ---- one packet ---- */

/* Whether the packet cannot belong to this flow any more; the flow has then been ended. */
static int split(struct sl_flows *t, struct sl_hot *h, const struct sl_packet *p, int dir,
                 int *failed) {
    struct sl_time until = sl_flow_due(t, h);

    if (sl_before(until, p->ts)) {
        *failed = sl_flow_end_early(t, h, sl_flow_end_when_idle(h), until);
        return 1;
    }
    if ((p->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN &&
        h->flags & SL_FLOW_HAS_ISN0 << dir &&
        sl_store_cold(&t->store, h->index)->isn[dir] != p->seq) {
        *failed = sl_flow_end_early(t, h, SL_END_REUSE, p->ts);
        return 1;
    }
    return 0;
}

/* A counter has passed 2^32. */
static void carry(struct sl_flows *t, struct sl_hot *h, int dir, const uint64_t high[3]) {
    struct sl_rare *r = sl_store_rare(&t->store, h->index);

    if (!(h->flags & SL_FLOW_CARRIED)) {
        memset(r->packets, 0, sizeof r->packets);
        memset(r->bytes, 0, sizeof r->bytes);
        memset(r->payload, 0, sizeof r->payload);
        h->flags |= SL_FLOW_CARRIED;
    }
    r->packets[dir] += (uint32_t)high[0];
    r->bytes[dir] += (uint32_t)high[1];
    r->payload[dir] += (uint32_t)high[2];
}

static void count(struct sl_flows *t, struct sl_hot *h, const struct sl_packet *p, int dir) {
    uint64_t packets = h->packets[dir] + 1ull;
    uint64_t bytes = (uint64_t)h->bytes[dir] + p->len;
    uint64_t payload = (uint64_t)h->payload[dir] + p->payload_len;

    h->packets[dir] = (uint32_t)packets;
    h->bytes[dir] = (uint32_t)bytes;
    h->payload[dir] = (uint32_t)payload;
    if (__builtin_expect((packets | bytes | payload) >> 32 != 0, 0))
        carry(t, h, dir, (const uint64_t[]){packets >> 32, bytes >> 32, payload >> 32});
}

/* How many packets the flow has had. */
static uint64_t ordinal(const struct sl_flows *t, const struct sl_hot *h) {
    uint64_t n = (uint64_t)h->packets[0] + h->packets[1];

    if (h->flags & SL_FLOW_CARRIED) {
        const struct sl_rare *r = sl_store_rare(&t->store, h->index);
        n += ((uint64_t)r->packets[0] + r->packets[1]) << 32;
    }
    return n;
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

static int track_tcp(struct sl_flows *t, struct sl_hot *h, const struct sl_packet *p, int dir) {
    h->tcp_flags[dir] |= p->tcp_flags;
    if (!(h->flags & SL_FLOW_HAS_ISN0 << dir)) { /* no SYN: counts as the one behind it */
        sl_store_cold(&t->store, h->index)->isn[dir] =
            p->tcp_flags & SL_TCP_SYN ? p->seq : p->seq - 1;
        h->flags |= (uint8_t)(SL_FLOW_HAS_ISN0 << dir);
    }
    if (!(p->tcp_flags & (SL_TCP_FIN | SL_TCP_RST)) || h->flags & (SL_FLOW_FIN | SL_FLOW_RST) ||
        !t->options.idle_tcp_s)
        return 0;
    if (p->tcp_flags & SL_TCP_RST)
        h->flags |= SL_FLOW_RST;
    else if (h->tcp_flags[0] & h->tcp_flags[1] & SL_TCP_FIN)
        h->flags |= SL_FLOW_FIN;
    else
        return 0;
    h->timeout = SL_TIMEOUT_CLOSING;
    return sl_wheel_put(&t->wheel, h, sl_flow_due(t, h).s); /* sooner than its bucket says */
}

static int direction(const struct sl_hot *h, const struct sl_flow_key *k) {
    return ((h->kind ^ k->kind) & SL_KEY_FROM_UPPER) != 0;
}

static int take(struct sl_flows *t, const struct sl_flow_key *k) {
    struct sl_packet *p = k->packet;
    struct sl_hot *h = find(t, p, k);
    int failed = 0;

    if (h && split(t, h, p, direction(h, k), &failed))
        h = NULL;
    if (failed || (!h && !(h = create(t, p, k))))
        return -1;
    int dir = direction(h, k);
    count(t, h, p, dir);
    note_time(t, h, p->ts);
    if (p->frag_offset)
        sl_store_cold(&t->store, h->index)->fragments++;
    p->dir = (uint8_t)dir;
    p->flow = h->index;
    p->flow_pkt64 = ordinal(t, h);
    return p->protos >> SL_P_TCP & 1 ? track_tcp(t, h, p, dir) : 0;
}

/* ---- a batch ---- */

static int has_ports(const struct sl_packet *p) {
    return (p->protos & (1ull << SL_P_TCP | 1ull << SL_P_UDP | 1ull << SL_P_UDPLITE |
                         1ull << SL_P_SCTP | 1ull << SL_P_DCCP)) != 0;
}

static int wants_ports(const struct sl_packet *p) {
    return p->proto == SL_PROTO_TCP || p->proto == SL_PROTO_UDP || p->proto == SL_PROTO_UDPLITE ||
           p->proto == SL_PROTO_SCTP || p->proto == SL_PROTO_DCCP || p->proto == SL_PROTO_ICMP ||
           p->proto == SL_PROTO_ICMPV6;
}

/* Later fragments ask for their first one's ports. 0: it was not seen. */
static int later_fragment(struct sl_flows *t, const struct sl_packet *p, struct sl_ports *ports) {
    if (!wants_ports(p))
        return 1;
    if (t->fragments && sl_fragments_get(t->fragments, p, ports))
        return 1;
    t->stats.fragments_lost++;
    return 0;
}

static int remember_fragment(struct sl_flows *t, const struct sl_packet *p,
                             const struct sl_ports *ports) {
    if (!t->fragments && !(t->fragments = calloc(1, sizeof *t->fragments)))
        return -1;
    sl_fragments_put(t->fragments, p, ports);
    return 0;
}

/* The key of a packet; 0: it belongs to no flow; -1: out of memory. */
static int key_of(struct sl_flows *t, struct sl_packet *p, struct sl_flow_key *k) {
    struct sl_ports ports = {.sport = p->sport, .dport = p->dport};

    if (!p->ip_version)
        return 0;
    if (!has_ports(p)) {
        if (p->frag_offset) {
            if (!later_fragment(t, p, &ports))
                return 0;
        } else if (p->skip) {
            return 0;
        } else if (p->proto == SL_PROTO_ICMP || p->proto == SL_PROTO_ICMPV6) {
            ports = sl_icmp_ports(p);
        }
    }
    sl_flow_key_of(p, ports, &t->seed, k);
    if (p->frag_more && !p->frag_offset && remember_fragment(t, p, &ports) < 0)
        return -1;
    return 1;
}

/* Three passes over a batch, because each packet's flow is somewhere else in memory: the first asks
 * for the hash buckets, the second reads them and asks for the flows, the third finds all near. */
static int make_keys(struct sl_flows *t, struct sl_packet *packets, const uint32_t *sel,
                     uint32_t n) {
    int keys = 0;

    for (uint32_t i = 0; i < n; i++) {
        int has = key_of(t, &packets[sel[i]], &t->keys[keys]);
        if (has < 0)
            return -1;
        if (has) {
            sl_slots_prefetch(&t->slots, t->keys[keys].hash);
            t->keys[keys++].position = (uint16_t)i;
        }
    }
    return keys;
}

static void prefetch_flow(const struct sl_flows *t, uint32_t index, const struct sl_flow_key *k) {
    const void *hot = sl_store_hot(&t->store, index), *also = hot;

    /* Chosen without a jump: which packets are IPv6 cannot be foretold. */
    also = k->packet->tcp_flags & SL_TCP_SYN ? sl_store_cold(&t->store, index) : also;
    also = k->kind & SL_KEY_V6 ? (const void *)sl_store_rare(&t->store, index) : also;
    sl_prefetch(hot);
    sl_prefetch(also);
}

static void prefetch_flows(const struct sl_flows *t, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_flow_key *k = &t->keys[i];
        const struct sl_slots_bucket *b = sl_slots_home(&t->slots, k->hash);
        for (uint32_t found = sl_slots_match(b, sl_slots_tag(k->hash)); found; found &= found - 1)
            prefetch_flow(t, b->indexes[__builtin_ctz(found)], k);
    }
}

/* Updates the flows of packets below position `end` of the selection; *key moves on past them. */
static int take_until(struct sl_flows *t, uint32_t end, const struct sl_flow_key **key,
                      const struct sl_flow_key *keys_end) {
    for (; *key < keys_end && (*key)->position < end; ++*key)
        if (take(t, *key) < 0)
            return -1;
    return 0;
}

int sl_flows_update(struct sl_flows *t, struct sl_packet *packets, const uint32_t *sel, uint32_t n,
                    struct sl_error *err) {
    const struct sl_flow_key *key = t->keys;
    uint32_t at = 0;
    int keys = make_keys(t, packets, sel, n);

    if (keys < 0)
        goto no_memory;
    prefetch_flows(t, (uint32_t)keys);
    while (at < n) {
        at += sl_clock_add(&t->clock, packets, sel + at, n - at);
        if (take_until(t, at, &key, t->keys + keys) < 0)
            goto no_memory;
        if (sl_clock_block_full(&t->clock) && sl_flows_sweep_if_due(t) < 0)
            goto no_memory;
    }
    t->stats.packets += (uint32_t)keys;
    t->stats.backwards = t->clock.backwards;
    return 0;
no_memory:
    return sl_error_set(err, SL_EXIT_INPUT,
                        "out of memory with %u live flows: try --max-flows, --idle or a filter",
                        t->stats.live);
}
