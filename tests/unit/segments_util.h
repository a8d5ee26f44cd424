/* Exchanges of TCP segments in a line of text, played to a flow table.
 *
 * An exchange is a line of segments: > from the client, < from the server, then flags (S A F R P,
 * as tcpdump has them), and what differs from a connection where all goes as it should: :N  N bytes
 * of payload          @N  sequence number, relative to the side's first (0: the SYN) ^N
 * acknowledges the peer's N   w0  a window of zero xN  so many times               +N  N
 * milliseconds later than the segment before (else 1) A segment's sequence number is the one behind
 * the side's highest, and what has ACK set acknowledges all that the peer has sent; @ and ^ do not
 * move these back.
 */
#ifndef SL_TEST_SEGMENTS_UTIL_H
#define SL_TEST_SEGMENTS_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/flow/flow.h"

static const struct sl_hash_seed seed = {0x0123456789abcdef, 0xfedcba9876543210};
static const uint32_t first_seq[2] = {0xfffffff0, 5000}; /* the client's soon begins anew at 0 */

enum { CLIENT_PORT = 50000, SERVER_PORT = 8081 /* in no list of Zeek's */ };

struct world {
    struct sl_flows *table;
    struct sl_event_batch batch;
    uint64_t number, ms;
    uint32_t next[2]; /* relative to first_seq */
    uint16_t port[2];
};

static struct world *begin(uint16_t client, uint16_t server) {
    struct world *w = calloc(1, sizeof *w);
    struct sl_flow_options options = sl_flow_defaults();
    struct sl_error err = {0};

    assert_non_null(w);
    options.seed = seed;
    w->table = sl_flows_new(&options, &err);
    assert_non_null(w->table);
    w->port[0] = client;
    w->port[1] = server;
    return w;
}

static void send(struct world *w, int dir, const struct sl_packet *segment) {
    struct sl_packet p = *segment;
    struct sl_error err = {0};

    p.number64 = ++w->number;
    p.ts = (struct sl_time){(int64_t)(w->ms / 1000), (uint32_t)(w->ms % 1000 * 1000000)};
    p.protos = 1ull << SL_P_TCP;
    p.ip_version = 4;
    p.proto = 6;
    p.src = (struct sl_addr){{0, 0, 0xffff, dir ? 2 : 1}};
    p.dst = (struct sl_addr){{0, 0, 0xffff, dir ? 1 : 2}};
    p.sport = w->port[dir];
    p.dport = w->port[!dir];
    p.ip_len = 40 + p.payload_len;
    p.len = 14 + p.ip_len;
    sl_event_batch_clear(&w->batch, p.number64);
    assert_int_equal(sl_event_add(&w->batch, &p, &seed), 1);
    assert_int_equal(sl_flows_take(w->table, &w->batch, NULL, &err), 0);
}

static uint16_t flags_in(const char **at) {
    static const char letters[] = "FSRPA";
    uint16_t flags = 0;

    for (const char *found; **at && (found = strchr(letters, **at)); ++*at)
        flags |= (uint16_t)(1 << (found - letters));
    return flags;
}

/* One word of an exchange. */
static void play(struct world *w, const char *word) {
    int dir = *word++ == '<';
    struct sl_packet p = {.window = 1000, .tcp_flags = flags_in(&word)};
    uint32_t seq = w->next[dir], ack = w->next[!dir];
    unsigned long times = 1, later = 1;

    while (*word) {
        char what = *word++, *end;
        unsigned long n = strtoul(word, &end, 10);
        assert_true(end != word);
        word = end;
        switch (what) {
        case ':':
            p.payload_len = (uint32_t)n;
            break;
        case '@':
            seq = (uint32_t)n;
            break;
        case '^':
            ack = (uint32_t)n;
            break;
        case 'w':
            p.window = (uint16_t)n;
            break;
        case 'x':
            times = n;
            break;
        default:
            assert_int_equal(what, '+');
            later = n;
        }
    }
    p.seq = first_seq[dir] + seq;
    p.ack = p.tcp_flags & SL_TCP_ACK ? first_seq[!dir] + ack : 0;
    for (; times; times--) {
        w->ms += later;
        send(w, dir, &p);
    }
    seq += p.payload_len + (p.tcp_flags & SL_TCP_SYN ? 1 : 0) + (p.tcp_flags & SL_TCP_FIN ? 1 : 0);
    if ((int32_t)(seq - w->next[dir]) > 0)
        w->next[dir] = seq;
}

static struct sl_flow finish(struct world *w) {
    struct sl_error err = {0};
    struct sl_flow **flows, flow;

    assert_int_equal(sl_flows_finish(w->table, (struct sl_time){1000, 0}, &err), 0);
    assert_int_equal(sl_flows_decided(w->table, &flows), 1);
    flow = *flows[0];
    sl_flows_free(w->table);
    free(w);
    return flow;
}

static struct sl_flow exchange_between(uint16_t client, uint16_t server, const char *text) {
    struct world *w = begin(client, server);
    char words[1024], *save;

    assert_true(strlen(text) < sizeof words);
    strcpy(words, text);
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        play(w, word);
    return finish(w);
}

static struct sl_flow exchange(const char *text) {
    return exchange_between(CLIENT_PORT, SERVER_PORT, text);
}

#endif
