/* The Lua side: the only module that knows Lua's C API. */
#ifndef SL_SCRIPT_H
#define SL_SCRIPT_H

#include "error.h"

/* Runs lua/sluice/main.lua with the command line. Returns the exit status; err->message, where it
 * is not empty, is for standard error. */
int sl_script_run(int argc, char **argv, const char *lua_folder, struct sl_error *err);

#endif
