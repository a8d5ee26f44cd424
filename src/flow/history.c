#include "history.h"

enum { MASK = (1 << SL_HISTORY_BITS) - 1 };

static const char capitals[] = "SHADFRIQTWG";
static const char smalls[] = "shadfriqtwg";

int sl_history_has(uint64_t word, enum sl_letter letter, int dir) {
    for (; word; word >>= SL_HISTORY_BITS)
        if ((word & MASK) == 1 + 2 * (uint64_t)letter + (uint64_t)dir)
            return 1;
    return 0;
}

char *sl_history_text(uint64_t word, char *to) {
    for (; word; word >>= SL_HISTORY_BITS) {
        uint64_t code = (word & MASK) - 1;
        *to++ = code & 1 ? smalls[code / 2] : capitals[code / 2];
    }
    return to;
}
