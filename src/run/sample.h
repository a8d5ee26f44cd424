/* Blocks of an input chosen by chance, for --sample: what lies between them is not read.
 *
 * From the first record to the end of the input there are n * k cells of equal size, 64 to 256 KiB
 * each. The i-th block is one of cells i * k to i * k + k - 1, which one a hash of seed and i
 * says; so each cell has the same chance, 1 / k, and blocks are spread evenly. A record belongs to
 * the cell that it begins in. k is the whole number nearest to 1 / part; cells grow with the input
 * until there are SL_SAMPLE_BLOCKS blocks of the largest size, and from there on blocks become
 * more. Blocks are read in their order.
 *
 * Where a block begins nobody knows of the records before it, so its first record is searched for
 * (capture/resync.h: a chain as long as the smallest cell, or of the largest cells longer than the
 * largest record). What the input's first packet says of sections and interfaces is taken for true
 * of all of it, which each block must agree with; where it does not, or no record is found, there
 * is no sample: an error that says so, SL_EXIT_USAGE. A pcapng section that begins between blocks
 * goes unnoticed if its interfaces have the numbers and clocks of the first one. */
#ifndef SL_RUN_SAMPLE_H
#define SL_RUN_SAMPLE_H

#include "../aggregate/ratio.h"
#include "../capture/reader.h"

enum { SL_SAMPLE_CELL_MIN = 64 * 1024, SL_SAMPLE_CELL_MAX = 256 * 1024, SL_SAMPLE_BLOCKS = 1000 };

struct sl_sample {
    struct sl_source_plan plan;    /* first: which stretches blocks are in, for the source */
    double part;                   /* that is wanted, above 0 to 1 */
    uint64_t seed;                 /* and by which choice */
    struct sl_reader_state *state; /* of the input's head, assumed everywhere; NULL: not begun */
    uint64_t from, to;             /* where records begin and end in the input */
    uint32_t blocks;               /* n */
    struct sl_blocks_read read;
    uint64_t begin, end; /* of the block at work: its first record; where its cell ends */
    int open;            /* there is one */
};

/* Zeroed memory with part and seed set is a sample that has not begun; free is for that, too. */
void sl_sample_free(struct sl_sample *);

/* Whether the input can be sampled at all: it seeks, and is not compressed. -1: *err says why not.
 */
int sl_sample_check(const struct sl_reader *, const struct sl_source *, struct sl_error *) SL_USED;

/* Lays the blocks out, when the reader has given the input's first packet and no more. -1: *err,
 * also where the input is too small for SL_RATIO_BLOCKS_MIN blocks. The source is told, and must
 * not outlive the sample by a read. */
int sl_sample_begin(struct sl_sample *, const struct sl_reader *, struct sl_source *,
                    const struct sl_packet *first, struct sl_error *) SL_USED;

/* As sl_reader_next: packets of one block at a time. read.n has grown when it was read to its end.
 * SL_READ_WAIT also where the wait for a block's first bytes was interrupted. */
int sl_sample_next(struct sl_sample *, struct sl_reader *, struct sl_source *,
                   struct sl_packet *packets, uint32_t max, int timeout_ms,
                   struct sl_error *) SL_USED;

void sl_sample_account(const struct sl_sample *, struct sl_sample_account *);

#endif
