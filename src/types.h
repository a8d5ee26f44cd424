/* abi.h for C: it holds no preprocessor line of its own, because LuaJIT reads it as it stands. */
#ifndef SL_TYPES_H
#define SL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"

#define SL_USED         __attribute__((warn_unused_result))
#define SL_PRINTF(f, a) __attribute__((format(printf, f, a)))

#endif
