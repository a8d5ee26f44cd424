#include "fragment.h"

#include <string.h>

/* Not seeded: colliding datagrams only push each other out. Those of one class (event.h) share
 * slots with none of another, so that it makes no difference whether a table has all classes. */
static size_t slot_of(const struct sl_event_more *m) {
    uint64_t s[2], d[2];

    memcpy(s, &m->src, sizeof s);
    memcpy(d, &m->dst, sizeof d);
    uint64_t h =
        sl_mix(s[0] ^ d[1] ^ m->ip_id ^ 0x9e3779b97f4a7c15, s[1] ^ d[0] ^ 0xd1b54a32d192ed03);
    return sl_event_class(&m->src, &m->dst) * (size_t)(SL_FRAGMENT_SLOTS / SL_EVENT_CLASSES) +
           h % (SL_FRAGMENT_SLOTS / SL_EVENT_CLASSES);
}

static int same(const struct sl_fragment *f, const struct sl_flow_event *e,
                const struct sl_event_more *m) {
    return f->used && f->id == m->ip_id && f->proto == (e->kind & SL_KEY_PROTO) &&
           !memcmp(&f->src, &m->src, sizeof f->src) && !memcmp(&f->dst, &m->dst, sizeof f->dst);
}

/* The ports as the sender's and the receiver's. */
static struct sl_ports ports_of(const struct sl_flow_event *e) {
    uint16_t lower = (uint16_t)(e->ports >> 16), upper = (uint16_t)e->ports;
    int from_upper = e->kind & SL_KEY_FROM_UPPER;

    return (struct sl_ports){.sport = from_upper ? upper : lower,
                             .dport = from_upper ? lower : upper,
                             .one_way = (e->kind & SL_KEY_ONE_WAY) != 0};
}

void sl_fragments_put(struct sl_fragments *t, const struct sl_flow_event *e,
                      const struct sl_event_more *m) {
    t->slots[slot_of(m)] = (struct sl_fragment){.src = m->src,
                                                .dst = m->dst,
                                                .ts_s = e->ts_s,
                                                .id = m->ip_id,
                                                .ports = ports_of(e),
                                                .proto = (uint8_t)(e->kind & SL_KEY_PROTO),
                                                .used = 1};
}

int sl_fragments_get(const struct sl_fragments *t, const struct sl_flow_event *e,
                     const struct sl_event_more *m, struct sl_ports *ports) {
    const struct sl_fragment *f = &t->slots[slot_of(m)];

    if (!same(f, e, m) || e->ts_s - f->ts_s > SL_FRAGMENT_MAX_AGE_S)
        return 0;
    *ports = f->ports;
    return 1;
}
