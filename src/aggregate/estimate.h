/* Packets and bytes by key, estimated from a sample of a capture's blocks, each with an interval
 * that holds the true number in 95 % of such samples (ratio.h has the method). Declared in abi.h:
 *
 *   struct sl_estimate *e = sl_estimate_new(SL_AGG_ADDRESS, &error);
 *   sl_estimate_follow(e, blocks);               whose blocks (struct sl_blocks_read) are meant
 *   sl_estimate_add_a(e, address, bytes);        a packet of the block that is being read
 *   n = sl_estimate_rank(e);                     sl_estimate_at(e, i) for i < n: the most bytes
 *   sl_estimate_free(e);                         first, ties by key
 *
 * Keys that fewer than SL_RATIO_BLOCKS_MIN blocks hold are not estimated, only counted
 * (sl_estimate_rare): a few blocks say too little, also of how little they say. What was added to a
 * block that was not read to its end counts for nothing.
 *
 * Bounds. SL_ESTIMATE_KEYS keys are held, of some 240 bytes each; what comes for further ones is
 * counted in sl_estimate_lost, so that whoever is in the result is complete. The result depends on
 * what is added and in which order, never on the hash, whose seed is random because keys come from
 * captures. */
#ifndef SL_ESTIMATE_H
#define SL_ESTIMATE_H

#include "../error.h"
#include "ratio.h"

enum { SL_ESTIMATE_KEYS = 150000 };

/* As sl_estimate_add_n, several packets of a block of that number, which may be behind the one that
 * is being read. Blocks come in ascending order. */
void sl_estimate_add_block(struct sl_estimate *, uint32_t block, double key, double packets,
                           double bytes);

#endif
