/* Bytes for Lua (abi.h): what it cannot do itself at the speed of C. */
#include "../error.h"

#include <string.h>

int64_t sl_view_find(const struct sl_view *v, uint32_t from, const char *text, size_t size) {
    if (from > v->size)
        return -1;
    const uint8_t *found = memmem(v->data + from, v->size - from, text, size);
    return found ? found - v->data : -1;
}

int sl_view_starts(const struct sl_view *v, const char *text, size_t size) {
    return size <= v->size && memcmp(v->data, text, size) == 0;
}
