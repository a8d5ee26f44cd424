/* Flows as Zeek's conn.log: its ASCII form, tab-separated, with a header that names fields and
 * types (Zeek's base/protocols/conn/main.zeek and logging/writers/ascii).
 *
 * What Zeek takes from protocol analysis or its configuration is not there: service is the one
 * registered for the responder's port, tunnel_parents is unset. uid is made from the flow's key,
 * first time and frame number, so that the same capture gives the same log; the times in #open and
 * #close are the capture's. duration spans all packets, where Zeek leaves out those behind the end
 * of both directions. */
#ifndef SL_OUTPUT_CONN_LOG_H
#define SL_OUTPUT_CONN_LOG_H

#include "../types.h"

struct sl_conn_log {
    const struct sl_services *services; /* borrowed */
    struct sl_time latest;
    int begun; /* the header is written: with the first flow, which tells when the capture began */
};

enum { SL_CONN_LOG_MAX = 2048 }; /* bytes that one call writes at most */

/* Both write at `to` and return the end. */
char *sl_conn_log_flow(struct sl_conn_log *, const struct sl_flow *, char *to);
char *sl_conn_log_end(struct sl_conn_log *, char *to);

#endif
