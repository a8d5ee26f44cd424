/* Meters: traffic by time and direction, added to series by the core itself, since which way a
 * packet went is known only where flow tables are (and several workers have several of them).
 *
 * A series with one number as key gets, by the time of the packet: SL_TRAFFIC_IP, the wire bytes of
 * IP packets; SL_TRAFFIC_RECEIVED, those of them that went to the originator of their flow;
 * SL_TRAFFIC_OTHER, those of other packets; SL_TRAFFIC_PACKETS, how many there were. What comes in
 * one bin is added up here first: call sl_meters_flush before anybody reads. The result is that of
 * single additions, in any order. */
#ifndef SL_METER_H
#define SL_METER_H

#include "../error.h"

enum { SL_METERS_MAX = 8 };

struct sl_meter {
    struct sl_agg *agg;
    int64_t from_us, until_us; /* the bin that the sums are of; from >= until: none */
    uint64_t sums[SL_TRAFFIC_END], n[SL_TRAFFIC_END];
};

struct sl_meters {
    struct sl_meter list[SL_METERS_MAX];
    uint32_t n;
    int owned; /* the aggregates go with the meters */
};

/* -1: it is no series with one number as key and whole values, or there are too many. */
int sl_meters_put(struct sl_meters *, struct sl_agg *, struct sl_error *) SL_USED;
/* Empty series like those of `of`, which is borrowed during the call. -1: no memory. */
int sl_meters_copy(struct sl_meters *, const struct sl_meters *of, struct sl_error *) SL_USED;
/* Adds what copies have. */
int sl_meters_merge(struct sl_meters *to, struct sl_meters *from, struct sl_error *) SL_USED;
void sl_meters_free(struct sl_meters *);

void sl_meters_packet(struct sl_meters *, struct sl_time, int is_ip, uint32_t bytes);
void sl_meters_received(struct sl_meters *, struct sl_time, uint32_t bytes);
void sl_meters_flush(struct sl_meters *);

#endif
