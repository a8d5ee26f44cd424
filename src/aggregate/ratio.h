/* What blocks chosen by chance say of a whole capture: a ratio estimate with its interval.
 *
 * The capture's records are cut into cells of equal bytes, k cells lying behind one another are a
 * stratum, and of each stratum one cell is read, each with the same chance (run/sample.h). A record
 * belongs to the cell that it begins in. With x what a cell holds of something (packets, bytes on
 * the wire), s the bytes of its records and S those of all cells, the whole holds about
 *
 *     X = S * sum(x) / sum(s)
 *
 * which is the ratio estimate of Cochran, Sampling Techniques, third edition, 1977, section 6.2,
 * with the variance of his equation 6.9, v(X) = S^2 (1 - 1/k) / (n mean(s)^2) * sum(d^2) / (n - 1)
 * where d = x - s * sum(x) / sum(s). It takes the n cells for a simple random sample; one cell a
 * stratum spreads them more evenly than that, so that the interval is rather too wide than too
 * narrow (section 5A.12 there).
 *
 * Traffic comes in bursts, so that a few cells hold much of a host's bytes, and two things would
 * make plain intervals too short. Sums of few large amounts lean to the right: the interval is
 * that of log(X), from X / f to X * f with f = exp(t * sqrt(v(X)) / X), as for counts of animals
 * (Burnham and others, Design and Analysis Methods for Fish Survival Experiments, 1987, section
 * 3.2). And v itself is uncertain: t is Student's with 2 n / (kurtosis - 1) degrees of freedom,
 * what a variance estimated from n values of such a kurtosis is worth (Satterthwaite, Biometrics
 * Bulletin 2, 1946; Cochran, section 2.15), between SL_RATIO_DEGREES_MIN and n - 1. How often the
 * intervals hold the truth is measured: tests/README.md. What no sample can tell of is a burst that
 * none of its blocks met: where half of a host's bytes lie in one stretch no longer than the blocks
 * lie apart, the interval may well not reach them.
 *
 * Where every cell was read (k = 1) nothing is estimated, and the interval is a point.
 *
 * Powers are sums of doubles of whole numbers: exact to 2^53, and then good to some 1e-15 of the
 * sum, far below what an interval says. */
#ifndef SL_RATIO_H
#define SL_RATIO_H

#include "../types.h"

enum {
    SL_RATIO_BLOCKS_MIN = 30, /* blocks that must hold something before it is estimated */
    SL_RATIO_DEGREES_MIN = 4
};

/* The blocks that were read to their end so far, in the order of reading. */
struct sl_blocks_read {
    uint32_t n;
    uint32_t every;  /* k: cells of a stratum */
    double *bytes;   /* of the records of each block */
    double of_bytes; /* S: of the strata that they are of; of records, which is no frame's length */
};

/* Sums over blocks. */
struct sl_ratio_base {
    double n, s, ss, of_bytes, every;
};
struct sl_ratio_sums {
    double x, xx, xs;
    double xxx, xxxx; /* for the kurtosis, where cells count as of one size */
};
struct sl_interval {
    double value, low, high; /* 95 % of such intervals hold the true value */
};

struct sl_ratio_base sl_ratio_base_of(const struct sl_blocks_read *);
void sl_ratio_add(struct sl_ratio_sums *, double x, double s);

/* Whole numbers: low is rounded down, and never less than what was seen; high is rounded up. At
 * least two blocks, with records. */
struct sl_interval sl_ratio_estimate(const struct sl_ratio_base *, const struct sl_ratio_sums *);

/* Student's t: what 97.5 % of the distribution lie below, by the expansion of Abramowitz and Stegun
 * 26.7.5: to 0.005 from 4 degrees of freedom on, to 1e-5 from 20 on. */
double sl_student_t(double degrees);

#endif
