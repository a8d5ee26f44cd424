#include "form.h"

#include <stdlib.h>
#include <string.h>

#include "../packet/decode.h"
#include "../packet/names.h"
#include "encode.h"
#include "format.h"

enum { BLOCK_STATISTICS = 5, BLOCK_SECRETS = 10, CUSTOM_PRIVATE = 0x40000bad };
enum { SECTION_LENGTH_AT = 16, SNAPLEN_MAX = 262144 };

struct out_iface {
    struct sl_interface iface;
    int copied; /* its packets may be copied, too: they are in this machine's byte order */
};

struct input {
    struct sl_form_input in;
    uint32_t *ifaces; /* of its section, by number there: numbers in form.ifaces */
    uint32_t n, room;
    int swap; /* of its section */
};

struct sl_form {
    enum { FORM_PCAP, FORM_PCAPNG, FORM_COPY } kind;
    struct input *inputs;
    uint32_t n_inputs;
    struct out_iface *ifaces; /* all that were met */
    uint32_t n_ifaces, room;
    struct sl_bytes head, loose;
    uint32_t section;
    int sealed, nsec; /* FORM_PCAP: the head is in use */
    uint16_t link_type;
    uint64_t cut_times;
};

static int out_of_memory(struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_USAGE, "out of memory for the capture that is written");
}

static int append(struct sl_bytes *b, const void *data, size_t n, struct sl_error *err) {
    if (b->room - b->n < n) {
        size_t room = 2 * b->room + n;
        uint8_t *grown = realloc(b->at, room);
        if (!grown)
            return out_of_memory(err);
        b->at = grown;
        b->room = room;
    }
    memcpy(b->at + b->n, data, n);
    b->n += n;
    return 0;
}

static int start_section(struct sl_form *f, struct sl_error *err) {
    uint8_t section[SL_PCAPNG_SECTION_BYTES];

    sl_pcapng_put_section(section);
    return append(&f->head, section, sizeof section, err);
}

struct sl_form *sl_form_new(int pcapng, const struct sl_form_input *inputs, uint32_t n,
                            struct sl_error *err) {
    struct sl_form *f = calloc(1, sizeof *f);

    if (!f || !(f->inputs = calloc(n, sizeof *f->inputs))) {
        free(f);
        out_of_memory(err);
        return NULL;
    }
    for (f->n_inputs = 0; f->n_inputs < n; f->n_inputs++)
        f->inputs[f->n_inputs].in = inputs[f->n_inputs];
    f->kind = !pcapng ? FORM_PCAP : n == 1 && inputs[0].pcapng ? FORM_COPY : FORM_PCAPNG;
    if (f->kind == FORM_PCAPNG && start_section(f, err) < 0) {
        sl_form_free(f);
        return NULL;
    }
    return f;
}

void sl_form_free(struct sl_form *f) {
    if (!f)
        return;
    for (uint32_t i = 0; i < f->n_inputs; i++)
        free(f->inputs[i].ifaces);
    free(f->inputs);
    free(f->ifaces);
    free(f->head.at);
    free(f->loose.at);
    free(f);
}

int sl_form_is_pcapng(const struct sl_form *f) {
    return f->kind != FORM_PCAP;
}

/* ---- blocks ---- */

/* The next block that stands before p in its input; without p, the next one of any input. */
static const struct sl_block *next_block(const struct sl_form *f, const struct sl_packet *p,
                                         uint32_t *of) {
    uint64_t before = p ? p->offset64 : UINT64_MAX;

    *of = p ? p->input : 0;
    if (p)
        return sl_blocks_before(f->inputs[p->input].in.blocks, before);
    for (; *of < f->n_inputs; ++*of) {
        const struct sl_block *b = sl_blocks_before(f->inputs[*of].in.blocks, before);
        if (b)
            return b;
    }
    return NULL;
}

int sl_form_write_first(const struct sl_form *f, const struct sl_packet *p) {
    uint32_t of;
    const struct sl_block *b = f->kind == FORM_COPY && f->section ? next_block(f, p, &of) : NULL;

    return b && (b->kind == SL_BLOCK_SECTION || (f->loose.n && b->kind == SL_BLOCK_INTERFACE));
}

/* Its length counts the bytes behind it, of which some will be missing: not specified. */
static int copy_section(struct sl_form *f, const struct sl_block *b, struct sl_error *err) {
    f->head.n = f->loose.n = 0;
    f->section++;
    if (append(&f->head, b->bytes, b->size, err) < 0)
        return -1;
    memset(f->head.at + SECTION_LENGTH_AT, 0xff, sizeof(uint64_t));
    return 0;
}

static int add_iface(struct sl_form *f, struct input *in, const struct sl_block *b,
                     struct sl_error *err) {
    if (in->n == in->room) {
        uint32_t room = in->room ? 2 * in->room : 4, *grown;
        if (!(grown = realloc(in->ifaces, room * sizeof *grown)))
            return out_of_memory(err);
        in->ifaces = grown;
        in->room = room;
    }
    if (f->n_ifaces == f->room) {
        uint32_t room = f->room ? 2 * f->room : 4;
        struct out_iface *grown = realloc(f->ifaces, room * sizeof *grown);
        if (!grown)
            return out_of_memory(err);
        f->ifaces = grown;
        f->room = room;
    }
    in->ifaces[in->n++] = f->n_ifaces;
    f->ifaces[f->n_ifaces++] = (struct out_iface){b->iface, b->size && !b->swap};
    return 0;
}

static int take_interface(struct sl_form *f, struct input *in, const struct sl_block *b,
                          struct sl_error *err) {
    uint8_t made[SL_PCAPNG_INTERFACE_BYTES];

    if (add_iface(f, in, b, err) < 0)
        return -1;
    if (f->kind == FORM_PCAP)
        return 0;
    if (f->kind == FORM_COPY || (b->size && !b->swap))
        return append(&f->head, b->bytes, b->size, err);
    return append(&f->head, made, sl_pcapng_put_interface(made, &b->iface), err);
}

/* Blocks that other readers need to understand packets stand in the head of every file. Statistics
 * of one input say nothing of several; private custom blocks are not to be copied. */
static int take_other(struct sl_form *f, const struct sl_block *b, struct sl_error *err) {
    uint32_t type = sl_load32(b->bytes, b->swap);

    if (type == CUSTOM_PRIVATE || f->kind == FORM_PCAP || (f->kind == FORM_PCAPNG && b->swap) ||
        (f->kind == FORM_PCAPNG && type == BLOCK_STATISTICS))
        return 0;
    return append(type == BLOCK_SECRETS ? &f->head : &f->loose, b->bytes, b->size, err);
}

int sl_form_take(struct sl_form *f, const struct sl_packet *p, struct sl_error *err) {
    uint32_t of;
    const struct sl_block *b = next_block(f, p, &of);
    int result;

    if (!b)
        return 0;
    struct input *in = &f->inputs[of];
    switch (b->kind) {
    case SL_BLOCK_SECTION:
        in->swap = b->swap;
        in->n = 0;
        result = f->kind == FORM_COPY ? copy_section(f, b, err) : 0;
        break;
    case SL_BLOCK_INTERFACE:
        result = take_interface(f, in, b, err);
        break;
    default:
        result = take_other(f, b, err);
    }
    sl_blocks_drop(in->in.blocks);
    return result < 0 ? -1 : 1;
}

/* ---- the head ---- */

/* Whether a pcap of microseconds would cut this interface's time stamps. */
static int finer_than_us(const struct sl_interface *i) {
    return !i->ticks_per_s || 1000000 % i->ticks_per_s;
}

/* The header of a pcap is made when the first packet or the end shows what it must hold. */
static int seal(struct sl_form *f, const struct sl_packet *p, struct sl_error *err) {
    struct sl_interface first = {.link_type = SL_LINK_ETHERNET};
    uint8_t header[SL_PCAP_HEADER_BYTES];

    for (uint32_t i = f->n_ifaces; i-- > 0;) {
        f->nsec |= finer_than_us(&f->ifaces[i].iface);
        if (!p || (uint16_t)f->ifaces[i].iface.link_type == p->link_type)
            first = f->ifaces[i].iface;
    }
    if (!first.snaplen || first.snaplen > SNAPLEN_MAX)
        first.snaplen = SNAPLEN_MAX;
    f->link_type = (uint16_t)first.link_type;
    f->sealed = 1;
    sl_pcap_put_header(header, &first, f->nsec);
    return append(&f->head, header, sizeof header, err);
}

const struct sl_bytes *sl_form_head(struct sl_form *f, const struct sl_packet *p,
                                    struct sl_error *err) {
    if (f->kind == FORM_PCAP && !f->sealed && seal(f, p, err) < 0)
        return NULL;
    /* The input was damaged before its first section was read: what is written is still a capture.
     */
    if (f->kind == FORM_COPY && !f->head.n && start_section(f, err) < 0)
        return NULL;
    return &f->head;
}

uint32_t sl_form_section(const struct sl_form *f) {
    return f->section;
}

struct sl_bytes *sl_form_loose(struct sl_form *f) {
    return &f->loose;
}

/* ---- packets ---- */

static const char *link_name(uint32_t link_type) {
    const char *name = sl_link_name(link_type);

    return name ? name : "unnamed";
}

static int pcap_packet(struct sl_form *f, const struct sl_packet *p, struct sl_piece *piece,
                       struct sl_error *err) {
    if (p->link_type != f->link_type)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "-w: packet %llu has link type %s (%u), those before it %s (%u), and a "
                            "pcap holds one: write a .pcapng, or choose packets with -f or -Y",
                            (unsigned long long)p->number64, link_name(p->link_type), p->link_type,
                            link_name(f->link_type), f->link_type);
    if (p->ts.s < 0 || p->ts.s > UINT32_MAX)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "-w: packet %llu has a time that no pcap can hold: write a .pcapng",
                            (unsigned long long)p->number64);
    f->cut_times += !f->nsec && p->ts.nsec % 1000;
    sl_pcap_put_record(piece->head, p, f->nsec);
    piece->n_head = SL_PCAP_RECORD_BYTES;
    piece->body = p->data;
    piece->n_body = p->caplen;
    piece->n_tail = 0;
    return 0;
}

static void copied_packet(const struct input *in, const struct sl_packet *p,
                          struct sl_piece *piece) {
    uint32_t size;

    piece->body = sl_pcapng_packet_block(p, in->swap, &size);
    piece->n_body = size;
    piece->n_head = piece->n_tail = 0;
}

static void pcapng_packet(const struct sl_form *f, const struct input *in,
                          const struct sl_packet *p, struct sl_piece *piece) {
    uint32_t number = in->ifaces[p->iface], size;
    const struct out_iface *o = &f->ifaces[number];

    if (o->copied && !p->no_time) {
        const uint8_t *block = sl_pcapng_packet_block(p, in->swap, &size);
        if (sl_pcapng_is_enhanced(block)) {
            sl_pcapng_put_renumbered(piece->head, block, number);
            piece->n_head = SL_PCAPNG_RENUMBERED_BYTES;
            piece->body = block + piece->n_head;
            piece->n_body = size - piece->n_head;
            piece->n_tail = 0;
            return;
        }
    }
    sl_pcapng_put_packet(piece->head, p, number, &o->iface);
    piece->n_head = SL_PCAPNG_PACKET_BYTES;
    piece->body = p->data;
    piece->n_body = p->caplen;
    piece->n_tail = sl_pcapng_put_tail(piece->tail, p->caplen);
}

int sl_form_packet(struct sl_form *f, const struct sl_packet *p, struct sl_piece *piece,
                   struct sl_error *err) {
    const struct input *in = &f->inputs[p->input];

    if (p->iface >= in->n) /* the input was entered behind the description of its interfaces */
        return sl_error_set(err, SL_EXIT_USAGE,
                            "-w: packet %llu: its interface is not known, read from the start",
                            (unsigned long long)p->number64);
    if (f->kind == FORM_PCAP)
        return pcap_packet(f, p, piece, err);
    if (f->kind == FORM_COPY)
        copied_packet(in, p, piece);
    else
        pcapng_packet(f, in, p, piece);
    return 0;
}

uint64_t sl_form_cut_times(const struct sl_form *f) {
    return f->cut_times;
}
