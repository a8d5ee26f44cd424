/* Cuts an input into pieces that programs of their own read: struct sl_planned and its functions
 * stand in abi.h. A piece begins where sl_resync believes that a record does, after a chain of
 * headers that is longer than any packet. Whoever puts the pieces together checks it: where one
 * piece ended the next one must have begun, in the same state (capture/state.h). */
#ifndef SL_RUN_PLAN_H
#define SL_RUN_PLAN_H

#include "../error.h"
#include "../source/source.h"

/* Hands the input over to who reads it, from its first byte on: nobody has to connect and ask for
 * its beginning again. NULL: it cannot be read again. */
struct sl_source *sl_planned_take(struct sl_planned *);

#endif
