/* abi.h as text for ffi.cdef, and the sizes that C gave its structs, for Lua to compare. */
#include "abi_text.h"

/* The assembler puts the file into the program as it stands, with a zero behind it. */
__asm__(".pushsection .rodata\n"
        ".global sl_abi_text\n"
        "sl_abi_text:\n"
        ".incbin \"src/abi.h\"\n"
        ".byte 0\n"
        ".popsection\n");

#define SIZE(name)                                                                                 \
    { "struct " #name, sizeof(struct name) }

const struct sl_abi_size sl_abi_sizes[] = {
    SIZE(sl_error),         SIZE(sl_time),           SIZE(sl_addr),
    SIZE(sl_view),          SIZE(sl_packet),         SIZE(sl_flow),
    SIZE(sl_options),       SIZE(sl_log_part),       SIZE(sl_edges),
    SIZE(sl_planned),       SIZE(sl_when),           SIZE(sl_batch),
    SIZE(sl_tap),           SIZE(sl_stats),          SIZE(sl_flow_stats),
    SIZE(sl_agg_spec),      SIZE(sl_agg_counters),   SIZE(sl_agg_stats),
    SIZE(sl_agg_rows),      SIZE(sl_agg_row),        SIZE(sl_traffic),
    SIZE(sl_write_options), SIZE(sl_live_options),   SIZE(sl_live_counters),
    SIZE(sl_host),          SIZE(sl_sample_account), SIZE(sl_estimate_row),
    SIZE(sl_agg_box),       SIZE(sl_db_column),      {NULL, 0},
};
