/* Text from outside (a path, a server's words) made fit for a message or a terminal. */
#ifndef SL_SOURCE_NAME_H
#define SL_SOURCE_NAME_H

#include "../types.h"

/* Replaces control characters by '?' in place: C0, DEL, and C1 as UTF-8 spells it (C2 80..C2 9F),
 * because terminals obey U+009B as they obey ESC [. */
void sl_text_defuse(char *text);

/* A defused copy for struct sl_source.name; NULL when there is no memory. The caller frees it. */
char *sl_source_name_copy(const char *text) SL_USED;

#endif
