#include "name.h"

#include <string.h>

void sl_text_defuse(char *text) {
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
    }
}

char *sl_source_name_copy(const char *text) {
    char *name = strdup(text);

    if (name)
        sl_text_defuse(name);
    return name;
}
