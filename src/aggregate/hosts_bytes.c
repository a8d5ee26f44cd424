/* The byte form of a table of hosts (hosts.h). */
#include "hosts_state.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum { VERSION = 1, HOST_BYTES = 16 + 6 * 8 + 2 * 12 };
static const char magic[] = "SLHO";

/* ---- writing ---- */

static void put_host(struct sl_wire_out *w, const struct sl_hosts *h, const struct sl_host *x) {
    sl_wire_put_addr(w, &x->addr);
    for (int end = 0; end < 2; end++) {
        sl_wire_put(w, x->n_flows[end], 8);
        sl_wire_put(w, x->n_sent[end], 8);
        sl_wire_put(w, x->n_received[end], 8);
    }
    sl_wire_put_time(w, x->first);
    sl_wire_put_time(w, x->last);
    for (uint32_t i = 0; i < sl_hosts_bins(h); i++)
        sl_wire_put(w, sl_hosts_flows_in(h, x, i), 4);
}

static void put_all(struct sl_wire_out *w, const struct sl_hosts *h,
                    const struct sl_host *const *order) {
    w->n = 0;
    sl_wire_put_head(w, magic, VERSION);
    sl_wire_put(w, h->max, 4);
    sl_wire_put(w, h->rung, 1);
    sl_wire_put(w, sl_hosts_bins(h), 1);
    sl_wire_put(w, sl_hosts_bins(h) ? (uint64_t)h->low : 0, 8);
    sl_wire_put(w, h->dropped, 8);
    sl_wire_put(w, h->lost, 8);
    sl_wire_put(w, h->error, 8);
    sl_wire_put(w, h->n, 4);
    for (uint32_t i = 0; i < h->n; i++)
        put_host(w, h, order[i]);
    sl_wire_seal(w);
}

static int by_address(const void *a, const void *b) {
    const struct sl_host *const *x = a, *const *y = b;

    return sl_hosts_compare(&(*x)->addr, &(*y)->addr);
}

int sl_hosts_to_bytes(const struct sl_hosts *h, uint8_t **bytes, size_t *size,
                      struct sl_error *err) {
    const struct sl_host **order = malloc((h->n + (size_t)1) * sizeof *order);
    struct sl_wire_out w = {0};

    for (uint32_t i = 0; order && i < h->n; i++)
        order[i] = &h->hosts[i];
    if (order) {
        qsort(order, h->n, sizeof *order, by_address);
        put_all(&w, h, order);
        w.bytes = malloc(w.n);
    }
    if (w.bytes)
        put_all(&w, h, order);
    free(order);
    *bytes = w.bytes;
    *size = w.n;
    return w.bytes ? 0 : sl_error_set(err, SL_EXIT_USAGE, "no memory to write a table of hosts");
}

/* ---- reading: nothing is believed ---- */

static uint64_t get_amount(struct sl_wire_in *r) {
    uint64_t n = sl_wire_get(r, 8);

    sl_wire_refuse(r, n > SL_HOSTS_MOST, "an amount is out of range");
    return n;
}

static void get_host(struct sl_wire_in *r, struct sl_hosts *h, const struct sl_addr *last) {
    struct sl_addr addr = sl_wire_get_addr(r);
    struct sl_host *x;

    sl_wire_refuse(r, last && sl_hosts_compare(last, &addr) >= 0, "its hosts are not in order");
    if (r->bad)
        return;
    x = sl_hosts_append(h, &addr, sl_hosts_hash(h, &addr));
    sl_wire_refuse(r, !x, "there is no memory for it");
    if (!x)
        return;
    for (int end = 0; end < 2; end++) {
        x->n_flows[end] = get_amount(r);
        x->n_sent[end] = get_amount(r);
        x->n_received[end] = get_amount(r);
    }
    x->first = sl_wire_get_time(r);
    x->last = sl_wire_get_time(r);
    for (uint32_t i = 0; i < sl_hosts_bins(h); i++)
        x->bins[sl_hosts_place(h->low + i)] = (uint32_t)sl_wire_get(r, 4);
}

/* Bins are as narrow as their number allows, or the same content would have two forms. */
static void get_bins(struct sl_wire_in *r, struct sl_hosts *h) {
    uint32_t bins;

    h->rung = (uint32_t)sl_wire_get(r, 1);
    bins = (uint32_t)sl_wire_get(r, 1);
    int64_t low = (int64_t)sl_wire_get(r, 8);
    sl_wire_refuse(r, h->rung >= SL_HOSTS_RUNGS || bins > SL_HOST_BINS, "its bins are impossible");
    if (r->bad)
        return;
    int64_t most = SL_HOSTS_MS_MOST >> h->rung;
    sl_wire_refuse(r, low < -most || low > most - (bins ? bins - 1 : 0), "its bins are impossible");
    sl_wire_refuse(r, !bins && (h->rung || low), "its bins are impossible");
    sl_wire_refuse(r, h->rung && bins <= SL_HOST_BINS / 2, "its bins are too wide");
    if (r->bad || !bins)
        return;
    h->low = low;
    h->high = low + bins - 1;
}

static void get_all(struct sl_wire_in *r, struct sl_hosts *h) {
    struct sl_addr last;

    get_bins(r, h);
    h->dropped = get_amount(r);
    h->lost = get_amount(r);
    h->error = get_amount(r);
    uint32_t n = (uint32_t)sl_wire_get(r, 4);
    sl_wire_refuse(r, n > h->max, "it has more hosts than can be");
    sl_wire_refuse(r, n > (size_t)(r->end - r->at) / HOST_BYTES, "it ends too early");
    sl_wire_refuse(r, n && !sl_hosts_bins(h), "its bins are impossible");
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        get_host(r, h, i ? &last : NULL);
        if (!r->bad)
            last = h->hosts[i].addr;
    }
    sl_wire_refuse(r, r->at != r->end, "something follows its end");
}

struct sl_hosts *sl_hosts_from_bytes(const uint8_t *bytes, size_t size, struct sl_error *err) {
    struct sl_wire_in r = sl_wire_open(bytes, size, magic, VERSION);
    uint32_t max = r.bad ? 0 : (uint32_t)sl_wire_get(&r, 4);
    struct sl_hosts *h = NULL;

    sl_wire_refuse(&r, max < 2 || max > SL_HOSTS_MAX, "its bound is impossible");
    if (!r.bad && !(h = sl_hosts_new(max, err)))
        return NULL;
    if (!r.bad)
        get_all(&r, h);
    if (!r.bad)
        return h;
    sl_hosts_free(h);
    (void)sl_error_set(err, SL_EXIT_USAGE,
                       "cannot read a stored table of hosts: %s, near byte %zu; write the file "
                       "again",
                       r.bad, (size_t)(r.at - bytes));
    return NULL;
}
