#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int sl_error_set(struct sl_error *err, enum sl_exit code, const char *format, ...) {
    va_list args;

    err->code = (int)code;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    /* File names, servers' words and recipes' texts land here: none may drive the terminal. */
    for (char *c = err->message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return -1;
}
