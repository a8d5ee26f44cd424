#include "string_list.h"

#include <stdlib.h>

int sl_strings_take(struct sl_strings *list, char *text) {
    if (text && list->n == list->room) {
        uint32_t room = list->room ? 2 * list->room : 16;
        char **grown = realloc((void *)list->at, room * sizeof *grown);

        if (grown) {
            list->at = grown;
            list->room = room;
        }
    }
    if (!text || list->n == list->room) {
        free(text);
        return -1;
    }
    list->at[list->n++] = text;
    return 0;
}

void sl_strings_free(struct sl_strings *list) {
    for (uint32_t i = 0; i < list->n; i++)
        free(list->at[i]);
    free((void *)list->at);
    *list = (struct sl_strings){0};
}
