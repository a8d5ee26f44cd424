/* The traffic model of the bench generator: which flow sends its next packet when.
 *
 * Flows start at an even pace; each lives for a random time and sends a random number of packets,
 * in trains with pauses between them. A calendar queue keeps them in order, so that making a packet
 * costs the same however many flows are live. The same plan and seed give the same packets.
 */
#ifndef SL_BENCH_GEN_FLOW_H
#define SL_BENCH_GEN_FLOW_H

#include <stdbool.h>
#include <stdint.h>

struct gen_plan {
    uint64_t packets; /* in all, exactly; at least `flows` */
    uint32_t flows;   /* distinct five-tuples, exactly; at least 1 */
    uint32_t live;    /* flows alive at a time, about */
    uint32_t v6_percent;
    uint64_t seed;
};

enum gen_kind { GEN_TCP, GEN_UDP, GEN_SYN_ONLY };

struct gen_flow {
    uint32_t id; /* 0 … flows - 1; (client, sport) follow from it alone */
    uint32_t next;
    uint64_t sent, total; /* packets; total is at least 1 */
    uint32_t mean_gap;    /* ticks */
    uint32_t seq[2];      /* next sequence number of client and server */
    uint32_t client, server;
    uint16_t sport, dport;
    uint8_t kind; /* enum gen_kind */
    bool v6;
};

struct gen_schedule;

/* NULL: no memory. The caller frees it with gen_schedule_free(). */
struct gen_schedule *gen_schedule_new(const struct gen_plan *plan);
void gen_schedule_free(struct gen_schedule *schedule);

/* The flow whose turn it is, its packet number `sent` still to be made, and the time in ticks; NULL
 * after the last packet. The caller may change seq; the flow is valid until the next call. */
struct gen_flow *gen_schedule_next(struct gen_schedule *schedule, uint64_t *tick);

/* About how many ticks there are from first to last packet. */
uint64_t gen_schedule_ticks(const struct gen_schedule *schedule);

/* The schedule's random numbers, for sizes of packets. */
uint64_t gen_random(struct gen_schedule *schedule);

#endif
