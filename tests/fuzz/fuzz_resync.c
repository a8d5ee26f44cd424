/* Reading in splits on hostile bytes: places that resync proposes, readers that start there in an
 * assumed state, and the stitching that a run does. The packets, and how it ends, must be those of
 * reading in one go. The last byte says how large splits are. */
#include <stdlib.h>
#include <string.h>

#include "../../src/capture/resync.h"

enum { BATCH = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth) {
    if (!truth)
        abort();
}

/* What reading came to: a hash over packets, and how it ended. */
struct result {
    uint64_t hash, n;
    int state;
    struct sl_error err;
};

static void mix(struct result *r, uint64_t value) {
    r->hash = (r->hash ^ value) * 0x100000001b3;
    r->hash ^= r->hash >> 29;
}

static void read_on(struct sl_reader *reader, struct result *r) {
    struct sl_packet packets[BATCH];
    int n;

    while ((n = sl_reader_next(reader, packets, BATCH, -1, &r->err)) > 0)
        for (int i = 0; i < n; i++) {
            const struct sl_packet *p = &packets[i];
            must(p->number64 == ++r->n);
            mix(r, p->offset64);
            mix(r, (uint64_t)p->ts.s);
            mix(r, p->ts.nsec);
            mix(r, (uint64_t)p->caplen << 32 | p->len);
            mix(r, (uint64_t)p->link_type << 32 | p->iface);
            mix(r, p->caplen ? p->data[p->caplen - 1] : 0); /* ASan sees to it */
        }
    must(n != SL_READ_WAIT);
    r->state = n;
}

struct split {
    struct result result;
    uint64_t began, ended;
    struct sl_reader_state *state;
    struct sl_reader_stats stats;
};

static struct split read_split(struct sl_source *source, uint64_t at, uint64_t to,
                               const struct sl_reader_state *state, const struct result *before) {
    struct split s = {.began = at, .result = *before};
    struct sl_error err;
    struct sl_reader *reader = sl_reader_open_at(source, at, state, &err);

    must(reader != NULL);
    sl_reader_count_from(reader, before->n);
    sl_reader_limit(reader, to);
    read_on(reader, &s.result);
    s.ended = sl_reader_offset(reader);
    s.stats = *sl_reader_stats(reader);
    must((s.state = sl_reader_state(reader, &err)) != NULL);
    sl_reader_close(reader);
    return s;
}

/* The split [from, to), behind what was read up to `reached`; sets that and *truth. */
static void next_split(struct sl_source *source, const struct sl_reader_state *assumed,
                       uint64_t from, uint64_t to, uint64_t *reached,
                       struct sl_reader_state **truth, struct result *all) {
    struct sl_error err;
    uint64_t found = *reached;
    int is = !from || sl_resync(source, assumed, from, to, SL_RESYNC_SURE, &found, &err);

    must(!is || (found >= from && (found < to || !from)));
    if (!is && *reached >= to)
        return;
    struct split s = read_split(source, is ? found : to, to, assumed, all);
    if (s.began != *reached || s.result.state == SL_READ_ERROR ||
        !sl_reader_state_joins(assumed, *truth, &s.stats)) {
        sl_reader_state_free(s.state);
        s = read_split(source, *reached, to, *truth, all);
    }
    *all = s.result;
    *reached = s.ended;
    sl_reader_state_free(*truth);
    *truth = s.state;
}

static void compare(struct sl_source *source, size_t size, size_t split) {
    struct sl_error err;
    struct sl_packet first;
    struct result whole = {0}, parts = {0};
    struct sl_reader *reader = sl_reader_open(source, &err);

    if (!reader || !sl_reader_can_seek(reader) || sl_reader_next(reader, &first, 1, -1, &err) < 1) {
        sl_reader_close(reader);
        return;
    }
    uint64_t reached = first.offset64;
    struct sl_reader_state *assumed = sl_reader_state(reader, &err);
    must(assumed != NULL);
    struct sl_reader_state *truth = sl_reader_state_copy(assumed, &err);
    must(truth != NULL);
    sl_reader_close(reader);
    struct split all = read_split(source, reached, UINT64_MAX, assumed, &whole);
    whole = all.result;
    sl_reader_state_free(all.state);
    for (uint64_t from = 0; from < size && !parts.state; from += split)
        next_split(source, assumed, from, from + split, &reached, &truth, &parts);
    must(whole.n == parts.n && whole.hash == parts.hash && whole.state == parts.state);
    must(whole.state == SL_READ_END || !strcmp(whole.err.message, parts.err.message));
    sl_reader_state_free(assumed);
    sl_reader_state_free(truth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sl_error err;

    if (!size)
        return 0;
    struct sl_source *source = sl_source_memory_open(data, size, 0, &err);
    must(source != NULL);
    compare(source, size, 16 + size / 8 + 4 * (size_t)data[size - 1]);
    sl_source_close(source);
    return 0;
}
