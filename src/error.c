#include "error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 character at c; 1 where there is none. */
static size_t character_size(const uint8_t *c) {
    size_t size = *c < 0xc2 || *c > 0xf4 ? 1 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;

    for (size_t i = 1; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 1;
    return size;
}

/* Left-to-right and right-to-left marks, embeddings, overrides and isolates. */
static int turns_direction(const uint8_t *c) {
    return c[0] == 0xe2 && ((c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f)) ||
                            (c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
                            (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

static int is_harmless(const uint8_t *c, size_t size, int lines) {
    switch (size) {
    case 1:
        return (*c >= 0x20 && *c < 0x7f) || *c > 0x9f || (lines && *c == '\n');
    case 2:
        return c[0] != 0xc2 || c[1] > 0x9f;
    default:
        return !turns_direction(c);
    }
}

void sl_text_defuse(char *text, int lines) {
    size_t size;

    for (uint8_t *c = (uint8_t *)text; *c; c += size) {
        size = character_size(c);
        if (!is_harmless(c, size, lines))
            memset(c, '?', size);
    }
}

int sl_error_set(struct sl_error *err, enum sl_exit code, const char *format, ...) {
    va_list args;

    err->code = (int)code;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    sl_text_defuse(err->message, 0);
    return -1;
}
