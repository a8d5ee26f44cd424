/* A source that unpacks another one: gzip, zstd, lz4 and xz, told by their first bytes.
 *
 * Several members, frames or streams behind one another are one input, as zcat has it, with zero
 * bytes between and behind them passed over. Anything else behind the last one is an error, given
 * when everything before it has been read. One level is unpacked: gzip inside zstd comes out as
 * gzip.
 */
#ifndef SL_SOURCE_DECOMPRESS_H
#define SL_SOURCE_DECOMPRESS_H

#include "source.h"

/* Which compression these are the first bytes of (SL_COMPRESSION_BYTES decide): "gzip", "zstd",
 * "lz4", "xz"; NULL: none of them. */
enum { SL_COMPRESSION_BYTES = 4 };
const char *sl_compression_name(const void *first, size_t n);

/* first: the n bytes that were read of packed already (copied); sl_compression_name must know them.
 * packed is borrowed until close. Single-threaded; see ahead.h. NULL with *err on failure.
 *
 * What was unpacked before a cut or damage is handed out first; then the error names the byte of
 * the packed input. `packed` of the source counts them. Where timeout_ms >= 0 a read may return
 * SL_SOURCE_WAIT early, when input came that gave no output yet. */
struct sl_source *sl_source_decompress_open(struct sl_source *packed, const void *first, size_t n,
                                            struct sl_error *) SL_USED;

#endif
