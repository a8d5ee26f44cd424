#include "stats.h"

/* Networks of which a packet is counted under exactly one: the first that it has. What cannot carry
 * another one comes first: with --decap it is what was found inside. */
static const uint8_t networks[] = {SL_P_ARP,   SL_P_RARP, SL_P_IPX,    SL_P_LLDP,
                                   SL_P_EAPOL, SL_P_LOOP, SL_P_PPPOED, SL_P_IP,
                                   SL_P_IPV6,  SL_P_LLC,  SL_P_WLAN};

uint32_t sl_network_of(uint64_t protos) {
    for (size_t i = 0; i < sizeof networks; i++)
        if (protos >> networks[i] & 1)
            return networks[i];
    return SL_P_N;
}

static void flush(struct sl_stats *s, struct sl_pattern *p) {
    uint32_t network = sl_network_of(p->protos);
    uint64_t met = p->protos;

    if (!p->packets)
        return;
    if (met >> SL_P_TUNNEL_UDP & 1) /* under one name: a packet counts once */
        met = (met & ~((uint64_t)1 << SL_P_TUNNEL_UDP)) | (uint64_t)1 << SL_P_UDP;
    for (uint32_t bit = 0; bit < SL_P_N; bit++) {
        if (met >> bit & 1) {
            s->proto_packets[bit] += p->packets;
            s->proto_bytes[bit] += p->bytes;
        }
    }
    if (network == SL_P_N) {
        s->skipped[p->skip] += p->packets;
    } else {
        s->network_packets[network] += p->packets;
        if (p->skip)
            s->incomplete[p->skip] += p->packets;
    }
    p->packets = p->bytes = 0;
}

/* The factor is the one of MurmurHash3 under which the patterns of ordinary traffic do not collide.
 */
static struct sl_pattern *pattern_of(struct sl_counter *c, const struct sl_packet *p) {
    uint64_t h = (p->protos ^ (uint64_t)p->skip << 56) * 0xc4ceb9fe1a85ec53;
    struct sl_pattern *x = &c->patterns[h >> 58];

    if (x->protos != p->protos || x->skip != p->skip) {
        flush(&c->stats, x);
        x->protos = p->protos;
        x->skip = p->skip;
    }
    return x;
}

/* One after the other, where packets have no stamp, or one that does not fit nanoseconds. */
static void add_times(struct sl_stats *s, const struct sl_packet *packets, const uint32_t *sel,
                      uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const struct sl_packet *p = &packets[sel[i]];
        s->ts_saturated += p->ts_ns == INT64_MAX || p->ts_ns == INT64_MIN;
        if (!p->no_time)
            sl_stats_time(s, p->ts);
    }
}

/* Sums and extremes are kept in registers; comparisons of stamps vary and must be no branches. */
void sl_counter_add(struct sl_counter *c, const struct sl_packet *packets, const uint32_t *sel,
                    uint32_t n) {
    struct sl_stats *s = &c->stats;
    uint64_t bytes = 0, captured = 0;
    int64_t first = INT64_MAX, last = INT64_MIN; /* ns */
    int untimed = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct sl_packet *p = &packets[sel[i]];
        struct sl_pattern *x = pattern_of(c, p);
        x->packets++;
        x->bytes += p->len;
        bytes += p->len;
        captured += p->caplen;
        untimed |= p->no_time;
        first = p->ts_ns < first ? p->ts_ns : first;
        last = p->ts_ns > last ? p->ts_ns : last;
    }
    s->packets += n;
    s->bytes += bytes;
    s->captured_bytes += captured;
    if (untimed || first == INT64_MIN || last == INT64_MAX) {
        add_times(s, packets, sel, n);
    } else if (n) {
        sl_stats_time(s, sl_time_of_ns(first));
        sl_stats_time(s, sl_time_of_ns(last));
        s->timed += (uint64_t)n - 2;
    }
}

static void flush_express(struct sl_counter *c, uint32_t kind) {
    struct sl_pattern p = {.protos = sl_express_protos(kind),
                           .packets = c->express_packets[kind],
                           .bytes = c->express_bytes[kind]};

    c->stats.packets += p.packets;
    c->stats.bytes += p.bytes;
    c->express_packets[kind] = c->express_bytes[kind] = 0;
    flush(&c->stats, &p);
}

const struct sl_stats *sl_counter_stats(struct sl_counter *c) {
    for (uint32_t i = 0; i < SL_EXPRESS_KINDS; i++)
        flush_express(c, i);
    for (int i = 0; i < SL_PATTERNS; i++)
        flush(&c->stats, &c->patterns[i]);
    return &c->stats;
}

void sl_counter_merge(struct sl_counter *c, struct sl_counter *from) {
    const struct sl_stats *f = sl_counter_stats(from);
    struct sl_stats *s = &c->stats;

    sl_stats_times(s, f->timed, f->first, f->last);
    s->packets += f->packets;
    s->bytes += f->bytes;
    s->captured_bytes += f->captured_bytes;
    s->ts_saturated += f->ts_saturated;
    for (uint32_t i = 0; i < SL_P_N; i++) {
        s->proto_packets[i] += f->proto_packets[i];
        s->proto_bytes[i] += f->proto_bytes[i];
        s->network_packets[i] += f->network_packets[i];
    }
    for (uint32_t i = 0; i < SL_SKIP_N; i++) {
        s->skipped[i] += f->skipped[i];
        s->incomplete[i] += f->incomplete[i];
    }
}
