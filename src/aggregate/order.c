#include "order.h"

#include <stdlib.h>

/* Word j of what is compared: the complement of a biased value falls as the value grows. Where a
 * rank stands for the value, only the key is left. */
static uint64_t word(const struct sl_order *o, const uint64_t *slot, uint32_t j) {
    if (o->by == SL_ORDER_KEY || o->how.rank)
        return slot[2 + j];
    return j < 2 ? ~slot[1 - j] : slot[j];
}

static uint32_t words(const struct sl_order *o) {
    return o->table->key_words + (o->by == SL_ORDER_KEY || o->how.rank ? 0 : 2);
}

static int compare(const void *left, const void *right, void *context) {
    const struct sl_order_item *a = left, *b = right;
    const struct sl_order *o = context;
    uint32_t n = words(o);

    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    if (o->how.compare_keys)
        n = o->by == SL_ORDER_VALUE && !o->how.rank ? 2 : 0;
    for (uint32_t j = o->how.compare_keys || o->how.rank ? 0 : o->first + 1; j < n; j++) {
        uint64_t wa = word(o, a->slot, j), wb = word(o, b->slot, j);
        if (wa != wb)
            return wa < wb ? -1 : 1;
    }
    return o->how.compare_keys
               ? o->how.compare_keys(o->how.context, sl_slot_key(a->slot), sl_slot_key(b->slot))
               : 0;
}

static uint32_t first_difference(const struct sl_order *o) {
    uint32_t first = words(o) ? words(o) - 1 : 0;

    for (size_t i = 1; i < o->n && first; i++)
        for (uint32_t j = 0; j < first; j++)
            if (word(o, o->items[i].slot, j) != word(o, o->items[0].slot, j))
                first = j;
    return first;
}

/* A rank as a word that falls as it grows. */
static uint64_t rank_word(const struct sl_order *o, const uint64_t *slot) {
    double rank = o->how.rank(o->how.context, slot) + 0.0;
    uint64_t bits;

    memcpy(&bits, &rank, sizeof bits);
    return ~(bits ^ (bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63));
}

static void set_prefixes(struct sl_order *o) {
    if (o->by == SL_ORDER_VALUE && o->how.rank) {
        for (size_t i = 0; i < o->n; i++)
            o->items[i].prefix = rank_word(o, o->items[i].slot);
        return;
    }
    if (o->how.compare_keys || !words(o))
        return; /* words do not say it all */
    o->first = first_difference(o);
    for (size_t i = 0; i < o->n; i++)
        o->items[i].prefix = word(o, o->items[i].slot, o->first);
}

int sl_order_init(struct sl_order *o, const struct sl_table *t, enum sl_order_by by,
                  const struct sl_order_how *how) {
    size_t n = 0;

    *o = (struct sl_order){.table = t, .by = by};
    if (how)
        o->how = *how;
    if (by == SL_ORDER_KEY)
        o->how.rank = NULL;
    o->items = malloc((t->used + 1) * sizeof *o->items);
    if (!o->items)
        return -1;
    for (const uint64_t *s = sl_table_next(t, NULL); s; s = sl_table_next(t, s))
        o->items[n++] = (struct sl_order_item){0, s};
    o->n = n;
    set_prefixes(o);
    return 0;
}

/* Quickselect (Hoare 1961). Items come in the order of a seeded hash, so that nobody can arrange
 * them for bad pivots. */
void sl_order_select(struct sl_order *o, size_t k) {
    size_t low = 0, high = o->n;

    while (k < o->n && high - low > 1) {
        struct sl_order_item pivot = o->items[low + (high - low) / 2];
        size_t i = low, j = high - 1;
        for (;;) {
            struct sl_order_item swap;
            while (compare(&o->items[i], &pivot, o) < 0)
                i++;
            while (compare(&o->items[j], &pivot, o) > 0)
                j--;
            if (i >= j)
                break;
            swap = o->items[i];
            o->items[i] = o->items[j];
            o->items[j] = swap;
            i++;
            j--;
        }
        /* [low, i) <= pivot <= [i, high), and both are smaller than [low, high). */
        if (i == low)
            i++;
        if (k < i)
            high = i;
        else
            low = i;
    }
}

void sl_order_sort(struct sl_order *o, size_t k) {
    if (k < o->n)
        sl_order_select(o, k);
    else
        k = o->n;
    if (k > 1)
        qsort_r(o->items, k, sizeof *o->items, compare, o);
}

void sl_order_free(struct sl_order *o) {
    free(o->items);
    *o = (struct sl_order){0};
}
