#include "replay.h"

#include "interrupt.h"
#include "split.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCKS = 64,      /* taken before the caller is asked to look up */
    SPLIT_BLOCKS = 32 /* that a split is filled with */
};

/* What a block has of an event's payload. */
struct head {
    uint32_t captured, kept;
    const uint8_t *bytes; /* in the block */
};

struct sl_replay {
    const struct sl_log_part *parts;
    uint32_t n, next; /* next: the part to be opened */
    struct sl_log_reader *log;
    struct sl_event_memory *memory; /* of each tap, in this log */
    struct sl_event_batch *events;  /* of each tap, of the block at hand, */
    struct sl_event_batch some;     /* and those of them up to an end of the clock's block */
    struct head (*heads)[SL_BATCH]; /* of each tap, for the events of the block */
    struct sl_time_memory times;    /* in this log */
    uint64_t packets;               /* of the blocks before the one at hand */
    uint32_t n_taps;
};

struct sl_replay *sl_replay_new(const struct sl_log_part *parts, uint32_t n, struct sl_error *err) {
    struct sl_replay *p = calloc(1, sizeof *p);

    if (!p) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    p->parts = parts;
    p->n = n;
    return p;
}

void sl_replay_free(struct sl_replay *p) {
    if (!p)
        return;
    sl_log_close(p->log);
    free(p->memory);
    free(p->events);
    free(p->heads);
    free(p);
}

/* ---- blocks ---- */

static int make_room(struct sl_replay *p, uint32_t n_taps, struct sl_error *err) {
    if (p->memory)
        return 0;
    p->n_taps = n_taps;
    p->memory = calloc(n_taps + 1, sizeof *p->memory);
    p->events = calloc(n_taps + 1, sizeof *p->events);
    p->heads = calloc(n_taps + 1, sizeof *p->heads);
    if (p->memory && p->events && p->heads)
        return 0;
    return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
}

static int open_next(struct sl_replay *p, struct sl_error *err) {
    const struct sl_log_part *part = &p->parts[p->next++];

    sl_log_close(p->log);
    for (uint32_t i = 0; i < p->n_taps; i++)
        memset(&p->memory[i], 0, sizeof *p->memory);
    p->times = (struct sl_time_memory){0};
    p->log = sl_log_open(part, err);
    return p->log ? 0 : -1;
}

static int unpack_heads(struct sl_cursor *block, struct head *heads, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint64_t captured, kept;
        if (sl_number_unpack(block, &captured) < 0 || sl_number_unpack(block, &kept) < 0 ||
            captured > UINT32_MAX || kept > captured || !sl_has(block, kept))
            return -1;
        heads[i] = (struct head){(uint32_t)captured, (uint32_t)kept, block->at};
        block->at += kept;
    }
    return 0;
}

/* A tap's events; with_heads: what the log has for the heads of its flows follows. */
static int unpack_tap(struct sl_run *r, struct sl_replay *p, struct sl_cursor *block, uint64_t tap,
                      int with_heads) {
    if (tap >= p->n_taps || !r->taps[tap]->wants_flows ||
        with_heads != (r->taps[tap]->head_size > 0) ||
        sl_events_unpack(block, &p->memory[tap], &p->events[tap], r->batch.packets, r->read,
                         &r->flow_options.seed) < 0)
        return -1;
    return with_heads ? unpack_heads(block, p->heads[tap], p->events[tap].n) : 0;
}

/* The batch's times and every tap's events from a block. */
static int unpack(struct sl_run *r, struct sl_replay *p, struct sl_cursor block) {
    uint64_t number;

    if (sl_times_unpack(&block, &p->times, r->batch.packets, &r->read) < 0 || !r->read)
        return -1;
    for (uint32_t i = 0; i < r->read; i++)
        r->batch.packets[i].number64 = p->packets + 1 + i;
    for (uint32_t i = 0; i < p->n_taps; i++)
        sl_event_batch_clear(&p->events[i], p->packets + 1);
    p->packets += r->read;
    while (sl_number_unpack(&block, &number) == 0) {
        if (!number)
            return sl_left(&block) ? -1 : 0;
        if (unpack_tap(r, p, &block, number / 2 - 1, number & 1) < 0)
            return -1;
    }
    return -1;
}

/* The next block of all logs. An SL_STEP_…. */
static uint32_t read_block(struct sl_run *r, struct sl_replay *p, struct sl_error *err) {
    struct sl_cursor block;
    int found = 0;

    while (!found) {
        if (!p->log || !(found = sl_log_next(p->log, &block, err))) {
            if (p->next == p->n)
                return SL_STEP_END;
            if (open_next(p, err) < 0)
                return SL_STEP_ERROR;
        }
        if (found < 0)
            return SL_STEP_ERROR;
    }
    r->at = 0;
    if (unpack(r, p, block) == 0)
        return SL_STEP_PACKETS;
    sl_error_set(err, SL_EXIT_INPUT, "%s: it is damaged: write it again",
                 p->parts[p->next - 1].path);
    return SL_STEP_ERROR;
}

/* ---- taking them ---- */

/* The tap's events of packets [r->at, end) of the block. */
static struct sl_event_batch *events_until(struct sl_run *r, struct sl_replay *p, uint32_t tap,
                                           uint32_t end) {
    const struct sl_event_batch *all = &p->events[tap];

    if (!r->at && end == r->read)
        return &p->events[tap];
    sl_event_batch_clear(&p->some, all->base);
    for (uint32_t i = 0; i < all->n; i++) {
        if (all->events[i].number < r->at || all->events[i].number >= end)
            continue;
        struct sl_flow_event *e = &p->some.events[p->some.n++];
        *e = all->events[i];
        if (e->more < all->n_more) {
            p->some.more[p->some.n_more] = all->more[e->more];
            e->more = p->some.n_more++;
        }
    }
    return &p->some;
}

/* The packet that an event was made of, as far as heads look at it. */
static void make_packet(struct sl_packet *packet, const struct sl_flow_event *e,
                        const struct sl_stamp *stamp, const struct head *head) {
    int no_flow = e->bits & SL_EVENT_NO_FLOW;

    packet->flow = no_flow ? SL_NO_FLOW : stamp->flow;
    packet->dir = stamp->dir;
    packet->flow_pkt64 = stamp->ordinal;
    packet->protos = e->bits & SL_EVENT_TCP ? (uint64_t)1 << SL_P_TCP : 0;
    packet->frag_offset = (e->bits & SL_EVENT_LATER_FRAGMENT) != 0;
    packet->tcp_flags = e->tcp_flags;
    packet->seq = e->seq;
    packet->data = head->bytes;
    packet->payload_off = 0;
    packet->payload_cap = head->captured;
}

/* Gives the tap's heads what the log has for them. */
static int take_heads(struct sl_run *r, const struct sl_replay *p, uint32_t tap,
                      const struct sl_event_batch *events, const struct sl_stamp *stamps,
                      const struct head *heads) {
    struct sl_heads *of = r->taps[tap]->heads;

    for (uint32_t i = 0; i < events->n; i++) {
        const struct sl_flow_event *e = &events->events[i];
        struct sl_packet *packet = &r->batch.packets[e->number];
        make_packet(packet, e, &stamps[i], &heads[i]);
        if (sl_heads_wants(of, packet) > heads[i].kept)
            return sl_error_set(
                &r->error, SL_EXIT_INPUT,
                "%s: the first bytes of the flow of packet %llu are not in it: count "
                "the capture in larger pieces",
                p->parts[p->next - 1].path, (unsigned long long)(events->base + e->number));
        packet->payload_cap = heads[i].kept;
        if (sl_heads_take(of, r->batch.packets, &e->number, 1, &r->error) < 0)
            return -1;
    }
    return 0;
}

static int take_tap(struct sl_run *r, struct sl_replay *p, uint32_t tap, uint32_t end) {
    struct sl_event_batch *events = events_until(r, p, tap, end);
    struct sl_stamp stamps[SL_BATCH] = {0};
    const struct head *heads = p->heads[tap];

    if (sl_flows_take(r->taps[tap]->flows, events, r->taps[tap]->heads ? stamps : NULL, &r->error) <
        0)
        return -1;
    if (!r->taps[tap]->heads)
        return 0;
    for (uint32_t i = 0; i < p->events[tap].n && p->events[tap].events[i].number < r->at; i++)
        heads++; /* of events that have been taken */
    return take_heads(r, p, tap, events, stamps, heads);
}

static int take(struct sl_run *r, struct sl_replay *p, uint32_t end) {
    for (uint32_t i = 0; i < p->n_taps; i++)
        if (r->taps[i]->flows && take_tap(r, p, i, end) < 0)
            return -1;
    r->at = end;
    for (uint32_t i = 0; i < p->n_taps && r->sweeps; i++)
        if (r->taps[i]->flows && sl_flows_sweep(r->taps[i]->flows, r->sweep_s, &r->error) < 0)
            return -1;
    return 0;
}

static void begin(struct sl_run *r) {
    r->origin = r->batch.packets[0].ts;
    r->started = 1;
    for (uint32_t i = 0; i < r->n_taps; i++)
        if (r->taps[i]->flows)
            sl_flows_begin(r->taps[i]->flows, r->origin);
}

/* Takes what is left of the block, to where the clock's block ends. */
static int advance(struct sl_run *r, struct sl_replay *p) {
    uint32_t left = r->read - r->at, room = sl_clock_room(r->clock.packets);
    uint32_t n = left < room ? left : room;
    struct sl_clock_part part;

    if (!r->started)
        begin(r);
    sl_clock_part_of(&part, &r->batch.packets[r->at], n);
    r->sweeps = sl_clock_add(&r->clock, &part, &r->sweep_s);
    r->last = r->batch.packets[r->at + n - 1].ts;
    return take(r, p, r->at + n);
}

/* A run that goes on has metered what it replays, and has it in its checkpoint; pieces have not:
 * where they are merged is no feed. */
static void meter(struct sl_run *r, int on) {
    for (uint32_t i = 0; i < r->n_taps && r->feed; i++)
        if (r->taps[i]->flows)
            sl_flows_meter(r->taps[i]->flows, on ? &r->taps[i]->meters : NULL);
}

int sl_run_replay(struct sl_run *r) {
    struct sl_replay *p = r->replay;
    uint32_t state = SL_STEP_PACKETS;

    sl_interrupt_at("");
    r->sweeps = 0;
    meter(r, 0);
    if (make_room(p, r->n_taps, &r->error) < 0)
        return SL_STEP_ERROR;
    for (int i = 0; i < BLOCKS && state == SL_STEP_PACKETS && !r->sweeps; i++) {
        if (sl_interrupted())
            return SL_STEP_INTERRUPTED;
        if (r->at == r->read)
            state = read_block(r, p, &r->error);
        if (state == SL_STEP_PACKETS && advance(r, p) < 0)
            state = SL_STEP_ERROR;
    }
    meter(r, state == SL_STEP_END);
    return (int)state;
}

/* ---- for several workers ---- */

/* The times of the block at hand, up to each end of a block of the clock. */
static int fill_times(struct sl_run *r, struct sl_split *split) {
    for (uint32_t at = 0, n; at < r->read; at += n) {
        uint32_t room = sl_clock_room(r->batch.packets[at].number64 - 1);
        n = r->read - at < room ? r->read - at : room;
        if (sl_split_add_times(split, &r->batch.packets[at], n) < 0)
            return -1;
    }
    return 0;
}

int sl_replay_fill(struct sl_run *r, struct sl_split *split, struct sl_time *first,
                   struct sl_error *err) {
    struct sl_replay *p = r->replay;

    if (make_room(p, r->n_taps, err) < 0)
        return -1;
    for (int i = 0; i < SPLIT_BLOCKS; i++) {
        uint32_t state = read_block(r, p, err);
        if (state == SL_STEP_END)
            return i > 0;
        if (state != SL_STEP_PACKETS)
            return -1;
        if (!i)
            *first = r->batch.packets[0].ts;
        for (uint32_t t = 0; t < p->n_taps; t++)
            if (sl_split_add_events(split, t, &p->events[t]) < 0)
                return sl_error_set(err, SL_EXIT_INPUT, "out of memory for flows");
        if (fill_times(r, split) < 0)
            return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    }
    return 1;
}
