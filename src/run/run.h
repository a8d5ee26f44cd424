/* One pass over the inputs: reads batches, applies -f, decodes, counts, keeps the taps. Its
 * functions stand in abi.h, because Lua drives it. Everything a run knows hangs from struct
 * sl_run; the only thing outside is the flag that Ctrl-C sets (interrupt.h). */
#ifndef SL_RUN_H
#define SL_RUN_H

#include "../aggregate/meter.h"
#include "../capture/stretch.h"
#include "../flow/clock.h"
#include "../flow/flow.h"
#include "../flow/head.h"
#include "../packet/bpf.h"
#include "feed.h"
#include "progress.h"
#include "scaled.h"
#include "stats.h"

enum {
    SL_TAPS_MAX = 64,
    SL_LINK_TYPES_MAX = 64,
    SL_WAIT_MS = 100,
    SL_SHARED_MAX = 256,
    SL_LENT_MAX = 1024
};

struct sl_run_tap {
    struct sl_tap tap; /* first: Lua holds its address */
    struct sl_run *run;
    uint32_t index;
    int inside;             /* packets inside tunnels are events, too */
    int wants_flows, looks; /* it keeps a flow table; somebody looks at decided flows */
    struct sl_flows *flows; /* NULL: it keeps none here */
    struct sl_heads *heads; /* the same */
    struct sl_meters meters;
    uint32_t head_size; /* 0: they are not wanted */
    uint32_t takers[SL_TAKERS_MAX], n_takers;
};

struct sl_crew;
struct sl_taker;
struct sl_split;
struct sl_log;
struct sl_replay;

struct sl_run {
    struct sl_feed *feed;
    struct sl_source *live; /* of the feed, where it captures; or NULL */
    struct sl_bpf *bpf;     /* NULL: no -f */
    struct sl_batch batch;
    uint32_t read, at;      /* packets read into the batch; the first that was in no step yet */
    struct sl_clock clock;  /* of all that was read, */
    struct sl_clock before; /* and without the batch, where -c may end in it */
    int sweeps;             /* flows may be let out behind this batch, up to sweep_s */
    int64_t sweep_s;
    struct sl_counter counter;
    struct sl_scaled scaled; /* of a sample */
    struct sl_progress progress;
    uint64_t count_left;   /* until -c; UINT64_MAX: no limit */
    double interval_s;     /* 0: steps end anywhere */
    int leaped;            /* the packet before was far ahead of the interval */
    int is_met;            /* the packet that the next step begins with is known to begin */
    double met;            /* this interval */
    struct sl_time origin; /* time of the first packet */
    int started;
    int decap;           /* look inside tunnels */
    int deltas;          /* somebody looks at times since the packet before */
    int raw;             /* packets stay as they were read, and are counted by number only */
    struct sl_time last; /* of the last packet read, for these */
    uint32_t link_types[SL_LINK_TYPES_MAX], n_link_types;
    char link_numbers[SL_LINK_TYPES_MAX]
                     [24]; /* "LINKTYPE_300", of those that libpcap has no name for */
    struct sl_run_tap *taps[SL_TAPS_MAX];
    uint32_t n_taps;
    struct sl_flow_options flow_options;
    struct sl_event_batch events; /* of the tap at work */
    /* Of several workers (crew.h): */
    struct sl_crew *crew;     /* NULL: there is one */
    struct sl_reader *blocks; /* a worker's run reads these and no feed */
    struct sl_split *split;   /* that it is at */
    struct sl_agg
        *shared[SL_SHARED_MAX]; /* the main run's: workers' aggregates are added to these */
    uint32_t n_shared;
    struct sl_lent {
        void *aggregate;
        const char *name;
    } lent[SL_LENT_MAX]; /* the main run's: takers of flows add to these in place */
    uint32_t n_lent;
    struct sl_taker *taking;  /* a worker's: the one whose flows it is at; NULL: none */
    struct sl_log *log;       /* events go there, too; NULL: nowhere else than into flow tables */
    int tableless;            /* nor there */
    struct sl_replay *replay; /* instead of a feed, or before it */
    struct sl_error error;    /* code 0: none */
};

/* A run that does a worker's part for another one, with taps like that one's. -1: of->error. */
int sl_run_init_worker(struct sl_run *, struct sl_run *of) SL_USED;
void sl_run_end_worker(struct sl_run *);
/* Its next packets are those of the block. */
void sl_run_take_stretch(struct sl_run *worker, struct sl_stretch *, struct sl_time origin);
/* A link type was met. */
void sl_run_meet(struct sl_run *, uint32_t link_type);
/* Gives a batch's events to the tap's flow table, or to the worker's split. stamps may be NULL. */
int sl_tap_take(struct sl_run_tap *, struct sl_event_batch *, struct sl_stamp *stamps) SL_USED;
/* Adds a packet, and with `inside` those inside it, to events that the tap takes when they are
 * full.
 */
int sl_tap_add(struct sl_run_tap *, struct sl_event_batch *, const struct sl_packet *) SL_USED;
/* Lets out flows behind the batch, if it is time. */
int sl_tap_sweep(struct sl_run_tap *) SL_USED;

/* What a step begins with: reads the next batch unless something ends the run. Returns an SL_STEP_…
 */
uint32_t sl_run_read(struct sl_run *);
/* Decodes a packet, and what is in its tunnels with --decap. */
void sl_run_decode(const struct sl_run *, struct sl_packet *);
/* 1: the packet passes -f, 0: not, -1: r->error. */
int sl_run_passes(struct sl_run *, const struct sl_packet *) SL_USED;

#endif
