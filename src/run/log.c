#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    WRITE_BYTES = 256 * 1024,
    /* Of one tap in a block with its number; a block with heads can be large. */
    TAP_MAX = SL_PACKED_NUMBER_MAX + SL_PACKED_EVENTS_MAX
};

struct sl_log {
    struct sl_outfile *file;
    struct sl_event_memory *memory; /* of each tap */
    struct sl_head_sieve **sieves;  /* of each tap; NULL: it keeps no heads */
    uint32_t n_taps;
    struct sl_time_memory times;
    uint8_t *bytes; /* blocks that are to be written: [0, at) */
    size_t at, block, room;
    int open; /* the last block has no end yet */
    uint64_t size;
    uint32_t crc;
    int may_be_lost;
    struct sl_error lost; /* code 0: it is not */
};

struct sl_log *sl_log_new(struct sl_outfile *file, uint32_t n_taps, int may_be_lost) {
    struct sl_log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->file = file;
    log->n_taps = n_taps;
    log->may_be_lost = may_be_lost;
    log->room = WRITE_BYTES + SL_LOG_SIZE_BYTES + SL_PACKED_TIMES_MAX + (size_t)n_taps * TAP_MAX +
                1 + SL_LOG_CRC_BYTES;
    log->memory = calloc(n_taps + 1, sizeof *log->memory);
    log->sieves = calloc(n_taps + 1, sizeof(struct sl_head_sieve *));
    log->bytes = malloc(log->room);
    if (log->memory && log->sieves && log->bytes)
        return log;
    sl_log_free(log);
    return NULL;
}

void sl_log_free(struct sl_log *log) {
    if (!log)
        return;
    for (uint32_t i = 0; log->sieves && i < log->n_taps; i++)
        sl_head_sieve_free(log->sieves[i]);
    free(log->sieves);
    free(log->memory);
    free(log->bytes);
    free(log);
}

static void end_block(struct sl_log *log) {
    if (!log->open)
        return;
    log->bytes[log->at++] = 0;
    uint32_t size = (uint32_t)(log->at - log->block - SL_LOG_SIZE_BYTES + SL_LOG_CRC_BYTES);
    memcpy(log->bytes + log->block, &size, SL_LOG_SIZE_BYTES);
    log->crc = (uint32_t)crc32_z(log->crc, log->bytes + log->block, log->at - log->block);
    memcpy(log->bytes + log->at, &log->crc, SL_LOG_CRC_BYTES);
    log->at += SL_LOG_CRC_BYTES;
    log->open = 0;
}

static int write_out(struct sl_log *log, struct sl_error *err) {
    log->size += log->at;
    int failed = sl_outfile_write(log->file, log->bytes, log->at);
    log->at = 0;
    if (!failed)
        return 0;
    sl_error_set(&log->lost, SL_EXIT_USAGE, "%s", sl_outfile_error(log->file));
    if (!log->may_be_lost) {
        *err = log->lost;
        return -1;
    }
    sl_outfile_give_up(log->file); /* others may need the room */
    return 0;
}

int sl_log_packets(struct sl_log *log, const struct sl_packet *packets, uint32_t n,
                   struct sl_error *err) {
    end_block(log);
    if (!log->lost.code && log->at >= WRITE_BYTES && write_out(log, err) < 0)
        return -1;
    if (log->lost.code)
        return 0;
    log->block = log->at;
    log->open = 1;
    uint8_t *end = sl_times_pack(log->bytes + log->at + SL_LOG_SIZE_BYTES, &log->times, packets, n);
    log->at = (size_t)(end - log->bytes);
    return 0;
}

void sl_log_events(struct sl_log *log, uint32_t tap, const struct sl_event_batch *events) {
    if (log->lost.code)
        return;
    uint8_t *end = sl_number_pack(log->bytes + log->at, 2 * ((uint64_t)tap + 1));
    end = sl_events_pack(end, &log->memory[tap], events);
    log->at = (size_t)(end - log->bytes);
}

int sl_log_keep_heads(struct sl_log *log, uint32_t tap, uint32_t size, int64_t gap_s) {
    return (log->sieves[tap] = sl_head_sieve_new(size, gap_s)) ? 0 : -1;
}

/* Room for so many more bytes, beside what the taps behind this one may need. */
static int make_room(struct sl_log *log, size_t more) {
    size_t want = log->at + more + (size_t)log->n_taps * TAP_MAX + 1 + SL_LOG_CRC_BYTES;

    if (want <= log->room)
        return 0;
    uint8_t *grown = realloc(log->bytes, 2 * want);
    if (!grown)
        return -1;
    log->bytes = grown;
    log->room = 2 * want;
    return 0;
}

int sl_log_events_and_heads(struct sl_log *log, uint32_t tap, const struct sl_event_batch *events,
                            const struct sl_packet *packets, const uint32_t *sel,
                            struct sl_error *err) {
    size_t number = log->at;

    sl_log_events(log, tap, events);
    if (!log->sieves[tap] || log->lost.code)
        return 0;
    log->bytes[number] |= 1; /* the lowest bits come first */
    for (uint32_t i = 0; i < events->n; i++) {
        const struct sl_flow_event *e = &events->events[i];
        const struct sl_packet *p = &packets[sel[e->position]];
        uint32_t n = sl_head_sieve_take(log->sieves[tap], e, p->payload_cap);
        if (make_room(log, n + 2 * (size_t)SL_PACKED_NUMBER_MAX) < 0)
            return sl_error_set(err, SL_EXIT_INPUT, "out of memory for the heads of flows");
        uint8_t *end = sl_number_pack(log->bytes + log->at, p->payload_cap);
        end = sl_number_pack(end, n);
        memcpy(end, p->data + p->payload_off, n);
        log->at = (size_t)(end - log->bytes) + n;
    }
    return 0;
}

int sl_log_finish(struct sl_log *log, struct sl_error *err) {
    end_block(log);
    if (!log->lost.code && write_out(log, err) < 0)
        return -1;
    if (log->lost.code)
        *err = log->lost;
    return log->lost.code ? -1 : 0;
}

uint64_t sl_log_size(const struct sl_log *log) {
    return log->size;
}

uint64_t sl_log_sum(const struct sl_log *log) {
    uint64_t sum = log->times.sum;

    for (uint32_t i = 0; i < log->n_taps; i++)
        sum = sum * 3 + log->memory[i].sum;
    return sum;
}

uint32_t sl_log_crc(const struct sl_log *log) {
    return log->crc;
}
