/* Flows as rows of text by the million (abi.h: sl_rows). One list of columns serves every form. No
 * text here needs escaping: it is all numbers, addresses and names of our own. */
#include "conn_log.h"
#include "digits.h"
#include "out.h"

#include <stdlib.h>

enum { ROW_MAX = SL_CONN_LOG_MAX };

struct sl_rows {
    struct sl_out *out;
    struct sl_geo *geo;
    const struct sl_services *services;
    int form;
    uint64_t n;
    struct sl_conn_log conn_log; /* with SL_ROWS_ZEEK */
};

struct column {
    const char *name;
    int quoted; /* a string in JSON */
    char *(*put)(const struct sl_rows *, const struct sl_flow *, char *to);
};

static char *put_addr(const struct sl_addr *a, char *to) {
    return to + sl_addr_text(a, to);
}

static char *put_country(const struct sl_rows *r, const struct sl_addr *a, char *to) {
    return to + sl_geo_name(sl_geo_country(r->geo, a), to);
}

#define COLUMN(name, ...)                                                                          \
    static char *put_##name(const struct sl_rows *r, const struct sl_flow *f, char *to) {          \
        (void)r;                                                                                   \
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
COLUMN(src_country, put_country(r, &f->src, to))
COLUMN(dst_country, put_country(r, &f->dst, to))
COLUMN(state, sl_put_text(to, sl_flow_state_name(f->conn_state)))
COLUMN(history, sl_put_text(to, f->letters))
COLUMN(retransmitted_src, sl_put_u64(to, f->n_retransmitted[0]))
COLUMN(retransmitted_dst, sl_put_u64(to, f->n_retransmitted[1]))
COLUMN(missed_src, sl_put_u64(to, f->n_missed[0]))
COLUMN(missed_dst, sl_put_u64(to, f->n_missed[1]))
COLUMN(end, sl_put_text(to, sl_flow_end_name(f->end)))

static char *put_duration(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    struct sl_time d = {f->last.s - f->first.s, f->last.nsec - f->first.nsec};

    (void)r;
    if (f->last.nsec < f->first.nsec) {
        d.s--;
        d.nsec += 1000000000;
    }
    return sl_put_time(to, d);
}

static char *put_proto(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    const char *name = sl_ip_proto_name(f->proto);

    (void)r;
    return name ? sl_put_text(to, name) : sl_put_u64(to, f->proto);
}

static int is_json(const struct sl_rows *r) {
    return r->form == SL_ROWS_JSON || r->form == SL_ROWS_JSONL;
}

static char *put_service(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    const char *name = sl_flow_service(r->services, f);

    if (!is_json(r))
        return name ? sl_put_text(to, name) : to;
    if (!name)
        return sl_put_text(to, "null");
    *to++ = '"';
    to = sl_put_text(to, name);
    *to++ = '"';
    return to;
}

/* Seconds, or nothing where a part of the handshake was not seen. */
static char *put_rtt(const struct sl_rows *r, int known, int64_t ns, char *to) {
    if (known)
        return sl_put_time(to, (struct sl_time){ns / 1000000000, (uint32_t)(ns % 1000000000)});
    return is_json(r) ? sl_put_text(to, "null") : to;
}

static char *put_rtt_both(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    int known = f->rtt_ns[0] >= 0 && f->rtt_ns[1] >= 0;

    return put_rtt(r, known, f->rtt_ns[0] + f->rtt_ns[1], to);
}

static char *put_rtt_src(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    return put_rtt(r, f->rtt_ns[0] >= 0, f->rtt_ns[0], to);
}

static char *put_rtt_dst(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    return put_rtt(r, f->rtt_ns[1] >= 0, f->rtt_ns[1], to);
}

static const struct column columns[] = {
    {"first", 1, put_first},
    {"last", 1, put_last},
    {"duration", 0, put_duration},
    {"proto", 1, put_proto},
    {"src", 1, put_src},
    {"sport", 0, put_sport},
    {"dst", 1, put_dst},
    {"dport", 0, put_dport},
    {"packets_src", 0, put_packets_src},
    {"packets_dst", 0, put_packets_dst},
    {"bytes_src", 0, put_bytes_src},
    {"bytes_dst", 0, put_bytes_dst},
    {"payload_src", 0, put_payload_src},
    {"payload_dst", 0, put_payload_dst},
    {"state", 1, put_state},
    {"history", 1, put_history},
    {"service", 0, put_service}, /* quotes itself: it may be null */
    {"src_country", 1, put_src_country},
    {"dst_country", 1, put_dst_country},
    {"end", 1, put_end},
    {"rtt", 0, put_rtt_both},
    {"rtt_src", 0, put_rtt_src},
    {"rtt_dst", 0, put_rtt_dst},
    {"retransmitted_src", 0, put_retransmitted_src},
    {"retransmitted_dst", 0, put_retransmitted_dst},
    {"missed_src", 0, put_missed_src},
    {"missed_dst", 0, put_missed_dst},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

struct sl_rows *sl_rows_new(struct sl_out *out, struct sl_geo *geo,
                            const struct sl_services *services, int form) {
    struct sl_rows *r = calloc(1, sizeof *r);

    if (r)
        *r = (struct sl_rows){.out = out,
                              .geo = geo,
                              .services = services,
                              .form = form,
                              .conn_log.services = services};
    return r;
}

void sl_rows_free(struct sl_rows *r) {
    free(r);
}

static int is_table(const struct sl_rows *r) {
    return r->form == SL_ROWS_CSV || r->form == SL_ROWS_TSV;
}

int sl_rows_begin(struct sl_rows *r) {
    char *to = sl_out_reserve(r->out, ROW_MAX);

    if (r->form == SL_ROWS_JSON)
        *to++ = '[';
    for (size_t i = 0; is_table(r) && i < COLUMNS; i++) {
        to = sl_put_text(to, columns[i].name);
        *to++ = i + 1 == COLUMNS ? '\n' : r->form == SL_ROWS_CSV ? ',' : '\t';
    }
    sl_out_advance(r->out, to);
    return sl_out_error(r->out)->code ? -1 : 0;
}

static char *put_object(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    for (size_t i = 0; i < COLUMNS; i++) {
        *to++ = i ? ',' : '{';
        *to++ = '"';
        to = sl_put_text(to, columns[i].name);
        *to++ = '"';
        *to++ = ':';
        if (columns[i].quoted)
            *to++ = '"';
        to = columns[i].put(r, f, to);
        if (columns[i].quoted)
            *to++ = '"';
    }
    *to++ = '}';
    return to;
}

static char *put_line(const struct sl_rows *r, const struct sl_flow *f, char *to) {
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i)
            *to++ = r->form == SL_ROWS_CSV ? ',' : '\t';
        to = columns[i].put(r, f, to);
    }
    return to;
}

static char *put_row(struct sl_rows *r, const struct sl_flow *f, char *to) {
    switch (r->form) {
    case SL_ROWS_ZEEK:
        return sl_conn_log_flow(&r->conn_log, f, to);
    case SL_ROWS_JSON:
        return put_object(r, f, sl_put_text(to, r->n ? ",\n " : "\n "));
    case SL_ROWS_JSONL:
        to = put_object(r, f, to);
        break;
    default:
        to = put_line(r, f, to);
    }
    *to++ = '\n';
    return to;
}

int sl_rows_flows(struct sl_rows *r, struct sl_flow *const *flows, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        sl_out_advance(r->out, put_row(r, flows[i], sl_out_reserve(r->out, ROW_MAX)));
        r->n++;
    }
    return sl_out_error(r->out)->code ? -1 : 0;
}

int sl_rows_end(struct sl_rows *r) {
    if (r->form == SL_ROWS_ZEEK) {
        sl_out_advance(r->out, sl_conn_log_end(&r->conn_log, sl_out_reserve(r->out, ROW_MAX)));
        return sl_out_error(r->out)->code ? -1 : 0;
    }
    return r->form == SL_ROWS_JSON ? sl_out_write(r->out, "\n]\n", 3) : 0;
}
