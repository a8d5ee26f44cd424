/* pcapng files: draft-ietf-opsawg-pcapng. Sections may differ in byte order; interfaces are counted
 * from 0 in each section. Blocks that hold neither packets nor interfaces are passed over. */
#include "format.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete, still met */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    BLOCK_HEAD = 8, /* type and total length */
    BLOCK_TAIL = 4, /* total length again */
    BLOCK_MIN = 12,
    PACKET_HEAD = 20,             /* of a packet block's body, before the packet's bytes */
    BLOCK_MAX = 16 * 1024 * 1024, /* of a block whose content is read */
    INTERFACES_MAX = 65536,
    OPTION_END = 0,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14
};

static const int64_t TIME_MAX_S = (int64_t)1 << 60;

struct iface {
    uint64_t ticks_per_s; /* 0: finer than uint64 holds */
    int64_t offset_s;
    uint32_t snaplen; /* 0: no limit */
    uint16_t link_type;
    uint8_t tsresol;
};

struct pcapng {
    int swap;
    struct iface *ifaces;
    uint32_t n_ifaces, room;
    struct sl_time last; /* of the packet before, for packets without time */
};

static int damaged(const struct sl_reader *r, struct sl_error *err, const char *what) {
    return sl_error_set(err, SL_EXIT_INPUT,
                        "%s: damaged at byte %llu: %s; packets read before it: %llu",
                        r->buffer.source->name, (unsigned long long)r->buffer.offset, what,
                        (unsigned long long)r->packets);
}

/* What is wrong with an interface, unless its description may have been passed over. */
static int unknown(struct sl_reader *r, struct sl_error *err, const char *what) {
    r->unknown = r->passed_over;
    return damaged(r, err, what);
}

/* Fractions of a nanosecond are cut off. */
static struct sl_time time_of(const struct iface *f, uint64_t ticks) {
    struct sl_time t = {0};

    if (f->ticks_per_s == 1000000) {
        t.s = (int64_t)(ticks / 1000000);
        t.nsec = (uint32_t)(ticks % 1000000) * 1000;
    } else if (f->ticks_per_s == 1000000000) {
        t.s = (int64_t)(ticks / 1000000000);
        t.nsec = (uint32_t)(ticks % 1000000000);
    } else if (f->ticks_per_s) {
        uint64_t rest = ticks % f->ticks_per_s;
        t.s = (int64_t)(ticks / f->ticks_per_s);
        t.nsec = (uint32_t)((unsigned __int128)rest * 1000000000 / f->ticks_per_s);
    }
    /* Hostile offsets must not let later sums of times overflow. */
    if (__builtin_add_overflow(t.s, f->offset_s, &t.s) || t.s > TIME_MAX_S || t.s < -TIME_MAX_S)
        t.s = f->offset_s < 0 ? -TIME_MAX_S : TIME_MAX_S;
    return t;
}

/* if_tsresol: the top bit chooses 2^-n instead of 10^-n. */
static uint64_t ticks_per_second(uint8_t resol) {
    unsigned power = resol & 0x7f;
    uint64_t ticks = 1;

    if (resol & 0x80)
        return power < 64 ? (uint64_t)1 << power : 0;
    if (power > 19)
        return 0;
    while (power--)
        ticks *= 10;
    return ticks;
}

/* Walks the options in [p, end) and takes what an interface (f may be NULL) needs. An option that
 * leaves its block is damage: nothing behind it can be trusted. */
static int read_options(const struct sl_reader *r, const uint8_t *p, const uint8_t *end,
                        struct iface *f, struct sl_error *err) {
    const struct pcapng *g = r->state;

    while (end - p >= 4) {
        unsigned code = sl_load16(p, g->swap), size = sl_load16(p + 2, g->swap);
        size_t padded = ((size_t)size + 3) & ~(size_t)3;

        p += 4;
        if (code == OPTION_END)
            break;
        if ((size_t)(end - p) < padded)
            return damaged(r, err, "an option is longer than its block");
        if (f && code == OPTION_TSRESOL && size >= 1)
            f->ticks_per_s = ticks_per_second(f->tsresol = p[0]);
        if (f && code == OPTION_TSOFFSET && size >= 8)
            f->offset_s = (int64_t)sl_load64(p, g->swap);
        p += padded;
    }
    return 0;
}

/* body: behind the block's head; size: of the body. These take a whole block each. */
static int section(struct sl_reader *r, const uint8_t *body, size_t size, struct sl_error *err) {
    struct pcapng *g = r->state;

    if (size < 16)
        return damaged(r, err, "a section header block is too short");
    if (sl_load16(body + 4, g->swap) != 1)
        return damaged(r, err, "this version of pcapng is not supported (1.x is)");
    g->n_ifaces = 0;
    r->passed_over = 0;
    return read_options(r, body + 16, body + size, NULL, err);
}

static int interface(struct sl_reader *r, const uint8_t *body, size_t size, struct sl_error *err) {
    struct pcapng *g = r->state;

    if (r->passed_over)
        return unknown(r, err, "an interface is described whose number is not known");
    if (size < 8)
        return damaged(r, err, "an interface description block is too short");
    if (g->n_ifaces == INTERFACES_MAX)
        return damaged(r, err, "more than 65536 interfaces in a section");
    if (g->n_ifaces == g->room) {
        uint32_t room = g->room ? 2 * g->room : 8;
        struct iface *grown = realloc(g->ifaces, room * sizeof *grown);
        if (!grown)
            return damaged(r, err, "out of memory for its interfaces");
        g->ifaces = grown;
        g->room = room;
    }
    struct iface f = {.ticks_per_s = 1000000,
                      .tsresol = 6,
                      .link_type = sl_load16(body, g->swap),
                      .snaplen = sl_load32(body + 4, g->swap)};
    if (read_options(r, body + 8, body + size, &f, err) < 0)
        return -1;
    g->ifaces[g->n_ifaces++] = f;
    return 0;
}

/* Packet blocks end here: what they have in common is checked and put down. */
static int put_packet(struct sl_reader *r, struct sl_packet *p, uint32_t iface, const uint8_t *data,
                      size_t room, uint32_t caplen, uint32_t len, struct sl_error *err) {
    const struct pcapng *g = r->state;

    if (iface >= g->n_ifaces)
        return unknown(r, err, "a packet of an interface that was not described");
    if (caplen > room)
        return damaged(r, err, "a packet is longer than its block");
    if (caplen > SL_MAX_CAPLEN)
        return damaged(r, err, "a packet of more than 262144 captured bytes");
    p->data = data;
    p->offset64 = r->buffer.offset;
    p->caplen = caplen;
    p->len = len;
    p->iface = (uint16_t)iface;
    p->input = 0;
    p->link_type = g->ifaces[iface].link_type;
    return 1;
}

/* Enhanced packet blocks and obsolete packet blocks differ only in how they name the interface. */
static int timed(struct sl_reader *r, const uint8_t *body, size_t size, uint32_t iface,
                 struct sl_packet *p, struct sl_error *err) {
    struct pcapng *g = r->state;

    if (put_packet(r, p, iface, body + PACKET_HEAD, size - PACKET_HEAD,
                   sl_load32(body + 12, g->swap), sl_load32(body + 16, g->swap), err) < 0)
        return -1;
    uint64_t high = sl_load32(body + 4, g->swap), low = sl_load32(body + 8, g->swap);
    p->ts = g->last = time_of(&g->ifaces[p->iface], high << 32 | low);
    p->no_time = 0;
    return 1;
}

/* A simple packet block has no captured length: the interface's snap length tells it. */
static int simple(struct sl_reader *r, const uint8_t *body, size_t size, struct sl_packet *p,
                  struct sl_error *err) {
    const struct pcapng *g = r->state;

    if (size < 4)
        return damaged(r, err, "a simple packet block is too short");
    uint32_t len = sl_load32(body, g->swap), caplen = len;
    if (g->n_ifaces && g->ifaces[0].snaplen && caplen > g->ifaces[0].snaplen)
        caplen = g->ifaces[0].snaplen;
    if (put_packet(r, p, 0, body + 4, size - 4, caplen, len, err) < 0)
        return -1;
    p->ts = g->last;
    p->no_time = 1;
    r->stats.without_time++;
    return 1;
}

/* Looks at the head of the block in the window, sets its type and total length, and where a new
 * section begins the byte order. 0: wants more bytes; 1: known. */
static int read_head(struct sl_reader *r, uint32_t *type, uint32_t *total, struct sl_error *err) {
    struct pcapng *g = r->state;
    const uint8_t *h = sl_buffer_at(&r->buffer);

    r->want = BLOCK_MIN;
    if (sl_buffer_size(&r->buffer) < BLOCK_MIN)
        return 0;
    *type = sl_load32(h, g->swap);
    if (*type == BLOCK_SECTION) { /* a palindrome: the same in both byte orders */
        if (sl_load32(h + 8, 0) == BYTE_ORDER_MAGIC)
            g->swap = 0;
        else if (sl_load32(h + 8, 1) == BYTE_ORDER_MAGIC)
            g->swap = 1;
        else
            return damaged(r, err, "a section header without the byte-order magic");
    }
    *total = sl_load32(h + 4, g->swap);
    if (*total < BLOCK_MIN || *total % 4)
        return damaged(r, err, "a block length that cannot be");
    return 1;
}

/* Queues a block without packets, if somebody writes the capture on. */
static int keep(const struct sl_reader *r, enum sl_block_kind kind, const uint8_t *bytes,
                uint32_t size, struct sl_error *err) {
    const struct pcapng *g = r->state;
    struct sl_block block = {r->buffer.offset, kind, g->swap, {0}, size, bytes};

    if (!r->blocks || (kind == SL_BLOCK_OTHER && r->buffer.offset < r->queued))
        return 0;
    if (kind == SL_BLOCK_INTERFACE) {
        const struct iface *f = &g->ifaces[g->n_ifaces - 1];
        block.iface = (struct sl_interface){f->link_type, f->snaplen, f->ticks_per_s, f->offset_s,
                                            f->tsresol};
    }
    return sl_blocks_add(r->blocks, &block, err);
}

const uint8_t *sl_pcapng_packet_block(const struct sl_packet *p, int swap, uint32_t *size) {
    /* Only simple packet blocks hold no time; their data stands behind the wire length. */
    const uint8_t *block = p->data - BLOCK_HEAD - (p->no_time ? 4 : PACKET_HEAD);

    *size = sl_load32(block + 4, swap);
    return block;
}

static int block(struct sl_reader *r, uint32_t type, uint32_t total, struct sl_packet *p,
                 struct sl_error *err) {
    const uint8_t *h = sl_buffer_at(&r->buffer), *body = h + BLOCK_HEAD;
    const struct pcapng *g = r->state;
    size_t size = total - BLOCK_MIN;

    if (sl_load32(h + total - BLOCK_TAIL, g->swap) != total)
        return damaged(r, err, "the two lengths of a block differ");
    switch (type) {
    case BLOCK_ENHANCED:
    case BLOCK_PACKET:
        if (size < PACKET_HEAD)
            return damaged(r, err, "a packet block is too short");
        return timed(r, body, size,
                     type == BLOCK_PACKET ? sl_load16(body, g->swap) : sl_load32(body, g->swap), p,
                     err);
    case BLOCK_SIMPLE:
        return simple(r, body, size, p, err);
    case BLOCK_SECTION:
        if (section(r, body, size, err) < 0)
            return -1;
        return keep(r, SL_BLOCK_SECTION, h, total, err);
    case BLOCK_INTERFACE:
        if (interface(r, body, size, err) < 0)
            return -1;
        return keep(r, SL_BLOCK_INTERFACE, h, total, err);
    default:
        r->stats.other_blocks++;
        return keep(r, SL_BLOCK_OTHER, h, total, err);
    }
}

static int has_content(uint32_t type) {
    return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET ||
           type == BLOCK_SECTION || type == BLOCK_INTERFACE;
}

/* Up to this size a block without content is taken into the window. */
static uint32_t largest_passing(const struct sl_reader *r) {
    return r->blocks ? BLOCK_MAX : SL_BUFFER_READ_BYTES;
}

static int pcapng_parse(struct sl_reader *r, struct sl_packet *packets, uint32_t max,
                        struct sl_error *err) {
    uint32_t n = 0, type = 0, total = 0;

    while (n < max && !sl_reader_at_limit(r)) {
        int head = read_head(r, &type, &total, err);

        if (head <= 0)
            return n ? (int)n : head;
        if (total > BLOCK_MAX && has_content(type))
            return n ? (int)n : damaged(r, err, "a block of more than 16 MiB");
        if (total > largest_passing(r) && !has_content(type)) { /* not worth holding */
            if (!n) {
                r->stats.other_blocks++;
                r->skip = total;
                r->record = r->buffer.offset; /* fetch does not look while it skips */
            }
            break;
        }
        r->want = total;
        if (sl_buffer_size(&r->buffer) < total)
            break;
        int got = block(r, type, total, &packets[n], err);
        if (got < 0)
            return n ? (int)n : -1;
        if (got) {
            packets[n].number64 = r->packets + n + 1;
            n++;
        }
        sl_buffer_consume(&r->buffer, total);
    }
    return (int)n;
}

/* The content of a block that ends as its head says. 0: it cannot be. */
static int look_inside(struct sl_chain *c, uint32_t type, const uint8_t *body, size_t size) {
    c->weak = 0;
    switch (type) {
    case BLOCK_ENHANCED:
    case BLOCK_PACKET:
        if (size < PACKET_HEAD || sl_load32(body + 12, c->swap) > size - PACKET_HEAD)
            return 0;
        c->weak = (type == BLOCK_PACKET ? sl_load16(body, c->swap) : sl_load32(body, c->swap)) >=
                  c->n_ifaces;
        return 1;
    case BLOCK_SIMPLE:
        c->weak = !c->n_ifaces;
        return size >= 4;
    case BLOCK_SECTION:
        c->n_ifaces = 0;
        return size >= 16;
    case BLOCK_INTERFACE:
        c->n_ifaces++;
        return size >= 8;
    case 4:          /* name resolution */
    case 5:          /* interface statistics */
    case 9:          /* systemd journal export */
    case 10:         /* decryption secrets */
    case 0xbad:      /* custom, to be copied */
    case 0x40000bad: /* custom, not to be copied */
        return 1;
    default:
        c->weak = 1;
        return 1;
    }
}

/* Both lengths of a block must agree, so times need not be looked at. */
static int64_t pcapng_look(struct sl_chain *c, const uint8_t *h, size_t n) {
    const struct pcapng *g = c->state;

    if (!c->records) {
        c->swap = g->swap;
        c->n_ifaces = g->n_ifaces;
    }
    if (n < BLOCK_MIN)
        return SL_LOOK_SHORT;
    uint32_t type = sl_load32(h, c->swap);
    if (type == BLOCK_SECTION && sl_load32(h + 8, c->swap) != BYTE_ORDER_MAGIC) {
        c->swap = !c->swap;
        if (sl_load32(h + 8, c->swap) != BYTE_ORDER_MAGIC)
            return 0;
    }
    uint32_t total = sl_load32(h + 4, c->swap);
    if (total < BLOCK_MIN || total % 4 || total > SL_LOOK_MAX_BYTES)
        return 0;
    if (total > n)
        return SL_LOOK_SHORT;
    if (sl_load32(h + total - BLOCK_TAIL, c->swap) != total ||
        !look_inside(c, type, h + BLOCK_HEAD, total - BLOCK_MIN))
        return 0;
    c->records++;
    return total;
}

static void *pcapng_copy(const void *state) {
    const struct pcapng *from = state;
    struct pcapng *g = malloc(sizeof *g);

    if (!g)
        return NULL;
    *g = *from;
    g->room = from->n_ifaces ? from->n_ifaces : 1;
    if (!(g->ifaces = calloc(g->room, sizeof *g->ifaces))) {
        free(g);
        return NULL;
    }
    if (from->n_ifaces)
        memcpy(g->ifaces, from->ifaces, from->n_ifaces * sizeof *g->ifaces);
    return g;
}

static int pcapng_equal(const void *a, const void *b) {
    const struct pcapng *x = a, *y = b;

    if (x->swap != y->swap || x->n_ifaces != y->n_ifaces)
        return 0;
    for (uint32_t i = 0; i < x->n_ifaces; i++) {
        const struct iface *f = &x->ifaces[i], *g = &y->ifaces[i];
        if (f->ticks_per_s != g->ticks_per_s || f->offset_s != g->offset_s ||
            f->snaplen != g->snaplen || f->link_type != g->link_type)
            return 0;
    }
    return 1;
}

static uint32_t pcapng_sum(const void *state) {
    const struct pcapng *g = state;
    uint64_t words[5] = {(uint64_t)g->swap, g->n_ifaces};
    uint32_t sum = sl_crc32((const char *)words, sizeof words);

    for (uint32_t i = 0; i < g->n_ifaces; i++) {
        const struct iface *f = &g->ifaces[i];
        words[0] = f->ticks_per_s;
        words[1] = (uint64_t)f->offset_s;
        words[2] = f->snaplen;
        words[3] = f->link_type;
        words[4] = sum;
        sum = sl_crc32((const char *)words, sizeof words);
    }
    return sum;
}

static struct sl_time pcapng_last(const void *state) {
    return ((const struct pcapng *)state)->last;
}

static void pcapng_free(void *state) {
    struct pcapng *g = state;

    if (g)
        free(g->ifaces);
    free(g);
}

static const struct sl_format pcapng_format = {"pcapng",    4,           pcapng_parse, NULL,
                                               pcapng_look, pcapng_copy, pcapng_equal, pcapng_sum,
                                               pcapng_last, pcapng_free, NULL};

int sl_pcapng_open(struct sl_reader *r, struct sl_error *err) {
    struct pcapng *g = calloc(1, sizeof *g);

    if (!g)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", r->buffer.source->name);
    r->state = g;
    r->format = &pcapng_format;
    return 0;
}
