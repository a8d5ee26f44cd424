#include "history.h"

/* A letter takes five bits, of which zero is none. */
enum { BITS = 5, MASK = 31 };

static const char capitals[] = "SHADFRIQTWG";
static const char smalls[] = "shadfriqtwg";

static uint64_t code_of(enum sl_letter letter, int dir) {
    return 1 + 2 * (uint64_t)letter + (uint64_t)dir;
}

int sl_history_add(uint64_t *word, enum sl_letter letter, int dir) {
    for (int at = 0; at < SL_HISTORY_A_WORD * BITS; at += BITS) {
        if (!(*word >> at & MASK)) {
            *word |= code_of(letter, dir) << at;
            return 1;
        }
    }
    return 0;
}

int sl_history_has(uint64_t word, enum sl_letter letter, int dir) {
    for (; word; word >>= BITS)
        if ((word & MASK) == code_of(letter, dir))
            return 1;
    return 0;
}

char *sl_history_text(uint64_t word, char *to) {
    for (; word; word >>= BITS) {
        uint64_t code = (word & MASK) - 1;
        *to++ = code & 1 ? smalls[code / 2] : capitals[code / 2];
    }
    return to;
}
