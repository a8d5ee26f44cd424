#include "ratio.h"

#include <math.h>

struct sl_ratio_base sl_ratio_base_of(const struct sl_blocks_read *read) {
    struct sl_ratio_base base = {
        .n = read->n, .of_bytes = read->of_bytes, .every = read->every ? read->every : 1};

    for (uint32_t i = 0; i < read->n; i++) {
        base.s += read->bytes[i];
        base.ss += read->bytes[i] * read->bytes[i];
    }
    return base;
}

void sl_ratio_add(struct sl_ratio_sums *sums, double x, double s) {
    sums->x += x;
    sums->xx += x * x;
    sums->xs += x * s;
    sums->xxx += x * x * x;
    sums->xxxx += x * x * x * x;
}

double sl_student_t(double degrees) {
    const double z = 1.9599639845400545, z2 = z * z, v = degrees;
    double g1 = z * (z2 + 1) / 4, g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
    double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
    double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;

    return z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
}

/* The standard error of the estimate, relative to it. */
static double relative_error(const struct sl_ratio_base *base, const struct sl_ratio_sums *sums) {
    double ratio = sums->x / base->s;
    double squares = sums->xx - 2 * ratio * sums->xs + ratio * ratio * base->ss;

    if (squares <= 0 || sums->x <= 0) /* what cancels may leave less than nothing */
        return 0;
    return sqrt((1 - 1 / base->every) * base->n * squares / (base->n - 1)) / sums->x;
}

/* What the variance is worth, in degrees of freedom. */
static double degrees_of(const struct sl_ratio_base *base, const struct sl_ratio_sums *sums) {
    double n = base->n, mean = sums->x / n, m2 = sums->xx / n, m3 = sums->xxx / n;
    double variance = m2 - mean * mean;
    double fourth = sums->xxxx / n - 4 * mean * m3 + 6 * mean * mean * m2 - 3 * pow(mean, 4);
    double degrees = 2 * n / (fourth / (variance * variance) - 1);

    if (!(variance > 0) || !(degrees > 0) || degrees > n - 1) /* also of what is not a number */
        return n - 1;
    return degrees < SL_RATIO_DEGREES_MIN ? SL_RATIO_DEGREES_MIN : degrees;
}

struct sl_interval sl_ratio_estimate(const struct sl_ratio_base *base,
                                     const struct sl_ratio_sums *sums) {
    double value = sums->x / base->s * base->of_bytes;
    double factor = exp(sl_student_t(degrees_of(base, sums)) * relative_error(base, sums));
    struct sl_interval i = {round(value), floor(value / factor), ceil(value * factor)};

    if (base->every <= 1)
        i.value = i.low = i.high = sums->x;
    if (i.low < sums->x)
        i.low = sums->x;
    if (i.value < i.low)
        i.value = i.low;
    if (i.high < i.value)
        i.high = i.value;
    return i;
}
