/* A source that goes on where another one ends: a capture that is still being written. */
#ifndef SL_SOURCE_FOLLOW_H
#define SL_SOURCE_FOLLOW_H

#include "source.h"

/* Opens the input as sl_source_open does; a pipe as it is. At the end of a file or blob it looks
 * ten times a second, of a blob every two seconds, whether there is more; it never ends by itself.
 * A blob is opened anew then, because its size and entity tag change as it grows, and its last 4
 * KiB are compared: a blob that was replaced or cut is an error. It cannot seek. */
struct sl_source *sl_source_follow_open(const char *input, const struct sl_source_options *,
                                        struct sl_error *) SL_USED;

#endif
