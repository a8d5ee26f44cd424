#include "options.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *sl_version(void) {
    return SL_VERSION;
}

static int holds_sluice(const char *folder) {
    char file[SL_PATH_MAX];
    int n = snprintf(file, sizeof file, "%s/sluice/main.lua", folder);

    return n > 0 && (size_t)n < sizeof file && access(file, R_OK) == 0;
}

int sl_find_lua(char path[SL_PATH_MAX], struct sl_error *err) {
    static const char *const beside[] = {"lua", "../../lua"}; /* ./sluice and build/san/sluice */
    char exe[SL_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

    if (n > 0) {
        exe[n] = '\0';
        const char *folder = dirname(exe);
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
            int size = snprintf(path, SL_PATH_MAX, "%s/%s", folder, beside[i]);
            if (size > 0 && size < SL_PATH_MAX && holds_sluice(path))
                return 0;
        }
    }
    snprintf(path, SL_PATH_MAX, "%s", SL_LUADIR);
    if (holds_sluice(path))
        return 0;
    return sl_error_set(
        err, SL_EXIT_USAGE,
        "no Lua files in lua/ beside the program nor in %s: is sluice installed whole?", SL_LUADIR);
}
