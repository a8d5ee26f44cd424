/* What table.c (packets find their flows) and decide.c (flows end and come out) share. */
#ifndef SL_FLOW_TABLE_H
#define SL_FLOW_TABLE_H

#include "../packet/numbers.h"
#include "evict.h"
#include "flow.h"
#include "fragment.h"
#include "slots.h"
#include "wheel.h"

/* sl_hot.timeout */
enum { SL_TIMEOUT_OTHER, SL_TIMEOUT_TCP, SL_TIMEOUT_CLOSING, SL_TIMEOUTS };

/* An idle timeout of 0, never, as a number; sums with any time stamp stay within int64. */
#define SL_NEVER_S ((int64_t)1 << 61)

struct sl_flows {
    struct sl_flow_options options;
    struct sl_time origin;          /* of the capture */
    int64_t timeout_s[SL_TIMEOUTS]; /* SL_NEVER_S where an option says 0 */
    struct sl_slots slots;
    struct sl_store store;
    struct sl_wheel wheel;
    struct sl_evict evict;
    struct sl_fragments *fragments; /* made when the first fragment comes */
    uint32_t *decided;              /* indexes; [taken, n_decided) are still to be handed out */
    size_t n_decided, taken, room;
    int ended;                /* by sl_flows_finish */
    struct sl_handed *handed; /* where somebody looks: what was handed out last */
    struct sl_flow_stats stats;
    struct sl_meters *meters; /* what went to originators is added to these; or NULL */
};

/* Flows as the outside sees them, put together from their parts. */
struct sl_handed {
    struct sl_flow flows[SL_FLOWS_AT_ONCE];
    struct sl_flow *list[SL_FLOWS_AT_ONCE];
};

static inline uint32_t sl_flow_hash_of(const struct sl_flows *t, const struct sl_hot *h) {
    return sl_flow_hash(h->hosts, h->ports, h->kind, &t->options.seed);
}

/* When a flow that has not been decided is, if no packet comes. */
static inline struct sl_time sl_flow_due(const struct sl_flows *t, const struct sl_hot *h) {
    return (struct sl_time){h->last_s + t->timeout_s[h->timeout], h->last_nsec};
}
/* Why, then. */
static inline uint8_t sl_flow_end_when_idle(const struct sl_hot *h) {
    return h->flags & SL_FLOW_FIN ? SL_END_FIN : h->flags & SL_FLOW_RST ? SL_END_RST : SL_END_IDLE;
}

/* Ends a flow before a sweep finds it; it waits in the wheel for its turn in the order. */
int sl_flow_end_early(struct sl_flows *, struct sl_hot *, uint8_t why, struct sl_time when) SL_USED;

/* event.c: whether later fragments of this protocol need ports, and the key of an event with them.
 */
int sl_proto_wants_ports(unsigned proto);
void sl_event_set_key(struct sl_flow_event *, const struct sl_event_more *, struct sl_ports,
                      const struct sl_hash_seed *);

void sl_flow_assemble(const struct sl_flows *, uint32_t index, struct sl_flow *to);
int sl_flows_no_memory(const struct sl_flows *, struct sl_error *); /* -1 */

#endif
