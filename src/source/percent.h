/* Percent-encoding of URLs (RFC 3986, 2.1). */
#ifndef SL_SOURCE_PERCENT_H
#define SL_SOURCE_PERCENT_H

#include <stdbool.h>

#include "../types.h"

/* The first n bytes of text, decoded; what is no escape stays. NULL: no memory. The caller frees.
 */
char *sl_percent_decode(const char *text, size_t n) SL_USED;

/* All but unreserved characters, and but / where keep_slash. NULL: no memory. The caller frees. */
char *sl_percent_encode(const char *text, bool keep_slash) SL_USED;

#endif
