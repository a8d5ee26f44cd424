#include "number_pack.h"

uint8_t *sl_number_pack(uint8_t *to, uint64_t number) {
    for (; number > 0x7f; number >>= 7)
        *to++ = (uint8_t)(number | 0x80);
    *to++ = (uint8_t)number;
    return to;
}

int sl_number_unpack(struct sl_cursor *from, uint64_t *number) {
    *number = 0;
    for (unsigned shift = 0; shift < 64 && sl_has(from, 1); shift += 7) {
        uint8_t byte = *from->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return 0;
    }
    return -1;
}
