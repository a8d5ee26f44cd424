#include "plan.h"

#include "../capture/resync.h"
#include "../source/list.h"
#include "interrupt.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 65536 };

struct planned {
    struct sl_planned known;  /* first: who has this has its address */
    struct sl_source *source; /* NULL: it was handed over */
    char *name;
    struct sl_reader_state *state; /* behind the first packet; NULL: there is none */
};

static struct planned *of(struct sl_planned *p) {
    return (struct planned *)(uintptr_t)p;
}

int sl_planned_head(struct sl_planned *planned, uint64_t size, uint32_t *crc,
                    struct sl_error *err) {
    struct sl_source *source = of(planned)->source;
    size_t want = size < HEAD_BYTES ? (size_t)size : HEAD_BYTES, n = 0;
    char head[HEAD_BYTES];

    if (planned->head && (size == (uint64_t)planned->size || size >= HEAD_BYTES)) {
        *crc = planned->head;
        return 0;
    }
    if (source->ops->seek(source, 0, err) < 0)
        return -1;
    while (n < want) {
        ssize_t got = source->ops->read(source, head + n, want - n, -1, err);
        if (got == 0)
            break;
        if (got == SL_SOURCE_WAIT)
            return sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted", source->name);
        if (got < 0)
            return -1;
        n += (size_t)got;
    }
    *crc = sl_crc32(head, n);
    return 0;
}

static int look(struct planned *p, struct sl_reader *reader, struct sl_error *err) {
    struct sl_packet first;
    int n = sl_reader_next(reader, &first, 1, -1, err);

    if (n == SL_READ_WAIT)
        return sl_error_set(err, SL_EXIT_INTERRUPTED, "%s: interrupted", p->source->name);
    if (n < 0)
        return -1;
    p->known.size = sl_reader_size(reader);
    p->known.has_packets = n > 0;
    if (n > 0) {
        p->known.first = first.ts;
        if (!(p->state = sl_reader_state(reader, err)))
            return -1;
        p->known.state = sl_reader_state_sum(p->state);
    }
    p->known.can_cut = n > 0 && p->known.size > 0 && sl_reader_can_seek(reader);
    return 0;
}

static int open_planned(struct planned *p, const char *input, struct sl_error *err) {
    struct sl_source_options options = {.http_first_bytes = 2 * HEAD_BYTES,
                                        .interrupted = sl_interrupted};

    if (!(p->source = sl_source_open(input, &options, err)))
        return -1;
    p->source->until = 2 * HEAD_BYTES; /* little is wanted anywhere */
    if (!(p->known.name = p->name = strdup(p->source->name)))
        return sl_error_set(err, SL_EXIT_INPUT, "%s: out of memory", p->source->name);
    struct sl_reader *reader = sl_reader_open(p->source, err);
    if (!reader)
        return -1;
    int result = look(p, reader, err);
    sl_reader_close(reader);
    if (result == 0 && p->known.can_cut)
        result = sl_planned_head(&p->known, HEAD_BYTES, &p->known.head, err);
    return result;
}

struct sl_planned *sl_planned_open(const char *input, struct sl_error *err) {
    struct planned *p = calloc(1, sizeof *p);

    if (!p) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    p->known.size = -1;
    if (open_planned(p, input, err) == 0)
        return &p->known;
    sl_planned_close(&p->known);
    return NULL;
}

void sl_planned_close(struct sl_planned *planned) {
    if (!planned)
        return;
    struct planned *p = of(planned);
    sl_reader_state_free(p->state);
    sl_source_close(p->source);
    free(p->name);
    free(p);
}

struct sl_source *sl_planned_take(struct sl_planned *planned) {
    struct sl_source *source = of(planned)->source;

    if (!source || !source->ops->seek || source->in_order)
        return NULL;
    of(planned)->source = NULL;
    return source;
}

int sl_planned_cut(struct sl_planned *planned, uint64_t from, uint64_t *found,
                   struct sl_error *err) {
    struct planned *p = of(planned);

    return sl_resync(p->source, p->state, from, (uint64_t)planned->size, SL_RESYNC_SURE, found,
                     err);
}

/* ---- what an input stands for ---- */

struct sl_strings *sl_inputs_list(const char *input, struct sl_error *err) {
    struct sl_source_options options = {.interrupted = sl_interrupted};
    struct sl_strings *list = calloc(1, sizeof *list);

    if (!list) {
        sl_error_set(err, SL_EXIT_INPUT, "out of memory");
        return NULL;
    }
    if (sl_list_add(list, input, &options, err) == 0)
        return list;
    sl_inputs_free(list);
    return NULL;
}

const char *sl_inputs_at(const struct sl_strings *list, uint32_t i) {
    return i < list->n ? list->at[i] : NULL;
}

void sl_inputs_free(struct sl_strings *list) {
    if (!list)
        return;
    sl_strings_free(list);
    free(list);
}
