/* A choice of records: the few with the smallest hashes ("bottom k", Cohen and Kaplan, PODC 2007),
 * each of all records with the same chance, whatever order and parts they come in. A record is a
 * row of words: its hash, its time, where it stands, and what a recipe wants to know of it; of two
 * with the same hash the smaller row comes first. */
#ifndef SL_PICK_H
#define SL_PICK_H

#include "../types.h"

enum { SL_PICK_HEAD = 3, SL_PICK_MAX_WORDS = 12, SL_PICK_MAX = 10000 };
enum { SL_PICK_HASH, SL_PICK_TIME, SL_PICK_PLACE }; /* the words that come first */

struct sl_pick {
    uint32_t n, room;
    uint64_t words[]; /* n rows, ascending */
};

/* Whether a record with that hash may still get in. */
int sl_pick_open(const struct sl_pick *, uint32_t keep, uint32_t row_words, uint64_t hash);
/* Adds a row, and drops the largest where keep are there already; *p NULL is an empty one.
 * 0, or -1 without memory and nothing changed. */
int sl_pick_add(struct sl_pick **p, uint32_t keep, uint32_t row_words, const uint64_t *row) SL_USED;
size_t sl_pick_bytes(const struct sl_pick *, uint32_t row_words);
int sl_pick_compare(const uint64_t *a, const uint64_t *b, uint32_t row_words);

#endif
