/* A table of hosts: adding flows, merging, and the bound. */
#include "hosts_state.h"

#include "../packet/address.h"

#include <stdlib.h>
#include <string.h>

/* ---- the bound ---- */

/* What decides who stays: more bytes, then the lower address. */
struct standing {
    uint64_t bytes;
    struct sl_addr addr;
};

static int ahead(const struct standing *a, const struct standing *b) {
    return a->bytes != b->bytes ? a->bytes > b->bytes : sl_hosts_compare(&a->addr, &b->addr) < 0;
}

/* What stands at place k in order; the list is left half sorted (Hoare's quickselect). */
static struct standing select_kth(struct standing *list, size_t n, size_t k) {
    size_t low = 0, high = n - 1;

    while (low < high) {
        struct standing pivot = list[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (ahead(&list[i], &pivot))
                i++;
            while (ahead(&pivot, &list[j]))
                j--;
            if (i >= j)
                break;
            struct standing t = list[i];
            list[i++] = list[j];
            list[j--] = t;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return list[k];
}

static struct standing standing_of(const struct sl_host *x) {
    return (struct standing){sl_hosts_amount(x, SL_HOSTS_BY_BYTES), x->addr};
}

/* Keeps the half with most bytes. -1: no memory, and all are kept. */
static int cut(struct sl_hosts *h) {
    struct standing *all = malloc(h->n * sizeof *all), last;
    uint32_t kept = 0;

    if (!all)
        return -1;
    for (uint32_t i = 0; i < h->n; i++)
        all[i] = standing_of(&h->hosts[i]);
    last = select_kth(all, h->n, h->max / 2 - 1);
    free(all);
    for (uint32_t i = 0; i < h->n; i++) {
        struct standing x = standing_of(&h->hosts[i]);
        if (!ahead(&last, &x))
            h->hosts[kept++] = h->hosts[i];
    }
    h->error = sl_hosts_sum(h->error, last.bytes);
    h->dropped = sl_hosts_sum(h->dropped, h->n - kept);
    h->n = kept;
    sl_hosts_index(h);
    return 0;
}

/* ---- timelines ---- */

static uint32_t sum32(uint32_t a, uint32_t b) {
    return a <= UINT32_MAX - b ? a + b : UINT32_MAX;
}

/* The fewest doublings after which bins low … high are few enough for a host. */
static uint32_t doublings(int64_t low, int64_t high) {
    uint32_t n = 0;

    while ((high >> n) - (low >> n) >= SL_HOST_BINS)
        n++;
    return n;
}

static void widen_host(const struct sl_hosts *h, uint32_t times, uint32_t *bins) {
    uint32_t wide[SL_HOST_BINS] = {0};

    for (int64_t bin = h->low; bin <= h->high; bin++) {
        uint32_t *to = &wide[sl_hosts_place(bin >> times)];
        *to = sum32(*to, bins[sl_hosts_place(bin)]);
    }
    memcpy(bins, wide, sizeof wide);
}

static void widen(struct sl_hosts *h, uint32_t times) {
    for (uint32_t i = 0; i < h->n && times; i++)
        widen_host(h, times, h->hosts[i].bins);
    if (times && h->low <= h->high) {
        h->low >>= times;
        h->high >>= times;
    }
    h->rung += times;
}

/* Makes bins low … high of the table's width part of its timelines; the width may grow by that. */
static void cover(struct sl_hosts *h, int64_t low, int64_t high) {
    int64_t first = low < h->low ? low : h->low, last = high > h->high ? high : h->high;
    uint32_t times = doublings(first, last);

    widen(h, times);
    h->low = first >> times;
    h->high = last >> times;
}

/* Milliseconds since 1970; what is further away than 2^53 of them is as far away as that. */
static int64_t milliseconds(struct sl_time t) {
    if (t.s >= SL_HOSTS_MS_MOST / 1000)
        return SL_HOSTS_MS_MOST;
    if (t.s <= -SL_HOSTS_MS_MOST / 1000)
        return -SL_HOSTS_MS_MOST;
    return t.s * 1000 + t.nsec / 1000000;
}

static uint32_t place_of(struct sl_hosts *h, struct sl_time t) {
    int64_t ms = milliseconds(t), bin = ms >> h->rung;

    if (bin < h->low || bin > h->high)
        cover(h, bin, bin);
    return sl_hosts_place(ms >> h->rung);
}

/* ---- adding ---- */

static int earlier(const struct sl_time *a, const struct sl_time *b) {
    return a->s != b->s ? a->s < b->s : a->nsec < b->nsec;
}

static struct sl_host *host_of(struct sl_hosts *h, const struct sl_addr *a, uint64_t hash,
                               const struct sl_flow *f) {
    const struct sl_hosts_slot *slot = sl_hosts_find(h, a, hash);
    struct sl_host *x = NULL;

    if (slot->host != SL_HOSTS_NONE)
        return &h->hosts[slot->host];
    if (h->n < h->max || !cut(h))
        x = sl_hosts_append(h, a, hash);
    if (x) {
        x->first = f->first;
        x->last = f->last;
    }
    return x;
}

static void add_end(struct sl_hosts *h, const struct sl_flow *f, int end, uint64_t hash,
                    uint32_t place) {
    struct sl_host *x = host_of(h, end ? &f->dst : &f->src, hash, f);

    if (!x) {
        h->lost = sl_hosts_sum(h->lost, 1);
        return;
    }
    x->n_flows[end]++;
    x->n_sent[end] += f->n_bytes[end];
    x->n_received[end] += f->n_bytes[!end];
    if (earlier(&f->first, &x->first))
        x->first = f->first;
    if (earlier(&x->last, &f->last))
        x->last = f->last;
    x->bins[place] = sum32(x->bins[place], 1);
}

/* Asks for the lines of a host, if it is where its address would be first. */
static void ask(const struct sl_hosts *h, uint64_t hash, uint32_t place) {
    const struct sl_hosts_slot *slot = &h->slots[hash & h->mask];

    if (slot->host == SL_HOSTS_NONE || slot->tag != (uint32_t)(hash >> 32))
        return;
    __builtin_prefetch(&h->hosts[slot->host]);
    __builtin_prefetch(&h->hosts[slot->host].last);
    __builtin_prefetch(&h->hosts[slot->host].bins[place]);
}

/* Both ends come from memory at once, not one after the other. */
void sl_hosts_add(struct sl_hosts *h, const struct sl_flow *f) {
    uint64_t src = sl_hosts_hash(h, &f->src), dst = sl_hosts_hash(h, &f->dst);
    uint32_t place;

    __builtin_prefetch(&h->slots[src & h->mask]);
    __builtin_prefetch(&h->slots[dst & h->mask]);
    place = place_of(h, f->first);
    ask(h, src, place);
    ask(h, dst, place);
    add_end(h, f, 0, src, place);
    if (!sl_addr_same(&f->src, &f->dst))
        add_end(h, f, 1, dst, place);
}

/* ---- merging ---- */

static void sum_hosts(struct sl_host *to, const struct sl_host *from) {
    for (int end = 0; end < 2; end++) {
        to->n_flows[end] = sl_hosts_sum(to->n_flows[end], from->n_flows[end]);
        to->n_sent[end] = sl_hosts_sum(to->n_sent[end], from->n_sent[end]);
        to->n_received[end] = sl_hosts_sum(to->n_received[end], from->n_received[end]);
    }
    if (earlier(&from->first, &to->first))
        to->first = from->first;
    if (earlier(&to->last, &from->last))
        to->last = from->last;
}

/* There is room for it. shift: doublings from the width of h's bins to those of `to`. */
static void merge_host(struct sl_hosts *to, const struct sl_hosts *h, const struct sl_host *x,
                       uint32_t shift) {
    uint64_t hash = sl_hosts_hash(to, &x->addr);
    uint32_t at = sl_hosts_find(to, &x->addr, hash)->host;
    struct sl_host *mine;

    if (at == SL_HOSTS_NONE) {
        mine = sl_hosts_append(to, &x->addr, hash);
        if (!mine)
            return; /* cannot be: see sl_hosts_merge */
        mine->first = x->first;
        mine->last = x->last;
    } else {
        mine = &to->hosts[at];
    }
    sum_hosts(mine, x);
    for (int64_t bin = h->low; bin <= h->high; bin++) {
        uint32_t *sum = &mine->bins[sl_hosts_place(bin >> shift)];
        *sum = sum32(*sum, x->bins[sl_hosts_place(bin)]);
    }
}

int sl_hosts_merge(struct sl_hosts *to, const struct sl_hosts *from, struct sl_error *err) {
    uint32_t shift;

    if (to == from || to->max != from->max)
        return sl_error_set(err, SL_EXIT_USAGE, "cannot merge tables of hosts: %s",
                            to == from ? "it is the same one"
                                       : "their bounds differ; merge results of the same recipe "
                                         "with the same options");
    if (sl_hosts_reserve(to, (uint64_t)to->n + from->n))
        return sl_error_set(err, SL_EXIT_USAGE, "no memory to merge tables of hosts");
    if (from->low <= from->high) {
        if (to->rung < from->rung)
            widen(to, from->rung - to->rung);
        shift = to->rung - from->rung;
        cover(to, from->low >> shift, from->high >> shift);
    }
    shift = to->rung - from->rung;
    for (uint32_t i = 0; i < from->n; i++)
        merge_host(to, from, &from->hosts[i], shift);
    to->dropped = sl_hosts_sum(to->dropped, from->dropped);
    to->lost = sl_hosts_sum(to->lost, from->lost);
    to->error = sl_hosts_sum(to->error, from->error);
    if (to->n > to->max && cut(to))
        return sl_error_set(err, SL_EXIT_USAGE, "no memory to merge tables of hosts");
    return 0;
}
