/* A child process that eats what we write and whose standard output goes to a file (gnuplot).
 *
 * Declared in abi.h, for Lua drives it:
 *
 *   struct sl_child *c = sl_child_start(argv, "TZ=UTC0", out);   NULL: no memory
 *   if (sl_child_error(c)) …                          sl_child_missing(c): no such program
 *   sl_child_write(c, script, length);                0 or -1, as often as wanted
 *   sl_child_finish(c);                               end of input, wait; 0: it exited with 0
 *   sl_child_free(c);                                 kills it if it was not waited for
 *
 * No shell takes part: argv, which ends with NULL, goes to posix_spawnp(3) as it stands. The
 * environment is ours with one variable set on top (NULL: none). Writing never raises SIGPIPE and
 * never blocks for good: what the child says on standard error is read meanwhile, its first
 * 4 KiB kept, and its last line of them is in the error text. One thread uses a child at a time.
 */
#ifndef SL_CHILD_H
#define SL_CHILD_H

#include "../types.h"

#endif
