#include "name.h"

#include "../error.h"

#include <string.h>

char *sl_source_name_copy(const char *text) {
    char *name = strdup(text);

    if (name)
        sl_text_defuse(name, 0);
    return name;
}
