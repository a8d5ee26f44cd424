/* A file for each flow: FOLDER/NNNNNN-tcp-10.0.0.1-51234-10.0.0.2-443.pcap, where NNNNNN is the
 * frame number of the flow's first packet and the first address its sender's. Packets without a
 * flow go to FOLDER/no-flow.pcap. Colons of IPv6 addresses become underscores.
 *
 * However many flows live, at most `most` files are open: the one that was not written for longest
 * is closed, and opened again when its flow goes on. While a flow lives its file has .part behind
 * its name.
 */
#ifndef SL_CAPTURE_FLOW_FILES_H
#define SL_CAPTURE_FLOW_FILES_H

#include "form.h"

struct sl_flow_files;

/* The folder is made if it is not there; a folder that holds anything is refused. ending: without
 * the dot. most 0: half of what the system allows a process. */
struct sl_flow_files *sl_flow_files_new(const char *folder, const char *ending, uint32_t most,
                                        struct sl_error *) SL_USED;
/* Writes a packet that carries its flow's index and ordinal. */
int sl_flow_files_put(struct sl_flow_files *, struct sl_form *, const struct sl_packet *,
                      struct sl_error *) SL_USED;
int sl_flow_files_flush(struct sl_flow_files *, struct sl_error *) SL_USED;
/* Completes all files. */
int sl_flow_files_finish(struct sl_flow_files *, struct sl_error *) SL_USED;
void sl_flow_files_free(struct sl_flow_files *); /* removes files that are not whole */

#endif
