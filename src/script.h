/* The Lua side: the only module that knows Lua's C API. */
#ifndef SL_SCRIPT_H
#define SL_SCRIPT_H

#include "error.h"

/* The command line, and where the Lua files are. Borrowed as long as the program runs. */
struct sl_script {
    int argc;
    char **argv;
    const char *folder; /* lua/ */
};

/* Runs lua/sluice/main.lua with the command line. Returns the exit status; err->message, where it
 * is not empty, is for standard error. */
int sl_script_run(const struct sl_script *, struct sl_error *err);

/* The same for a worker of a run: main.lua is given that run, and does the worker's part. What goes
 * wrong is the run's failure. */
struct sl_run;
void sl_script_work(const struct sl_script *, struct sl_run *worker);

#endif
