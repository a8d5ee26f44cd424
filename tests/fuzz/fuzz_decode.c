/* Decode and decap of one packet of hostile bytes. The first two bytes are the link type, the third
 * says how many bytes longer than captured the packet was, and whether tunnels are looked into. */
#include <stdlib.h>
#include <string.h>

#include "../../src/flow/event.h"
#include "../../src/packet/layers.h"

enum { HEAD = 3, DECAP = 0x80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

/* Every place lies in the captured bytes or just behind them, and headers follow one another. */
static void check_places(const struct sl_packet *p) {
    must(p->eth_off <= p->caplen && p->net_off <= p->caplen && p->l4_off <= p->caplen);
    must(p->l4_cap <= p->caplen - p->l4_off);
    must(p->payload_cap <= p->payload_len);
    must(p->payload_cap == 0 || p->payload_off + p->payload_cap <= p->caplen);
    must(p->payload_cap == 0 || (p->payload_off > p->l4_off && p->l4_off > p->net_off));
    must(p->skip < SL_SKIP_N && p->protos >> SL_P_N == 0);
}

/* What flows and filters take for granted. */
static void check_sense(const struct sl_packet *p) {
    must(p->ip_version == 0 || p->ip_version == 4 || p->ip_version == 6);
    must(p->flow == SL_NO_FLOW && p->dir == 0);
    if (p->ip_version)
        must((p->protos >> (p->ip_version == 4 ? SL_P_IP : SL_P_IPV6) & 1) != 0);
    if (p->sport | p->dport)
        must(p->proto == 6 || p->proto == 17 || p->proto == 33 || p->proto == 132 ||
             p->proto == 136);
    must(sl_network_of(p->protos) < SL_P_N || p->skip != SL_SKIP_NONE);
}

/* What was decoded at once is what the decoders of its headers find. */
static void check_ordinary(const struct sl_packet *p) {
    struct sl_packet one_by_one = *p;
    const unsigned char *at_once = (const unsigned char *)p; /* holes too: copied above */

    sl_decode_clear(&one_by_one);
    sl_decode_link(&one_by_one, (struct sl_cursor){p->data, p->data + p->caplen}, p->link_type);
    must(!memcmp(at_once, (const unsigned char *)&one_by_one, sizeof *p));
}

/* A packet that was looked into is sound, and deeper; else it is as it was. */
static void check_decap(const struct sl_packet *outer, const struct sl_packet *p) {
    if (p->net_off == outer->net_off) {
        must(p->protos == outer->protos && p->l4_off == outer->l4_off && p->skip == outer->skip);
        must(p->sport == outer->sport && p->dport == outer->dport && p->ip_len == outer->ip_len);
        return;
    }
    must(outer->skip == SL_SKIP_NONE && p->skip == SL_SKIP_NONE);
    must(!outer->frag_more && !outer->frag_offset);
    must(p->net_off > outer->net_off);
    uint64_t kept = outer->protos & ~((uint64_t)1 << SL_P_UDP);
    must((p->protos & kept) == kept);
}

/* What goes by express is what decode makes of it, and its event too. */
static void check_express(const struct sl_packet *p) {
    static const struct sl_hash_seed seed = {0x0123456789abcdef, 0xfedcba9876543210};
    struct sl_event_batch fast = {.base = 1}, slow = {.base = 1};
    int kind = sl_event_express(&fast, p, &seed);

    if (kind < 0) {
        must(fast.n == 0 && fast.n_more == 0);
        return;
    }
    must(p->skip == SL_SKIP_NONE && sl_express_protos((uint32_t)kind) == p->protos);
    must(sl_event_add(&slow, p, &seed) == 1);
    must(fast.n == 1 && fast.n_more == slow.n_more);
    must(!memcmp(&fast.events[0], &slow.events[0], sizeof fast.events[0]));
    must(!memcmp(&fast.more[0], &slow.more[0], fast.n_more * sizeof fast.more[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD)
        return 0;
    struct sl_packet p = {.link_type = (uint16_t)(data[0] | data[1] << 8)};
    p.caplen = (uint32_t)(size - HEAD);
    p.len = p.caplen + (data[2] & ~(unsigned)DECAP);
    uint8_t *copy = malloc(p.caplen ? p.caplen : 1); /* so that ASan sees a read behind it */
    must(copy != NULL);
    memcpy(copy, data + HEAD, p.caplen);
    p.data = copy;
    sl_decode(&p);
    check_ordinary(&p);
    check_places(&p);
    check_sense(&p);
    p.number64 = 1;
    if (p.link_type == 1)
        check_express(&p);
    if (data[2] & DECAP) {
        struct sl_packet outer = p;
        sl_decap(&p);
        check_places(&p);
        check_sense(&p);
        check_decap(&outer, &p);
    }
    free(copy);
    return 0;
}
