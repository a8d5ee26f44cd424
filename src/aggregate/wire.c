/* What every byte form begins and ends with. */
#include "wire.h"

#include <zlib.h>

enum { HEAD = 6, TAIL = 4 };

void sl_wire_seal(struct sl_wire_out *w) {
    sl_wire_put(w, w->bytes ? crc32_z(0, w->bytes, w->n) : 0, TAIL);
}

struct sl_wire_in sl_wire_open(const uint8_t *bytes, size_t size, const char magic[4],
                               unsigned version) {
    struct sl_wire_in r = {bytes, bytes + size, NULL}, tail;

    sl_wire_refuse(&r, size < HEAD + TAIL || memcmp(bytes, magic, 4) != 0, "it is no aggregate");
    if (!r.bad) {
        r.end -= TAIL;
        tail = (struct sl_wire_in){r.end, r.end + TAIL, NULL};
        sl_wire_refuse(&r, sl_wire_get(&tail, TAIL) != crc32_z(0, bytes, size - TAIL),
                       "its checksum is wrong");
        r.at = r.bad ? r.end : r.at + 4;
    }
    if (!r.bad)
        sl_wire_refuse(&r, sl_wire_get(&r, 2) != version, "it is of another version");
    return r;
}
