#include "gen_flow.h"

#include <stdlib.h>
#include <string.h>

#define NONE            UINT32_MAX
#define WHEEL_MAX_SLOTS (UINT32_C(1) << 23)

/* A complete TCP flow: three packets of handshake, one of data, three to close. */
#define TCP_LEAST 7

/* Flow sizes grow by this factor with each halving of their probability: a heavy tail with index
 * ln 2 / ln 1.7 = 1.31, near what is measured on backbones. */
#define TAIL_FACTOR 1.7
#define TAIL_STEPS  24
#define TAIL_MEAN   3.266 /* sum over k < 24 of 2^-(k + 1) * 1.7^k */

#define SHORT_MEAN 1.83 /* packets of a flow that is not TCP: 5 of 6 have two, the rest one */

struct gen_schedule {
    struct gen_plan plan;
    uint64_t random;
    uint64_t tick, ticks;
    uint64_t packets_left; /* not yet promised to a flow */
    uint32_t flows_left;   /* not yet started */
    uint64_t start_every;  /* 1/1024 ticks between starts */
    uint64_t next_start;   /* 1/1024 ticks */
    uint64_t mean_life;    /* ticks */
    struct gen_flow *flows;
    uint32_t capacity, used, live, free_list;
    uint32_t *wheel; /* first flow of each slot, one slot a tick */
    uint32_t mask;
    uint32_t sending; /* flow handed out and not yet queued again */
    uint32_t due;     /* flows of this tick that wait their turn */
};

/* xorshift64*, Marsaglia and Vigna: fast, and good enough to scatter. */
uint64_t gen_random(struct gen_schedule *schedule) {
    uint64_t x = schedule->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    schedule->random = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

static uint32_t below(struct gen_schedule *schedule, uint32_t limit) {
    return (uint32_t)((gen_random(schedule) >> 32) * limit >> 32);
}

/* 0.5 … 1.5 */
static double about_one(struct gen_schedule *schedule) {
    return 0.5 + (double)(gen_random(schedule) >> 11) * 0x1p-53;
}

static double heavy_tail(struct gen_schedule *schedule, double mean) {
    uint64_t coins = gen_random(schedule) | UINT64_C(1) << (TAIL_STEPS - 1);
    double value = mean / TAIL_MEAN;
    for (int k = __builtin_ctzll(coins); k > 0; k--) {
        value *= TAIL_FACTOR;
    }
    return value * about_one(schedule);
}

static uint32_t power_of_two(uint64_t least) {
    uint32_t size = 1024;
    while (size < least && size < WHEEL_MAX_SLOTS) {
        size *= 2;
    }
    return size;
}

struct gen_schedule *gen_schedule_new(const struct gen_plan *plan) {
    struct gen_schedule *schedule = calloc(1, sizeof *schedule);
    if (!schedule) {
        return NULL;
    }
    schedule->plan = *plan;
    schedule->random = plan->seed * 2 + 1;
    for (int i = 0; i < 8; i++) { /* a small seed has few bits set */
        (void)gen_random(schedule);
    }
    schedule->packets_left = plan->packets;
    schedule->flows_left = plan->flows;
    schedule->start_every = plan->packets * 1024 / plan->flows;
    /* Little's law: so many flows live at a time. */
    schedule->mean_life = (plan->live * schedule->start_every >> 10) + 1;
    schedule->ticks = plan->packets + 3 * schedule->mean_life;
    schedule->mask = power_of_two(4 * schedule->mean_life) - 1;
    schedule->free_list = schedule->sending = schedule->due = NONE;
    /* Room for bursts; where it is full, the next flow waits for one to end. */
    schedule->capacity = plan->live < plan->flows / 4 ? 4 * plan->live : plan->flows;
    schedule->flows = calloc(schedule->capacity, sizeof *schedule->flows);
    schedule->wheel = malloc(((size_t)schedule->mask + 1) * sizeof *schedule->wheel);
    if (!schedule->flows || !schedule->wheel) {
        gen_schedule_free(schedule);
        return NULL;
    }
    memset(schedule->wheel, 0xff, ((size_t)schedule->mask + 1) * sizeof *schedule->wheel);
    return schedule;
}

void gen_schedule_free(struct gen_schedule *schedule) {
    if (schedule) {
        free(schedule->wheel);
        free(schedule->flows);
        free(schedule);
    }
}

uint64_t gen_schedule_ticks(const struct gen_schedule *schedule) {
    return schedule->ticks;
}

/* Kind and size of a new flow such that the flows still to come use up the packets still left. */
static void draw_size(struct gen_schedule *schedule, struct gen_flow *flow) {
    uint64_t most = schedule->packets_left - (schedule->flows_left - 1);
    if (schedule->flows_left == 1) {
        flow->kind = GEN_TCP;
        flow->total = most;
        return;
    }
    double mean = (double)schedule->packets_left / schedule->flows_left;
    double tcp_share = (mean - SHORT_MEAN) / 8;
    tcp_share = tcp_share < 0 ? 0 : tcp_share > 0.7 ? 0.7 : tcp_share;
    if (about_one(schedule) - 0.5 < tcp_share) {
        double more = (mean - (1 - tcp_share) * SHORT_MEAN) / tcp_share - TCP_LEAST;
        flow->kind = GEN_TCP;
        flow->total = TCP_LEAST + (uint64_t)heavy_tail(schedule, more);
        most = most < schedule->plan.packets / 64 ? most : schedule->plan.packets / 64 + 1;
    } else {
        flow->kind = below(schedule, 6) ? GEN_UDP : GEN_SYN_ONLY;
        flow->total = flow->kind == GEN_UDP ? 2 : 1;
    }
    flow->total = flow->total < most ? flow->total : most;
}

/* A five-tuple that no other flow of the plan has: the odd factor permutes 32 bits, of which 20
 * become the client and 12 its port. */
static void draw_key(struct gen_schedule *schedule, struct gen_flow *flow) {
    static const uint16_t tcp_ports[16] = {443, 443, 443, 443, 443,  443, 443, 443,
                                           443, 80,  80,  80,  8080, 993, 22,  25};
    static const uint16_t udp_ports[4] = {53, 53, 443, 123};
    uint32_t scattered = flow->id * UINT32_C(0x9E3779B1);
    uint32_t popular = below(schedule, 1 << 16);
    flow->client = scattered & 0xFFFFF;
    flow->sport = (uint16_t)(1024 + (scattered >> 20) * 15 + below(schedule, 15));
    flow->server = (popular * popular >> 16) * popular >> 16;
    flow->dport =
        flow->kind == GEN_UDP ? udp_ports[below(schedule, 4)] : tcp_ports[below(schedule, 16)];
    flow->v6 = below(schedule, 100) < schedule->plan.v6_percent;
    flow->seq[0] = (uint32_t)gen_random(schedule);
    flow->seq[1] = (uint32_t)(gen_random(schedule) >> 32);
}

static uint32_t start_flow(struct gen_schedule *schedule) {
    uint32_t index = schedule->free_list;
    if (index != NONE) {
        schedule->free_list = schedule->flows[index].next;
    } else {
        index = schedule->used++;
    }
    struct gen_flow *flow = &schedule->flows[index];
    *flow = (struct gen_flow){.id = schedule->plan.flows - schedule->flows_left};
    draw_size(schedule, flow);
    draw_key(schedule, flow);
    schedule->packets_left -= flow->total;
    schedule->flows_left--;
    schedule->live++;
    schedule->next_start += schedule->start_every;
    uint64_t life = (uint64_t)((double)schedule->mean_life * about_one(schedule));
    uint64_t gap = life / flow->total + 1;
    flow->mean_gap = (uint32_t)(gap < schedule->mask / 4 ? gap : schedule->mask / 4);
    return index;
}

/* Half of the packets follow the last one closely, as in trains; the other pauses make up for it.
 */
static uint32_t next_gap(struct gen_schedule *schedule, const struct gen_flow *flow) {
    if (gen_random(schedule) >> 63) {
        return 1 + below(schedule, 8);
    }
    return 1 + (uint32_t)(2 * flow->mean_gap * about_one(schedule));
}

/* Puts the flow that was handed out last back into the queue, or away. */
static void put_back(struct gen_schedule *schedule) {
    uint32_t index = schedule->sending;
    if (index == NONE) {
        return;
    }
    struct gen_flow *flow = &schedule->flows[index];
    schedule->sending = NONE;
    if (++flow->sent == flow->total) {
        flow->next = schedule->free_list;
        schedule->free_list = index;
        schedule->live--;
        return;
    }
    uint32_t *slot = &schedule->wheel[(schedule->tick + next_gap(schedule, flow)) & schedule->mask];
    flow->next = *slot;
    *slot = index;
}

static bool may_start(const struct gen_schedule *schedule) {
    return schedule->flows_left > 0 && schedule->next_start >> 10 <= schedule->tick &&
           schedule->live < schedule->capacity;
}

struct gen_flow *gen_schedule_next(struct gen_schedule *schedule, uint64_t *tick) {
    put_back(schedule);
    while (schedule->due == NONE && !may_start(schedule)) {
        if (schedule->live == 0 && schedule->flows_left == 0) {
            return NULL;
        }
        uint32_t *slot = &schedule->wheel[++schedule->tick & schedule->mask];
        schedule->due = *slot;
        *slot = NONE;
        uint32_t soon = schedule->wheel[(schedule->tick + 8) & schedule->mask];
        if (soon != NONE) {
            __builtin_prefetch(&schedule->flows[soon]);
        }
    }
    if (schedule->due != NONE) {
        schedule->sending = schedule->due;
        schedule->due = schedule->flows[schedule->sending].next;
    } else {
        schedule->sending = start_flow(schedule);
    }
    *tick = schedule->tick;
    return &schedule->flows[schedule->sending];
}
