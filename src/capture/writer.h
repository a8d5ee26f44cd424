/* Writes packets on: into one file or a row of them, and into a file for each flow. Declared in
 * abi.h, for Lua drives it:
 *
 *   struct sl_writer *w = sl_run_writer(run, &options, &err);
 *   sl_writer_add(w, batch->packets, sel, n);            for each batch
 *   sl_writer_flush(w);                                  when nothing more comes for now
 *   sl_writer_close(w, 1, &err);
 *
 * Time stamps, lengths and bytes of packets are the input's. The form is pcapng where the name
 * (without .gz or .zst) ends in .pcapng, pcap where it ends in .pcap or .cap, and else that of the
 * first input. A file appears under its name when it is whole, so a disk that fills up leaves none;
 * one of a row when the next one begins. Names of a row are tshark's:
 * name_00001_20240501101500.pcap, with the time of the file's first packet, in UTC.
 */
#ifndef SL_CAPTURE_WRITER_H
#define SL_CAPTURE_WRITER_H

#include "form.h"

/* inputs: their blocks must be kept already. */
struct sl_writer *sl_writer_open(const struct sl_write_options *,
                                 const struct sl_form_input *inputs, uint32_t n,
                                 struct sl_error *) SL_USED;

#endif
