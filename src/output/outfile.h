/* A file that appears whole or not at all: written beside its place, renamed to it at the end.
 *
 * struct sl_outfile and its functions are declared in abi.h, as far as Lua uses them too:
 *
 *   struct sl_outfile *f = sl_outfile_open(path);     NULL: no memory
 *   if (sl_outfile_error(f)) …                        it could not be created
 *   write to sl_outfile_fd(f), or open sl_outfile_temp(f) again by its name
 *   sl_outfile_commit(f);                             0, or -1: see sl_outfile_error()
 *   sl_outfile_give_up(f);                            removes the temporary file: no commit
 *   sl_outfile_free(f);                               removes the temporary file if not committed
 *
 * The file gets the permissions of the one that it replaces, else those that creating it in place
 * would give; a symbolic link is followed. A path that is there and is no regular file (a device, a
 * folder, a link to nothing) is refused: renaming would replace it.
 */
#ifndef SL_OUTFILE_H
#define SL_OUTFILE_H

#include "../types.h"

/* What only C needs. */
int sl_outfile_fd(const struct sl_outfile *);
void sl_outfile_give_up(struct sl_outfile *);

#endif
