#include "clock.h"
#include "evict.h"
#include "flow.h"
#include "fragment.h"
#include "slots.h"
#include "wheel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { TCP = 6, ICMP = 1, ICMPV6 = 58, SWEEP_SLACK_S = 10 };
static const int64_t NEVER_S = (int64_t)1 << 61;

/* sl_flow.flags */
enum {
    HAS_ISN0 = 1, /* isn[0] is set; the next bit: isn[1] */
    HAS_ISN1 = 2,
    CLOSED_FIN = 4,
    CLOSED_RST = 8,
    DECIDED = 16,
    ONE_WAY = 32,
    LIVE = 64
};

struct sl_flows {
    struct sl_flow_options options;
    struct sl_hash_seed seed;
    struct sl_slots slots;
    struct sl_store store;
    struct sl_wheel wheel;
    struct sl_clock clock;
    struct sl_evict evict;
    struct sl_fragments *fragments; /* made when the first fragment comes */
    struct sl_time before;          /* time of the packet before */
    struct sl_flow **decided;       /* [taken, n_decided) are still to be handed out */
    size_t n_decided, taken, room;
    struct sl_flow_stats stats;
    /* of the current update */
    struct sl_flow_key keys[SL_BATCH];
    uint32_t who[SL_BATCH]; /* which packet a key is of */
};

struct sl_flow_options sl_flow_defaults(void) {
    return (struct sl_flow_options){.idle_tcp_s = 300, .idle_other_s = 60, .closing_s = 5, .ordered = 1};
}

static int grow_decided(struct sl_flows *t) {
    size_t room = t->room ? 2 * t->room : 256;
    struct sl_flow **grown = realloc(t->decided, room * sizeof *grown);

    if (!grown)
        return -1;
    t->decided = grown;
    t->room = room;
    return 0;
}

struct sl_flows *sl_flows_new(const struct sl_flow_options *options, struct sl_error *err) {
    struct sl_flows *t = calloc(1, sizeof *t);

    if (!t || sl_slots_init(&t->slots) < 0 || grow_decided(t) < 0 ||
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
    sl_evict_free(&t->evict);
    free(t->fragments);
    free(t->decided);
    free(t);
}

const struct sl_flow_stats *sl_flows_stats(const struct sl_flows *t) {
    return &t->stats;
}

const char *sl_flow_end_name(uint32_t end) {
    static const char *const names[] = {"eof", "fin", "rst", "reuse", "idle", "evicted"};
    return end < sizeof names / sizeof *names ? names[end] : NULL;
}

static int alive(const struct sl_flow *f) {
    return f->flags & LIVE;
}

/* ---- when a flow is due ---- */

static struct sl_time due(const struct sl_flows *t, const struct sl_flow *f) {
    const struct sl_flow_options *o = &t->options;
    int64_t idle_s = f->proto == TCP ? o->idle_tcp_s : o->idle_other_s;

    if (f->flags & DECIDED)
        return f->decided;
    if (!idle_s)
        idle_s = NEVER_S;
    else if (f->flags & (CLOSED_FIN | CLOSED_RST))
        idle_s = o->closing_s;
    return (struct sl_time){f->last.s + idle_s, f->last.nsec};
}

static uint8_t end_when_idle(const struct sl_flow *f) {
    return f->flags & CLOSED_FIN ? SL_END_FIN : f->flags & CLOSED_RST ? SL_END_RST : SL_END_IDLE;
}

/* ---- decided flows ---- */

static int hand_out(struct sl_flows *t, struct sl_flow *f) {
    if (t->n_decided == t->room && grow_decided(t) < 0)
        return -1;
    f->duration = sl_seconds_between(f->first, f->last);
    t->decided[t->n_decided++] = f;
    return 0;
}

static int by_decision(const void *a, const void *b) {
    const struct sl_flow *x = *(struct sl_flow *const *)a, *y = *(struct sl_flow *const *)b;

    if (sl_before(x->decided, y->decided))
        return -1;
    if (sl_before(y->decided, x->decided))
        return 1;
    return x->number64 < y->number64 ? -1 : 1;
}

static void sort_decided(struct sl_flows *t, size_t from) {
    if (t->options.ordered && t->n_decided - from > 1)
        qsort(t->decided + from, t->n_decided - from, sizeof *t->decided, by_decision);
}

/* Takes the flow out of the hash table: no further packet finds it. */
static void end(struct sl_flows *t, struct sl_flow *f, uint8_t why, struct sl_time when) {
    sl_slots_remove(&t->slots, f->hash, f->index);
    f->end = why;
    f->decided = when;
    f->flags = (uint8_t)((f->flags | DECIDED) & ~LIVE);
    t->stats.ended[why]++;
    t->stats.live--;
}

/* A flow that ends before the sweep finds it waits in the wheel for its turn in the order. */
static void end_early(struct sl_flows *t, struct sl_flow *f, uint8_t why, struct sl_time when) {
    sl_wheel_remove(&t->wheel, f);
    end(t, f, why, when);
    sl_wheel_add(&t->wheel, f, when.s);
}

/* Flows that were handed out in the last round are done with: their places are free. */
static void release(struct sl_flows *t) {
    if (!t->options.ordered) /* nobody looks */
        t->taken = t->n_decided;
    for (size_t i = 0; i < t->taken; i++)
        sl_store_put(&t->store, t->decided[i]);
    t->n_decided -= t->taken;
    memmove(t->decided, t->decided + t->taken, t->n_decided * sizeof *t->decided);
    t->taken = 0;
}

static int sweep(struct sl_flows *t, int64_t until_s) {
    size_t from = t->n_decided;
    uint32_t list = until_s < t->wheel.next_s ? sl_wheel_take_all(&t->wheel, until_s)
                                              : sl_wheel_take(&t->wheel, until_s);

    while (list != SL_NIL) {
        struct sl_flow *f = sl_store_at(&t->store, list);
        list = f->wheel_next;
        if (list != SL_NIL)
            __builtin_prefetch(sl_store_at(&t->store, list));
        struct sl_time when = due(t, f);
        if (when.s >= until_s) {
            sl_wheel_add(&t->wheel, f, when.s);
            continue;
        }
        if (!(f->flags & DECIDED))
            end(t, f, end_when_idle(f), when);
        if (hand_out(t, f) < 0)
            return -1;
    }
    sort_decided(t, from);
    return 0;
}

/* Sweeps when the capture's clock has moved on by a second, or has fallen far back: then the wheel
 * starts again from there, because flows due in its past would stay for as long as the leap. */
static int sweep_if_due(struct sl_flows *t) {
    struct sl_time low;

    if (!sl_clock_low(&t->clock, &low))
        return 0;
    int64_t until_s = low.s - SWEEP_SLACK_S;
    if (until_s > t->wheel.next_s || until_s < t->wheel.next_s - SL_WHEEL_BUCKETS / 2)
        return sweep(t, until_s);
    return 0;
}

/* ---- finding and making flows ---- */

static enum sl_key_match match(const struct sl_flow *f, const struct sl_flow_key *k) {
    uint64_t fs[2], fd[2], ks[2], kd[2];

    memcpy(fs, &f->src, sizeof fs);
    memcpy(fd, &f->dst, sizeof fd);
    memcpy(ks, &k->src, sizeof ks);
    memcpy(kd, &k->dst, sizeof kd);
    if (f->proto != k->proto || f->ip_version != k->ip_version || !(f->flags & ONE_WAY) != !k->one_way)
        return SL_KEY_OTHER;
    if (!((fs[0] ^ ks[0]) | (fs[1] ^ ks[1]) | (fd[0] ^ kd[0]) | (fd[1] ^ kd[1])) &&
        f->sport == k->sport && f->dport == k->dport)
        return SL_KEY_FORWARD;
    if (!k->one_way && !((fs[0] ^ kd[0]) | (fs[1] ^ kd[1]) | (fd[0] ^ ks[0]) | (fd[1] ^ ks[1])) &&
        f->sport == k->dport && f->dport == k->sport)
        return SL_KEY_REVERSE;
    return SL_KEY_OTHER;
}

static struct sl_flow *find(const struct sl_flows *t, const struct sl_flow_key *k,
                            enum sl_key_match *dir) {
    for (uint32_t i = k->hash & t->slots.mask; t->slots.slots[i].index != SL_NIL;
         i = (i + 1) & t->slots.mask) {
        if (t->slots.slots[i].hash != k->hash)
            continue;
        struct sl_flow *f = sl_store_at(&t->store, t->slots.slots[i].index);
        *dir = match(f, k);
        if (*dir != SL_KEY_OTHER)
            return f;
    }
    return NULL;
}

static void make_room(struct sl_flows *t, struct sl_time now) {
    if (!t->options.max_flows || t->stats.live < t->options.max_flows)
        return;
    struct sl_flow *f = sl_evict_take(&t->evict, &t->store, alive);
    if (f)
        end_early(t, f, SL_END_EVICTED, now);
}

static struct sl_flow *create(struct sl_flows *t, const struct sl_packet *p, const struct sl_flow_key *k,
                              enum sl_key_match *dir) {
    /* A SYN+ACK that comes first was answered to the originator. */
    int answer = k->proto == TCP && (p->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == (SL_TCP_SYN | SL_TCP_ACK);

    make_room(t, p->ts);
    struct sl_flow *f = sl_store_get(&t->store);
    if (!f || sl_slots_add(&t->slots, k->hash, f->index) < 0)
        return NULL;
    f->src = answer ? k->dst : k->src;
    f->dst = answer ? k->src : k->dst;
    f->sport = answer ? k->dport : k->sport;
    f->dport = answer ? k->sport : k->dport;
    f->proto = k->proto;
    f->ip_version = k->ip_version;
    f->flags = (uint8_t)(LIVE | (k->one_way ? ONE_WAY : 0));
    f->hash = k->hash;
    f->first = f->last = p->ts;
    f->t = p->t;
    f->number64 = p->number64;
    sl_wheel_add(&t->wheel, f, due(t, f).s);
    if (t->options.max_flows && sl_evict_add(&t->evict, f) < 0)
        return NULL;
    t->stats.created++;
    if (++t->stats.live > t->stats.live_max)
        t->stats.live_max = t->stats.live;
    *dir = answer ? SL_KEY_REVERSE : SL_KEY_FORWARD;
    return f;
}

/* ---- one packet ---- */

/* 1 when the packet cannot belong to this flow any more: the flow has then been ended. */
static int split(struct sl_flows *t, struct sl_flow *f, const struct sl_packet *p, enum sl_key_match dir) {
    struct sl_time until = due(t, f);

    if (sl_before(until, p->ts)) {
        end_early(t, f, end_when_idle(f), until);
        return 1;
    }
    if ((p->tcp_flags & (SL_TCP_SYN | SL_TCP_ACK)) == SL_TCP_SYN && f->flags & HAS_ISN0 << dir &&
        f->isn[dir] != p->seq) {
        end_early(t, f, SL_END_REUSE, p->ts);
        return 1;
    }
    return 0;
}

static void track_tcp(struct sl_flows *t, struct sl_flow *f, const struct sl_packet *p, enum sl_key_match dir) {
    f->tcp_flags[dir] |= p->tcp_flags;
    if (!(f->flags & HAS_ISN0 << dir)) { /* a first packet that is no SYN counts as the one behind it */
        f->isn[dir] = p->tcp_flags & SL_TCP_SYN ? p->seq : p->seq - 1;
        f->flags |= (uint8_t)(HAS_ISN0 << dir);
    }
    if (f->flags & (CLOSED_FIN | CLOSED_RST) || !t->options.idle_tcp_s)
        return;
    uint8_t closed = 0;
    if (p->tcp_flags & SL_TCP_RST)
        closed = CLOSED_RST;
    else if (f->tcp_flags[0] & f->tcp_flags[1] & SL_TCP_FIN)
        closed = CLOSED_FIN;
    if (closed) { /* due sooner than its bucket says */
        f->flags |= closed;
        sl_wheel_remove(&t->wheel, f);
        sl_wheel_add(&t->wheel, f, due(t, f).s);
    }
}

static int take(struct sl_flows *t, struct sl_packet *p, const struct sl_flow_key *k) {
    enum sl_key_match dir = SL_KEY_FORWARD;
    struct sl_flow *f = find(t, k, &dir);

    if (f && split(t, f, p, dir))
        f = NULL;
    if (!f && !(f = create(t, p, k, &dir)))
        return -1;
    f->n_packets[dir]++;
    f->n_bytes[dir] += p->len;
    f->n_payload[dir] += p->payload_len;
    f->fragments += p->frag_offset != 0;
    if (sl_before(f->last, p->ts))
        f->last = p->ts;
    else if (sl_before(p->ts, f->first))
        f->first = p->ts;
    if (p->protos >> SL_P_TCP & 1)
        track_tcp(t, f, p, dir);
    p->dir = (uint8_t)dir;
    p->flow = f->index;
    p->flow_pkt64 = f->n_packets[0] + f->n_packets[1];
    t->stats.packets++;
    return 0;
}

/* ---- a batch ---- */

static int has_ports(const struct sl_packet *p) {
    return (p->protos & (1ull << SL_P_TCP | 1ull << SL_P_UDP | 1ull << SL_P_UDPLITE | 1ull << SL_P_SCTP |
                         1ull << SL_P_DCCP)) != 0;
}

static int wants_ports(const struct sl_packet *p) {
    return p->proto == TCP || p->proto == 17 || p->proto == 136 || p->proto == 132 || p->proto == 33 ||
           p->proto == ICMP || p->proto == ICMPV6;
}

/* Fragments: the first one of a datagram is remembered, later ones ask for its ports. */
static int later_fragment(struct sl_flows *t, const struct sl_packet *p, struct sl_flow_key *k,
                          uint16_t *sport, uint16_t *dport) {
    if (!wants_ports(p))
        return 1;
    if (t->fragments && sl_fragments_get(t->fragments, p, sport, dport, &k->one_way))
        return 1;
    t->stats.fragments_lost++;
    return 0;
}

static int remember_fragment(struct sl_flows *t, const struct sl_packet *p, const struct sl_flow_key *k) {
    if (!t->fragments && !(t->fragments = calloc(1, sizeof *t->fragments)))
        return -1;
    sl_fragments_put(t->fragments, p, k);
    return 0;
}

/* The key of a packet; 0: it belongs to no flow; -1: out of memory. */
static int key_of(struct sl_flows *t, const struct sl_packet *p, struct sl_flow_key *k) {
    uint16_t sport = 0, dport = 0;

    k->one_way = 0;
    if (!p->ip_version)
        return 0;
    if (has_ports(p)) {
        sport = p->sport;
        dport = p->dport;
    } else if (p->frag_offset) {
        if (!later_fragment(t, p, k, &sport, &dport))
            return 0;
    } else if (p->skip) {
        return 0;
    } else if (p->proto == ICMP || p->proto == ICMPV6) {
        k->one_way = (uint8_t)sl_icmp_ports(p, &sport, &dport);
    }
    sl_flow_key_of(k, p, sport, dport, &t->seed);
    if (p->frag_more && !p->frag_offset && remember_fragment(t, p, k) < 0)
        return -1;
    return 1;
}

/* Brings the cache lines of a batch's flows on their way before the first one is needed. */
static void prefetch(const struct sl_flows *t, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct sl_slot s = t->slots.slots[t->keys[i].hash & t->slots.mask];
        if (s.index != SL_NIL) {
            const char *f = (const char *)sl_store_at(&t->store, s.index);
            __builtin_prefetch(f, 1);
            __builtin_prefetch(f + 64, 1);
        }
    }
}

int sl_flows_update(struct sl_flows *t, struct sl_packet *packets, const uint32_t *sel, uint32_t n,
                    struct sl_error *err) {
    uint32_t keys = 0, done = 0;

    release(t);
    for (uint32_t i = 0; i < n; i++) {
        int has = key_of(t, &packets[sel[i]], &t->keys[keys]);
        if (has < 0)
            goto no_memory;
        if (has) {
            sl_slots_prefetch(&t->slots, t->keys[keys].hash);
            t->who[keys++] = sel[i];
        }
    }
    prefetch(t, keys);
    for (uint32_t i = 0; i < n; i++) {
        struct sl_packet *p = &packets[sel[i]];
        if (sl_before(p->ts, t->before) && t->clock.packets)
            t->stats.backwards++;
        t->before = p->ts;
        if (done < keys && t->who[done] == sel[i] && take(t, p, &t->keys[done++]) < 0)
            goto no_memory;
        if (sl_clock_tick(&t->clock, p->ts) && sweep_if_due(t) < 0)
            goto no_memory;
    }
    return 0;
no_memory:
    return sl_error_set(err, SL_EXIT_INPUT, "out of memory with %u live flows: try --max-flows, --idle or a filter",
                        t->stats.live);
}

int sl_flows_finish(struct sl_flows *t, struct sl_error *err) {
    struct sl_time at_end = sl_clock_end(&t->clock);

    release(t);
    size_t from = t->n_decided;
    uint32_t list = sl_wheel_take_all(&t->wheel, 0);
    while (list != SL_NIL) {
        struct sl_flow *f = sl_store_at(&t->store, list);
        list = f->wheel_next;
        if (!(f->flags & DECIDED)) {
            struct sl_time when = due(t, f);
            uint8_t why = end_when_idle(f);
            if (!sl_before(when, at_end)) { /* the input ended before its time was up */
                when = sl_before(at_end, f->last) ? f->last : at_end;
                why = why == SL_END_IDLE ? SL_END_EOF : why;
            }
            end(t, f, why, when);
        }
        if (hand_out(t, f) < 0)
            return sl_error_set(err, SL_EXIT_INPUT, "out of memory at the end of the input");
    }
    sort_decided(t, from);
    return 0;
}

uint32_t sl_flows_decided(struct sl_flows *t, struct sl_flow ***flows, uint32_t max) {
    size_t n = t->n_decided - t->taken;

    *flows = t->decided + t->taken;
    if (n > max)
        n = max;
    t->taken += n;
    return (uint32_t)n;
}
