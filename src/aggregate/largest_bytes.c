/* The byte form of the largest flows (largest.h). */
#include "largest_state.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum {
    VERSION = 1,
    AMOUNTS = 7,
    FLOW_BYTES = 2 * 16 + 2 * 2 + 4 + 2 * 2 + 2 * 8 * AMOUNTS + 2 * 8 + 1 + 8 + 4 + 3 * 12 + 8
};
static const char magic[] = "SLLF";

/* The amounts of both directions, in the order of the byte form. */
static void list_amounts(struct sl_flow *f, uint64_t *amounts[AMOUNTS]) {
    amounts[0] = f->n_packets;
    amounts[1] = f->n_bytes;
    amounts[2] = f->n_payload;
    amounts[3] = f->n_ip_bytes;
    amounts[4] = f->n_retransmitted;
    amounts[5] = f->n_missed;
    amounts[6] = f->n_stream;
}

/* ---- writing ---- */

static uint64_t bits_of(double value) {
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void put_flow(struct sl_wire_out *w, struct sl_flow *f) {
    uint64_t *amounts[AMOUNTS];
    size_t letters = strnlen(f->letters, sizeof f->letters - 1);

    sl_wire_put_addr(w, &f->src);
    sl_wire_put_addr(w, &f->dst);
    sl_wire_put(w, f->sport, 2);
    sl_wire_put(w, f->dport, 2);
    sl_wire_put(w, f->proto, 1);
    sl_wire_put(w, f->ip_version, 1);
    sl_wire_put(w, f->end, 1);
    sl_wire_put(w, f->conn_state, 1);
    list_amounts(f, amounts);
    for (int dir = 0; dir < 2; dir++) {
        sl_wire_put(w, f->tcp_flags[dir], 2);
        for (int i = 0; i < AMOUNTS; i++)
            sl_wire_put(w, amounts[i][dir], 8);
        sl_wire_put(w, (uint64_t)f->rtt_ns[dir], 8);
    }
    sl_wire_put(w, letters, 1);
    sl_wire_put_raw(w, f->letters, letters);
    sl_wire_put(w, f->number64, 8);
    sl_wire_put(w, f->fragments, 4);
    sl_wire_put_time(w, f->first);
    sl_wire_put_time(w, f->last);
    sl_wire_put_time(w, f->decided);
    sl_wire_put(w, bits_of(f->duration), 8);
}

static void put_all(struct sl_wire_out *w, const struct sl_largest *l) {
    w->n = 0;
    sl_wire_put_head(w, magic, VERSION);
    sl_wire_put(w, l->max, 4);
    sl_wire_put(w, l->lost, 8);
    sl_wire_put(w, l->n, 4);
    for (uint32_t i = 0; i < l->n; i++)
        put_flow(w, &l->flows[i]);
    sl_wire_seal(w);
}

int sl_largest_to_bytes(struct sl_largest *l, uint8_t **bytes, size_t *size, struct sl_error *err) {
    struct sl_wire_out w = {0};

    (void)sl_largest_sort(l);
    put_all(&w, l);
    w.bytes = malloc(w.n);
    if (w.bytes)
        put_all(&w, l);
    *bytes = w.bytes;
    *size = w.n;
    return w.bytes ? 0 : sl_error_set(err, SL_EXIT_USAGE, "no memory to write the largest flows");
}

/* ---- reading: nothing is believed ---- */

static void get_side(struct sl_wire_in *r, struct sl_flow *f, int dir) {
    uint64_t *amounts[AMOUNTS];

    list_amounts(f, amounts);
    f->tcp_flags[dir] = (uint16_t)sl_wire_get(r, 2);
    for (int i = 0; i < AMOUNTS; i++) {
        amounts[i][dir] = sl_wire_get(r, 8);
        sl_wire_refuse(r, amounts[i][dir] > SL_LARGEST_MOST, "an amount is out of range");
    }
    f->rtt_ns[dir] = (int64_t)sl_wire_get(r, 8);
    sl_wire_refuse(r, f->rtt_ns[dir] < -1, "a round trip is out of range");
}

static void get_letters(struct sl_wire_in *r, struct sl_flow *f) {
    size_t size = (size_t)sl_wire_get(r, 1);

    sl_wire_refuse(r, size >= sizeof f->letters || size > (size_t)(r->end - r->at),
                   "its letters are too many");
    if (r->bad)
        return;
    for (size_t i = 0; i < size; i++) {
        f->letters[i] = (char)*r->at++;
        sl_wire_refuse(r, f->letters[i] < '!' || f->letters[i] > '~', "a letter is none");
    }
}

static struct sl_flow get_flow(struct sl_wire_in *r) {
    struct sl_flow f = {.src = sl_wire_get_addr(r)};
    uint64_t bits;

    f.dst = sl_wire_get_addr(r);
    f.sport = (uint16_t)sl_wire_get(r, 2);
    f.dport = (uint16_t)sl_wire_get(r, 2);
    f.proto = (uint8_t)sl_wire_get(r, 1);
    f.ip_version = (uint8_t)sl_wire_get(r, 1);
    f.end = (uint8_t)sl_wire_get(r, 1);
    f.conn_state = (uint8_t)sl_wire_get(r, 1);
    sl_wire_refuse(r, f.ip_version != 4 && f.ip_version != 6, "its IP version is none");
    sl_wire_refuse(r, f.end > SL_END_EVICTED || f.conn_state > SL_STATE_SHR,
                   "its state is impossible");
    get_side(r, &f, 0);
    get_side(r, &f, 1);
    get_letters(r, &f);
    f.number64 = sl_wire_get(r, 8);
    f.fragments = (uint32_t)sl_wire_get(r, 4);
    f.first = sl_wire_get_time(r);
    f.last = sl_wire_get_time(r);
    f.decided = sl_wire_get_time(r);
    bits = sl_wire_get(r, 8);
    memcpy(&f.duration, &bits, sizeof f.duration);
    sl_wire_refuse(r, !(f.duration >= 0 && f.duration - f.duration == 0) || bits >> 63,
                   "its duration is impossible");
    return f;
}

static void get_all(struct sl_wire_in *r, struct sl_largest *l) {
    uint32_t n;

    l->lost = sl_wire_get(r, 8);
    sl_wire_refuse(r, l->lost > SL_LARGEST_MOST, "an amount is out of range");
    n = (uint32_t)sl_wire_get(r, 4);
    sl_wire_refuse(r, n > l->max, "it has more flows than can be");
    sl_wire_refuse(r, n > (size_t)(r->end - r->at) / FLOW_BYTES, "it ends too early");
    if (r->bad)
        return;
    l->flows = calloc(n + (size_t)1, sizeof *l->flows);
    sl_wire_refuse(r, !l->flows, "there is no memory for it");
    l->room = l->flows ? n + 1 : 0;
    for (; l->n < n && !r->bad; l->n++) {
        l->flows[l->n] = get_flow(r);
        sl_wire_refuse(r, l->n && sl_largest_compare(&l->flows[l->n - 1], &l->flows[l->n]) > 0,
                       "its flows are not in order");
    }
    l->sorted = l->n;
    sl_wire_refuse(r, r->at != r->end, "something follows its end");
}

struct sl_largest *sl_largest_from_bytes(const uint8_t *bytes, size_t size, struct sl_error *err) {
    struct sl_wire_in r = sl_wire_open(bytes, size, magic, VERSION);
    uint32_t max = r.bad ? 0 : (uint32_t)sl_wire_get(&r, 4);
    struct sl_largest *l = NULL;

    sl_wire_refuse(&r, max < 1 || max > SL_LARGEST_MAX, "its bound is impossible");
    if (!r.bad && !(l = sl_largest_new(max, err)))
        return NULL;
    if (!r.bad)
        get_all(&r, l);
    if (!r.bad)
        return l;
    sl_largest_free(l);
    (void)sl_error_set(err, SL_EXIT_USAGE,
                       "cannot read stored flows: %s, near byte %zu; write the file again", r.bad,
                       (size_t)(r.at - bytes));
    return NULL;
}
