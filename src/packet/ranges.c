/* Sets of 32-bit numbers in display filters: a binary search, in C because a loop inside the loop
 * over packets would be a trace of its own in LuaJIT. Declared in abi.h. */
#include "../types.h"

int sl_u32_in(const uint32_t *ranges, uint32_t n, uint32_t value) {
    uint32_t low = 0, high = n;

    /* The first range that does not end before the value lies in [low, high]. */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ranges[2 * middle + 1] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ranges[2 * low] <= value;
}
