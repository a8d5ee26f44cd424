#include "evict.h"

#include "clock.h"

#include <stdlib.h>

static int less(const struct sl_evict_entry *a, const struct sl_evict_entry *b) {
    if (sl_before(a->last, b->last) || sl_before(b->last, a->last))
        return sl_before(a->last, b->last);
    return a->number < b->number;
}

static void sift_up(struct sl_evict *e, uint32_t i) {
    struct sl_evict_entry x = e->heap[i];

    for (; i && less(&x, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
        e->heap[i] = e->heap[(i - 1) / 2];
    e->heap[i] = x;
}

static void sift_down(struct sl_evict *e, uint32_t i) {
    struct sl_evict_entry x = e->heap[i];

    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= e->n)
            break;
        if (child + 1 < e->n && less(&e->heap[child + 1], &e->heap[child]))
            child++;
        if (!less(&e->heap[child], &x))
            break;
        e->heap[i] = e->heap[child];
        i = child;
    }
    e->heap[i] = x;
}

int sl_evict_add(struct sl_evict *e, const struct sl_hot *h, uint64_t number) {
    if (e->n == e->room) {
        uint32_t room = e->room ? 2 * e->room : 1024;
        struct sl_evict_entry *grown = realloc(e->heap, room * sizeof *grown);
        if (!grown)
            return -1;
        e->heap = grown;
        e->room = room;
    }
    e->heap[e->n] = (struct sl_evict_entry){sl_hot_last(h), number, h->index};
    sift_up(e, e->n++);
    return 0;
}

static void drop_top(struct sl_evict *e) {
    if (--e->n) {
        e->heap[0] = e->heap[e->n];
        sift_down(e, 0);
    }
}

struct sl_hot *sl_evict_take(struct sl_evict *e, const struct sl_store *store) {
    while (e->n) {
        struct sl_evict_entry *top = &e->heap[0];
        struct sl_hot *h = sl_store_hot(store, top->index);
        if (!(h->flags & SL_FLOW_LIVE) ||
            sl_cold_number(sl_store_cold(store, top->index)) != top->number) {
            drop_top(e);
        } else if (sl_before(top->last, sl_hot_last(h))) {
            top->last = sl_hot_last(h);
            sift_down(e, 0);
        } else {
            drop_top(e);
            return h;
        }
    }
    return NULL;
}

void sl_evict_free(struct sl_evict *e) {
    free(e->heap);
    *e = (struct sl_evict){0};
}
