/* What a table of hosts is made of, for hosts.c (looking up, ranks), hosts_add.c (adding, merging,
 * the bound) and hosts_bytes.c (the byte form). */
#ifndef SL_HOSTS_STATE_H
#define SL_HOSTS_STATE_H

#include "hosts.h"

enum { SL_HOSTS_NONE = 0xffffffff };

/* The tag, other bits of the hash, spares looking at hosts that are others. */
struct sl_hosts_slot {
    uint32_t host, tag; /* number of a host, SL_HOSTS_NONE: none */
};

struct sl_hosts {
    struct sl_host *hosts;
    uint32_t n, room, max;
    struct sl_hosts_slot *slots; /* open addressing, at most half full */
    uint32_t mask;
    uint64_t seed[2];
    uint32_t rung;     /* a bin is 2^rung milliseconds wide */
    int64_t low, high; /* bins in use, counted from 1970; low > high: none */
    uint32_t *rank;    /* numbers of hosts, by the order asked for last */
    uint64_t dropped, lost, error;
};

/* Amounts stop here, so that sums of two do not overflow and are the same in any order. */
#define SL_HOSTS_MOST ((uint64_t)1 << 61)

enum {
    SL_HOSTS_MAX = 1 << 28, /* hosts of a table, at most */
    SL_HOSTS_RUNGS = 52     /* bins are narrower: times are within 2^53 ms of 1970 */
};
#define SL_HOSTS_MS_MOST ((int64_t)1 << 53)

static inline uint64_t sl_hosts_sum(uint64_t a, uint64_t b) {
    return a + b < SL_HOSTS_MOST ? a + b : SL_HOSTS_MOST;
}

/* Where a host keeps a bin. */
static inline uint32_t sl_hosts_place(int64_t bin) {
    int64_t place = bin % SL_HOST_BINS;

    return (uint32_t)(place < 0 ? place + SL_HOST_BINS : place);
}

uint64_t sl_hosts_amount(const struct sl_host *, uint32_t by);
/* Order of addresses: below, at or above 0. */
int sl_hosts_compare(const struct sl_addr *, const struct sl_addr *);

uint64_t sl_hosts_hash(const struct sl_hosts *, const struct sl_addr *);
/* The slot of an address, or the empty one where it would go. */
struct sl_hosts_slot *sl_hosts_find(const struct sl_hosts *, const struct sl_addr *, uint64_t hash);
/* A new host at the end of those that are there, all of it zero but the address. NULL: no memory.
 */
struct sl_host *sl_hosts_append(struct sl_hosts *, const struct sl_addr *, uint64_t hash);
/* Makes the slots anew after hosts have changed places. */
void sl_hosts_index(struct sl_hosts *);
/* Room for so many hosts. -1: no memory, and nothing has changed. */
int sl_hosts_reserve(struct sl_hosts *, uint64_t wanted) SL_USED;

#endif
