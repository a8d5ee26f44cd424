/* Names of sources. */
#ifndef SL_SOURCE_NAME_H
#define SL_SOURCE_NAME_H

#include "../types.h"

/* A defused copy (error.h) for struct sl_source.name; NULL when there is no memory. The caller
 * frees it. */
char *sl_source_name_copy(const char *text) SL_USED;

#endif
