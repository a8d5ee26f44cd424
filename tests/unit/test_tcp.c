/* What TCP flows come to: states and histories of hand-made exchanges by Zeek's rules, what was
 * sent again or missed, how long the handshake took.
 */
#include "segments_util.h"

#include "../../src/output/zeek.h"

struct exchange {
    const char *segments, *state, *history;
    const char *rule; /* names are those of Zeek's source */
};

#define OPEN ">S <SA >A "

static const struct exchange table[] = {
    /* ---- conn_state of main.zeek ---- */
    {">S", "S0", "S", "conn_state: SYN_SENT and INACTIVE"},
    {">S >S@0 >S@0", "S0", "S", "update_history: the same SYN again is no news"},
    {OPEN, "S1", "ShA", "conn_state: both ESTABLISHED"},
    {OPEN ">PA:5 <A <PA:9 >A", "S1", "ShADad", "update_history: A and D once a side"},
    {OPEN ">FA <A <FA >A", "SF", "ShAFaf", "conn_state: both CLOSED"},
    {OPEN ">A:5 <A:5 <FA >A >FA <A", "SF", "ShADdfFa",
     "update_history: the first pure ACK of dst comes last"},
    {OPEN ">FA:3 <FA:4 >A", "SF", "ShAFf", "update_history: a FIN with data gives F alone"},
    {OPEN ">FA <A", "S2", "ShAFa", "conn_state: originator CLOSED, responder not"},
    {OPEN "<FA >A", "S3", "ShAf", "conn_state: responder CLOSED, originator not"},
    {">S <RA^1", "REJ", "Sr", "conn_state: responder RESET, originator SYN_SENT"},
    {">S <RA^1 >R", "REJ", "SrR", "conn_state: both RESET and no byte"},
    {OPEN ">A:5 <R", "RSTR", "ShADr", "conn_state: responder RESET"},
    {OPEN ">R", "RSTO", "ShAR", "conn_state: originator RESET, responder not unopened"},
    {">S <SA >R", "RSTO", "ShR", "a half-open scan: the responder is ESTABLISHED by its SYN+ACK"},
    {">S >R", "RSTOS0", "SR", "conn_state: /\\^?S[^HAFGIQ]*R.*/"},
    {">S >R >R@7", "RSTOS0", "SRR", "the same, with letters behind the R"},
    {">S >A >R", "OTH", "SAR", "the pattern has no A between S and R"},
    {">S >FA", "SH", "SF", "conn_state: originator CLOSED, responder INACTIVE"},
    {"<SA <FA", "SHR", "hf", "conn_state: responder CLOSED, originator INACTIVE"},
    {"<SA <R", "RSTRH", "hr", "conn_state: responder RESET, originator INACTIVE"},
    {">A:5 <A:5", "OTH", "Dd", "conn_state: PARTIAL is neither open nor closed"},
    {">A >A <A", "OTH", "Aa", "UpdateInactiveState: no SYN makes both PARTIAL"},
    {">A:5 <A >FA <FA >A", "SF", "DaFfA",
     "UpdateEstablishedState: PARTIAL closes like ESTABLISHED"},
    {">A:5 >R", "OTH", "DR", "conn_state: RESET behind PARTIAL, the pattern wants an S"},
    {">A:5 <R", "RSTRH", "Dr", "conn_state: responder RESET, originator PARTIAL"},
    /* ---- UpdateInactiveState and the rest of the state machine ---- */
    {"<SA >A >A:5 <A", "S1", "hADa", "an ACK to a SYN+ACK establishes what began with it"},
    {"<SA >S@0 >A", "S1", "hSA", "UpdateInactiveState: SYN and SYN+ACK in the wrong order"},
    {">S <A^1 <SA >A", "S1", "SahA",
     "an ACK before the SYN+ACK does not make a partial connection"},
    {">S <A:5@1", "OTH", "Sd", "data before the SYN+ACK does"},
    {">S <S >A <A", "S1", "SsAa", "simultaneous open: a SYN of the responder establishes"},
    {OPEN ">FA <FA >R", "SF", "ShAFfR", "UpdateClosedState: no RST changes what both FINs closed"},
    {OPEN ">FA >R", "RSTO", "ShAFR", "UpdateClosedState: RST behind FIN, the peer is open"},
    {OPEN ">FA >R <FA", "SF", "ShAFRf",
     "UpdateEstablishedState: a FIN turns the peer's RST behind FIN into a normal end"},
    {OPEN ">R <FA", "RSTO", "ShARf", "the same rule wants a FIN before the RST"},
    {">S >FA <SA", "S2", "SFh", "UpdateSYN_SentState: CLOSED, and the responder is ESTABLISHED"},
    {">SF", "SH", "Q", "update_history: SYN+FIN is Q, and closes"},
    {">SR", "OTH", "Q", "update_history: SYN+RST is Q; RESET, and the pattern wants an S"},
    {OPEN ">FR", "RSTO", "ShAI", "update_history: FIN+RST is I; UpdateEstablishedState: RESET"},
    {OPEN ">FR >FR@9", "RSTO", "ShAI", "I and Q come once a side"},
    /* ---- letters that come again ---- */
    {OPEN "<SA@0^1 >A", "S1", "ShA", "the SYN+ACK again: no H, no T (it has no payload)"},
    {OPEN ">FA >FA@1 <FA", "SF", "ShAFf", "hist_last_FIN: the same FIN again"},
    {OPEN ">FA >FA@9 <FA", "SF", "ShAFFfG",
     "hist_last_FIN: a FIN elsewhere, and what lies between is a gap"},
    {OPEN "<R <R@1 <R@8 <R@8", "RSTR", "ShArr", "hist_last_RST: RSTs by their sequence numbers"},
    {OPEN ">A:5 >A:5@1 <A", "S1", "ShADTa", "update_last_seq: nothing new in it"},
    {OPEN ">A:5 >A:9@1 <A", "S1", "ShADa", "update_last_seq: it brings something new"},
    {OPEN ">A:5 >A:1@5 <A", "S1", "ShADTa", "a keep-alive of one byte counts as sent again"},
    {OPEN ">A:5 >A@5", "S1", "ShAD", "a keep-alive without payload does not"},
    {OPEN ">A:5@6 >A:5@1 <A", "S1", "ShADTa", "out of order is not told from sent again"},
    {OPEN ">A:5 >A:5@1x9", "S1", "ShADT", "ScaledHistoryEntry: 9 times give one letter"},
    {OPEN ">A:5 >A:5@1x10", "S1", "ShADTT", "ScaledHistoryEntry: the tenth gives another"},
    {OPEN ">A:5 >A:5@1x99", "S1", "ShADTT", "ScaledHistoryEntry: the hundredth would be the third"},
    {OPEN ">A:5 >A:5@1x100", "S1", "ShADTTT", "ScaledHistoryEntry: powers of ten"},
    {">S:7 <SA", "S1", "STh", "a SYN with data: init_endpoint sets last_seq behind it first"},
    /* ---- windows ---- */
    {OPEN ">A:5 <Aw0", "S1", "ShADaw", "update_window: the letter of the segment comes first"},
    {OPEN "<Aw0x10", "S1", "ShAaww", "ScaledHistoryEntry: at the first and the tenth"},
    {">S <RA^1w0", "REJ", "Sr", "update_window: zero in a RST is nothing"},
    {OPEN ">FA <Aw0", "S2", "ShAFa", "update_window: nothing once the peer has sent FIN"},
    {OPEN "<FA <Aw0", "S3", "ShAfaw", "update_window: something from who has sent FIN himself"},
    /* ---- gaps ---- */
    {OPEN ">A:5@11 <A^16", "S1", "ShADaG", "Gap: the peer acknowledges a hole"},
    {OPEN ">A:5@11 <A^1", "S1", "ShADa", "a hole that nobody acknowledged may still be filled"},
    {OPEN ">A:5@11 >A:10@1 <A", "S1", "ShADTa", "it was filled in time"},
    {OPEN "<A^101", "S1", "ShAaG", "Gap: acknowledged, and nothing was seen"},
    {OPEN "<A^101 >A:100 <A", "S1", "ShAaGD", "what comes behind its ACK is neither gap nor T"},
    {OPEN ">A:5@11 >A:5@21 <A^26", "S1", "ShADaG", "each hole is a gap; the tenth gives a letter"},
    {">A:5 <A:5 >A:5@40 <A", "OTH", "Dda",
     "established_or_cleanly_closing: not in a partial connection"},
    {OPEN ">FA@50 <A", "S2", "ShAFaG", "Gap: data before the FIN are missing"},
    {OPEN ">FA <A^2 <FA", "SF", "ShAFaf", "AckReceived: the FIN's own number is no data"},
    {OPEN ">A:5 <R^900", "RSTR", "ShADr", "AckReceived of a RST: RESET is not clean"},
};

static void test_exchanges(void **state) {
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sl_flow f = exchange(table[i].segments);
        const char *got = sl_flow_state_name(f.conn_state);
        if (strcmp(got, table[i].state) || strcmp(f.letters, table[i].history)) {
            print_error("%s\n    is %s %s, should be %s %s: %s\n", table[i].segments, got,
                        f.letters, table[i].state, table[i].history, table[i].rule);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---- numbers ---- */

struct amounts {
    const char *segments;
    uint64_t again[2], missed[2], stream[2];
};

static const struct amounts amounts[] = {
    {OPEN ">A:100 <A:50 >A", {0, 0}, {0, 0}, {100, 50}},
    {OPEN ">A:100 >A:100@1 <A", {100, 0}, {0, 0}, {100, 0}},
    {OPEN ">A:100 >A:150@51 <A", {50, 0}, {0, 0}, {200, 0}}, /* half of it is new */
    {OPEN "<A:10 <A:10@1x3 >A", {0, 30}, {0, 0}, {0, 10}},
    {OPEN ">A:10@11 >A:10@1 <A", {0, 0}, {0, 0}, {20, 0}}, /* out of order: nothing came twice */
    {OPEN ">A:10@11 >A:10@1 >A:20@1 <A", {20, 0}, {0, 0}, {20, 0}},
    {OPEN ">A:10@21 >A:30@1 <A", {10, 0}, {0, 0}, {30, 0}},     /* fills 20 and repeats 10 */
    {OPEN ">A:10@11 <A^21 >A:10@1", {10, 0}, {10, 0}, {20, 0}}, /* too late: given up at the ACK */
    {OPEN "<A^501", {0, 0}, {500, 0}, {500, 0}},
    {OPEN "<A^501 >A:500 <A", {0, 0}, {500, 0}, {500, 0}},
    {OPEN ">A:5@11 <A^6", {0, 0}, {5, 0}, {15, 0}}, /* half of the hole is given up */
    {OPEN ">A:5@11 <A^6 >A:5@6 <A", {0, 0}, {5, 0}, {15, 0}},
    {OPEN ">A:5@11 >A:5@21 >A:5@31 >A:20@6 <A^36", {10, 0}, {10, 0}, {35, 0}},
    {OPEN ">FA:7 <A", {0, 0}, {0, 0}, {7, 0}},
    {">S:7 <SA", {0, 0}, {0, 0}, {7, 0}},              /* T for Zeek, but nothing was sent twice */
    {">A:10 >A:10@20 <A:1", {0, 0}, {0, 0}, {30, 1}},  /* no handshake: a gap means nothing */
    {">A:10@50 >A:10@40 <A", {0, 0}, {0, 0}, {10, 0}}, /* before the first one: not known twice */
};

static void test_amounts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        const struct amounts *want = &amounts[i];
        struct sl_flow f = exchange(want->segments);
        for (int dir = 0; dir < 2; dir++) {
            if (f.n_retransmitted[dir] != want->again[dir] ||
                f.n_missed[dir] != want->missed[dir] || f.n_stream[dir] != want->stream[dir])
                fail_msg("%s, dir %d: sent again %u, missed %u, stream %u", want->segments, dir,
                         (unsigned)f.n_retransmitted[dir], (unsigned)f.n_missed[dir],
                         (unsigned)f.n_stream[dir]);
        }
    }
}

/* Seven holes are one too many: the lowest is forgotten, and filling it looks like a repetition. */
static void test_too_many_holes(void **state) {
    struct sl_flow six =
        exchange(OPEN ">A:5@11 >A:5@21 >A:5@31 >A:5@41 >A:5@51 >A:5@61 >A:10@1 <A");
    struct sl_flow seven =
        exchange(OPEN ">A:5@11 >A:5@21 >A:5@31 >A:5@41 >A:5@51 >A:5@61 >A:5@71 >A:10@1 <A");

    (void)state;
    assert_int_equal(six.n_retransmitted[0], 0);
    assert_int_equal(six.n_missed[0], 5 * 5);
    assert_int_equal(seven.n_retransmitted[0], 10);
    assert_int_equal(seven.n_missed[0], 6 * 5);
}

struct handshake {
    const char *segments;
    int64_t ms[2]; /* -1: not seen */
};

static const struct handshake handshakes[] = {
    {">S <SA+30 >A+7", {7, 30}},
    {">S <SA+30 >A:9+7 >A", {7, 30}},
    {">S >S@0+900 <SA+30 >A+7", {7, 30}},       /* from the last SYN */
    {">S <SA+30 <SA@0+100 >A+7", {7, 30}},      /* to the first SYN+ACK, from the last one */
    {">S <SA+30 >A+7 <SA@0+100 >A+5", {7, 30}}, /* over once it is over */
    {">S <SA+30", {-1, 30}},
    {">S <SA+30 >R", {-1, 30}},
    {"<SA >A+7", {7, -1}},
    {">S >A+7", {-1, -1}},
    {">S <RA^1+30", {-1, -1}},
    {">A <A+30", {-1, -1}},
    {">S <SA+3999 >A+4001", {4001, 3999}},
    {">S <SA+4500 >A+4500", {-1, -1}}, /* more than 4 s are nobody's network */
    {">S <SA+30 >FA+7", {7, 30}},
};

static void test_handshakes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof handshakes / sizeof *handshakes; i++) {
        struct sl_flow f = exchange(handshakes[i].segments);
        for (int dir = 0; dir < 2; dir++) {
            int64_t ms = handshakes[i].ms[dir], want_ns = ms < 0 ? -1 : ms * 1000000;
            if (f.rtt_ns[dir] != want_ns)
                fail_msg("%s, dir %d: %ld ns", handshakes[i].segments, dir, (long)f.rtt_ns[dir]);
        }
    }
}

/* Stamps that a damaged file holds: centuries apart, in either order. */
static void test_handshake_across_ages(void **state) {
    struct world *w = begin(CLIENT_PORT, SERVER_PORT);
    struct sl_packet answer = {
        .tcp_flags = SL_TCP_SYN | SL_TCP_ACK, .window = 9, .ack = first_seq[0] + 1};

    (void)state;
    w->ms = INT64_MAX / 4;
    play(w, ">S");
    w->ms = 3;
    send(w, 1, &answer);
    struct sl_flow f = finish(w);
    assert_int_equal(f.rtt_ns[0], -1);
    assert_int_equal(f.rtt_ns[1], -1);
    assert_string_equal(f.letters, "Sh");
}

/* Sequence numbers begin anew every 4 GiB. */
static void test_more_than_4_gib(void **state) {
    struct world *w = begin(CLIENT_PORT, SERVER_PORT);
    struct sl_packet p = {.window = 1000, .tcp_flags = SL_TCP_ACK, .payload_len = 1u << 30};

    (void)state;
    play(w, ">S");
    play(w, "<SA");
    p.seq = first_seq[0] + 1;
    p.ack = first_seq[1] + 1;
    for (int i = 0; i < 10; i++, p.seq += p.payload_len)
        send(w, 0, &p);
    struct sl_flow f = finish(w);
    assert_int_equal(f.n_payload[0], 10ull << 30);
    assert_int_equal(f.n_stream[0], 10ull << 30);
    assert_int_equal(f.n_retransmitted[0], 0);
    assert_int_equal(f.n_ip_bytes[0], (10ull << 30) + 11 * 40);
    assert_int_equal(f.n_bytes[0], (10ull << 30) + 11 * 54);
    assert_string_equal(f.letters, "ShD");
}

/* Packets are counted in 16 bits beside the flow. */
static void test_many_packets(void **state) {
    struct world *w = begin(CLIENT_PORT, SERVER_PORT);

    (void)state;
    for (int i = 0; i < 70000; i++)
        play(w, i % 7 == 6 ? "<A:1" : ">A:3");
    struct sl_flow f = finish(w);
    assert_int_equal(f.n_packets[0], 60000);
    assert_int_equal(f.n_packets[1], 10000);
    w = begin(CLIENT_PORT, SERVER_PORT);
    for (int i = 0; i < 200000; i++)
        play(w, ">A+0");
    f = finish(w);
    assert_int_equal(f.n_packets[0], 200000);
    assert_int_equal(f.n_ip_bytes[0], 200000 * 40);
}

/* The first sixty letters stay. */
static void test_long_history(void **state) {
    struct world *w = begin(CLIENT_PORT, SERVER_PORT);
    char word[16], want[64] = "ShA";

    (void)state;
    play(w, ">S");
    play(w, "<SA");
    play(w, ">A");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(word, sizeof word, "<R@%d", 1 + i);
        play(w, word);
    }
    struct sl_flow f = finish(w);
    memset(want + 3, 'r', 57);
    want[60] = '\0';
    assert_string_equal(f.letters, want);
    assert_int_equal(f.conn_state, SL_STATE_RSTR);
}

/* ---- Zeek's roles ---- */

struct roles {
    uint16_t client, server;
    const char *segments;
    int swapped;
    const char *state, *history;
    const char *rule;
};

static const struct roles roles[] = {
    {50000, 80, ">S <SA >A", 0, "S1", "ShA", "a SYN tells"},
    {80, 50000, ">S <SA >A", 0, "S1", "ShA", "a SYN tells, whatever the ports"},
    {50000, 80, ">A:5 <A:5", 0, "OTH", "Dd",
     "WantConnection: the first sender's port is no server's"},
    {50000, 80, "<A:5 >A:5", 1, "OTH", "^dD", "WantConnection: it is a server's"},
    {22, 80, ">A:5 <A:5", 1, "OTH", "^dD", "WantConnection: both are, the lower port was first"},
    {22, 80, "<A:5 >A:5", 0, "OTH", "Dd", "WantConnection: both are, the higher port was first"},
    {50000, 80, "<A:5 <R", 1, "RSTRH", "^dr", "the RST is then the responder's"},
    {50000, 80, "<A:5 >R", 1, "OTH", "^dR", "the RST is then the originator's"},
    {50000, 80, "<A:5 <FA >FA", 1, "SF", "^dfF", "both FINs close, whoever is who"},
    {50000, 80, "<FA", 1, "SHR", "^f", "conn_state: responder CLOSED, originator INACTIVE"},
    {50000, 80, "<A:5 >S@0", 1, "OTH", "^dS",
     "UpdateInactiveState: a SYN of the originator is SYN_SENT"},
    {50000, 80, "<SA >A", 0, "S1", "^hA", "a SYN+ACK from a server's port is turned at once"},
    {50000, 8081, "<SA >A", 0, "OTH", "^hA",
     "CheckHistory: turned by the ACK, but SYN_ACK_SENT stays"},
    {50000, 8081, "<SA <A:3 >A", 0, "OTH", "^hdA", "CheckHistory: turned by data of either side"},
    {50000, 8081, "<SA >A <FA >FA", 0, "SF", "^hAfF", "CLOSED is CLOSED"},
    {50000, 8081, "<SA >A <FA", 0, "SHR", "^hAf", "the originator was PARTIAL"},
    {50000, 8081, "<SA >R", 1, "REJ", "Hr", "a scan with SYN+ACK: its sender is the originator"},
    {50000, 8081, "<SA", 1, "OTH", "H", "conn_state: SYN_ACK_SENT alone"},
    {50000, 8081, "<SA >S@0 >A", 0, "S1", "Hs^A", "UpdateInactiveState: SYN behind SYN+ACK"},
    {50000, 8081, "<SA >A >A:5@9 <A", 0, "OTH", "^hADa", "not clean, so the gap has no letter"},
    {50000, 80, "<SA >A >A:5@9 <A", 0, "S1", "^hADaG", "clean, so it has"},
};

static void test_roles(void **state) {
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        struct sl_flow f = exchange_between(roles[i].client, roles[i].server, roles[i].segments);
        struct sl_zeek_view v;
        sl_zeek_see(&f, &v);
        const char *got = sl_flow_state_name(v.conn_state);
        if (v.swapped != roles[i].swapped || strcmp(got, roles[i].state) ||
            strcmp(v.history, roles[i].history)) {
            print_error("%s\n    is %s %s, swapped %d, should be %s %s: %s\n", roles[i].segments,
                        got, v.history, v.swapped, roles[i].state, roles[i].history, roles[i].rule);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* A packet 500 years ahead, in a flow of its own or in this one, changes nothing of other flows. */
static void test_far_future(void **state) {
    const int64_t years_500 = 500LL * 365 * 86400;

    (void)state;
    for (int same = 0; same < 2; same++) {
        struct world *w = begin(CLIENT_PORT, SERVER_PORT);
        struct sl_packet p = {.tcp_flags = SL_TCP_SYN, .window = 9, .seq = 77};
        struct sl_error err = {0};
        struct sl_flow **flows;
        play(w, ">S");
        play(w, "<SA");
        uint64_t ms = w->ms;
        w->ms += (uint64_t)years_500 * 1000;
        w->port[0] = 50001;
        send(w, same, &p);
        w->ms = ms;
        w->port[0] = CLIENT_PORT;
        play(w, ">A:4");
        play(w, "<FA");
        play(w, ">FA");
        assert_int_equal(sl_flows_finish(w->table, (struct sl_time){1000, 0}, &err), 0);
        assert_int_equal(sl_flows_decided(w->table, &flows), 2);
        int which = flows[0]->number64 != 1;
        assert_string_equal(flows[which]->letters, "ShDfF");
        assert_int_equal(flows[which]->conn_state, SL_STATE_SF);
        assert_int_equal(flows[which]->n_packets[0] + flows[which]->n_packets[1], 5);
        assert_int_equal(flows[which]->end, SL_END_FIN);
        sl_flows_free(w->table);
        free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchanges),       cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_too_many_holes),  cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_more_than_4_gib), cmocka_unit_test(test_many_packets),
        cmocka_unit_test(test_long_history),    cmocka_unit_test(test_roles),
        cmocka_unit_test(test_far_future),      cmocka_unit_test(test_handshake_across_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
