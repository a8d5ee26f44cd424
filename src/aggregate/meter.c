#include "meter.h"

#include <string.h>

#include "aggregate.h"
#include "kind.h"

int sl_meters_put(struct sl_meters *m, struct sl_agg *a, struct sl_error *err) {
    const struct sl_agg_spec *s = &a->spec;

    if (s->kind != SL_AGG_SERIES || s->parts != 1 || s->type[0] != SL_AGG_NUMBER || s->decimals)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "traffic: aggregate \"%s\" is no series with one number as key",
                            s->name);
    if (m->n == SL_METERS_MAX)
        return sl_error_set(err, SL_EXIT_USAGE, "traffic: more than %d series", SL_METERS_MAX);
    m->list[m->n++] = (struct sl_meter){.agg = a};
    return 0;
}

int sl_meters_copy(struct sl_meters *m, const struct sl_meters *of, struct sl_error *err) {
    *m = (struct sl_meters){.owned = 1};
    for (; m->n < of->n; m->n++) {
        struct sl_agg *a = sl_agg_new(&of->list[m->n].agg->spec, err);
        if (!a)
            return -1;
        m->list[m->n] = (struct sl_meter){.agg = a};
    }
    return 0;
}

int sl_meters_merge(struct sl_meters *to, struct sl_meters *from, struct sl_error *err) {
    sl_meters_flush(from);
    for (uint32_t i = 0; i < from->n; i++)
        if (sl_agg_merge(to->list[i].agg, from->list[i].agg, err) < 0)
            return -1;
    return 0;
}

void sl_meters_free(struct sl_meters *m) {
    for (uint32_t i = 0; m->owned && i < m->n; i++)
        sl_agg_free(m->list[i].agg);
    m->n = 0;
}

static void add(struct sl_agg *a, struct sl_time ts, uint32_t what, uint64_t sum) {
    sl_agg_key_n(a, what);
    sl_agg_add_t(a, &ts, (double)sum);
}

static void flush(struct sl_meter *m) {
    int64_t s = sl_series_floor(m->from_us, 1000000) / 1000000;
    struct sl_time ts = {s, (uint32_t)(m->from_us - s * 1000000) * 1000};

    for (uint32_t what = 0; what < SL_TRAFFIC_END; what++) {
        if (!m->n[what])
            continue;
        add(m->agg, ts, what, m->sums[what]);
        m->agg->counters.additions += m->n[what] - 1;
    }
    memset(m->sums, 0, sizeof m->sums);
    memset(m->n, 0, sizeof m->n);
    m->from_us = m->until_us = 0;
}

void sl_meters_flush(struct sl_meters *m) {
    for (uint32_t i = 0; i < m->n; i++)
        if (m->list[i].from_us < m->list[i].until_us)
            flush(&m->list[i]);
}

/* Bins only become wider, and each lies in one wider one: what was added up for a bin of today's
 * width belongs to one bin later, too. 0: the series refuses such times. */
static int turn_to(struct sl_meter *m, struct sl_time ts, int64_t us) {
    int64_t width = m->agg->series.width_us;

    if (ts.s > SL_SERIES_MAX_S || ts.s < -SL_SERIES_MAX_S)
        return 0;
    if (m->from_us < m->until_us)
        flush(m);
    m->from_us = sl_series_floor(us, width);
    m->until_us = m->from_us + width;
    return 1;
}

static inline void count(struct sl_meter *m, struct sl_time ts, uint32_t what, uint64_t amount) {
    int64_t us = (int64_t)((uint64_t)ts.s * 1000000) + ts.nsec / 1000;

    if (__builtin_expect(us < m->from_us || us >= m->until_us, 0) && !turn_to(m, ts, us)) {
        add(m->agg, ts, what, amount); /* counted as a bad time */
        return;
    }
    m->sums[what] += amount;
    m->n[what]++;
}

void sl_meters_packet(struct sl_meters *m, struct sl_time ts, int is_ip, uint32_t bytes) {
    for (uint32_t i = 0; i < m->n; i++) {
        count(&m->list[i], ts, is_ip ? SL_TRAFFIC_IP : SL_TRAFFIC_OTHER, bytes);
        count(&m->list[i], ts, SL_TRAFFIC_PACKETS, 1);
    }
}

void sl_meters_received(struct sl_meters *m, struct sl_time ts, uint32_t bytes) {
    for (uint32_t i = 0; i < m->n; i++)
        count(&m->list[i], ts, SL_TRAFFIC_RECEIVED, bytes);
}
