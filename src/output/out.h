/* The rest of sl_out (abi.h) for C that formats right into its buffer. */
#ifndef SL_OUTPUT_OUT_H
#define SL_OUTPUT_OUT_H

#include "../types.h"

/* Room for size bytes (at most 64 KiB); what was written there counts after sl_out_advance. */
char *sl_out_reserve(struct sl_out *, size_t size);
void sl_out_advance(struct sl_out *, const char *end);

#endif
