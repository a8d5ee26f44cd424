#include "wheel.h"

void sl_wheel_init(struct sl_wheel *w, struct sl_store *store) {
    w->store = store;
    w->next_s = 0;
    for (uint32_t i = 0; i < SL_WHEEL_BUCKETS; i++)
        w->buckets[i] = SL_NIL;
}

static uint32_t *bucket(struct sl_wheel *w, int64_t s) {
    return &w->buckets[(uint64_t)s % SL_WHEEL_BUCKETS];
}

void sl_wheel_add(struct sl_wheel *w, struct sl_flow *f, int64_t due_s) {
    if (due_s < w->next_s)
        due_s = w->next_s;
    else if (due_s >= w->next_s + SL_WHEEL_BUCKETS)
        due_s = w->next_s + SL_WHEEL_BUCKETS - 1;
    uint32_t *head = bucket(w, due_s);
    /* The first flow of a bucket points back at the bucket: its number with the top bit set. */
    f->wheel_prev = 0x80000000u | (uint32_t)(head - w->buckets);
    f->wheel_next = *head;
    if (*head != SL_NIL)
        sl_store_at(w->store, *head)->wheel_prev = f->index;
    *head = f->index;
}

void sl_wheel_remove(struct sl_wheel *w, struct sl_flow *f) {
    if (f->wheel_prev & 0x80000000u)
        w->buckets[f->wheel_prev & 0x7fffffffu] = f->wheel_next;
    else
        sl_store_at(w->store, f->wheel_prev)->wheel_next = f->wheel_next;
    if (f->wheel_next != SL_NIL)
        sl_store_at(w->store, f->wheel_next)->wheel_prev = f->wheel_prev;
}

/* Puts one bucket in front of a list. */
static uint32_t take_bucket(struct sl_wheel *w, uint32_t *head, uint32_t list) {
    while (*head != SL_NIL) {
        struct sl_flow *f = sl_store_at(w->store, *head);
        *head = f->wheel_next;
        f->wheel_next = list;
        list = f->index;
    }
    return list;
}

uint32_t sl_wheel_take(struct sl_wheel *w, int64_t until_s) {
    uint32_t list = SL_NIL;

    if (until_s - w->next_s >= SL_WHEEL_BUCKETS)
        return sl_wheel_take_all(w, until_s);
    for (; w->next_s < until_s; w->next_s++)
        list = take_bucket(w, bucket(w, w->next_s), list);
    return list;
}

uint32_t sl_wheel_take_all(struct sl_wheel *w, int64_t restart_s) {
    uint32_t list = SL_NIL;

    for (uint32_t i = 0; i < SL_WHEEL_BUCKETS; i++)
        list = take_bucket(w, &w->buckets[i], list);
    w->next_s = restart_s;
    return list;
}
