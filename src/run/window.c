#include "window.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../flow/clock.h"

enum { BATCHES_MAX = 64 }; /* read without a packet for the caller, before it is asked to look up */

void sl_window_init(struct sl_window *w, struct sl_time from, struct sl_time to) {
    *w = (struct sl_window){.from = from, .to = to};
}

int sl_window_holds(const struct sl_window *w, struct sl_time t) {
    return !sl_before(t, w->from) && sl_before(t, w->to);
}

static void look(struct sl_window *w, const struct sl_packet *p) {
    if (!w->begun) {
        w->begun = 1;
        w->edge = p->offset64;
        w->latest = p->ts;
    }
    if (sl_before(p->ts, w->to))
        w->edge = p->offset64;
    if (sl_before(w->latest, p->ts))
        w->latest = p->ts;
    else if (sl_seconds_between(p->ts, w->latest) > SL_WINDOW_DISORDER_S)
        w->disorder = 1;
}

/* Keeps the packets of the window, in place. */
static uint32_t narrow(struct sl_window *w, struct sl_packet *packets, uint32_t n) {
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        look(w, &packets[i]);
        if (!sl_window_holds(w, packets[i].ts))
            continue;
        if (kept < i)
            packets[kept] = packets[i];
        kept++;
    }
    return kept;
}

static int is_past(const struct sl_window *w, const struct sl_reader *r) {
    return w->trusted && w->begun && !w->disorder && sl_reader_offset(r) > w->edge &&
           sl_reader_offset(r) - w->edge > SL_WINDOW_MARGIN_BYTES;
}

/* Nothing of what lies between is handed out: it was, or lies before where reading began. */
static int go_back(struct sl_window *w, struct sl_reader *r, struct sl_error *err) {
    size_t n = strlen(w->note);

    (void)snprintf(w->note + n, sizeof w->note - n,
                   "; all before byte %" PRIu64 " was read for the interface of a packet there",
                   sl_reader_offset(r));
    w->back = 1;
    return sl_reader_go_back(r, w->known, err) < 0 ? SL_READ_ERROR : 1;
}

/* As sl_reader_next, but for interfaces that were passed over. 1 or more without w->back: packets;
 * with it: nothing to be handed out. */
static int read_on(struct sl_window *w, struct sl_reader *r, struct sl_packet *packets,
                   uint32_t max, int timeout_ms, struct sl_error *err) {
    int n = sl_reader_next(r, packets, max, timeout_ms, err);

    if (n == SL_READ_UNKNOWN)
        return go_back(w, r, err);
    if (n != SL_READ_END || !w->back)
        return n;
    w->back = 0;
    sl_reader_limit(r, UINT64_MAX);
    return sl_reader_next(r, packets, max, timeout_ms, err);
}

int sl_window_next(struct sl_window *w, struct sl_reader *r, struct sl_packet *packets,
                   uint32_t max, int timeout_ms, struct sl_error *err) {
    for (int i = 0; i < BATCHES_MAX; i++) {
        if (is_past(w, r))
            return SL_READ_END;
        int n = read_on(w, r, packets, max, timeout_ms, err);
        if (n <= 0)
            return n;
        if (w->back)
            continue;
        uint32_t kept = narrow(w, packets, (uint32_t)n);
        if (kept)
            return (int)kept;
    }
    return SL_READ_WAIT;
}
