/* filter_c CAPTURE
 *
 * The test `TCP with port 443 on either side` written in C behind the program's own core, as a
 * yardstick for the same test in Lua: it reads, decodes and counts as `sluice count` does, and
 * prints {"packets":n,"bytes":n} of what passes. */

#include "../../src/error.h"
#include "../../src/types.h"

#include <inttypes.h>
#include <stdio.h>

enum { PROTO_TCP = 6, PORT = 443 };

/* Narrows the batch's selection, as a filter in Lua does (loops.packet_filter). */
static void select_port(struct sl_batch *batch) {
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->n; i++) {
        const struct sl_packet *p = &batch->packets[batch->sel[i]];
        if (p->proto == PROTO_TCP && (p->sport == PORT || p->dport == PORT))
            batch->sel[kept++] = batch->sel[i];
    }
    batch->n = kept;
}

static int tell(const struct sl_error *err) {
    fprintf(stderr, "filter_c: %s\n", err->message);
    return err->code;
}

int main(int argc, char **argv) {
    struct sl_error err = {0};
    struct sl_run *run;
    int state;

    if (argc != 2) {
        fputs("usage: filter_c CAPTURE\n", stderr);
        return SL_EXIT_USAGE;
    }
    const char *const inputs[] = {argv[1]};
    const struct sl_options options = {.inputs = inputs, .n_inputs = 1, .idle_s = -1};
    if (!(run = sl_run_open(&options, &err)))
        return tell(&err);
    while ((state = sl_run_next(run)) == SL_STEP_PACKETS || state == SL_STEP_WAIT) {
        select_port(sl_run_batch(run));
        (void)sl_run_count(run); /* 1 only with a limit */
    }
    if (state == SL_STEP_ERROR)
        return tell(sl_run_error(run));
    const struct sl_stats *stats = sl_run_stats(run);
    printf("{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", stats->packets, stats->bytes);
    sl_run_close(run);
    return 0;
}
