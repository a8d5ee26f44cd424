#include "percent.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

char *sl_percent_decode(const char *text, size_t n) {
    char *out = malloc(n + 1), *to = out;

    for (size_t i = 0; out && i < n; i++) {
        bool escape = text[i] == '%' && i + 2 < n && hex_digit(text[i + 1]) >= 0 &&
                      hex_digit(text[i + 2]) >= 0;

        *to++ = escape ? (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
        i += escape ? 2 : 0;
    }
    if (out)
        *to = 0;
    return out;
}

static bool is_unreserved(unsigned char c) {
    return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

char *sl_percent_encode(const char *text, bool keep_slash) {
    static const char digits[] = "0123456789ABCDEF";
    char *out = malloc(3 * strlen(text) + 1), *to = out;

    for (const unsigned char *c = (const unsigned char *)text; out && *c; c++) {
        if (is_unreserved(*c) || (keep_slash && *c == '/')) {
            *to++ = (char)*c;
        } else {
            *to++ = '%';
            *to++ = digits[*c >> 4];
            *to++ = digits[*c & 15];
        }
    }
    if (out)
        *to = 0;
    return out;
}
