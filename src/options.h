/* What the build and the place of the program decide: the version, and where lua/ is. */
#ifndef SL_OPTIONS_H
#define SL_OPTIONS_H

#include "error.h"

enum { SL_PATH_MAX = 4096 };

const char *sl_version(void);

/* The folder that holds sluice/, recipes/ and data/: lua/ beside the program or above it in the
 * checkout, else the installed one. -1 with *err: there is none. */
int sl_find_lua(char path[SL_PATH_MAX], struct sl_error *err) SL_USED;

#endif
