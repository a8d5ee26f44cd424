/* What the largest flows are kept in, for largest.c and largest_bytes.c. */
#ifndef SL_LARGEST_STATE_H
#define SL_LARGEST_STATE_H

#include "largest.h"

enum { SL_LARGEST_MAX = 1 << 20 };
#define SL_LARGEST_MOST ((uint64_t)1 << 60) /* of an amount */

struct sl_largest {
    struct sl_flow *flows;
    uint32_t n, room; /* flows that are held: up to 2 * max before they are cut back */
    uint32_t max;
    uint32_t sorted; /* the first so many are in order, and the largest */
    uint64_t lost;   /* flows for which there was no memory */
};

/* Below 0: a comes before b. */
int sl_largest_compare(const struct sl_flow *a, const struct sl_flow *b);

#endif
