/* A growing list of strings that owns them. */
#ifndef SL_SOURCE_STRING_LIST_H
#define SL_SOURCE_STRING_LIST_H

#include <stdbool.h>

#include "../types.h"

struct sl_strings {
    char **at;
    uint32_t n, room;
};

/* Takes text over, also on failure; NULL is one: no memory. -1: no memory. */
int sl_strings_take(struct sl_strings *, char *text) SL_USED;
void sl_strings_free(struct sl_strings *);

#endif
