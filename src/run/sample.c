#include "sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../capture/resync.h"

/* Read behind a block's end, where its last record may reach; and as far as a search looks. */
enum {
    LAST_BYTES = 17 * 1024,
    TAIL_CHAINS = 2 /* near the input's end so many chains' lengths are searched */
};

void sl_sample_free(struct sl_sample *s) {
    if (!s)
        return;
    sl_reader_state_free(s->state);
    free(s->read.bytes);
    free(s);
}

/* ---- laying out ---- */

int sl_sample_check(const struct sl_reader *r, const struct sl_source *source,
                    struct sl_error *err) {
    if (source->in_order)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "%s: --sample reads blocks here and there, and this server does not "
                            "serve ranges",
                            source->name);
    if (!source->ops->seek)
        return sl_error_set(err, SL_EXIT_USAGE,
                            "%s: --sample reads blocks here and there, which a pipe does not "
                            "allow: give a file or a URL",
                            source->name);
    if (!sl_reader_can_seek(r))
        return sl_error_set(err, SL_EXIT_USAGE,
                            "%s: --sample reads blocks here and there, which compressed data do "
                            "not allow: unpack it first",
                            source->name);
    return 0;
}

static int too_small(const struct sl_sample *s, const struct sl_source *source,
                     struct sl_error *err) {
    uint64_t most = (s->to - s->from) / SL_SAMPLE_CELL_MIN / SL_RATIO_BLOCKS_MIN;
    char advice[64] = "";

    if (most)
        (void)snprintf(advice, sizeof advice, ", or --sample %g%% of it",
                       ceil(1000.0 / (double)most) / 10);
    return sl_error_set(err, SL_EXIT_USAGE,
                        "%s: too small for --sample %g%%, which takes at least %d blocks of %d "
                        "KiB: read all of it%s",
                        source->name, 100 * s->part, SL_RATIO_BLOCKS_MIN, SL_SAMPLE_CELL_MIN / 1024,
                        advice);
}

static uint64_t cell_begin(const struct sl_sample *s, uint64_t cell) {
    uint64_t cells = (uint64_t)s->blocks * s->read.every;

    return s->from + (uint64_t)((unsigned __int128)(s->to - s->from) * cell / cells);
}

/* A number below n by chance: splitmix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom
 * Number Generators, OOPSLA 2014), whose i-th output needs none of those before. */
static uint64_t draw(uint64_t seed, uint64_t i, uint64_t n) {
    uint64_t z = seed * UINT64_C(0xda942042e4dd58b5) + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (uint64_t)((unsigned __int128)z * n >> 64);
}

/* A block's cell, and the stretch of the input that is read for it. */
struct place {
    uint64_t cell, at, end;
    uint64_t from, to;
    enum sl_resync_chain chain; /* that its first record must begin */
};

static struct place place_of(const struct sl_sample *s, uint64_t block) {
    uint64_t cell = block * s->read.every + draw(s->seed, block, s->read.every);
    struct place p = {.cell = cell, .at = cell_begin(s, cell), .end = cell_begin(s, cell + 1)};

    p.chain = p.end - p.at >= SL_RESYNC_SURE ? SL_RESYNC_SURE : SL_RESYNC_HINT;
    p.from = p.at;
    if (p.at > s->from && s->to - p.at < TAIL_CHAINS * (uint64_t)p.chain)
        p.from = s->to - s->from > TAIL_CHAINS * (uint64_t)p.chain
                     ? s->to - TAIL_CHAINS * (uint64_t)p.chain
                     : s->from;
    p.to = p.end + LAST_BYTES;
    return p;
}

static int next_stretch(const struct sl_source_plan *plan, uint64_t behind, uint64_t *first,
                        uint64_t *end) {
    const struct sl_sample *s = (const struct sl_sample *)plan;
    uint64_t strata = (uint64_t)s->blocks;
    /* One before the stratum of that offset may still reach behind it, and none further back. */
    uint64_t block =
        behind > s->from
            ? (uint64_t)((unsigned __int128)(behind - s->from) * strata / (s->to - s->from))
            : 0;

    for (block = block ? block - 1 : 0; block < strata; block++) {
        struct place p = place_of(s, block);
        if (p.to <= behind)
            continue;
        *first = p.from > behind ? p.from : behind;
        *end = p.to;
        return 1;
    }
    return 0;
}

/* A server whose first answer broke off has not told it yet. What is read here is no loss: the
 * reader is moved before it reads on. */
static int learn_size(struct sl_source *source, struct sl_error *err) {
    char byte;
    ssize_t n = 1;

    while (source->size < 0 && n > 0)
        n = source->ops->read(source, &byte, 1, -1, err);
    if (n == SL_SOURCE_WAIT)
        return sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted", source->name);
    if (n >= 0 && source->size < 0)
        return sl_error_set(err, SL_EXIT_USAGE, "%s: its size is not known, so there is no sample",
                            source->name);
    return n < 0 ? -1 : 0;
}

int sl_sample_begin(struct sl_sample *s, const struct sl_reader *r, struct sl_source *source,
                    const struct sl_packet *first, struct sl_error *err) {
    double every = round(1 / s->part), cell, blocks;

    if (learn_size(source, err) < 0 || sl_sample_check(r, source, err) < 0)
        return -1;
    s->from = first->offset64;
    s->to = (uint64_t)source->size;
    cell = (double)(s->to - s->from) / every / SL_SAMPLE_BLOCKS;
    cell = cell < SL_SAMPLE_CELL_MIN   ? SL_SAMPLE_CELL_MIN
           : cell > SL_SAMPLE_CELL_MAX ? SL_SAMPLE_CELL_MAX
                                       : cell;
    blocks = floor((double)(s->to - s->from) / every / cell);
    if (blocks < SL_RATIO_BLOCKS_MIN)
        return too_small(s, source, err);
    s->blocks = blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
    s->read.every = (uint32_t)every;
    if (!(s->read.bytes = calloc(s->blocks, sizeof *s->read.bytes)))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", source->name);
    if (!(s->state = sl_reader_state(r, err)))
        return -1;
    s->plan.next = next_stretch;
    source->plan = &s->plan;
    return 0;
}

/* ---- a block ---- */

static int untrusted(const struct sl_source *source, uint64_t at, const char *why,
                     struct sl_error *err) {
    return sl_error_set(err, SL_EXIT_USAGE,
                        "%s: no sample of it can be trusted, because %s byte %" PRIu64
                        ": read all of it",
                        source->name, why, at);
}

/* Passes over records that begin before the block. */
static int pass_over(struct sl_reader *r, uint64_t at, struct sl_packet *packets, uint32_t max,
                     struct sl_error *err) {
    int n;

    sl_reader_limit(r, at);
    do
        n = sl_reader_next(r, packets, max, -1, err);
    while (n > 0);
    if (n == SL_READ_WAIT)
        return sl_error_set(err, SL_EXIT_INTERRUPTED, "interrupted");
    return n == SL_READ_END ? 1 : -1;
}

/* Looks for a record from `from` on, and goes on to the first one from the block's cell on. */
static int search(const struct sl_sample *s, struct sl_reader *r, const struct place *p,
                  uint64_t from, struct sl_packet *packets, uint32_t max, struct sl_error *err) {
    int found;

    sl_reader_limit(r, from); /* so that no more is read than the search asks for */
    found = sl_reader_resync(r, from, s->to, p->chain, err);
    return found <= 0 || from == p->at ? found : pass_over(r, p->at, packets, max, err);
}

/* Moves the reader to the first record that begins in the cell or behind. 1: there it stands; 0:
 * none is believed; -1. Near the input's end the search begins further in front, so that what is
 * cut off there does not break the chain; of large records the last one may cover all of that. */
static int find(const struct sl_sample *s, struct sl_reader *r, const struct place *p,
                struct sl_packet *packets, uint32_t max, struct sl_error *err) {
    uint64_t room = TAIL_CHAINS * (uint64_t)SL_RESYNC_SURE;
    int found;

    if (p->at == s->from)
        return sl_reader_move(r, p->at, err) < 0 ? -1 : 1;
    found = search(s, r, p, p->from, packets, max, err);
    if (!found && s->to - p->at < room && s->to - s->from > room)
        found = search(s, r, p, s->to - room, packets, max, err);
    return found;
}

/* Moves the reader to the next block. */
static int begin(struct sl_sample *s, struct sl_reader *r, struct sl_source *source,
                 struct sl_packet *packets, uint32_t max, struct sl_error *err) {
    struct place p = place_of(s, s->read.n);
    int found = s->end == p.at; /* then the block before has led there */

    s->end = p.end;
    source->until = p.to;
    if (!found)
        found = find(s, r, &p, packets, max, err);
    if (found < 0)
        return -1;
    if (!found)
        return untrusted(source, p.at, "no record was found behind", err);
    s->begin = sl_reader_offset(r);
    sl_reader_limit(r, s->end);
    s->open = 1;
    return 1;
}

/* The block was read as far as it goes. */
static int end(struct sl_sample *s, const struct sl_reader *r, const struct sl_source *source,
               struct sl_error *err) {
    uint64_t at = sl_reader_offset(r), strata = (uint64_t)(s->read.n + 1) * s->read.every;
    struct sl_reader_state *now = sl_reader_state(r, err);

    if (!now)
        return -1;
    int same = sl_reader_state_equal(now, s->state);
    sl_reader_state_free(now);
    if (!same)
        return untrusted(source, at, "another pcapng section or interface begins near", err);
    s->open = 0;
    s->read.bytes[s->read.n++] = at > s->begin && s->begin < s->end ? (double)(at - s->begin) : 0;
    s->read.of_bytes = (double)(cell_begin(s, strata) - s->from);
    return 1;
}

/* What there is to say instead of packets, of the block at work. 1: go on. */
static int ended(struct sl_sample *s, const struct sl_reader *r, const struct sl_source *source,
                 int result, struct sl_error *err) {
    struct sl_error ignored;

    if (result == SL_READ_ERROR && s->read.n + 1 == s->blocks && end(s, r, source, &ignored) < 0)
        return SL_READ_ERROR; /* cut off in its last record: that is as far as it goes */
    return result == SL_READ_END ? end(s, r, source, err) : result;
}

int sl_sample_next(struct sl_sample *s, struct sl_reader *r, struct sl_source *source,
                   struct sl_packet *packets, uint32_t max, int timeout_ms, struct sl_error *err) {
    for (;;) {
        if (!s->open && s->read.n == s->blocks)
            return SL_READ_END;
        if (!s->open && begin(s, r, source, packets, max, err) < 0)
            return err->code == SL_EXIT_INTERRUPTED ? SL_READ_WAIT : SL_READ_ERROR;
        int n = sl_reader_next(r, packets, max, timeout_ms, err);
        if (n > 0)
            return n;
        n = ended(s, r, source, n, err);
        if (n <= 0)
            return n;
    }
}

void sl_sample_account(const struct sl_sample *s, struct sl_sample_account *a) {
    *a = (struct sl_sample_account){.blocks = s->read.n,
                                    .wanted = s->blocks,
                                    .every = s->read.every,
                                    .of_bytes = s->read.of_bytes};
    for (uint32_t i = 0; i < s->read.n; i++)
        a->bytes += s->read.bytes[i];
    if (s->blocks)
        a->block_bytes = (double)(s->to - s->from) / s->blocks / s->read.every;
}
