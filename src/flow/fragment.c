#include "fragment.h"

#include <string.h>

/* Not seeded: colliding datagrams only push each other out. */
static size_t slot_of(const struct sl_packet *p) {
    uint64_t s[2], d[2];

    memcpy(s, &p->src, sizeof s);
    memcpy(d, &p->dst, sizeof d);
    uint64_t h =
        sl_mix(s[0] ^ d[1] ^ p->ip_id ^ 0x9e3779b97f4a7c15, s[1] ^ d[0] ^ 0xd1b54a32d192ed03);
    return (size_t)(h % SL_FRAGMENT_SLOTS);
}

static int same(const struct sl_fragment *f, const struct sl_packet *p) {
    return f->used && f->id == p->ip_id && f->proto == p->proto &&
           !memcmp(&f->src, &p->src, sizeof f->src) && !memcmp(&f->dst, &p->dst, sizeof f->dst);
}

void sl_fragments_put(struct sl_fragments *t, const struct sl_packet *p,
                      const struct sl_ports *ports) {
    t->slots[slot_of(p)] = (struct sl_fragment){.src = p->src,
                                                .dst = p->dst,
                                                .ts_s = p->ts.s,
                                                .id = p->ip_id,
                                                .ports = *ports,
                                                .proto = p->proto,
                                                .used = 1};
}

int sl_fragments_get(const struct sl_fragments *t, const struct sl_packet *p,
                     struct sl_ports *ports) {
    const struct sl_fragment *f = &t->slots[slot_of(p)];

    if (!same(f, p) || p->ts.s - f->ts_s > SL_FRAGMENT_MAX_AGE_S)
        return 0;
    *ports = f->ports;
    return 1;
}
