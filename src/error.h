/* One error, filled at the lowest layer that knows what happened; only main.c prints it. */
#ifndef SL_ERROR_H
#define SL_ERROR_H

#include "types.h"

enum sl_exit { SL_EXIT_OK = 0, SL_EXIT_INPUT = 1, SL_EXIT_USAGE = 2, SL_EXIT_INTERRUPTED = 130 };

struct sl_error {
    int code;           /* exit status that main gives: enum sl_exit */
    char message[1024]; /* what, where (file, byte offset), what to do next; no newline, no secret */
};

/* Fills *err (which may hold nothing yet) and returns -1. Control characters become '?'. */
int sl_error_set(struct sl_error *err, enum sl_exit code, const char *format, ...) SL_PRINTF(3, 4);

#endif
