/* Hosts: what every address did in the flows of a capture, for reports.
 *
 * A general aggregate holds one value a key, so a report would look the two ends of each flow up in
 * a dozen tables larger than any cache. Here a flow costs two look-ups. Declared in abi.h:
 *
 *   struct sl_hosts *h = sl_hosts_new(max_hosts, &error);
 *   sl_hosts_add(h, flow);                       once for each decided flow
 *   n = sl_hosts_rank(h, SL_HOSTS_BY_BYTES, n);  sorts; sl_hosts_at(h, i) for i < n
 *   sl_hosts_free(h);
 *
 * Bounds. When there are more than max_hosts, the half with fewer bytes is dropped; a host that
 * comes again begins anew. No host's bytes are too low by more than the sum of what the largest
 * dropped one had each time, sl_hosts_error(); other amounts belong to the same flows. dropped
 * counts what was dropped. Ranks and values depend on the flows and their order only, not on the
 * hash, whose seed is random because keys come from captures.
 *
 * A host's timeline has SL_HOST_BINS bins of flows by their beginning, in seconds since the first
 * packet; all hosts share the width, which doubles whenever a flow begins past the last bin. */
#ifndef SL_HOSTS_H
#define SL_HOSTS_H

#include "../error.h"

#endif
