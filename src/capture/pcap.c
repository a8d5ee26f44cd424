/* pcap files: draft-ietf-opsawg-pcap, and the variants that libpcap's sf-pcap.c reads: nanoseconds,
 * the modified format of Alexey Kuznetzov's patches (24-byte record headers), lengths swapped in
 * versions before 2.3. */
#include "format.h"

#include <stdlib.h>

enum { FILE_HEADER = 24, RECORD_HEADER = 16, MODIFIED_RECORD_HEADER = 24 };
enum { /* of what pcap_look takes for a record */
       WIRE_MAX = 1 << 20,
       STEP_MAX_S = 86400,     /* from the record before */
       REACH_MAX_S = 315576000 /* ten years: from what the capture has elsewhere */
};
enum lengths { LENGTHS_PLAIN, LENGTHS_SWAPPED, LENGTHS_MAYBE_SWAPPED };

struct pcap {
    int swap;
    enum lengths lengths;
    uint32_t record_header;
    uint32_t nsec_per_tick;
    uint16_t link_type;
    int timed;           /* last is known */
    struct sl_time last; /* of the packet before */
    uint32_t network;    /* the header's field: link type and flags */
    uint32_t snaplen;
};

/* A fraction of a second and more in the sub-second field is real in the wild: it is carried. */
static struct sl_time time_of(uint32_t s, uint32_t ticks, uint32_t nsec_per_tick) {
    uint64_t nsec = (uint64_t)ticks * nsec_per_tick;
    struct sl_time t = {.s = s, .nsec = (uint32_t)nsec};

    if (__builtin_expect(nsec >= 1000000000, 0)) {
        t.s += (int64_t)(nsec / 1000000000);
        t.nsec = (uint32_t)(nsec % 1000000000);
    }
    return t;
}

static inline void get_lengths(const struct pcap *f, const uint8_t *h, uint32_t *caplen,
                               uint32_t *len) {
    uint32_t a = sl_load32(h + 8, f->swap), b = sl_load32(h + 12, f->swap);
    int swapped = f->lengths == LENGTHS_SWAPPED || (f->lengths == LENGTHS_MAYBE_SWAPPED && a > b);

    *caplen = swapped ? b : a;
    *len = swapped ? a : b;
}

static int too_long(const struct sl_reader *r, uint32_t caplen, struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_INPUT,
                        "%s: damaged at byte %llu: a record header says %u captured bytes, "
                        "more than %d; packets read before it: %llu",
                        r->buffer.source->name, (unsigned long long)r->buffer.offset, caplen,
                        SL_MAX_CAPLEN, (unsigned long long)r->packets);
}

/* f: a copy, which no store to a packet can change. Returns how many packets; *next: behind them.
 */
static inline __attribute__((always_inline)) uint32_t parse(struct sl_reader *r,
                                                            const struct pcap f,
                                                            struct sl_packet *packets, uint32_t max,
                                                            const uint8_t **next) {
    const uint8_t *start = sl_buffer_at(&r->buffer), *h = start;
    const uint8_t *end = start + sl_buffer_size(&r->buffer);
    const uint64_t offset = r->buffer.offset;
    const uint64_t left = offset < r->limit ? r->limit - offset : 0;
    uint64_t number = r->packets;
    uint32_t n = 0, caplen, len;

    r->want = f.record_header;
    for (; n < max && (uint64_t)(h - start) < left; n++) {
        struct sl_packet *p = &packets[n];

        if ((size_t)(end - h) < f.record_header)
            break;
        get_lengths(&f, h, &caplen, &len);
        if (__builtin_expect(caplen > SL_MAX_CAPLEN, 0))
            break;
        if ((size_t)(end - h) < f.record_header + caplen) {
            r->want = f.record_header + caplen;
            break;
        }
        p->data = h + f.record_header;
        p->number64 = ++number;
        p->offset64 = offset + (uint64_t)(h - start);
        p->ts = time_of(sl_load32(h, f.swap), sl_load32(h + 4, f.swap), f.nsec_per_tick);
        p->caplen = caplen;
        p->len = len;
        p->link_type = f.link_type;
        p->iface = p->input = 0;
        p->no_time = 0;
        h += f.record_header + caplen;
    }
    *next = h;
    return n;
}

/* What is damaged at the front, if anything is. */
static int check_lengths(const struct sl_reader *r, const struct pcap *f, struct sl_error *err) {
    uint32_t caplen, len;

    if (sl_reader_at_limit(r) || sl_buffer_size(&r->buffer) < f->record_header)
        return 0;
    get_lengths(f, sl_buffer_at(&r->buffer), &caplen, &len);
    return caplen > SL_MAX_CAPLEN ? too_long(r, caplen, err) : 0;
}

static int pcap_parse(struct sl_reader *r, struct sl_packet *packets, uint32_t max,
                      struct sl_error *err) {
    struct pcap *f = r->state, plain = *f;
    const uint8_t *next;
    uint32_t n;

    plain.swap = 0; /* what nearly all files are, with code of its own */
    plain.lengths = LENGTHS_PLAIN;
    plain.record_header = RECORD_HEADER;
    if (!f->swap && f->lengths == LENGTHS_PLAIN && f->record_header == RECORD_HEADER)
        n = parse(r, plain, packets, max, &next);
    else
        n = parse(r, *f, packets, max, &next);
    sl_buffer_consume(&r->buffer, (size_t)(next - sl_buffer_at(&r->buffer)));
    if (!n)
        return check_lengths(r, f, err);
    f->last = packets[n - 1].ts;
    f->timed = 1;
    return (int)n;
}

static struct sl_time stamp_of(const struct pcap *f, const uint8_t *h) {
    return time_of(sl_load32(h, f->swap), sl_load32(h + 4, f->swap), f->nsec_per_tick);
}

static uint32_t pcap_pass(struct sl_reader *r, uint64_t until, struct sl_time *first) {
    struct pcap *f = r->state;
    const struct pcap known = *f;
    const uint8_t *start = sl_buffer_at(&r->buffer), *h = start, *last = start;
    uint64_t offset = r->buffer.offset, reach = offset < r->limit ? r->limit - offset : 0;
    size_t left = sl_buffer_size(&r->buffer);
    uint32_t n = 0, caplen, len;

    left = left < until - offset ? left : (size_t)(until - offset);
    for (; (uint64_t)(h - start) < reach && left >= known.record_header; n++) {
        get_lengths(&known, h, &caplen, &len);
        size_t size = (size_t)known.record_header + caplen;
        if (caplen > SL_MAX_CAPLEN || left < size)
            break;
        last = h;
        h += size;
        left -= size;
    }
    if (n) {
        *first = stamp_of(f, start);
        f->last = stamp_of(f, last);
        f->timed = 1;
    }
    sl_buffer_consume(&r->buffer, (size_t)(h - start));
    return n;
}

/* Refuses what no capture program writes. What some do write, but seldom, is weak: packets without
 * a byte, longer captured than on the wire, huge ones, and times far from the record before; of the
 * first records also those far from what the capture has elsewhere. (Headers read from 4 bytes
 * behind their begin make a chain as well: their seconds are microseconds, a time in 1970.) */
static int64_t pcap_look(struct sl_chain *c, const uint8_t *h, size_t n) {
    const struct pcap *f = c->state;
    uint32_t caplen, len;

    if (n < f->record_header)
        return SL_LOOK_SHORT;
    get_lengths(f, h, &caplen, &len);
    if (caplen > SL_MAX_CAPLEN || sl_load32(h + 4, f->swap) >= 1000000000 / f->nsec_per_tick)
        return 0;
    int64_t s = sl_load32(h, f->swap);
    c->weak = !caplen || caplen > len || len > WIRE_MAX ||
              (c->records && llabs(s - c->s) > STEP_MAX_S) ||
              (c->records < 2 && c->timely && f->timed && llabs(s - f->last.s) > REACH_MAX_S);
    c->records++;
    c->s = s;
    return (int64_t)f->record_header + caplen;
}

static void *pcap_copy(const void *state) {
    struct pcap *f = malloc(sizeof *f);

    if (f)
        *f = *(const struct pcap *)state;
    return f;
}

static int pcap_equal(const void *a, const void *b) {
    const struct pcap *x = a, *y = b;

    return x->swap == y->swap && x->lengths == y->lengths && x->record_header == y->record_header &&
           x->nsec_per_tick == y->nsec_per_tick && x->link_type == y->link_type;
}

static uint32_t pcap_sum(const void *state) {
    const struct pcap *f = state;
    uint32_t words[] = {(uint32_t)f->swap, (uint32_t)f->lengths, f->record_header, f->nsec_per_tick,
                        f->link_type};

    return sl_crc32((const char *)words, sizeof words);
}

static struct sl_time pcap_last(const void *state) {
    (void)state;
    return (struct sl_time){0}; /* no packet of a pcap file needs it */
}

static void pcap_describe(const void *state, struct sl_interface *iface) {
    const struct pcap *f = state;
    int nsec = f->nsec_per_tick == 1;

    *iface = (struct sl_interface){.link_type = f->network,
                                   .snaplen = f->snaplen,
                                   .ticks_per_s = nsec ? 1000000000 : 1000000,
                                   .tsresol = nsec ? 9 : 6};
}

static const struct sl_format pcap_format = {"pcap",    1,         pcap_parse,   pcap_pass,
                                             pcap_look, pcap_copy, pcap_equal,   pcap_sum,
                                             pcap_last, free,      pcap_describe};

static int set_version(struct pcap *f, const struct sl_reader *r, const uint8_t *h,
                       struct sl_error *err) {
    unsigned major = sl_load16(h + 4, f->swap), minor = sl_load16(h + 6, f->swap);

    if (major == 543 && minor == 0) { /* DG/UX tcpdump, as libpcap reads it */
        f->lengths = LENGTHS_SWAPPED;
        return 0;
    }
    if (major != 2)
        return sl_error_set(
            err, SL_EXIT_INPUT,
            "%s: pcap file version %u.%u at byte 4 is not supported (2.x is); it is "
            "too old, too new or damaged",
            r->buffer.source->name, major, minor);
    f->lengths = minor < 3 ? LENGTHS_SWAPPED : minor == 3 ? LENGTHS_MAYBE_SWAPPED : LENGTHS_PLAIN;
    return 0;
}

int sl_pcap_open(struct sl_reader *r, struct sl_error *err) {
    if (sl_buffer_more(&r->buffer, FILE_HEADER, -1, err) == SL_MORE_ERROR)
        return -1;
    if (sl_buffer_size(&r->buffer) < FILE_HEADER)
        return sl_error_set(err, SL_EXIT_INPUT,
                            "%s: the file ends at byte %zu, inside the pcap file header",
                            r->buffer.source->name, sl_buffer_size(&r->buffer));
    struct pcap *f = calloc(1, sizeof *f);
    if (!f)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", r->buffer.source->name);
    r->format = &pcap_format;
    r->state = f;

    const uint8_t *h = sl_buffer_at(&r->buffer);
    uint32_t magic = sl_load32(h, 0);
    f->swap = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1 || magic == 0x34cdb2a1;
    if (f->swap)
        magic = __builtin_bswap32(magic);
    f->nsec_per_tick = magic == 0xa1b23c4d ? 1 : 1000;
    f->record_header = magic == 0xa1b2cd34 ? MODIFIED_RECORD_HEADER : RECORD_HEADER;
    /* The upper bits hold flags (frame check sequence length and others). */
    f->network = sl_load32(h + 20, f->swap);
    f->link_type = (uint16_t)f->network;
    f->snaplen = sl_load32(h + 16, f->swap);
    if (set_version(f, r, h, err) < 0)
        return -1;
    sl_buffer_consume(&r->buffer, FILE_HEADER);
    return 0;
}
