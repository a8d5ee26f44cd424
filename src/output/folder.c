/* Names in a folder, for `sluice recipes`. */
#include "../error.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

int sl_folder_list(const char *path, const char *ending, char *names, size_t size) {
    struct dirent **found;
    size_t used = 0, tail = strlen(ending);
    int n = scandir(path, &found, NULL, alphasort), count = 0;

    for (int i = 0; i < n; i++) {
        const char *name = found[i]->d_name;
        size_t length = strlen(name);
        if (length > tail && strcmp(name + length - tail, ending) == 0 &&
            used + length + 2 <= size) {
            memcpy(names + used, name, length);
            used += length;
            names[used++] = '\n';
            count++;
        }
        free(found[i]);
    }
    if (n >= 0)
        free(found);
    names[used] = '\0';
    return count;
}
