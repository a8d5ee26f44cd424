/* Of a run over a sample: what its statistics say of the whole capture. What a block adds to them
 * goes into an estimate: packets and bytes of each SL_P_…, and under SL_P_N of all that passed. */
#ifndef SL_RUN_SCALED_H
#define SL_RUN_SCALED_H

#include "../aggregate/estimate.h"
#include "stats.h"

struct sl_scaled {
    struct sl_estimate *estimate; /* NULL: there is no sample */
    struct sl_stats before;       /* when the block at work began */
    uint32_t block;               /* its number */
};

int sl_scaled_init(struct sl_scaled *, const struct sl_blocks_read *, struct sl_error *) SL_USED;
void sl_scaled_free(struct sl_scaled *); /* allowed on zeroed memory */

/* Whenever something was read, before that is counted: takes the block at work in if it is over. */
void sl_scaled_look(struct sl_scaled *, const struct sl_blocks_read *, struct sl_counter *);

#endif
