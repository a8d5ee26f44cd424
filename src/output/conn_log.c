#include "conn_log.h"

#include "digits.h"
#include "zeek.h"

#include <math.h>
#include <time.h>

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58 };
enum { ICMP_HEADER = 8u, IPV4_HEADER = 20u, IPV6_HEADER = 40u };

/* One flow at work. orig, resp: which end of the flow is which. */
struct line {
    const struct sl_flow *f;
    struct sl_zeek_view view;
    int orig, resp;
    uint32_t resp_port;
};

struct column {
    const char *name, *type;
    char *(*put)(const struct sl_conn_log *, const struct line *, char *to);
};

#define COLUMN(name, ...)                                                                          \
    static char *put_##name(const struct sl_conn_log *log, const struct line *l, char *to) {       \
        (void)log, (void)l;                                                                        \
        return __VA_ARGS__;                                                                        \
    }

static char *put_unset(char *to) {
    *to++ = '-';
    return to;
}

/* Zeek writes times and intervals with six decimals. */
static char *put_microseconds(char *to, struct sl_time t) {
    char *end = sl_put_time(to, t);
    return end - 3;
}

static const struct sl_addr *address(const struct line *l, int end) {
    return end ? &l->f->dst : &l->f->src;
}

static char *put_address(const struct line *l, int end, char *to) {
    return to + sl_addr_text(address(l, end), to);
}

static char *put_bool(char *to, int is) {
    *to++ = is ? 'T' : 'F';
    return to;
}

/* In base 62, its least digit first, as Zeek has it. */
static char *put_base62(char *to, uint64_t n) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    do
        *to++ = digits[n % 62];
    while (n /= 62);
    return to;
}

/* FNV-1a with a seed. */
static uint64_t hash(uint64_t seed, const void *data, size_t size) {
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        seed = (seed ^ bytes[i]) * 0x100000001b3;
    return seed ^ seed >> 32;
}

/* 96 bits, as Zeek's. */
static char *put_uid(const struct sl_conn_log *log, const struct line *l, char *to) {
    const struct sl_flow *f = l->f;
    const uint64_t id[] = {(uint64_t)f->first.s, f->first.nsec, f->number64,
                           (uint64_t)f->proto << 32 | (uint64_t)f->sport << 16 | f->dport};
    uint64_t ends = hash(hash(0xcbf29ce484222325, &f->src, sizeof f->src), &f->dst, sizeof f->dst);

    (void)log;
    *to++ = 'C';
    to = put_base62(to, hash(ends, id, sizeof id) >> 32);
    return put_base62(to, hash(~ends, id, sizeof id));
}

static char *put_proto(const struct sl_conn_log *log, const struct line *l, char *to) {
    (void)log;
    switch (l->f->proto) {
    case TCP:
        return sl_put_text(to, "tcp");
    case UDP:
        return sl_put_text(to, "udp");
    case ICMP:
    case ICMPV6:
        return sl_put_text(to, "icmp");
    default:
        return sl_put_text(to, "unknown_transport");
    }
}

static char *put_service(const struct sl_conn_log *log, const struct line *l, char *to) {
    const char *name = sl_service_name(log->services, l->f->proto, l->resp_port);

    return name ? sl_put_text(to, name) : put_unset(to);
}

/* Zeek leaves duration and bytes unset where all packets have one time. */
static int lasts(const struct line *l) {
    return l->f->duration > 0;
}

static char *put_duration(const struct sl_conn_log *log, const struct line *l, char *to) {
    const struct sl_flow *f = l->f;
    int borrow = f->last.nsec < f->first.nsec;
    struct sl_time d = {f->last.s - f->first.s - borrow,
                        f->last.nsec + (borrow ? 1000000000u : 0) - f->first.nsec};

    (void)log;
    return lasts(l) ? put_microseconds(to, d) : put_unset(to);
}

/* Of ICMP what stands behind its header, IP options not known. */
static uint64_t payload(const struct line *l, int end) {
    const struct sl_flow *f = l->f;
    uint64_t header = ICMP_HEADER + (f->ip_version == 6 ? IPV6_HEADER : IPV4_HEADER);
    uint64_t headers = f->n_packets[end] * header;

    if (f->proto != ICMP && f->proto != ICMPV6)
        return f->n_stream[end];
    return f->n_ip_bytes[end] > headers ? f->n_ip_bytes[end] - headers : 0;
}

static char *put_payload(const struct line *l, int end, char *to) {
    return lasts(l) ? sl_put_u64(to, payload(l, end)) : put_unset(to);
}

static char *put_history(const struct sl_conn_log *log, const struct line *l, char *to) {
    (void)log;
    return *l->view.history ? sl_put_text(to, l->view.history) : put_unset(to);
}

COLUMN(ts, put_microseconds(to, l->f->first))
COLUMN(orig_h, put_address(l, l->orig, to))
COLUMN(orig_p, sl_put_u64(to, l->orig ? l->f->dport : l->f->sport))
COLUMN(resp_h, put_address(l, l->resp, to))
COLUMN(resp_p, sl_put_u64(to, l->resp_port))
COLUMN(orig_bytes, put_payload(l, l->orig, to))
COLUMN(resp_bytes, put_payload(l, l->resp, to))
COLUMN(conn_state, sl_put_text(to, sl_flow_state_name(l->view.conn_state)))
COLUMN(local_orig, put_bool(to, sl_zeek_is_local(address(l, l->orig))))
COLUMN(local_resp, put_bool(to, sl_zeek_is_local(address(l, l->resp))))
COLUMN(missed_bytes, sl_put_u64(to, l->view.missed))
COLUMN(orig_pkts, sl_put_u64(to, l->f->n_packets[l->orig]))
COLUMN(orig_ip_bytes, sl_put_u64(to, l->f->n_ip_bytes[l->orig]))
COLUMN(resp_pkts, sl_put_u64(to, l->f->n_packets[l->resp]))
COLUMN(resp_ip_bytes, sl_put_u64(to, l->f->n_ip_bytes[l->resp]))
COLUMN(tunnel_parents, put_unset(to))
COLUMN(ip_proto, sl_put_u64(to, l->f->proto))

static const struct column columns[] = {
    {"ts", "time", put_ts},
    {"uid", "string", put_uid},
    {"id.orig_h", "addr", put_orig_h},
    {"id.orig_p", "port", put_orig_p},
    {"id.resp_h", "addr", put_resp_h},
    {"id.resp_p", "port", put_resp_p},
    {"proto", "enum", put_proto},
    {"service", "string", put_service},
    {"duration", "interval", put_duration},
    {"orig_bytes", "count", put_orig_bytes},
    {"resp_bytes", "count", put_resp_bytes},
    {"conn_state", "string", put_conn_state},
    {"local_orig", "bool", put_local_orig},
    {"local_resp", "bool", put_local_resp},
    {"missed_bytes", "count", put_missed_bytes},
    {"history", "string", put_history},
    {"orig_pkts", "count", put_orig_pkts},
    {"orig_ip_bytes", "count", put_orig_ip_bytes},
    {"resp_pkts", "count", put_resp_pkts},
    {"resp_ip_bytes", "count", put_resp_ip_bytes},
    {"tunnel_parents", "set[string]", put_tunnel_parents},
    {"ip_proto", "count", put_ip_proto},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

/* #open and #close: in UTC, because the same bytes shall give the same log everywhere. */
static char *put_when(char *to, const char *what, int64_t s) {
    struct tm tm;
    time_t when = (time_t)s;

    to = sl_put_text(to, what);
    *to++ = '\t';
    if (gmtime_r(&when, &tm))
        to += strftime(to, 64, "%Y-%m-%d-%H-%M-%S", &tm);
    *to++ = '\n';
    return to;
}

static char *put_header(const struct sl_flow *first, char *to) {
    to = sl_put_text(to, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n"
                         "#unset_field\t-\n#path\tconn\n");
    if (first)
        to = put_when(to, "#open", first->first.s - (int64_t)floor(first->t));
    to = sl_put_text(to, "#fields");
    for (int i = 0; i < COLUMNS; i++) {
        *to++ = '\t';
        to = sl_put_text(to, columns[i].name);
    }
    to = sl_put_text(to, "\n#types");
    for (int i = 0; i < COLUMNS; i++) {
        *to++ = '\t';
        to = sl_put_text(to, columns[i].type);
    }
    *to++ = '\n';
    return to;
}

char *sl_conn_log_flow(struct sl_conn_log *log, const struct sl_flow *f, char *to) {
    struct line l = {.f = f};

    sl_zeek_see(f, &l.view);
    l.orig = l.view.swapped;
    l.resp = !l.orig;
    l.resp_port = l.resp ? f->dport : f->sport;
    if (!log->begun)
        to = put_header(f, to);
    if (!log->begun || log->latest.s < f->last.s)
        log->latest = f->last;
    log->begun = 1;
    for (int i = 0; i < COLUMNS; i++) {
        if (i)
            *to++ = '\t';
        to = columns[i].put(log, &l, to);
    }
    *to++ = '\n';
    return to;
}

char *sl_conn_log_end(struct sl_conn_log *log, char *to) {
    return log->begun ? put_when(to, "#close", log->latest.s) : put_header(NULL, to);
}
