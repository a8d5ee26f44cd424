/* struct sl_error stands in abi.h: one error, filled at the lowest layer that knows what happened;
 * only main.c prints it. */
#ifndef SL_ERROR_H
#define SL_ERROR_H

#include "types.h"

enum sl_exit { SL_EXIT_OK = 0, SL_EXIT_INPUT = 1, SL_EXIT_USAGE = 2, SL_EXIT_INTERRUPTED = 130 };

/* Fills *err (which may hold nothing yet) and returns -1. The text is defused. */
int sl_error_set(struct sl_error *err, enum sl_exit code, const char *format, ...) SL_PRINTF(3, 4);

/* Makes text from outside (a path, a server's words) fit for a message or a terminal: '?' in place
 * for each byte of what controls a terminal, C0 (but newlines, with lines), DEL and C1, which
 * terminals obey as U+009B or as the single byte like ESC [, and of what turns the direction of
 * writing round (CVE-2021-42574). Other bytes stay, UTF-8 or not. */
void sl_text_defuse(char *text, int lines);

#endif
