/* struct sl_error stands in abi.h: one error, filled at the lowest layer that knows what happened;
 * only main.c prints it. */
#ifndef SL_ERROR_H
#define SL_ERROR_H

#include "types.h"

enum sl_exit { SL_EXIT_OK = 0, SL_EXIT_INPUT = 1, SL_EXIT_USAGE = 2, SL_EXIT_INTERRUPTED = 130 };

/* Fills *err (which may hold nothing yet) and returns -1. Control characters become '?'. */
int sl_error_set(struct sl_error *err, enum sl_exit code, const char *format, ...) SL_PRINTF(3, 4);

#endif
