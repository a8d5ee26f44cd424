/* Bytes to a file, a pipe or standard output, compressed on the way where the name's ending asks
 * for it: .gz or .zst. A file appears under its name only when it is whole (outfile.h).
 */
#ifndef SL_OUTPUT_PACK_H
#define SL_OUTPUT_PACK_H

#include "../error.h"

struct sl_pack;

/* path "-": standard output, never compressed. NULL with *err on failure. */
struct sl_pack *sl_pack_open(const char *path, struct sl_error *err) SL_USED;
int sl_pack_write(struct sl_pack *, const void *data, size_t size, struct sl_error *) SL_USED;
/* Everything so far can be read at the other end. */
int sl_pack_flush(struct sl_pack *, struct sl_error *) SL_USED;
/* Writes the rest and frees; keep 0: the file is removed. NULL is allowed. That the other end of a
 * pipe was closed is no error. */
int sl_pack_close(struct sl_pack *, int keep, struct sl_error *);
int sl_pack_reader_left(const struct sl_pack *); /* the other end of the pipe was closed */

/* The length of path without .gz or .zst. */
size_t sl_pack_stem(const char *path);

#endif
