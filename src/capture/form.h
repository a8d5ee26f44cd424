/* The form in which packets are written: pcap or pcapng, and of what. It turns the blocks and
 * packets of the inputs into bytes, and knows nothing of files.
 *
 *   pcapng of one pcapng   sections, interfaces and packets are copied as they lie, with their byte
 *                          order, comments and time resolution
 *   pcapng of all else     one section; interfaces and packets are written anew, or copied with the
 *                          number of their interface changed where they are in this machine's order
 *   pcap                   one link type; nanoseconds where an interface has them
 *
 * A file begins with the form's head so far (header, or section and interfaces), and gets what is
 * added to the head before its next packet; a new section is a new head.
 */
#ifndef SL_CAPTURE_FORM_H
#define SL_CAPTURE_FORM_H

#include "blocks.h"

struct sl_form;

struct sl_form_input {
    struct sl_blocks *blocks;
    int pcapng;
};

struct sl_bytes {
    uint8_t *at;
    size_t n, room;
};

/* A packet as it is written: head, body (borrowed from the packet) and tail. */
struct sl_piece {
    uint8_t head[32], tail[8];
    size_t n_head, n_body, n_tail;
    const uint8_t *body;
};

struct sl_form *sl_form_new(int pcapng, const struct sl_form_input *, uint32_t n,
                            struct sl_error *) SL_USED;
void sl_form_free(struct sl_form *);
int sl_form_is_pcapng(const struct sl_form *);

/* Whether what was taken so far must be written before the next block that stands before the packet
 * (NULL: any) is taken, because that one starts a new section, or would overtake others. */
int sl_form_write_first(const struct sl_form *, const struct sl_packet *);
/* Takes that block in. 1: there was one; 0: none is left; -1: *err. */
int sl_form_take(struct sl_form *, const struct sl_packet *, struct sl_error *) SL_USED;

/* What a file begins with; changes with each new section. p: its first packet, or NULL. */
const struct sl_bytes *sl_form_head(struct sl_form *, const struct sl_packet *p, struct sl_error *);
uint32_t sl_form_section(const struct sl_form *);
/* Blocks of the section that stand between packets once: names, statistics. Empty it when written.
 */
struct sl_bytes *sl_form_loose(struct sl_form *);

/* -1 with *err: this form cannot hold the packet. */
int sl_form_packet(struct sl_form *, const struct sl_packet *, struct sl_piece *,
                   struct sl_error *) SL_USED;
uint64_t sl_form_cut_times(const struct sl_form *); /* stamps that lost their nanoseconds */

#endif
