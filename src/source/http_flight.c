#include "http_flight.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A host that cannot be reached at all is more often a wrong URL than a passing fault. */
enum { FIRST_CONTACT_TRIES = 3 };

/* A request that brought so much has made progress: the failures before it are forgiven. */
enum { PROGRESS_BYTES = 16 * 1024 };

static uint32_t throw_dice(struct sl_http_flight *flight) {
    flight->dice ^= flight->dice << 13;
    flight->dice ^= flight->dice >> 17;
    flight->dice ^= flight->dice << 5;
    return flight->dice;
}

int sl_http_flight_init(struct sl_http_flight *flight, struct sl_source *source, const char *url,
                        const struct sl_http_retry *retry, uint32_t most, size_t range_bytes,
                        struct sl_error *err) {
    atomic_ullong *fetched = &source->traffic.fetched;
    uint32_t n = most + most / 2;
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    *flight = (struct sl_http_flight){.name = source->name,
                                      .retry = *retry,
                                      .most = most,
                                      .limit = most,
                                      .traffic = &source->traffic};
    flight->dice = (uint32_t)now.tv_nsec | 1;
    flight->multi = sl_curl()->multi_init();
    flight->slots = calloc(n + 1, sizeof *flight->slots);
    flight->order = calloc(n, sizeof(struct sl_http_range *));
    if (!flight->multi || !flight->slots || !flight->order)
        return sl_error_set(err, SL_EXIT_INPUT, "out of memory");
    flight->check = &flight->slots[n];
    flight->n_slots = n;
    for (uint32_t i = 0; i <= n; i++)
        if (sl_http_range_init(&flight->slots[i], url, retry, fetched,
                               i < n ? range_bytes : SL_HTTP_CHECK_BYTES, err) != 0)
            return -1;
    return 0;
}

void sl_http_flight_free(struct sl_http_flight *flight) {
    for (uint32_t i = 0; flight->slots && i <= flight->n_slots; i++)
        sl_http_range_free(&flight->slots[i], flight->multi);
    (void)sl_curl()->multi_cleanup(flight->multi);
    free(flight->slots);
    free((void *)flight->order);
}

struct sl_http_range *sl_http_flight_head(const struct sl_http_flight *flight) {
    return flight->n_order ? flight->order[0] : NULL;
}

static struct sl_http_range *free_slot(const struct sl_http_flight *flight) {
    for (uint32_t i = 0; i < flight->n_slots; i++)
        if (flight->slots[i].state == SL_HTTP_FREE)
            return &flight->slots[i];
    return NULL;
}

uint32_t sl_http_flight_room(const struct sl_http_flight *flight) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < flight->n_slots; i++)
        n += flight->slots[i].state == SL_HTTP_FREE;
    return n;
}

int sl_http_flight_add(struct sl_http_flight *flight, struct sl_http_ask span,
                       const struct sl_http_blob *blob, struct sl_error *err) {
    struct sl_http_range *range = free_slot(flight);

    if (sl_http_range_want(range, span, blob, err) != 0)
        return -1;
    flight->order[flight->n_order++] = range;
    return 0;
}

void sl_http_flight_last_first(struct sl_http_flight *flight) {
    struct sl_http_range *last = flight->order[flight->n_order - 1];

    memmove((void *)(flight->order + 1), (void *)flight->order,
            (flight->n_order - 1) * sizeof *flight->order);
    flight->order[0] = last;
}

void sl_http_flight_pop(struct sl_http_flight *flight) {
    sl_http_range_drop(flight->order[0], flight->multi);
    memmove((void *)flight->order, (void *)(flight->order + 1),
            --flight->n_order * sizeof *flight->order);
}

/* ---- failures ---- */

static bool never_reached(const struct sl_http_flight *flight, const struct sl_http_range *range) {
    return !flight->answered && !range->answer.status &&
           range->failures.n + 1 >= FIRST_CONTACT_TRIES;
}

/* A body from a server without ranges is begun again only where it can be told to be the same. */
static bool may_heal(const struct sl_http_range *range) {
    return sl_http_can_heal(range->outcome) &&
           (!range->blob->whole || sl_http_blob_is_marked(range->blob));
}

static void forgive(struct sl_http_range *range) {
    if (range->fetched - range->fetched_before >= PROGRESS_BYTES)
        range->failures = (struct sl_http_failures){0};
    range->fetched_before = range->fetched;
}

/* Decides on a request that has failed: WAITING, or as it is, GIVEN_UP. */
static void consider(struct sl_http_flight *flight, struct sl_http_range *range, int64_t now_ms) {
    int64_t after_s = -1, wait_ms;

    if (range->outcome == SL_HTTP_BROKEN && range->stale) {
        range->again_ms = now_ms;
        range->state = SL_HTTP_WAITING;
        return;
    }
    if (!may_heal(range))
        return;
    forgive(range);
    if (range->answer.retry_after[0])
        after_s = sl_http_retry_after_s(range->answer.retry_after, (int64_t)time(NULL));
    if (never_reached(flight, range))
        return;
    wait_ms = sl_http_retry_wait_ms(&flight->retry, &range->failures, now_ms, after_s,
                                    throw_dice(flight));
    if (wait_ms < 0)
        return;
    range->again_ms = now_ms + wait_ms;
    range->state = SL_HTTP_WAITING;
    if (range->outcome == SL_HTTP_BUSY) { /* it has too much to do: be quiet, come back with less */
        flight->limit = flight->limit > 1 ? flight->limit / 2 : 1;
        if (flight->hold_until_ms < range->again_ms)
            flight->hold_until_ms = range->again_ms;
    }
}

static void settle(struct sl_http_flight *flight, struct sl_http_range *range, CURLcode result,
                   int64_t now_ms) {
    bool wanted = range->state != SL_HTTP_DRAINING;

    sl_http_range_done(range, flight->multi, result);
    if (!sl_http_failed(range->outcome)) {
        flight->answered = true;
        if (flight->limit < flight->most)
            flight->limit++;
    } else if (wanted) {
        atomic_store(&flight->traffic->last_status, (uint32_t)range->answer.status);
        consider(flight, range, now_ms);
    }
}

/* ---- driving ---- */

static int begin(struct sl_http_flight *flight, struct sl_http_range *range, int64_t now_ms,
                 struct sl_error *err) {
    bool again = range->failures.n > 0;

    if (range->state != SL_HTTP_WAITING || range->again_ms > now_ms ||
        flight->hold_until_ms > now_ms)
        return 0;
    if (sl_http_range_start(range, flight->multi, err) != 0)
        return -1;
    atomic_fetch_add(&flight->traffic->requests, 1);
    atomic_fetch_add(&flight->traffic->retries, again);
    return 0;
}

static uint32_t count_active(const struct sl_http_flight *flight) {
    uint32_t n = 0;

    for (uint32_t i = 0; i <= flight->n_slots; i++)
        n += flight->slots[i].state == SL_HTTP_ACTIVE || flight->slots[i].state == SL_HTTP_DRAINING;
    return n;
}

static int begin_due(struct sl_http_flight *flight, int64_t now_ms, struct sl_error *err) {
    uint32_t active = count_active(flight);

    for (uint32_t i = 0; i < flight->n_order && active < flight->limit; i++) {
        if (begin(flight, flight->order[i], now_ms, err) != 0)
            return -1;
        active = count_active(flight);
    }
    return begin(flight, flight->check, now_ms, err);
}

int sl_http_flight_drive(struct sl_http_flight *flight, int64_t now_ms, struct sl_error *err) {
    int running;

    if (begin_due(flight, now_ms, err) != 0)
        return -1;
    if (sl_curl()->multi_perform(flight->multi, &running) != CURLM_OK)
        return sl_error_set(err, SL_EXIT_INPUT, "%s: libcurl failed", flight->name);
    return 0;
}

void sl_http_flight_settle(struct sl_http_flight *flight, int64_t now_ms) {
    CURLMsg *message;
    int queued;

    while ((message = sl_curl()->multi_info_read(flight->multi, &queued))) {
        struct sl_http_range *range = NULL;
        CURLcode result = message->data.result; /* gone once the handle is removed */

        if (message->msg == CURLMSG_DONE &&
            sl_curl()->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &range) == CURLE_OK)
            settle(flight, range, result, now_ms);
    }
    atomic_store(&flight->traffic->in_flight, count_active(flight));
}

int sl_http_flight_idle_ms(const struct sl_http_flight *flight, int64_t now_ms, int max_ms) {
    bool full = count_active(flight) >= flight->limit; /* an end is awaited, whatever is due */
    int64_t idle_ms = max_ms;

    for (uint32_t i = 0; i <= flight->n_slots; i++) {
        const struct sl_http_range *range = &flight->slots[i];
        int64_t due_ms =
            range->again_ms > flight->hold_until_ms ? range->again_ms : flight->hold_until_ms;

        if (full && range != flight->check)
            continue;
        if (range->state == SL_HTTP_WAITING && due_ms - now_ms < idle_ms)
            idle_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    }
    return (int)idle_ms;
}

void sl_http_flight_neglected(struct sl_http_flight *flight) {
    for (uint32_t i = 0; i <= flight->n_slots; i++)
        if (flight->slots[i].state == SL_HTTP_ACTIVE)
            flight->slots[i].stale = true;
}

void sl_http_flight_pause(struct sl_http_flight *flight) {
    for (uint32_t i = 0; i < flight->n_order; i++) {
        struct sl_http_range *range = flight->order[i];

        if (range->state == SL_HTTP_ACTIVE)
            sl_http_range_stop(range, flight->multi);
        if (range->state == SL_HTTP_WAITING)
            range->again_ms = INT64_MAX;
    }
}

bool sl_http_flight_resume(struct sl_http_flight *flight, int64_t now_ms) {
    struct sl_http_range *head = sl_http_flight_head(flight);
    int64_t wait_ms;

    forgive(head);
    wait_ms =
        sl_http_retry_wait_ms(&flight->retry, &head->failures, now_ms, -1, throw_dice(flight));
    if (wait_ms < 0)
        return false;
    for (uint32_t i = 0; i < flight->n_order; i++) {
        struct sl_http_range *range = flight->order[i];

        if (range->state == SL_HTTP_WAITING || range->outcome == SL_HTTP_CHANGED) {
            range->state = SL_HTTP_WAITING;
            range->again_ms = now_ms + (head->failures.n > 1 ? wait_ms : 0);
        }
    }
    return true;
}

void sl_http_flight_rest(struct sl_http_flight *flight) {
    for (uint32_t i = 0; i <= flight->n_slots; i++) {
        struct sl_http_range *range = &flight->slots[i];

        if (range->state == SL_HTTP_FREE) {
            free(range->buf);
            range->buf = NULL;
        }
    }
}

bool sl_http_flight_seek(struct sl_http_flight *flight, uint64_t offset) {
    struct sl_http_range *head;

    while ((head = sl_http_flight_head(flight)) &&
           (offset < head->span.first || offset > head->span.last))
        sl_http_flight_pop(flight);
    if (!head)
        return false;
    head->taken = (size_t)(offset - head->span.first);
    return true;
}

void sl_http_flight_pass(struct sl_http_flight *flight, uint64_t offset) {
    while (flight->n_order && flight->order[0]->span.last < offset)
        sl_http_flight_pop(flight);
}

uint64_t sl_http_flight_reach(const struct sl_http_flight *flight) {
    uint64_t end = flight->order[0]->span.last + 1;

    for (uint32_t i = 1; i < flight->n_order && flight->order[i]->span.first == end; i++)
        end = flight->order[i]->span.last + 1;
    return end;
}
