/* What is asked for next. It grows with what is read: at first to twice of it, and eight times as
 * fast from the second MiB on. So whoever stops early has fetched little, and whoever reads on soon
 * has all requests in flight. Where a plan tells what will be read, that is asked for, and nothing
 * between. */
#include "http_source.h"

void sl_http_forget_all(struct http_source *http) {
    while (sl_http_flight_head(&http->flight))
        sl_http_flight_pop(&http->flight);
    if (http->checking)
        sl_http_range_drop(http->flight.check, http->flight.multi);
    http->checking = false;
}

/* The size of the next request: half of what was read since reading began, in units; of what is
 * planned, all. The largest ones differ: requests of one size that share a line fall into step, all
 * end at once, and the line is idle until the next ones are answered. */
static uint64_t next_size(const struct http_source *http) {
    uint64_t size = (http->offset - http->from) / 2 / http->unit * http->unit;
    uint64_t planned =
        http->base.plan && http->base.until > http->next ? http->base.until - http->next : 0;

    if (planned)
        return planned < http->range_bytes ? planned : http->range_bytes;
    if (size < http->unit)
        return http->unit;
    if (size < http->range_bytes)
        return size;
    return http->range_bytes - http->asked % 5 * (http->range_bytes / 8);
}

/* How far from where reading began requests may reach. */
static uint64_t reach(const struct http_source *http) {
    if (http->base.plan && http->base.until > http->offset)
        return http->base.until;
    uint64_t read = http->offset - http->from, start = 2 * (uint64_t)http->unit;

    return read < start ? 2 * read : 2 * start + 8 * (read - start);
}

/* Where the next request must end: at the blob's end, and where the hint stands unless the reader
 * is there already and waits. */
static uint64_t ask_limit(const struct http_source *http, bool waits) {
    uint64_t limit = http->end < 0 ? UINT64_MAX : (uint64_t)http->end, until = http->base.until;

    if (until && until < limit && (until > http->offset || (until == http->offset && !waits)))
        return until;
    return limit;
}

static int ask_next(struct http_source *http, uint64_t size, uint64_t limit, struct sl_error *err) {
    struct sl_http_ask span = {http->next, http->next + size - 1};

    if (span.last >= limit)
        span.last = limit - 1;
    http->next = http->planned = span.last + 1;
    http->asked++;
    return sl_http_flight_add(&http->flight, span, &http->blob, err);
}

/* Fills the free buffers with what will be read after this stretch. */
static int ask_planned(struct http_source *http, struct sl_error *err) {
    const struct sl_source_plan *plan = http->base.plan;
    uint64_t end, limit = (uint64_t)http->end;
    struct sl_http_ask span;

    while (plan && sl_http_is_known(http) && !http->blob.whole && !http->checking &&
           sl_http_flight_room(&http->flight) > 1 && /* one is left for what nobody planned */
           plan->next(plan, http->planned, &span.first, &end) && span.first < limit) {
        end = end < limit ? end : limit;
        span.last =
            (end - span.first < http->range_bytes ? end : span.first + http->range_bytes) - 1;
        http->planned = span.last + 1;
        http->asked++;
        if (sl_http_flight_add(&http->flight, span, &http->blob, err) != 0)
            return -1;
    }
    return 0;
}

/* Fills the free buffers with requests for what comes next, as far as what was read so far gives
 * reason to. */
static int ask_on(struct http_source *http, bool waits, struct sl_error *err) {
    uint64_t limit = ask_limit(http, waits);

    for (;;) {
        const struct sl_http_range *head = sl_http_flight_head(&http->flight);
        uint64_t size = next_size(http);

        if (http->checking || !sl_http_flight_room(&http->flight) || http->next >= limit)
            return 0;
        if (head && http->planned > http->next) /* ranges stand in order: ask_between, if need be */
            return 0;
        if (head &&
            (!sl_http_is_known(http) || http->blob.whole || head->state == SL_HTTP_GIVEN_UP ||
             http->next + size - http->from > reach(http)))
            return 0;
        if (ask_next(http, size, limit, err) != 0)
            return -1;
    }
}

/* The reader goes on behind the stretch that was planned: what it wants comes before the next one.
 */
static int ask_between(struct http_source *http, struct sl_error *err) {
    uint64_t limit = sl_http_flight_head(&http->flight)->span.first;
    int result;

    if (!sl_http_flight_room(&http->flight)) {
        sl_http_forget_all(http);
        http->next = http->planned = http->offset;
        return ask_on(http, true, err);
    }
    http->next = http->offset;
    uint64_t planned = http->planned;
    result = ask_next(http, http->unit, limit, err);
    http->planned = planned;
    sl_http_flight_last_first(&http->flight);
    return result;
}

int sl_http_ask_more(struct http_source *http, bool waits, struct sl_error *err) {
    const struct sl_http_range *head = sl_http_flight_head(&http->flight);

    if (waits && !http->checking && head && head->span.first > http->offset)
        return ask_between(http, err);
    if (http->base.plan && !http->blob.whole) /* what was planned may have come up by now */
        http->next = head && head->span.first <= http->offset ? sl_http_flight_reach(&http->flight)
                                                              : http->offset;
    if (ask_on(http, waits, err) != 0)
        return -1;
    return http->next >= ask_limit(http, waits) ? ask_planned(http, err) : 0;
}

bool sl_http_stays_before_planned(struct http_source *http, uint64_t offset) {
    const struct sl_http_range *head;

    if (!http->base.plan || http->blob.whole)
        return false;
    sl_http_flight_pass(&http->flight, offset);
    head = sl_http_flight_head(&http->flight);
    if (!head || head->span.first <= offset)
        return false;
    http->offset = http->from = http->next = offset;
    return true;
}
