#include "scaled.h"

int sl_scaled_init(struct sl_scaled *s, const struct sl_blocks_read *read, struct sl_error *err) {
    if (!(s->estimate = sl_estimate_new(SL_AGG_NUMBER, err)))
        return -1;
    sl_estimate_follow(s->estimate, read);
    return 0;
}

void sl_scaled_free(struct sl_scaled *s) {
    sl_estimate_free(s->estimate);
    s->estimate = NULL;
}

static void add(struct sl_scaled *s, uint32_t key, uint64_t packets, uint64_t bytes) {
    if (packets)
        sl_estimate_add_block(s->estimate, s->block, key, (double)packets, (double)bytes);
}

void sl_scaled_look(struct sl_scaled *s, const struct sl_blocks_read *read,
                    struct sl_counter *counter) {
    const struct sl_stats *now, *before = &s->before;

    if (read->n == s->block)
        return;
    now = sl_counter_stats(counter);
    for (uint32_t i = 0; i < SL_P_N; i++)
        add(s, i, now->proto_packets[i] - before->proto_packets[i],
            now->proto_bytes[i] - before->proto_bytes[i]);
    add(s, SL_P_N, now->packets - before->packets, now->bytes - before->bytes);
    s->before = *now;
    s->block = read->n; /* blocks in between had no packets */
}
