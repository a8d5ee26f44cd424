/* The largest flows: adding, sorting, merging. */
#include "largest_state.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

struct sl_largest *sl_largest_new(uint32_t n, struct sl_error *err) {
    struct sl_largest *l = calloc(1, sizeof *l);

    if (!l) {
        (void)sl_error_set(err, SL_EXIT_USAGE, "no memory for the largest flows");
        return NULL;
    }
    l->max = n < 1 ? 1 : n > SL_LARGEST_MAX ? SL_LARGEST_MAX : n;
    return l;
}

void sl_largest_free(struct sl_largest *l) {
    if (!l)
        return;
    free(l->flows);
    free(l);
}

/* ---- the order ---- */

static int compare(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

static int compare_times(struct sl_time a, struct sl_time b) {
    if (a.s != b.s)
        return a.s < b.s ? -1 : 1;
    return compare(a.nsec, b.nsec);
}

static int compare_addresses(const struct sl_addr *a, const struct sl_addr *b) {
    int order = 0;

    for (int i = 0; i < 4 && !order; i++)
        order = compare(a->w[i], b->w[i]);
    return order;
}

static uint64_t bytes_of(const struct sl_flow *f) {
    return f->n_bytes[0] + f->n_bytes[1];
}

int sl_largest_compare(const struct sl_flow *a, const struct sl_flow *b) {
    int order = compare(bytes_of(b), bytes_of(a));

    order = order ? order : compare_times(a->first, b->first);
    order = order ? order : compare(a->proto, b->proto);
    order = order ? order : compare_addresses(&a->src, &b->src);
    order = order ? order : compare(a->sport, b->sport);
    order = order ? order : compare_addresses(&a->dst, &b->dst);
    order = order ? order : compare(a->dport, b->dport);
    order = order ? order : compare_times(a->last, b->last);
    return order ? order : compare(a->number64, b->number64);
}

static int by_order(const void *a, const void *b) {
    return sl_largest_compare(a, b);
}

uint32_t sl_largest_sort(struct sl_largest *l) {
    if (l->sorted < l->n) {
        qsort(l->flows, l->n, sizeof *l->flows, by_order);
        l->n = l->n < l->max ? l->n : l->max;
        l->sorted = l->n;
    }
    return l->n;
}

const struct sl_flow *sl_largest_at(const struct sl_largest *l, uint32_t i) {
    return &l->flows[i];
}

uint64_t sl_largest_lost(const struct sl_largest *l) {
    return l->lost;
}

/* ---- adding ---- */

static int reserve(struct sl_largest *l, uint32_t wanted) {
    uint32_t room = l->room ? l->room : FIRST_ROOM;

    if (wanted <= l->room)
        return 0;
    while (room < wanted)
        room *= 2;
    struct sl_flow *flows = realloc(l->flows, room * sizeof *flows);
    if (!flows)
        return -1;
    l->flows = flows;
    l->room = room;
    return 0;
}

/* The last of those that were largest when they were sorted last says who is too small. */
static int may_stay(const struct sl_largest *l, const struct sl_flow *f) {
    return l->sorted < l->max || sl_largest_compare(f, &l->flows[l->max - 1]) < 0;
}

void sl_largest_add(struct sl_largest *l, const struct sl_flow *f) {
    struct sl_flow *own;

    if (!may_stay(l, f))
        return;
    if (l->n >= 2 * l->max)
        (void)sl_largest_sort(l);
    if (reserve(l, l->n + 1)) {
        l->lost += l->lost < SL_LARGEST_MOST;
        return;
    }
    own = &l->flows[l->n++];
    *own = *f;
    own->index = 0;
    own->t = 0;
    memset(own->head, 0, sizeof own->head);
}

int sl_largest_merge(struct sl_largest *to, const struct sl_largest *from, uint64_t numbers,
                     struct sl_error *err) {
    if (to == from || to->max != from->max)
        return sl_error_set(err, SL_EXIT_USAGE, "cannot merge the largest flows: %s",
                            to == from ? "it is the same one"
                                       : "their bounds differ; merge results of the same recipe "
                                         "with the same options");
    if (reserve(to, to->n + from->n))
        return sl_error_set(err, SL_EXIT_USAGE, "no memory to merge the largest flows");
    for (uint32_t i = 0; i < from->n; i++) {
        struct sl_flow f = from->flows[i];
        f.number64 += numbers;
        sl_largest_add(to, &f);
    }
    to->lost = to->lost + from->lost < SL_LARGEST_MOST ? to->lost + from->lost : SL_LARGEST_MOST;
    return 0;
}
