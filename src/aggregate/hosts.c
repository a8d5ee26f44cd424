#include "hosts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { FIRST_ROOM = 1024, EMPTY = 0xffffffff };

/* The tag, other bits of the hash, spares looking at hosts that are others. */
struct slot {
    uint32_t host, tag; /* number of a host, EMPTY: none */
};

struct sl_hosts {
    struct sl_host *hosts;
    uint32_t n, room, max;
    struct slot *slots; /* open addressing, at most half full */
    uint32_t mask;
    uint64_t seed[2];
    double bin;     /* seconds */
    uint32_t bins;  /* in use */
    uint32_t *rank; /* numbers of hosts, by the order asked for last */
    uint64_t dropped, lost, error;
};

/* Folded multiplication, as in table.h. */
static uint64_t hash_of(const struct sl_hosts *h, const struct sl_addr *a) {
    __extension__ typedef unsigned __int128 u128;
    uint64_t hash = h->seed[0];

    for (int i = 0; i < 4; i += 2) {
        u128 product = (u128)(hash ^ ((uint64_t)a->w[i] << 32 | a->w[i + 1])) * h->seed[1];
        hash = (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    return hash;
}

static int same(const struct sl_addr *a, const struct sl_addr *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* The slot of an address, or the empty one where it would go. */
static struct slot *find(const struct sl_hosts *h, const struct sl_addr *a, uint64_t hash) {
    uint32_t i = (uint32_t)hash & h->mask, tag = (uint32_t)(hash >> 32);

    for (;; i = (i + 1) & h->mask) {
        const struct slot *s = &h->slots[i];
        if (s->host == EMPTY || (s->tag == tag && same(&h->hosts[s->host].addr, a)))
            return &h->slots[i];
    }
}

static void put(struct sl_hosts *h, uint32_t host) {
    uint64_t hash = hash_of(h, &h->hosts[host].addr);

    *find(h, &h->hosts[host].addr, hash) = (struct slot){host, (uint32_t)(hash >> 32)};
}

static void index_all(struct sl_hosts *h) {
    memset(h->slots, 0xff, ((size_t)h->mask + 1) * sizeof *h->slots);
    for (uint32_t i = 0; i < h->n; i++)
        put(h, i);
}

/* Room for twice as many. -1: no memory, and nothing changed. */
static int grow(struct sl_hosts *h) {
    uint32_t room = h->room ? 2 * h->room : FIRST_ROOM;
    struct sl_host *hosts = realloc(h->hosts, room * sizeof *hosts);
    struct slot *slots;
    uint32_t *rank;

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
    index_all(h);
    return 0;
}

struct sl_hosts *sl_hosts_new(uint32_t max_hosts, struct sl_error *err) {
    struct sl_hosts *h = calloc(1, sizeof *h);

    if (h) {
        h->max = max_hosts < 2 ? 2 : max_hosts > 1u << 28 ? 1u << 28 : max_hosts;
        h->bin = 0.001;
        int seeded = getrandom(h->seed, sizeof h->seed, 0) == sizeof h->seed;
        h->seed[1] |= 1;
        if (seeded && !grow(h))
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

static uint64_t amount(const struct sl_host *x, uint32_t by) {
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
    uint64_t m = amount(x, by), n = amount(y, by);

    if (m != n)
        return m > n;
    for (int i = 0; i < 4; i++)
        if (x->addr.w[i] != y->addr.w[i])
            return x->addr.w[i] < y->addr.w[i];
    return 0;
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
        n += amount(&h->hosts[i], by) > 0;
    return n;
}

/* A heap of the n largest so far, whose root is the least of them; sorted at the end. */
uint32_t sl_hosts_rank(struct sl_hosts *h, uint32_t by, uint32_t n) {
    uint32_t held = 0;

    for (uint32_t i = 0; i < h->n && n; i++) {
        if (!amount(&h->hosts[i], by))
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

/* ---- adding ---- */

/* The value at place k of the sorted list, which is left half sorted (Hoare's quickselect). */
static uint64_t select_kth(uint64_t *list, size_t n, size_t k) {
    size_t low = 0, high = n - 1;

    while (low < high) {
        uint64_t pivot = list[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (list[i] < pivot)
                i++;
            while (list[j] > pivot)
                j--;
            if (i >= j)
                break;
            uint64_t t = list[i];
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

/* Keeps the half with most bytes, in the order in which they came; of equal ones the first. */
static void cut(struct sl_hosts *h) {
    uint64_t *bytes = malloc(h->n * sizeof *bytes), least;
    uint32_t kept = 0, above = 0, equal;

    if (!bytes)
        return; /* one too many is better than a wrong cut; the next new one tries again */
    for (uint32_t i = 0; i < h->n; i++)
        bytes[i] = amount(&h->hosts[i], SL_HOSTS_BY_BYTES);
    least = select_kth(bytes, h->n, h->n - h->max / 2);
    free(bytes);
    for (uint32_t i = 0; i < h->n; i++)
        above += amount(&h->hosts[i], SL_HOSTS_BY_BYTES) > least;
    equal = h->max / 2 - above;
    for (uint32_t i = 0; i < h->n; i++) {
        uint64_t n = amount(&h->hosts[i], SL_HOSTS_BY_BYTES);
        if (n > least || (n == least && equal && equal--))
            h->hosts[kept++] = h->hosts[i];
    }
    h->error += least;
    h->dropped += h->n - kept;
    h->n = kept;
    index_all(h);
}

static struct sl_host *host_of(struct sl_hosts *h, const struct sl_addr *a, uint64_t hash,
                               const struct sl_flow *f) {
    const struct slot *slot = find(h, a, hash);

    if (slot->host != EMPTY)
        return &h->hosts[slot->host];
    if (h->n == h->max)
        cut(h);
    if (h->n == h->room && grow(h)) {
        h->lost++;
        return NULL;
    }
    h->hosts[h->n] = (struct sl_host){.addr = *a, .first = f->first, .last = f->last};
    put(h, h->n);
    return &h->hosts[h->n++];
}

static int earlier(const struct sl_time *a, const struct sl_time *b) {
    return a->s != b->s ? a->s < b->s : a->nsec < b->nsec;
}

static void widen(struct sl_hosts *h) {
    for (uint32_t i = 0; i < h->n; i++) {
        uint32_t *bins = h->hosts[i].bins;
        for (uint32_t k = 0; k < SL_HOST_BINS / 2; k++)
            bins[k] = bins[2 * k] + bins[2 * k + 1];
        memset(bins + SL_HOST_BINS / 2, 0, SL_HOST_BINS / 2 * sizeof *bins);
    }
    h->bin *= 2;
    h->bins = (h->bins + 1) / 2;
}

/* Flows that begin before the first packet of the capture are in the first bin. */
static uint32_t bin_of(struct sl_hosts *h, double t) {
    uint32_t bin;

    if (!(t > 0))
        t = 0;
    while (t >= h->bin * SL_HOST_BINS)
        widen(h);
    bin = (uint32_t)(t / h->bin);
    if (bin >= SL_HOST_BINS)
        bin = SL_HOST_BINS - 1;
    if (bin >= h->bins)
        h->bins = bin + 1;
    return bin;
}

static void add_end(struct sl_hosts *h, const struct sl_flow *f, int end, uint64_t hash,
                    uint32_t bin) {
    struct sl_host *x = host_of(h, end ? &f->dst : &f->src, hash, f);

    if (!x)
        return;
    x->n_flows[end]++;
    x->n_sent[end] += f->n_bytes[end];
    x->n_received[end] += f->n_bytes[!end];
    if (earlier(&f->first, &x->first))
        x->first = f->first;
    if (earlier(&x->last, &f->last))
        x->last = f->last;
    x->bins[bin]++;
}

void sl_hosts_add(struct sl_hosts *h, const struct sl_flow *f) {
    uint64_t src = hash_of(h, &f->src), dst = hash_of(h, &f->dst);
    uint32_t bin = bin_of(h, f->t);

    __builtin_prefetch(&h->slots[src & h->mask]);
    __builtin_prefetch(&h->slots[dst & h->mask]);
    add_end(h, f, 0, src, bin);
    if (!same(&f->src, &f->dst))
        add_end(h, f, 1, dst, bin);
}

double sl_hosts_bin(const struct sl_hosts *h) {
    return h->bin;
}

uint32_t sl_hosts_bins(const struct sl_hosts *h) {
    return h->bins;
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
