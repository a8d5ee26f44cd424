#include "clock.h"

/* As part_of_any, in a third of the time. 0: a stamp does not fit. */
static int part_of_keys(struct sl_clock_part *part, const struct sl_packet *packets, uint32_t n) {
    uint64_t latest = 0, second = 0, least = UINT64_MAX, before = 0, wide = 0;
    uint32_t backwards = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = sl_time_key(packets[i].ts);
        wide |= (uint64_t)packets[i].ts.s >> SL_KEY_SECOND_BITS;
        backwards += key < before;
        least = key < least ? key : least;
        before = key;
        if (key >= latest)
            second = latest, latest = key;
        else if (key > second)
            second = key;
    }
    if (wide)
        return 0;
    part->least = sl_time_of_key(least);
    part->latest = sl_time_of_key(latest);
    part->second = n > 1 ? sl_time_of_key(second) : part->latest;
    part->backwards = backwards;
    return 1;
}

static void take_latest(struct sl_clock_part *part, struct sl_time ts) {
    if (!sl_before(ts, part->latest))
        part->second = part->latest, part->latest = ts;
    else if (part->n == 1 || sl_before(part->second, ts))
        part->second = ts;
}

void sl_clock_part_append(struct sl_clock_part *part, const struct sl_clock_part *next) {
    if (!part->n) {
        *part = *next;
        return;
    }
    part->backwards += next->backwards + (uint32_t)sl_before(next->first, part->last);
    if (sl_before(next->least, part->least))
        part->least = next->least;
    if (next->n > 1)
        take_latest(part, next->second);
    part->n += next->n > 1;
    take_latest(part, next->latest);
    part->n += next->n - (next->n > 1);
    part->last = next->last;
}

static void part_of_any(struct sl_clock_part *part, const struct sl_packet *packets, uint32_t n) {
    part->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct sl_time ts = packets[i].ts;
        struct sl_clock_part one = {ts, ts, ts, ts, ts, 1, 0};
        sl_clock_part_append(part, &one);
    }
}

void sl_clock_part_of(struct sl_clock_part *part, const struct sl_packet *packets, uint32_t n) {
    if (!part_of_keys(part, packets, n))
        part_of_any(part, packets, n);
    part->n = n;
    part->first = packets[0].ts;
    part->last = packets[n - 1].ts;
}

/* The least stamp of the last blocks, when there are as many. */
static int low(const struct sl_clock *c, int64_t *low_s) {
    if (c->packets < (uint64_t)SL_CLOCK_BLOCK * SL_CLOCK_BLOCKS)
        return 0;
    *low_s = c->block_least[0].s;
    for (int i = 1; i < SL_CLOCK_BLOCKS; i++)
        if (c->block_least[i].s < *low_s)
            *low_s = c->block_least[i].s;
    return 1;
}

int sl_clock_add(struct sl_clock *c, const struct sl_clock_part *part, int64_t *until_s) {
    struct sl_clock_part all = {c->before, c->before, c->least, c->latest, c->second, 2, 0};
    uint32_t filled = (uint32_t)(c->packets % SL_CLOCK_BLOCK);

    if (c->packets < 2) /* what has one packet has its stamp twice */
        all.n = (uint32_t)c->packets;
    sl_clock_part_append(&all, part);
    c->least = filled ? all.least : part->least;
    c->latest = all.latest;
    c->second = all.second;
    c->before = all.last;
    c->backwards += all.backwards;
    c->packets += part->n;
    if (filled + part->n < SL_CLOCK_BLOCK)
        return 0;
    c->block_least[(c->packets / SL_CLOCK_BLOCK - 1) % SL_CLOCK_BLOCKS] = c->least;
    if (!low(c, until_s) || __builtin_sub_overflow(*until_s, SL_CLOCK_SLACK_S, until_s))
        return 0;
    return 1;
}

struct sl_time sl_clock_end(const struct sl_clock *c) {
    return c->latest.s - c->second.s > SL_CLOCK_LEAP_S ? c->second : c->latest;
}
