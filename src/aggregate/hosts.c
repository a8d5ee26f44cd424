/* A table of hosts: looking addresses up, and ranks. */
#include "hosts_state.h"

#include "../packet/address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_ROOM = 1024 };

/* Folded multiplication, as in table.h. */
uint64_t sl_hosts_hash(const struct sl_hosts *h, const struct sl_addr *a) {
    __extension__ typedef unsigned __int128 u128;
    uint64_t hash = h->seed[0];

    for (int i = 0; i < 4; i += 2) {
        u128 product = (u128)(hash ^ ((uint64_t)a->w[i] << 32 | a->w[i + 1])) * h->seed[1];
        hash = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return hash;
}

int sl_hosts_compare(const struct sl_addr *a, const struct sl_addr *b) {
    for (int i = 0; i < 4; i++)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

struct sl_hosts_slot *sl_hosts_find(const struct sl_hosts *h, const struct sl_addr *a,
                                    uint64_t hash) {
    uint32_t i = (uint32_t)hash & h->mask, tag = (uint32_t)(hash >> 32);

    for (;; i = (i + 1) & h->mask) {
        const struct sl_hosts_slot *s = &h->slots[i];
        if (s->host == SL_HOSTS_NONE || (s->tag == tag && sl_addr_same(&h->hosts[s->host].addr, a)))
            return &h->slots[i];
    }
}

static void put(struct sl_hosts *h, uint32_t host) {
    uint64_t hash = sl_hosts_hash(h, &h->hosts[host].addr);

    *sl_hosts_find(h, &h->hosts[host].addr, hash) =
        (struct sl_hosts_slot){host, (uint32_t)(hash >> 32)};
}

void sl_hosts_index(struct sl_hosts *h) {
    memset(h->slots, 0xff, ((size_t)h->mask + 1) * sizeof *h->slots);
    for (uint32_t i = 0; i < h->n; i++)
        put(h, i);
}

int sl_hosts_reserve(struct sl_hosts *h, uint64_t wanted) {
    uint32_t room = h->room ? h->room : FIRST_ROOM;
    struct sl_hosts_slot *slots;
    struct sl_host *hosts;
    uint32_t *rank;

    if (wanted <= h->room)
        return 0;
    while (room < wanted)
        room *= 2;
    hosts = realloc(h->hosts, room * sizeof *hosts);
    if (hosts)
        h->hosts = hosts;
    rank = realloc(h->rank, room * sizeof *rank);
    if (rank)
        h->rank = rank;
    if (!hosts || !rank || !(slots = malloc(2 * (size_t)room * sizeof *slots)))
        return -1;
    free(h->slots);
    h->slots = slots;
    h->mask = 2 * room - 1;
    h->room = room;
    sl_hosts_index(h);
    return 0;
}

struct sl_host *sl_hosts_append(struct sl_hosts *h, const struct sl_addr *a, uint64_t hash) {
    if (sl_hosts_reserve(h, (uint64_t)h->n + 1))
        return NULL;
    h->hosts[h->n] = (struct sl_host){.addr = *a};
    *sl_hosts_find(h, a, hash) = (struct sl_hosts_slot){h->n, (uint32_t)(hash >> 32)};
    return &h->hosts[h->n++];
}

struct sl_hosts *sl_hosts_new(uint32_t max_hosts, struct sl_error *err) {
    struct sl_hosts *h = calloc(1, sizeof *h);

    if (h) {
        h->max = max_hosts < 2 ? 2 : max_hosts > SL_HOSTS_MAX ? SL_HOSTS_MAX : max_hosts;
        h->low = INT64_MAX;
        h->high = INT64_MIN;
        int seeded = getrandom(h->seed, sizeof h->seed, 0) == sizeof h->seed;
        h->seed[1] |= 1;
        if (seeded && !sl_hosts_reserve(h, 1))
            return h;
        sl_hosts_free(h);
    }
    (void)sl_error_set(err, SL_EXIT_USAGE, "no memory for a table of hosts");
    return NULL;
}

void sl_hosts_free(struct sl_hosts *h) {
    if (!h)
        return;
    free(h->hosts);
    free(h->slots);
    free(h->rank);
    free(h);
}

/* ---- ranks ---- */

uint64_t sl_hosts_amount(const struct sl_host *x, uint32_t by) {
    switch (by) {
    case SL_HOSTS_BY_SOURCE_BYTES:
        return x->n_sent[0] + x->n_received[0];
    case SL_HOSTS_BY_TARGET_BYTES:
        return x->n_sent[1] + x->n_received[1];
    case SL_HOSTS_BY_SOURCE_FLOWS:
        return x->n_flows[0];
    case SL_HOSTS_BY_TARGET_FLOWS:
        return x->n_flows[1];
    default:
        return x->n_sent[0] + x->n_received[0] + x->n_sent[1] + x->n_received[1];
    }
}

static int before(const struct sl_hosts *h, uint32_t a, uint32_t b, uint32_t by) {
    const struct sl_host *x = &h->hosts[a], *y = &h->hosts[b];
    uint64_t m = sl_hosts_amount(x, by), n = sl_hosts_amount(y, by);

    return m != n ? m > n : sl_hosts_compare(&x->addr, &y->addr) < 0;
}

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t t = *a;

    *a = *b;
    *b = t;
}

/* Sifts the root of a heap down whose top is what comes last. */
static void sift(const struct sl_hosts *h, uint32_t *heap, uint32_t n, uint32_t i, uint32_t by) {
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n && before(h, heap[child], heap[child + 1], by))
            child++;
        if (before(h, heap[child], heap[i], by))
            return;
        swap(&heap[child], &heap[i]);
        i = child;
    }
}

uint32_t sl_hosts_count(const struct sl_hosts *h, uint32_t by) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->n; i++)
        n += sl_hosts_amount(&h->hosts[i], by) > 0;
    return n;
}

/* A heap of the n largest so far, whose root is the least of them; sorted at the end. */
uint32_t sl_hosts_rank(struct sl_hosts *h, uint32_t by, uint32_t n) {
    uint32_t held = 0;

    for (uint32_t i = 0; i < h->n && n; i++) {
        if (!sl_hosts_amount(&h->hosts[i], by))
            continue;
        if (held < n) {
            h->rank[held++] = i;
            for (uint32_t k = held - 1; k && before(h, h->rank[(k - 1) / 2], h->rank[k], by);
                 k = (k - 1) / 2)
                swap(&h->rank[k], &h->rank[(k - 1) / 2]);
        } else if (before(h, i, h->rank[0], by)) {
            h->rank[0] = i;
            sift(h, h->rank, held, 0, by);
        }
    }
    for (uint32_t k = held; k > 1; k--) {
        swap(&h->rank[0], &h->rank[k - 1]);
        sift(h, h->rank, k - 1, 0, by);
    }
    return held;
}

const struct sl_host *sl_hosts_at(const struct sl_hosts *h, uint32_t i) {
    return &h->hosts[h->rank[i]];
}

/* ---- what it knows of itself ---- */

double sl_hosts_bin(const struct sl_hosts *h) {
    return (double)((int64_t)1 << h->rung) / 1000;
}

uint32_t sl_hosts_bins(const struct sl_hosts *h) {
    return h->low > h->high ? 0 : (uint32_t)(h->high - h->low) + 1;
}

uint32_t sl_hosts_flows_in(const struct sl_hosts *h, const struct sl_host *x, uint32_t bin) {
    return x->bins[sl_hosts_place(h->low + bin)];
}

uint64_t sl_hosts_dropped(const struct sl_hosts *h) {
    return h->dropped;
}

double sl_hosts_error(const struct sl_hosts *h) {
    return (double)h->error;
}

uint64_t sl_hosts_lost(const struct sl_hosts *h) {
    return h->lost;
}
