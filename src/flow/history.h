/* The history of a flow in Zeek's letters: what happened, in order, each in upper case when src did
 * it and in lower case when dst did. Twelve letters make a word, the first one in its lowest bits.
 */
#ifndef SL_FLOW_HISTORY_H
#define SL_FLOW_HISTORY_H

#include "../types.h"

/* What they mean stands in Zeek's scripts/base/protocols/conn/main.zeek, at Conn::Info$history. */
enum sl_letter {
    SL_LETTER_S, /* SYN */
    SL_LETTER_H, /* SYN+ACK */
    SL_LETTER_A, /* pure ACK */
    SL_LETTER_D, /* data */
    SL_LETTER_F, /* FIN */
    SL_LETTER_R, /* RST */
    SL_LETTER_I, /* inconsistent: FIN+RST */
    SL_LETTER_Q, /* SYN+FIN, SYN+RST */
    SL_LETTER_T, /* retransmission */
    SL_LETTER_W, /* zero window */
    SL_LETTER_G, /* content gap */
    SL_LETTERS
};

/* A letter takes five bits, of which zero is none. */
enum { SL_HISTORY_A_WORD = 12, SL_HISTORY_BITS = 5 };

/* 0: the word is full. */
static inline int sl_history_add(uint64_t *word, enum sl_letter letter, int dir) {
    int used = *word ? (63 - __builtin_clzll(*word)) / SL_HISTORY_BITS + 1 : 0;

    if (used == SL_HISTORY_A_WORD)
        return 0;
    *word |= (1 + 2 * (uint64_t)letter + (uint64_t)dir) << used * SL_HISTORY_BITS;
    return 1;
}
/* Whether the word holds the letter. */
int sl_history_has(uint64_t word, enum sl_letter, int dir);
/* Writes the word's letters at `to`, SL_HISTORY_A_WORD at most, and returns the end. */
char *sl_history_text(uint64_t word, char *to);

#endif
