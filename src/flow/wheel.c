#include "wheel.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 16 }; /* flows whose memory is asked for before they are looked at */

void sl_wheel_init(struct sl_wheel *w, struct sl_store *store) {
    memset(w, 0, sizeof *w);
    w->store = store;
}

void sl_wheel_free(struct sl_wheel *w) {
    for (uint32_t i = 0; i < SL_WHEEL_BUCKETS; i++)
        free(w->buckets[i].indexes);
    free(w->taken.indexes);
    *w = (struct sl_wheel){0};
}

static int push(struct sl_bucket *b, uint32_t index) {
    if (b->n == b->room) {
        uint32_t room = b->room ? 2 * b->room : 64;
        uint32_t *grown = realloc(b->indexes, room * sizeof *grown);
        if (!grown)
            return -1;
        b->indexes = grown;
        b->room = room;
    }
    b->indexes[b->n++] = index;
    return 0;
}

int sl_wheel_put(struct sl_wheel *w, struct sl_hot *h, int64_t due_s) {
    if (due_s < w->next_s)
        due_s = w->next_s;
    else if (due_s >= w->next_s + SL_WHEEL_BUCKETS)
        due_s = w->next_s + SL_WHEEL_BUCKETS - 1;
    uint32_t bucket = (uint32_t)((uint64_t)due_s % SL_WHEEL_BUCKETS);
    if (h->wheel_bucket == bucket)
        return 0;
    h->wheel_bucket = (uint16_t)bucket;
    return push(&w->buckets[bucket], h->index);
}

static int take_bucket(struct sl_wheel *w, uint32_t number) {
    struct sl_bucket *b = &w->buckets[number];

    for (uint32_t i = 0; i < b->n; i++) {
        if (i + AHEAD < b->n)
            sl_prefetch(sl_store_hot(w->store, b->indexes[i + AHEAD]));
        struct sl_hot *h = sl_store_hot(w->store, b->indexes[i]);
        if (h->wheel_bucket != number)
            continue;
        h->wheel_bucket = SL_WHEEL_NONE;
        if (push(&w->taken, h->index) < 0)
            return -1;
    }
    free(b->indexes); /* captures have bursts: a bucket must not keep the room of the largest */
    *b = (struct sl_bucket){0};
    return 0;
}

int sl_wheel_take(struct sl_wheel *w, int64_t until_s) {
    int64_t seconds = until_s - w->next_s;

    if (seconds < 0 || seconds > SL_WHEEL_BUCKETS)
        seconds = SL_WHEEL_BUCKETS;
    w->taken.n = 0;
    for (int64_t s = w->next_s; s < w->next_s + seconds; s++)
        if (take_bucket(w, (uint32_t)((uint64_t)s % SL_WHEEL_BUCKETS)) < 0)
            return -1;
    w->next_s = until_s;
    return 0;
}
