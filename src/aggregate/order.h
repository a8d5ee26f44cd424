/* The keys of a table in an order that depends on its content only, not on hash or history:
 * by key (words compare as unsigned numbers, the first one first), or by value from the largest,
 * ties by key. Where that is not what users call their order, struct sl_order_how says what is.
 * Slots are borrowed: the order is good until the table changes. */
#ifndef SL_ORDER_H
#define SL_ORDER_H

#include "table.h"

enum sl_order_by { SL_ORDER_KEY, SL_ORDER_VALUE };

struct sl_order_how {
    int (*compare_keys)(const void *context, const uint64_t *a, const uint64_t *b);
    double (*rank)(const void *context, const uint64_t *slot); /* instead of the value; never NaN */
    const void *context;
};

struct sl_order_item {
    uint64_t prefix; /* the first word in which not all items agree: spares most cache misses */
    const uint64_t *slot;
};

struct sl_order {
    struct sl_order_item *items;
    size_t n;
    const struct sl_table *table;
    enum sl_order_by by;
    struct sl_order_how how;
    uint32_t first; /* number of that word */
};

/* Takes all keys of the table, in no order yet. how may be NULL, and so may be its functions.
 * 0, or -1 without memory. */
int sl_order_init(struct sl_order *, const struct sl_table *, enum sl_order_by,
                  const struct sl_order_how *how) SL_USED;

/* Moves the first k items of the order to the front, themselves in no order; items[k], if there
 * is one, is then the next one after them. */
void sl_order_select(struct sl_order *, size_t k);

/* Sorts the first k items (k >= n: all of them). */
void sl_order_sort(struct sl_order *, size_t k);

void sl_order_free(struct sl_order *);

#endif
