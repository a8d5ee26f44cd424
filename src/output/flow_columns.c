#include "flow_columns.h"

#include "digits.h"
#include "out.h"

static char *put_addr(const struct sl_addr *a, char *to) {
    return to + sl_addr_text(a, to);
}

static char *put_country(const struct sl_flow_columns *c, const struct sl_addr *a, char *to) {
    return to + sl_geo_name(sl_geo_country(c->geo, a), to);
}

#define COLUMN(name, ...)                                                                          \
    static char *put_##name(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {  \
        (void)c;                                                                                   \
        return __VA_ARGS__;                                                                        \
    }

COLUMN(first, sl_put_time(to, f->first))
COLUMN(last, sl_put_time(to, f->last))
COLUMN(src, put_addr(&f->src, to))
COLUMN(dst, put_addr(&f->dst, to))
COLUMN(sport, sl_put_u64(to, f->sport))
COLUMN(dport, sl_put_u64(to, f->dport))
COLUMN(packets_src, sl_put_u64(to, f->n_packets[0]))
COLUMN(packets_dst, sl_put_u64(to, f->n_packets[1]))
COLUMN(bytes_src, sl_put_u64(to, f->n_bytes[0]))
COLUMN(bytes_dst, sl_put_u64(to, f->n_bytes[1]))
COLUMN(payload_src, sl_put_u64(to, f->n_payload[0]))
COLUMN(payload_dst, sl_put_u64(to, f->n_payload[1]))
COLUMN(src_country, put_country(c, &f->src, to))
COLUMN(dst_country, put_country(c, &f->dst, to))
COLUMN(state, sl_put_text(to, sl_flow_state_name(f->conn_state)))
COLUMN(history, sl_put_text(to, f->letters))
COLUMN(retransmitted_src, sl_put_u64(to, f->n_retransmitted[0]))
COLUMN(retransmitted_dst, sl_put_u64(to, f->n_retransmitted[1]))
COLUMN(missed_src, sl_put_u64(to, f->n_missed[0]))
COLUMN(missed_dst, sl_put_u64(to, f->n_missed[1]))
COLUMN(end, sl_put_text(to, sl_flow_end_name(f->end)))

static char *put_duration(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {
    struct sl_time d = {f->last.s - f->first.s, f->last.nsec - f->first.nsec};

    (void)c;
    if (f->last.nsec < f->first.nsec) {
        d.s--;
        d.nsec += 1000000000;
    }
    return sl_put_time(to, d);
}

static char *put_proto(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {
    const char *name = sl_ip_proto_name(f->proto);

    (void)c;
    return name ? sl_put_text(to, name) : sl_put_u64(to, f->proto);
}

static char *put_service(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {
    const char *name = sl_flow_service(c->services, f);

    if (!c->json)
        return name ? sl_put_text(to, name) : to;
    if (!name)
        return sl_put_text(to, "null");
    *to++ = '"';
    to = sl_put_text(to, name);
    *to++ = '"';
    return to;
}

/* Seconds, or nothing where a part of the handshake was not seen. */
static char *put_rtt(const struct sl_flow_columns *c, int known, int64_t ns, char *to) {
    if (known)
        return sl_put_time(to, (struct sl_time){ns / 1000000000, (uint32_t)(ns % 1000000000)});
    return c->json ? sl_put_text(to, "null") : to;
}

static char *put_rtt_both(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {
    int known = f->rtt_ns[0] >= 0 && f->rtt_ns[1] >= 0;

    return put_rtt(c, known, f->rtt_ns[0] + f->rtt_ns[1], to);
}

static char *put_rtt_src(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {
    return put_rtt(c, f->rtt_ns[0] >= 0, f->rtt_ns[0], to);
}

static char *put_rtt_dst(const struct sl_flow_columns *c, const struct sl_flow *f, char *to) {
    return put_rtt(c, f->rtt_ns[1] >= 0, f->rtt_ns[1], to);
}

const struct sl_flow_column sl_flow_columns[SL_FLOW_COLUMN_COUNT] = {
    {"first", SL_COLUMN_TEXT, put_first},
    {"last", SL_COLUMN_TEXT, put_last},
    {"duration", SL_COLUMN_REAL, put_duration},
    {"proto", SL_COLUMN_TEXT, put_proto},
    {"src", SL_COLUMN_TEXT, put_src},
    {"sport", SL_COLUMN_INTEGER, put_sport},
    {"dst", SL_COLUMN_TEXT, put_dst},
    {"dport", SL_COLUMN_INTEGER, put_dport},
    {"packets_src", SL_COLUMN_INTEGER, put_packets_src},
    {"packets_dst", SL_COLUMN_INTEGER, put_packets_dst},
    {"bytes_src", SL_COLUMN_INTEGER, put_bytes_src},
    {"bytes_dst", SL_COLUMN_INTEGER, put_bytes_dst},
    {"payload_src", SL_COLUMN_INTEGER, put_payload_src},
    {"payload_dst", SL_COLUMN_INTEGER, put_payload_dst},
    {"state", SL_COLUMN_TEXT, put_state},
    {"history", SL_COLUMN_TEXT, put_history},
    {"service", SL_COLUMN_TEXT_OR_NULL, put_service},
    {"src_country", SL_COLUMN_TEXT, put_src_country},
    {"dst_country", SL_COLUMN_TEXT, put_dst_country},
    {"end", SL_COLUMN_TEXT, put_end},
    {"rtt", SL_COLUMN_REAL, put_rtt_both},
    {"rtt_src", SL_COLUMN_REAL, put_rtt_src},
    {"rtt_dst", SL_COLUMN_REAL, put_rtt_dst},
    {"retransmitted_src", SL_COLUMN_INTEGER, put_retransmitted_src},
    {"retransmitted_dst", SL_COLUMN_INTEGER, put_retransmitted_dst},
    {"missed_src", SL_COLUMN_INTEGER, put_missed_src},
    {"missed_dst", SL_COLUMN_INTEGER, put_missed_dst},
};
