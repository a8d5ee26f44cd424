/* The ABI as data: see abi.c. */
#ifndef SL_ABI_TEXT_H
#define SL_ABI_TEXT_H

#include "types.h"

struct sl_abi_size {
    const char *name; /* "struct sl_packet"; NULL ends the list */
    size_t size;
};

extern const char sl_abi_text[];
extern const struct sl_abi_size sl_abi_sizes[];

#endif
