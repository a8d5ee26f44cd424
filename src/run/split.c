#include "split.h"

#include "../flow/store.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 4 };

int sl_split_init(struct sl_split *s, uint32_t n_taps, uint32_t shards) {
    *s = (struct sl_split){.n_queues = n_taps * shards, .shards = shards};
    s->queues = calloc(s->n_queues + 1, sizeof *s->queues);
    return s->queues ? 0 : -1;
}

void sl_split_free(struct sl_split *s) {
    for (uint32_t i = 0; i < s->made; i++)
        free(s->batches[i]);
    free(s->batches);
    free(s->queues);
    free(s->parts);
    free(s->sweeps);
}

void sl_split_reset(struct sl_split *s, uint64_t number) {
    memset(s->queues, 0, s->n_queues * sizeof *s->queues);
    s->number = number;
    s->decoded = 0;
    s->left = 0;
    s->used = s->n_parts = s->n_sweeps = s->n_link_types = 0;
}

/* Room for one more of `size` bytes behind n; NULL: out of memory. */
static void *room_for(void *array, uint32_t n, uint32_t *room, size_t size) {
    if (n < *room)
        return array;
    uint32_t more = *room ? 2 * *room : 16;
    void *grown = realloc(array, more * size);
    if (grown)
        *room = more;
    return grown;
}

/* ---- events ---- */

static struct sl_event_batch *new_batch(struct sl_split *s) {
    if (s->used < s->made)
        return s->batches[s->used++];
    struct sl_event_batch **batches =
        room_for(s->batches, s->made, &s->batches_room, sizeof *batches);
    if (!batches)
        return NULL;
    s->batches = batches;
    if (!(batches[s->made] = malloc(sizeof **batches)))
        return NULL;
    s->made++;
    return batches[s->used++];
}

/* The batch that takes the next event of that number. */
static struct sl_event_batch *open_batch(struct sl_split *s, struct sl_event_queue *q,
                                         uint64_t number) {
    struct sl_event_batch *b = q->last;

    if (b && b->n < SL_BATCH && sl_clock_block_of(b->base) == sl_clock_block_of(number))
        return b;
    if (!(b = new_batch(s)))
        return NULL;
    sl_event_batch_clear(b, number);
    if (q->last)
        q->last->next = b;
    else
        q->first = b;
    q->last = b;
    return b;
}

static uint32_t class_of(const struct sl_event_batch *from, const struct sl_flow_event *e) {
    if (e->kind & SL_KEY_V6)
        return sl_event_class(&from->more[e->more].src, &from->more[e->more].dst);
    struct sl_addr lower = {{0, 0, 0, (uint32_t)(e->hosts >> 32)}};
    struct sl_addr upper = {{0, 0, 0, (uint32_t)e->hosts}};
    return sl_event_class(&lower, &upper);
}

static int has_more(const struct sl_flow_event *e) {
    return e->kind & SL_KEY_V6 || e->bits & (SL_EVENT_FIRST_FRAGMENT | SL_EVENT_LATER_FRAGMENT);
}

int sl_split_add_events(struct sl_split *s, uint32_t tap, const struct sl_event_batch *from) {
    struct sl_event_queue *queues = &s->queues[tap * s->shards];

    for (uint32_t i = 0; i < from->n; i++) {
        const struct sl_flow_event *e = &from->events[i];
        uint64_t number = from->base + e->number;
        struct sl_event_batch *b =
            open_batch(s, &queues[class_of(from, e) * s->shards / SL_EVENT_CLASSES], number);
        if (!b)
            return -1;
        struct sl_flow_event *to = &b->events[b->n++];
        sl_prefetch(to + AHEAD); /* somebody else has read that memory last */
        *to = *e;
        to->number = (uint32_t)(number - b->base);
        if (has_more(e)) {
            to->more = b->n_more;
            b->more[b->n_more++] = from->more[e->more];
        }
    }
    return 0;
}

/* ---- what was met ---- */

int sl_split_add_times(struct sl_split *s, const struct sl_packet *packets, uint32_t n) {
    struct sl_clock_part part;

    sl_clock_part_of(&part, packets, n);
    if (s->n_parts && sl_clock_room(packets[0].number64 - 1) < SL_CLOCK_BLOCK) {
        sl_clock_part_append(&s->parts[s->n_parts - 1], &part);
        return 0;
    }
    struct sl_clock_part *parts = room_for(s->parts, s->n_parts, &s->parts_room, sizeof part);
    if (!parts)
        return -1;
    s->parts = parts;
    parts[s->n_parts++] = part;
    return 0;
}

void sl_split_meet(struct sl_split *s, uint16_t link_type) {
    for (uint32_t i = 0; i < s->n_link_types; i++)
        if (s->link_types[i] == link_type)
            return;
    if (s->n_link_types < SL_SPLIT_LINK_TYPES)
        s->link_types[s->n_link_types++] = link_type;
}

int sl_split_run_clock(struct sl_split *s, struct sl_clock *clock, uint64_t *order) {
    for (uint32_t i = 0; i < s->n_parts; i++) {
        int64_t until_s;
        if (!sl_clock_add(clock, &s->parts[i], &until_s))
            continue;
        struct sl_sweep *sweeps = room_for(s->sweeps, s->n_sweeps, &s->sweeps_room, sizeof *sweeps);
        if (!sweeps)
            return -1;
        s->sweeps = sweeps;
        sweeps[s->n_sweeps++] =
            (struct sl_sweep){sl_clock_block_of(clock->packets), ++*order, until_s};
    }
    return 0;
}
