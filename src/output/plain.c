/* Whether a text may go to a terminal as it stands. */
#include "../error.h"

/* A quick look that lists of packets can afford for every line: what does not pass goes through
 * lua/sluice/strings.lua, which knows all characters that are not seen or change their neighbours.
 * These begin with bytes that are refused here; letters of Europe, arrows and blocks do not.
 * Returns the character's length, 0: refused. */
static size_t plain_character(const uint8_t *s, size_t left) {
    size_t n = s[0] < 0xe0 ? 2 : 3;

    if (s[0] < 0xc3 || s[0] == 0xd8 || s[0] == 0xe0 || s[0] == 0xe1 || s[0] == 0xe3 ||
        s[0] >= 0xed || left < n)
        return 0;
    if (s[0] == 0xe2 && s[1] < 0x82)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

int sl_text_is_plain(const char *text, size_t size) {
    const uint8_t *s = (const uint8_t *)text;

    for (size_t i = 0; i < size;) {
        size_t n = s[i] >= 0x20 && s[i] < 0x7f ? 1 : plain_character(s + i, size - i);
        if (!n)
            return 0;
        i += n;
    }
    return 1;
}
