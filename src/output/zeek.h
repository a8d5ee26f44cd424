/* A flow as Zeek would have it: its roles of originator and responder, which it guesses from
 * well-known ports where a capture begins in the middle, and what follows from them. */
#ifndef SL_OUTPUT_ZEEK_H
#define SL_OUTPUT_ZEEK_H

#include "../types.h"

struct sl_zeek_view {
    int swapped;          /* Zeek's originator is the flow's dst */
    uint8_t conn_state;   /* SL_STATE_… */
    uint64_t missed;      /* bytes, both directions */
    char history[2 * 64]; /* with ^ where Zeek turned the roles round; zero-terminated */
};

void sl_zeek_see(const struct sl_flow *, struct sl_zeek_view *);

/* Whether Zeek takes the port for a server's (likely_server_ports), and the address for one of the
 * site's own (Site::private_address_space, which is local unless configured otherwise). */
int sl_zeek_is_server_port(uint32_t proto, uint32_t port);
int sl_zeek_is_local(const struct sl_addr *);

#endif
