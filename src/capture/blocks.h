/* What stands in a capture beside its packets, for who writes it on: interfaces, and of pcapng
 * every block as it lies. A reader that was asked for them (sl_reader_keep_blocks) queues them
 * here; the writer takes those that stand before a packet, by their offsets, and so meets
 * everything in the order of the input.
 */
#ifndef SL_CAPTURE_BLOCKS_H
#define SL_CAPTURE_BLOCKS_H

#include "../error.h"

enum sl_block_kind { SL_BLOCK_SECTION, SL_BLOCK_INTERFACE, SL_BLOCK_OTHER };

struct sl_interface {
    uint32_t link_type;   /* of a pcap with the flags that its header has beside it */
    uint32_t snaplen;     /* 0: no limit */
    uint64_t ticks_per_s; /* 0: finer than uint64 holds */
    int64_t offset_s;
    uint8_t tsresol; /* as pcapng writes it */
};

struct sl_block {
    uint64_t offset; /* of the block in its input */
    enum sl_block_kind kind;
    int swap;                  /* bytes are not in this machine's order */
    struct sl_interface iface; /* of SL_BLOCK_INTERFACE */
    uint32_t size;             /* of bytes; 0: the input is a pcap, which has no blocks */
    const uint8_t *bytes;      /* the whole pcapng block */
};

struct sl_blocks;

struct sl_blocks *sl_blocks_new(void);
void sl_blocks_free(struct sl_blocks *);

/* Queues a copy. */
int sl_blocks_add(struct sl_blocks *, const struct sl_block *, struct sl_error *) SL_USED;
/* The oldest one if it stands before offset, or NULL; good until sl_blocks_drop. */
const struct sl_block *sl_blocks_before(const struct sl_blocks *, uint64_t offset);
void sl_blocks_drop(struct sl_blocks *); /* the oldest one */

#endif
