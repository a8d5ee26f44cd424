/* sluice: a streaming filter and analyser for packet captures. All printing to standard error but
 * the progress line, and the exit status, are here. */
#include "options.h"
#include "run/interrupt.h"
#include "script.h"

#include <stdio.h>

int main(int argc, char **argv) {
    struct sl_error err = {0};
    char lua_folder[SL_PATH_MAX];
    int status;

    sl_interrupt_install();
    if (sl_find_lua(lua_folder, &err) < 0)
        status = err.code;
    else
        status = sl_script_run(&(struct sl_script){argc, argv, lua_folder}, &err);
    if (err.message[0])
        fprintf(stderr, "sluice: %s\n", err.message);
    return status;
}
