/* filter_c filter|handler CAPTURE
 *
 * The test `TCP with port 443 on either side` written in C around the program's own core: the
 * yardstick for the same test in Lua. As a filter it narrows what is counted, like -Y; as a handler
 * it looks at packets that are counted already, like packet(p) of a recipe. Prints
 * {"packets":n,"bytes":n} of those that pass. */

#include "../../src/error.h"
#include "../../src/types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PROTO_TCP = 6, PORT = 443 };

struct total {
    uint64_t packets, bytes;
};

static int passes(const struct sl_packet *p) {
    return p->proto == PROTO_TCP && (p->sport == PORT || p->dport == PORT);
}

/* Narrows the batch's selection, as a filter in Lua does (loops.packet_filter). */
static void filter(struct sl_batch *batch) {
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->n; i++)
        if (passes(&batch->packets[batch->sel[i]]))
            batch->sel[kept++] = batch->sel[i];
    batch->n = kept;
}

static void handle(const struct sl_batch *batch, struct total *total) {
    for (uint32_t i = 0; i < batch->n; i++) {
        const struct sl_packet *p = &batch->packets[batch->sel[i]];
        if (passes(p)) {
            total->packets++;
            total->bytes += p->len;
        }
    }
}

/* Reads to the end; -1: see sl_run_error. */
static int count(struct sl_run *run, int as_filter, struct total *total) {
    int state;

    while ((state = sl_run_next(run)) == SL_STEP_PACKETS || state == SL_STEP_WAIT) {
        if (as_filter)
            filter(sl_run_batch(run));
        (void)sl_run_count(run); /* tells when a limit is reached; there is none */
        if (!as_filter)
            handle(sl_run_batch(run), total);
    }
    if (as_filter) {
        total->packets = sl_run_stats(run)->packets;
        total->bytes = sl_run_stats(run)->bytes;
    }
    return state == SL_STEP_END ? 0 : -1;
}

int main(int argc, char **argv) {
    struct total total = {0, 0};
    struct sl_error err = {0};
    int as_filter = argc == 3 && strcmp(argv[1], "filter") == 0;

    if (argc != 3 || (!as_filter && strcmp(argv[1], "handler") != 0)) {
        fputs("usage: filter_c filter|handler CAPTURE\n", stderr);
        return SL_EXIT_USAGE;
    }
    const char *const inputs[] = {argv[2]};
    const struct sl_options options = {.inputs = inputs, .n_inputs = 1, .idle_s = -1};
    struct sl_run *run = sl_run_open(&options, &err);
    if (run && count(run, as_filter, &total) < 0)
        err = *sl_run_error(run);
    sl_run_close(run);
    if (err.code) {
        fprintf(stderr, "filter_c: %s\n", err.message);
        return err.code;
    }
    printf("{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", total.packets, total.bytes);
    return 0;
}
