/* How packets find their flows, and what a packet changes in its flow. */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FORWARD = 0, REVERSE = 1, OTHER = -1 };

struct sl_flow_options sl_flow_defaults(void) {
    return (struct sl_flow_options){
        .idle_tcp_s = 300, .idle_other_s = 60, .closing_s = 5, .ordered = 1};
}

struct sl_flows *sl_flows_new(const struct sl_flow_options *options, struct sl_error *err) {
    struct sl_flows *t = calloc(1, sizeof *t);

    if (!t || sl_slots_init(&t->slots) < 0 ||
        getrandom(&t->seed, sizeof t->seed, 0) != (ssize_t)sizeof t->seed) {
        sl_flows_free(t);
        sl_error_set(err, SL_EXIT_INPUT, "out of memory for the flow table");
        return NULL;
    }
    t->options = *options;
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
    free(t);
}

const struct sl_flow_stats *sl_flows_stats(const struct sl_flows *t) {
    return &t->stats;
}

static int alive(const struct sl_flow *f) {
    return f->flags & SL_FLOW_LIVE;
}

/* ---- finding and making flows ---- */

/* Whether the packet is one of the flow, and in which direction. */
static int match(const struct sl_flow *f, const struct sl_packet *p, const struct sl_flow_key *k) {
    uint64_t fs[2], fd[2], ps[2], pd[2];

    memcpy(fs, &f->src, sizeof fs);
    memcpy(fd, &f->dst, sizeof fd);
    memcpy(ps, &p->src, sizeof ps);
    memcpy(pd, &p->dst, sizeof pd);
    if (f->hash != k->hash || f->proto != p->proto || f->ip_version != p->ip_version ||
        !(f->flags & SL_FLOW_ONE_WAY) != !k->one_way)
        return OTHER;
    if (!((fs[0] ^ ps[0]) | (fs[1] ^ ps[1]) | (fd[0] ^ pd[0]) | (fd[1] ^ pd[1])) &&
        f->sport == k->sport && f->dport == k->dport)
        return FORWARD;
    if (!k->one_way && !((fs[0] ^ pd[0]) | (fs[1] ^ pd[1]) | (fd[0] ^ ps[0]) | (fd[1] ^ ps[1])) &&
        f->sport == k->dport && f->dport == k->sport)
        return REVERSE;
    return OTHER;
}

static struct sl_flow *find(const struct sl_flows *t, const struct sl_packet *p,
                            const struct sl_flow_key *k, int *dir) {
    const struct sl_slot *slots = t->slots.slots;

    for (uint32_t i = k->hash & t->slots.mask; slots[i].index != SL_NIL;
         i = (i + 1) & t->slots.mask) {
        if (slots[i].hash != k->hash)
            continue;
        struct sl_flow *f = sl_store_at(&t->store, slots[i].index);
        *dir = match(f, p, k);
        if (*dir != OTHER)
            return f;
    }
    return NULL;
}

static int make_room(struct sl_flows *t, struct sl_time now) {
    if (!t->options.max_flows || t->stats.live < t->options.max_flows)
        return 0;
    struct sl_flow *f = sl_evict_take(&t->evict, &t->store, alive);
    return f ? sl_flow_end_early(t, f, SL_END_EVICTED, now) : 0;
}

static struct sl_flow *create(struct sl_flows *t, const struct sl_packet *p,
                              const struct sl_flow_key *k, int *dir) {
    /* A SYN+ACK that comes first was answered to the originator. */
    int answer = p->proto == SL_PROTO_TCP &&
                 (p->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == (SL_TCP_SYN | SL_TCP_ACK);

    if (make_room(t, p->ts) < 0)
        return NULL;
    struct sl_flow *f = sl_store_get(&t->store);
    if (!f || sl_slots_add(&t->slots, k->hash, f->index) < 0)
        return NULL;
    f->src = answer ? p->dst : p->src;
    f->dst = answer ? p->src : p->dst;
    f->sport = answer ? k->dport : k->sport;
    f->dport = answer ? k->sport : k->dport;
    f->proto = p->proto;
    f->ip_version = p->ip_version;
    f->flags = (uint8_t)(SL_FLOW_LIVE | (k->one_way ? SL_FLOW_ONE_WAY : 0));
    f->hash = k->hash;
    f->first = f->last = p->ts;
    f->t = p->t;
    f->number64 = p->number64;
    f->wheel_bucket = SL_WHEEL_NONE;
    if (sl_wheel_put(&t->wheel, f, sl_flow_due(t, f).s) < 0)
        return NULL;
    if (t->options.max_flows && sl_evict_add(&t->evict, f) < 0)
        return NULL;
    t->stats.created++;
    if (++t->stats.live > t->stats.live_max)
        t->stats.live_max = t->stats.live;
    *dir = answer ? REVERSE : FORWARD;
    return f;
}

/* ---- one packet ---- */

/* Whether the packet cannot belong to this flow any more; the flow has then been ended. */
static int split(struct sl_flows *t, struct sl_flow *f, const struct sl_packet *p, int dir,
                 int *failed) {
    struct sl_time until = sl_flow_due(t, f);

    if (sl_before(until, p->ts)) {
        *failed = sl_flow_end_early(t, f, sl_flow_end_when_idle(f), until);
        return 1;
    }
    if ((p->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN &&
        f->flags & SL_FLOW_HAS_ISN0 << dir && f->isn[dir] != p->seq) {
        *failed = sl_flow_end_early(t, f, SL_END_REUSE, p->ts);
        return 1;
    }
    return 0;
}

static int track_tcp(struct sl_flows *t, struct sl_flow *f, const struct sl_packet *p, int dir) {
    f->tcp_flags[dir] |= p->tcp_flags;
    if (!(f->flags & SL_FLOW_HAS_ISN0 << dir)) { /* no SYN: counts as the one behind it */
        f->isn[dir] = p->tcp_flags & SL_TCP_SYN ? p->seq : p->seq - 1;
        f->flags |= (uint8_t)(SL_FLOW_HAS_ISN0 << dir);
    }
    if (!(p->tcp_flags & (SL_TCP_FIN | SL_TCP_RST)) || f->flags & (SL_FLOW_FIN | SL_FLOW_RST) ||
        !t->options.idle_tcp_s)
        return 0;
    if (p->tcp_flags & SL_TCP_RST)
        f->flags |= SL_FLOW_RST;
    else if (f->tcp_flags[0] & f->tcp_flags[1] & SL_TCP_FIN)
        f->flags |= SL_FLOW_FIN;
    else
        return 0;
    return sl_wheel_put(&t->wheel, f, sl_flow_due(t, f).s); /* sooner than its bucket says */
}

static int take(struct sl_flows *t, struct sl_packet *p, const struct sl_flow_key *k,
                uint32_t candidate) {
    struct sl_flow *f = NULL;
    int dir = OTHER, failed = 0;

    if (candidate != SL_NIL) {
        f = sl_store_at(&t->store, candidate);
        dir = alive(f) ? match(f, p, k) : OTHER;
    }
    if (dir == OTHER) /* made by an earlier packet of this batch, or two flows have one hash */
        f = find(t, p, k, &dir);
    if (f && split(t, f, p, dir, &failed))
        f = NULL;
    if (failed || (!f && !(f = create(t, p, k, &dir))))
        return -1;
    f->n_packets[dir]++;
    f->n_bytes[dir] += p->len;
    f->n_payload[dir] += p->payload_len;
    f->fragments += p->frag_offset != 0;
    if (sl_before(f->last, p->ts))
        f->last = p->ts;
    else if (sl_before(p->ts, f->first))
        f->first = p->ts;
    p->dir = (uint8_t)dir;
    p->flow = f->index;
    p->flow_pkt64 = f->n_packets[0] + f->n_packets[1];
    t->stats.packets++;
    return p->protos >> SL_P_TCP & 1 ? track_tcp(t, f, p, dir) : 0;
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
static int later_fragment(struct sl_flows *t, const struct sl_packet *p, struct sl_flow_key *k) {
    if (!wants_ports(p))
        return 1;
    if (t->fragments && sl_fragments_get(t->fragments, p, k))
        return 1;
    t->stats.fragments_lost++;
    return 0;
}

static int remember_fragment(struct sl_flows *t, const struct sl_packet *p,
                             const struct sl_flow_key *k) {
    if (!t->fragments && !(t->fragments = calloc(1, sizeof *t->fragments)))
        return -1;
    sl_fragments_put(t->fragments, p, k);
    return 0;
}

/* The key of a packet; 0: it belongs to no flow; -1: out of memory. */
static int key_of(struct sl_flows *t, const struct sl_packet *p, struct sl_flow_key *k) {
    *k = (struct sl_flow_key){.sport = p->sport, .dport = p->dport};
    if (!p->ip_version)
        return 0;
    if (!has_ports(p)) {
        if (p->frag_offset) {
            if (!later_fragment(t, p, k))
                return 0;
        } else if (p->skip) {
            return 0;
        } else if (p->proto == SL_PROTO_ICMP || p->proto == SL_PROTO_ICMPV6) {
            k->one_way = (uint8_t)sl_icmp_ports(p, &k->sport, &k->dport);
        }
    }
    k->hash = sl_flow_hash(p, k, &t->seed);
    if (p->frag_more && !p->frag_offset && remember_fragment(t, p, k) < 0)
        return -1;
    return 1;
}

/* Three passes over a batch, because each packet's flow is somewhere else in memory: the first asks
 * for the hash slots, the second reads them and asks for the flows, the third finds them near. */
static int make_keys(struct sl_flows *t, const struct sl_packet *packets, const uint32_t *sel,
                     uint32_t n) {
    int keys = 0;

    for (uint32_t i = 0; i < n; i++) {
        int has = key_of(t, &packets[sel[i]], &t->keys[keys]);
        if (has < 0)
            return -1;
        if (has) {
            sl_slots_prefetch(&t->slots, t->keys[keys].hash);
            t->who[keys++] = sel[i];
        }
    }
    return keys;
}

static void find_candidates(struct sl_flows *t, uint32_t n) {
    const struct sl_slot *slots = t->slots.slots;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t hash = t->keys[i].hash, at = hash & t->slots.mask;
        while (slots[at].index != SL_NIL && slots[at].hash != hash)
            at = (at + 1) & t->slots.mask;
        t->candidate[i] = slots[at].index;
        if (slots[at].index != SL_NIL) {
            const char *f = (const char *)sl_store_at(&t->store, slots[at].index);
            __builtin_prefetch(f, 1);
            __builtin_prefetch(f + 64, 1);
        }
    }
}

int sl_flows_update(struct sl_flows *t, struct sl_packet *packets, const uint32_t *sel, uint32_t n,
                    struct sl_error *err) {
    uint32_t done = 0;
    int keys;

    if (sl_flows_release(t) < 0 || (keys = make_keys(t, packets, sel, n)) < 0)
        goto no_memory;
    find_candidates(t, (uint32_t)keys);
    for (uint32_t i = 0; i < n; i++) {
        struct sl_packet *p = &packets[sel[i]];
        if (sl_before(p->ts, t->before) && t->clock.packets)
            t->stats.backwards++;
        t->before = p->ts;
        if (done < (uint32_t)keys && t->who[done] == sel[i]) {
            if (take(t, p, &t->keys[done], t->candidate[done]) < 0)
                goto no_memory;
            done++;
        }
        if (sl_clock_tick(&t->clock, p->ts) && sl_flows_sweep_if_due(t) < 0)
            goto no_memory;
    }
    return 0;
no_memory:
    return sl_error_set(err, SL_EXIT_INPUT,
                        "out of memory with %u live flows: try --max-flows, --idle or a filter",
                        t->stats.live);
}
