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

int sl_evict_add(struct sl_evict *e, const struct sl_flow *f) {
    if (e->n == e->room) {
        uint32_t room = e->room ? 2 * e->room : 1024;
        struct sl_evict_entry *grown = realloc(e->heap, room * sizeof *grown);
        if (!grown)
            return -1;
        e->heap = grown;
        e->room = room;
    }
    e->heap[e->n] = (struct sl_evict_entry){f->last, f->number64, f->index};
    sift_up(e, e->n++);
    return 0;
}

static void drop_top(struct sl_evict *e) {
    if (--e->n) {
        e->heap[0] = e->heap[e->n];
        sift_down(e, 0);
    }
}

struct sl_flow *sl_evict_take(struct sl_evict *e, const struct sl_store *store,
                              int (*alive)(const struct sl_flow *)) {
    while (e->n) {
        struct sl_evict_entry *top = &e->heap[0];
        struct sl_flow *f = sl_store_at(store, top->index);
        if (!alive(f) || f->number64 != top->number) {
            drop_top(e);
        } else if (sl_before(top->last, f->last)) {
            top->last = f->last;
            sift_down(e, 0);
        } else {
            drop_top(e);
            return f;
        }
    }
    return NULL;
}

void sl_evict_free(struct sl_evict *e) {
    free(e->heap);
    *e = (struct sl_evict){0};
}
