/* What Lua may see of the C core. This file stands once: C compiles it (through types.h), LuaJIT
 * reads the same text with ffi.cdef, and at load lua/sluice/abi.lua compares every struct's size.
 * So: no preprocessor lines here, only declarations that both languages read.
 *
 * Units: bytes, packets, seconds and nanoseconds as the names say. Numbers are in host byte order.
 * Pointers that Lua gets are borrowed until the next sl_run_next() unless stated otherwise.
 * Counters are uint64_t here; fields named …64 and n_… reach recipes as plain numbers under the
 * names that their comments give (lua/sluice/packet.lua, flow.lua).
 */

/* One error, filled at the lowest layer that knows what happened; only main.c prints it. */
struct sl_error {
    int code;           /* exit status that main gives: enum sl_exit (src/error.h) */
    char message[1024]; /* what, where (file, byte offset), what to do next; one line, no secret */
};

/* A point in time, seconds since 1970-01-01 UTC and nanoseconds 0..999999999 after it. */
struct sl_time {
    int64_t s;
    uint32_t nsec;
};

/* An IP address. w[0] holds the first four bytes, in host order. IPv4 a.b.c.d stands as
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so w[3] is the IPv4 address as a number. */
struct sl_addr {
    uint32_t w[4];
};

/* Bytes of a packet or flow: size of them at data. */
struct sl_view {
    const uint8_t *data;
    uint32_t size;
};

/* Bits of sl_packet.protos: the headers that were met, from the outermost to the transport, with
 * --decap of all packets in tunnels too. The bit of a transport with ports stands for the header
 * that the fields are of. Names for users are Wireshark's filter names (src/packet/names.c). */
/* clang-format off */
enum {
    SL_P_ETH, SL_P_SLL, SL_P_SLL2, SL_P_RAW, SL_P_NULL, SL_P_ENC, SL_P_PFLOG, SL_P_NFLOG, SL_P_PKTAP,
    SL_P_PPI, SL_P_RADIOTAP, SL_P_PRISM, SL_P_WLANCAP, SL_P_WLAN, SL_P_PPP, SL_P_CHDLC, SL_P_FR,
    SL_P_VLAN, SL_P_QINQ, SL_P_MPLS, SL_P_PPPOED, SL_P_PPPOES, SL_P_LLC, SL_P_SNAP,
    SL_P_ARP, SL_P_RARP, SL_P_IPX, SL_P_LLDP, SL_P_EAPOL, SL_P_LOOP, SL_P_OTHER_ETHERTYPE,
    SL_P_IP, SL_P_IPV6, SL_P_AH,
    SL_P_TCP, SL_P_UDP, SL_P_UDPLITE, SL_P_SCTP, SL_P_DCCP, SL_P_ICMP, SL_P_ICMPV6, SL_P_IGMP,
    SL_P_GRE, SL_P_ESP, SL_P_OSPF, SL_P_PIM, SL_P_VRRP, SL_P_EIGRP, SL_P_L2TP, SL_P_IPIP,
    SL_P_OTHER_IP_PROTO,
    SL_P_FRAGMENT, /* a later IP fragment: no transport header inside */
    SL_P_VXLAN, SL_P_GENEVE, SL_P_GTP, SL_P_TEREDO, SL_P_ERSPAN, SL_P_ETHERIP, /* with --decap */
    SL_P_TUNNEL_UDP, /* UDP that carries a tunnel whose packet the fields are of; named udp, too */
    SL_P_N
};
/* clang-format on */

/* Why decoding of a packet stopped before its transport header, if it did. */
enum {
    SL_SKIP_NONE,
    SL_SKIP_UNKNOWN_LINK_TYPE,
    SL_SKIP_TRUNCATED_LINK,      /* the frame ends inside a link-layer header */
    SL_SKIP_TRUNCATED_NETWORK,   /* … inside an IP or ARP header */
    SL_SKIP_TRUNCATED_TRANSPORT, /* … before the transport's ports, type or code */
    SL_SKIP_MALFORMED_NETWORK,   /* a header field that cannot be (IHL below 5, wrong version) */
    SL_SKIP_MALFORMED_TRANSPORT, /* … (TCP data offset below 5) */
    SL_SKIP_UNKNOWN_NETWORK,     /* no ethertype or network protocol that sluice names */
    SL_SKIP_N
};

/* Bits of sl_packet.tcp_flags (RFC 9293 section 3.1; NS in bit 8, RFC 3540). */
/* clang-format off */
enum {
    SL_TCP_FIN = 1, SL_TCP_SYN = 2, SL_TCP_RST = 4, SL_TCP_PSH = 8,
    SL_TCP_ACK = 16, SL_TCP_URG = 32, SL_TCP_ECE = 64, SL_TCP_CWR = 128
};
/* clang-format on */

enum { SL_NO_FLOW = 0xffffffff, SL_NO_VLAN = 0xffff };

/* One packet. Fields of a header that the packet does not have are 0 (vlan_id: SL_NO_VLAN); test
 * protos, ip_version or proto first. Offsets count from data. */
struct sl_packet {
    const uint8_t *data; /* the captured bytes: caplen of them */
    uint64_t number64;   /* Lua: p.number, frame number in the capture, from 1 */
    uint64_t offset64;   /* Lua: p.offset, of the record in its input, bytes */
    struct sl_time ts;
    int64_t ts_ns;      /* ts as nanoseconds since 1970; saturates at the ends of int64 */
    double t;           /* seconds since the first packet of the capture */
    double delta;       /* since the packet before it; only where sl_options.deltas asks for it */
    uint32_t caplen;    /* captured bytes */
    uint32_t len;       /* bytes on the wire */
    uint16_t link_type; /* LINKTYPE_ value, see pcap-linktype(7) */
    uint16_t iface;     /* interface number in its pcapng section; 0 in pcap */
    uint16_t input;     /* number of the input, from 0 */
    uint8_t no_time;    /* the record holds no time stamp: ts is that of the packet before */

    union {
        uint64_t protos;      /* bit set of SL_P_…; from here on decode fills */
        uint32_t protos_w[2]; /* the same: bits 0..31 and 32..63. LuaJIT works in 32 bits */
    };
    uint16_t ethertype; /* the innermost link-layer protocol number */
    uint16_t vlan_id;   /* of the first 802.1Q tag (of the innermost packet that has one) */
    uint8_t skip;       /* SL_SKIP_… */
    uint8_t ip_version; /* 4, 6, or 0: not IP */

    struct sl_addr src, dst; /* IP; of ARP the protocol addresses when they are IPv4 */
    uint32_t net_off;        /* of the IP or ARP header */
    uint32_t ip_len;         /* whole IP packet on the wire, header included, bytes */
    uint32_t ip_id;          /* identification (IPv6: of the fragment header) */
    uint32_t frag_offset;    /* bytes */
    uint8_t frag_more;       /* more fragments follow */
    uint8_t ttl;             /* hop limit */
    uint8_t tos;             /* DSCP and ECN; traffic class */
    uint8_t proto;           /* IP protocol number behind all extension headers */

    uint32_t l4_off; /* of the transport header */
    uint32_t l4_cap; /* captured bytes from there to the end of the IP packet; of TCP with a data
                        offset below 5 those up to it, 13 */
    uint32_t payload_off; /* of what TCP, UDP or SCTP carries */
    uint32_t payload_cap; /* captured bytes of it */
    uint32_t payload_len; /* bytes of it on the wire */
    uint16_t sport, dport;
    uint32_t seq, ack; /* TCP */
    uint16_t window;   /* as in the header, not scaled */
    uint16_t tcp_flags;
    uint8_t icmp_type, icmp_code; /* ICMP and ICMPv6 */
    uint16_t arp_op;
    uint32_t eth_off; /* of the Ethernet header, the innermost one */

    uint8_t dir;         /* 0: from the flow's originator, 1: to it */
    uint32_t flow;       /* dense index of the live flow, SL_NO_FLOW: none */
    uint64_t flow_pkt64; /* Lua: p.flow_pkt, ordinal in its flow, from 1 */
};

/* Why a flow was decided; SL_END_EOF: the input ended. Names: sl_flow_end_name(). */
enum { SL_END_EOF, SL_END_FIN, SL_END_RST, SL_END_REUSE, SL_END_IDLE, SL_END_EVICTED };

/* How a connection went, by Zeek's names of it (its conn.log's conn_state; src/flow/tcp_state.h):
 * sl_flow_state_name(). UDP: S0 nobody answered, SF somebody did. SL_STATE_OTH: anything else. */
/* clang-format off */
enum {
    SL_STATE_OTH, SL_STATE_S0, SL_STATE_S1, SL_STATE_S2, SL_STATE_S3, SL_STATE_SF, SL_STATE_REJ,
    SL_STATE_RSTO, SL_STATE_RSTR, SL_STATE_RSTOS0, SL_STATE_RSTRH, SL_STATE_SH, SL_STATE_SHR
};
/* clang-format on */

/* One flow. src is the originator. Bytes are wire bytes of whole frames; payload is what TCP, UDP
 * or SCTP carried. ICMP: sport is the type, dport the type of the answer or the code, as Zeek has
 * it. */
struct sl_flow {
    struct sl_addr src, dst;
    uint16_t sport, dport;
    uint8_t proto;         /* IP protocol number */
    uint8_t ip_version;    /* 4 or 6 */
    uint8_t end;           /* SL_END_… once it is decided */
    uint8_t conn_state;    /* SL_STATE_…; Lua: f.state is its name */
    uint32_t index;        /* dense index while it lived: p.flow of its packets */
    uint16_t tcp_flags[2]; /* all that were seen; index 0: sent by src, 1: sent by dst */

    uint64_t n_packets[2]; /* Lua: packets_src, packets_dst, packets (both), and so on */
    uint64_t n_bytes[2];
    uint64_t n_payload[2];
    uint64_t n_ip_bytes[2];      /* of whole IP packets */
    uint64_t n_retransmitted[2]; /* TCP payload bytes that this side had sent before */
    uint64_t n_missed[2];        /* … that were acknowledged and not seen */
    uint64_t n_stream[2];        /* payload bytes by TCP's sequence numbers; of others n_payload */
    /* Parts of TCP's handshake, ns: index 1: from the last SYN to the SYN+ACK, index 0: from there
     * to the first ACK. Seen from where was captured the way to dst and back, to src and back. -1:
     * not seen, or more than 4 s. Lua: f.rtt_dst, f.rtt_src, f.rtt (both): seconds or nil. */
    int64_t rtt_ns[2];
    char letters[64];   /* Lua: f.history; Zeek's letters (src/flow/history.h), zero-terminated */
    uint64_t number64;  /* Lua: f.number, frame number of its first packet */
    uint32_t fragments; /* later fragments that were counted to it */

    struct sl_time first, last, decided;
    double t;        /* first, in seconds since the first packet of the capture */
    double duration; /* seconds, never negative */

    struct sl_view head[2]; /* with sl_tap_heads: the first bytes that src, that dst sent */
};

/* ---- the run: one pass over the inputs ---- */

/* Capturing from an interface instead of reading inputs. */
struct sl_live_options {
    const char *interface;
    uint32_t snaplen;        /* bytes of each packet that are kept; 0: all */
    uint8_t not_promiscuous; /* only packets for this machine */
    double duration_s;       /* then the capture ends; 0: never */
};

/* What libpcap counted: dropped packets found no room because they came faster than they were read.
 */
struct sl_live_counters {
    uint64_t received, dropped, dropped_by_interface;
};

/* A point in time as --from and --to name it. */
enum { SL_WHEN_OPEN, SL_WHEN_TIME, SL_WHEN_OFFSET };
struct sl_when {
    uint32_t kind;    /* SL_WHEN_OPEN: no bound; SL_WHEN_OFFSET: after the capture's first packet */
    struct sl_time t; /* or how long after it */
};

/* A log of events in a file (run/log.h). */
struct sl_log_part {
    const char *path;
    uint64_t offset, size; /* bytes */
    uint32_t crc;          /* sl_run_log_end's */
};

struct sl_options {
    const char *const *inputs; /* paths, "-", URLs: n_inputs of them, at least one */
    uint32_t n_inputs;
    const struct sl_live_options *live; /* then there are no inputs; NULL: none */
    uint32_t max_flows;                 /* 0: no limit */
    uint32_t in_flight;      /* requests at once to where an input lies; 0: the default */
    const char *bpf;         /* libpcap filter expression, or NULL */
    uint64_t count;          /* stop after so many packets that pass; 0: no limit */
    int64_t idle_s;          /* flow idle timeout; 0: never; -1: the defaults */
    double interval_s;       /* steps end at multiples of it in capture time; 0: not */
    struct sl_when from, to; /* only packets with from <= time < to */
    uint64_t begin, end;     /* of the one input only records that begin at these bytes; end 0: all.
                                A record begins at begin */
    uint64_t before;         /* with begin: packets before it, which numbers take in */
    struct sl_planned *opened; /* the one input, which somebody has looked into: it is read on, and
                                  can be cut no more. NULL: it is opened */
    const struct sl_log_part *logs; /* instead of inputs, or before them: sl_run_replay */
    uint32_t n_logs;
    uint8_t decap;    /* look inside tunnels */
    uint8_t follow;   /* the one input grows: it ends by Ctrl-C only */
    uint8_t deltas;   /* fill sl_packet.delta */
    uint8_t raw;      /* nobody looks at what decode finds: nothing is decoded */
    uint8_t progress; /* show how far the reading is on standard error, if it is a terminal */
    double sample;    /* read so large a part of the one input by chance, to 1; 0: all of it */
    uint64_t seed;    /* of the sample: another number, another choice */
};

enum { SL_BATCH = 128 };

/* What sl_run_next came back with. */
enum {
    SL_STEP_PACKETS,
    SL_STEP_WAIT,  /* nothing within 100 ms; call again */
    SL_STEP_END,   /* all inputs are read */
    SL_STEP_ERROR, /* an input cannot be read further: sl_run_error; what came before stands */
    SL_STEP_INTERRUPTED, /* Ctrl-C */
    SL_STEP_FLOWS /* to a worker: decided flows for a taker (sl_tap_taker), in sl_batch.tap */
};

/* One batch: packets[sel[0 .. n-1]] are those that passed so far, in capture order. Lua filters
 * narrow sel and n. Valid until the next sl_run_next. */
struct sl_batch {
    uint32_t n;
    uint32_t state; /* SL_STEP_… */
    /* Of SL_STEP_FLOWS: whose they are, and the number of the tap that has them. */
    uint32_t taker, tap;
    /* Interval numbers that capture time has entered since the batch before: (ticked, tick]. */
    double ticked, tick;
    uint32_t sel[SL_BATCH];
    struct sl_packet packets[SL_BATCH];
};

/* What recipes with one filter of their own see: their selection and their flow table. */
struct sl_tap {
    uint32_t n;
    uint32_t at;      /* which packet or flow a Lua loop is at, for the message of an error there */
    uint32_t n_flows; /* decided flows that are handed out now */
    struct sl_flow **flows;
    uint32_t sel[SL_BATCH];
};

/* Counts over all packets that passed -f and -Y. */
struct sl_stats {
    uint64_t packets, bytes, captured_bytes;
    uint64_t timed;                              /* packets that have a time stamp */
    struct sl_time first, last;                  /* earliest and latest stamp, where timed > 0 */
    uint64_t proto_packets[64], proto_bytes[64]; /* by SL_P_… */
    uint64_t network_packets[64]; /* by the SL_P_… of its network: each packet once at most */
    uint64_t skipped[16];         /* packets without a network, by SL_SKIP_… */
    uint64_t incomplete[16];      /* packets with one whose decoding stopped, by SL_SKIP_… */
    uint64_t ts_saturated;        /* packets whose time does not fit ts_ns */
    uint64_t backwards; /* packets of the capture, passing or not, earlier than the one before */
};

struct sl_flow_stats {
    uint64_t created;
    uint64_t ended[8];       /* by SL_END_… */
    uint64_t packets;        /* that belong to a flow */
    uint64_t fragments_lost; /* later fragments whose first one was not seen: in no flow */
    uint32_t live, live_max;
};

/* What was fetched of remote inputs; all zero for others. */
struct sl_traffic {
    uint64_t fetched, requests, retries; /* bytes; requests, those of them that repeat another */
    uint32_t in_flight;                  /* requests now */
    uint32_t last_status; /* HTTP status of the latest one that failed; 0: none failed with one */
};

/* What a run has read of its input with sl_options.sample: blocks of equal size, one of every so
 * many. */
struct sl_sample_account {
    uint64_t blocks;    /* that were read to their end; the estimates are made of them */
    uint64_t wanted;    /* blocks; where fewer were read, the estimates are of the first part */
    uint32_t every;     /* one of so many that lie behind one another was read */
    double block_bytes; /* size of a block in the input */
    double bytes;       /* of the records that were read in them */
    double of_bytes;    /* of the records that they stand for */
};

struct sl_run;
struct sl_out;
struct sl_agg;
struct sl_estimate;
struct sl_blocks_read;

/* Opens the inputs; options are borrowed until it returns. NULL with *err on failure. */
struct sl_run *sl_run_open(const struct sl_options *, struct sl_error *err);
void sl_run_close(struct sl_run *);
const struct sl_error *sl_run_error(const struct sl_run *); /* code 0: none so far */

/* Fills the batch with the next packets that pass -f, decoded unless raw. Returns its state. */
int sl_run_next(struct sl_run *);
struct sl_batch *sl_run_batch(struct sl_run *);
/* Does all that the taps' owners do by hand, for many batches at a time and without a word to Lua:
 * for a run with one tap at most where nobody looks at packets, only at flows and statistics.
 * Returns a state, SL_STEP_PACKETS also when decided flows wait. */
int sl_run_skim(struct sl_run *);
/* Behind all common filters: counts the batch in, and cuts it at -c. 1: -c is reached, this is
 * the last batch. */
int sl_run_count(struct sl_run *);
const struct sl_stats *sl_run_stats(struct sl_run *);
/* Link types met: libpcap's names of them, or LINKTYPE_ and the number; NULL past the end. */
const char *sl_run_link_type(const struct sl_run *, uint32_t i);
const char *sl_run_input_name(const struct sl_run *, uint32_t i); /* secrets redacted */
const char *sl_run_input_etag(const struct sl_run *, uint32_t i); /* of HTTP; "": there is none */
int64_t sl_run_input_size(const struct sl_run *, uint32_t i);     /* bytes, -1: not known */
uint64_t sl_run_bytes_read(const struct sl_run *);
uint64_t sl_run_frames(const struct sl_run *); /* read so far, whether they passed or not */
void sl_run_traffic(const struct sl_run *, struct sl_traffic *);
/* Of a run that captures; 0: it does not. */
int sl_run_live_counters(const struct sl_run *, struct sl_live_counters *);
int sl_live_list(struct sl_out *, struct sl_error *err); /* the interfaces, a line each */
/* A process of root's becomes user, or where that is NULL the user of sudo(8), or nobody. */
int sl_drop_privileges(const char *user, struct sl_error *err);

/* ---- pieces ---- */

/* Pieces of a capture, each read by a program of its own. What they have to tell the flow tables
 * goes into a log in a file (run/log.h), and only with tables also into tables of their own; to be
 * called before sl_run_start. sl_run_log_end: behind the last step; size and CRC-32 of the log, and
 * a sum that is the same for two runs over the same packets; -1: *err. With tables the run goes on
 * where the log cannot be written, and that is told here. */
struct sl_outfile;
int sl_run_log(struct sl_run *, struct sl_outfile *, int tables);
int sl_run_log_end(struct sl_run *, uint64_t *size, uint32_t *crc, uint64_t *sum,
                   struct sl_error *err);
/* Whether the log is what was written; a run that takes it finds that out itself. -1: *err. */
int sl_log_check(const struct sl_log_part *, struct sl_error *err);
/* Of a run over logs, instead of sl_run_skim: takes the next events. A state, as there. Behind the
 * end of the logs a run that has inputs goes on with these. */
int sl_run_replay(struct sl_run *);

/* Where the one input's reader began and ended, and checksums of the states it was in there
 * (capture/state.h). own_time: its first packet had a time stamp of its own. 0: it cannot say. */
struct sl_edges {
    uint64_t begin, end;
    uint32_t begin_state, end_state;
    uint32_t own_time;
};
int sl_run_edges(const struct sl_run *, struct sl_edges *);

/* What an input stands for (source/list.h): URLs with their secrets. NULL with *err; at: NULL past
 * the end. */
struct sl_strings;
struct sl_strings *sl_inputs_list(const char *input, struct sl_error *err);
const char *sl_inputs_at(const struct sl_strings *, uint32_t i);
void sl_inputs_free(struct sl_strings *);

/* An input to be cut into pieces (run/plan.h). NULL with *err. */
struct sl_planned {
    const char *name; /* secrets redacted */
    int64_t size;     /* bytes; -1: not known */
    uint32_t head;    /* CRC-32 of its first bytes, 64 KiB at most; 0 where it cannot be cut */
    uint32_t can_cut; /* 0: compressed, or cannot seek */
    uint32_t state;   /* checksum of the reader's state behind its first packet */
    uint32_t has_packets;
    struct sl_time first; /* of its first packet */
};
struct sl_planned *sl_planned_open(const char *input, struct sl_error *err);
void sl_planned_close(struct sl_planned *);
/* The same checksum of size bytes, or of what there is of them: of an input that has grown since.
 */
int sl_planned_head(struct sl_planned *, uint64_t size, uint32_t *crc, struct sl_error *err);
/* The first record that begins at byte `from` or behind it. 1: *found; 0: none; -1 with *err. */
int sl_planned_cut(struct sl_planned *, uint64_t from, uint64_t *found, struct sl_error *err);

/* How --from and --to were found in an input; "": there is nothing to say. */
const char *sl_run_window_note(const struct sl_run *, uint32_t i);
/* Whether time went back so far in an input that was read from the middle on that packets of the
 * window may lie where it was not read. */
int sl_run_window_doubt(const struct sl_run *, uint32_t i);
/* Of a run over a sample; NULL, 0: it is over all. The keys of the estimate are the SL_P_… that
 * were met, and SL_P_N for all packets that passed -f and -Y. */
const struct sl_blocks_read *sl_run_blocks(const struct sl_run *);
struct sl_estimate *sl_run_estimate(struct sl_run *);
int sl_run_sample(const struct sl_run *, struct sl_sample_account *);

/* Names the recipe that is at work, for the message when it does not return after Ctrl-C. */
void sl_interrupt_at(const char *recipe);

/* A tap lives as long as its run. flows: keep a flow table; look: somebody looks at its flows. */
struct sl_tap *sl_run_tap(struct sl_run *, int flows, int look);
/* Adds the tap's traffic to a series, which is borrowed as long as the run lives; its key and the
 * rest: src/aggregate/meter.h. The tap keeps flows. Before sl_run_start. -1: sl_run_error. */
enum {
    SL_TRAFFIC_IP = 1,
    SL_TRAFFIC_RECEIVED,
    SL_TRAFFIC_OTHER,
    SL_TRAFFIC_PACKETS,
    SL_TRAFFIC_END
};
int sl_tap_meter(struct sl_tap *, struct sl_agg *);
/* Keeps the first size bytes that each side of a flow sends, for sl_flow.head (flow/head.h). The
 * tap keeps flows. -1: sl_run_error. */
int sl_tap_heads(struct sl_tap *, uint32_t size);
/* The flow table counts as tshark does: packets inside tunnels, too, beside those that carry them,
 * and none whose transport header is not there whole. No packet is told its flow then. For a run
 * without workers. */
void sl_tap_inside(struct sl_tap *);
/* The packet in the tunnel that a decoded packet is, with what its own headers say: protos are its
 * own. 0: it is no tunnel, or in doubt, and *inside says nothing. */
int sl_decode_inside(const struct sl_packet *, struct sl_packet *inside);
uint64_t sl_tap_heads_lost(const struct sl_tap *); /* sides whose head was cut for want of memory */
struct sl_tap *sl_run_tap_at(struct sl_run *, uint32_t i); /* the i-th one, from 0 */

/* When all taps are there: starts so many workers, each of which goes over its share of the capture
 * as sl_run_skim does, or where script is not NULL runs lua/sluice/main.lua to do it. One input
 * only. workers 0: whoever calls sl_run_next and sl_run_skim does it alone. -1: sl_run_error. */
struct sl_script;
int sl_run_start(struct sl_run *, uint32_t workers, uint64_t split_bytes,
                 const struct sl_script *script);
int sl_run_can_share(const struct sl_run *); /* 1: workers > 0 is allowed */
int64_t sl_run_size(const struct sl_run *);  /* of the inputs, bytes; -1: not known */
uint32_t sl_cores(void);                     /* that the process may use */
/* With workers, instead of sl_run_next: waits until taps have decided flows, or 100 ms. */
int sl_run_wait(struct sl_run *);
/* Offers an aggregate to be added to by workers, in whose Lua it is the same number, from 0. */
int sl_run_share(struct sl_run *, struct sl_agg *);
/* For a worker: adds to the i-th of those, when all flows have been handed out; waits until then.
 */
void sl_crew_merge(struct sl_run *worker, uint32_t i, struct sl_agg *);
/* Takers: flow handlers that run in workers. Each gets all decided flows of a tap in their order,
 * in whose Lua that may be, so that each is at work in one worker at a time and different ones at
 * once; what it adds goes into the main program's own aggregates, which it is lent. taker: a number
 * of the caller's. Before sl_run_start, which then wants a script. -1: sl_run_error. */
enum { SL_TAKERS_MAX = 64 }; /* of a tap */
int sl_tap_taker(struct sl_tap *, uint32_t taker);
/* Lends an aggregate of any kind to the workers, whose number for it is the same, from 0; name:
 * tells them that it is the one they mean. Both are borrowed as long as the run lives. -1:
 * sl_run_error. */
int sl_run_lend(struct sl_run *, void *aggregate, const char *name);
/* For a worker: the i-th of those; NULL: it has another name. */
void *sl_run_lent(const struct sl_run *worker, uint32_t i, const char *name);
/* Gives what sl_tap_decided gave, as far as it was not narrowed, to the tap's takers, after each
 * call of it. Waits where they are far behind. */
void sl_tap_give(struct sl_tap *);
/* Ends the workers wherever they are, where nobody wants what is left. */
void sl_run_halt(struct sl_run *);
void sl_tap_begin(struct sl_tap *);       /* selects what the batch has selected */
int sl_tap_flows(struct sl_tap *);        /* updates the flow table; -1: sl_run_error */
int sl_tap_finish(struct sl_tap *);       /* the input has ended; -1: sl_run_error */
uint32_t sl_tap_decided(struct sl_tap *); /* the next decided flows; 0: no more now */
const struct sl_flow_stats *sl_tap_stats(const struct sl_tap *);

/* The network of a packet with these protos: the one SL_P_… it is counted under, or SL_P_N. */
uint32_t sl_network_of(uint64_t protos);
const char *sl_proto_name(uint32_t bit);
const char *sl_skip_name(uint32_t reason);
const char *sl_ip_proto_name(uint32_t number);
const char *sl_flow_end_name(uint32_t end);
const char *sl_flow_state_name(uint32_t state);

/* ---- output: standard output, or a file that appears under its name only when it is whole ---- */

/* path NULL: standard output. NULL with *err on failure. */
struct sl_out *sl_out_open(const char *path, struct sl_error *err);
/* 0, or -1: nothing more can be written, see sl_out_error. Buffered. */
int sl_out_write(struct sl_out *, const char *data, size_t size);
int sl_out_flush(struct sl_out *);
/* Writes the rest and frees; a file is renamed to its name, or with keep 0 removed. -1: *err. */
int sl_out_close(struct sl_out *, int keep, struct sl_error *err);
const struct sl_error *sl_out_error(const struct sl_out *); /* code 0: none */
int sl_out_closed(const struct sl_out *);  /* the reader of a pipe went away: no error */
int sl_out_columns(const struct sl_out *); /* width of the terminal it writes to; 0: none */
int sl_out_lines(const struct sl_out *);   /* … and height */

/* 1: the text holds nothing that drives a terminal or hides; 0: it may. */
int sl_text_is_plain(const char *text, size_t size);

/* ---- captures that are written: -w ---- */

struct sl_write_options {
    const char *path;     /* "-": standard output; NULL: only per_flow */
    const char *per_flow; /* a folder that gets a file for each flow, or NULL */
    /* The next file begins when the one before holds this much; 0: never. Bytes are counted before
     * compression, seconds in capture time. */
    uint64_t split_bytes, split_packets;
    double split_s;
    uint64_t keep_files; /* delete the oldest of more files than this; 0: keep all */
    uint32_t open_files; /* files of flows that are open at once; 0: what the system allows */
    uint8_t flush;       /* every batch can be read at the other end at once */
};

struct sl_writer;

/* To be called before the first sl_run_next. NULL with *err on failure. */
struct sl_writer *sl_run_writer(struct sl_run *, const struct sl_write_options *,
                                struct sl_error *err);
/* Writes packets[sel[0 .. n-1]], which must be of the run's batch. With per_flow they must have
 * been through a tap's flow table. -1: sl_writer_error; sl_writer_reader_left: it is no error. */
int sl_writer_add(struct sl_writer *, const struct sl_packet *packets, const uint32_t *sel,
                  uint32_t n);
int sl_writer_flush(struct sl_writer *);
const struct sl_error *sl_writer_error(const struct sl_writer *);
int sl_writer_reader_left(const struct sl_writer *);    /* the other end of the pipe was closed */
uint64_t sl_writer_cut_times(const struct sl_writer *); /* stamps that lost their nanoseconds */
/* Completes the files and frees; keep 0: removes what is not whole. -1: *err. That the other end of
 * a pipe was closed is no error. */
int sl_writer_close(struct sl_writer *, int keep, struct sl_error *err);

/* Names in a folder that end so, sorted, each with a newline behind it, as many as fit. Returns how
 * many. */
int sl_folder_list(const char *path, const char *ending, char *names, size_t size);

/* ---- flows as rows ---- */

enum { SL_ROWS_JSONL, SL_ROWS_JSON, SL_ROWS_CSV, SL_ROWS_TSV, SL_ROWS_ZEEK };

struct sl_geo;
struct sl_rows;
struct sl_services;

/* Services by registered port. NULL with *err on failure. */
struct sl_services *sl_services_open(const char *path, struct sl_error *err);
void sl_services_close(struct sl_services *);
/* NULL: no service is registered there. The text lives as long as the services. */
const char *sl_service_name(const struct sl_services *, uint32_t proto, uint32_t port);
/* Of the responder's port, or, when that has none and capturing began late, of the originator's
 * port if it is a system port (below 1024). NULL: none. */
const char *sl_flow_service(const struct sl_services *, const struct sl_flow *);

/* Borrows all three. */
struct sl_rows *sl_rows_new(struct sl_out *, struct sl_geo *, const struct sl_services *, int form);
int sl_rows_begin(struct sl_rows *);                 /* the header line, or the opening bracket */
void sl_rows_continue(struct sl_rows *, uint64_t n); /* instead: n rows have been written before */
uint64_t sl_rows_count(const struct sl_rows *);
int sl_rows_flows(struct sl_rows *, struct sl_flow *const *flows, uint32_t n);
int sl_rows_end(struct sl_rows *);
void sl_rows_free(struct sl_rows *);

/* An SQLite database that appears whole or not at all. Tables are filled one after the other: bind
 * what a row has (columns count from 1; what is not bound is NULL), then sl_db_row. After the first
 * error nothing is done any more. -1: there was an error, which sl_db_error and sl_db_close tell.
 * Rows that found room in memory may still find none on the disk later. */
enum sl_db_type { SL_DB_ANY, SL_DB_TEXT, SL_DB_INTEGER, SL_DB_REAL };
struct sl_db_column {
    const char *name;
    enum sl_db_type type;
};
struct sl_db;
struct sl_db *sl_db_open(const char *path, struct sl_error *err); /* NULL with *err */
int sl_db_table(struct sl_db *, const char *name, const struct sl_db_column *, uint32_t n);
void sl_db_text(struct sl_db *, uint32_t column, const char *text, size_t size);
void sl_db_integer(struct sl_db *, uint32_t column, int64_t);
void sl_db_real(struct sl_db *, uint32_t column, double);
int sl_db_row(struct sl_db *);
/* A table of flows with the columns of sl_rows; borrows geo and services. */
int sl_db_flow_table(struct sl_db *, const char *name, struct sl_geo *, const struct sl_services *);
int sl_db_flows(struct sl_db *, struct sl_flow *const *flows, uint32_t n);
const struct sl_error *sl_db_error(const struct sl_db *); /* code 0: none so far */
int sl_db_close(struct sl_db *, int keep, struct sl_error *err);

/* ---- addresses and geography ---- */

enum { SL_ADDR_TEXT = 46 };
/* RFC 5952 text; returns its length. */
int sl_addr_text(const struct sl_addr *, char text[46]);
/* Reads an address with or without /prefix; *bits counts in the 128-bit form (IPv4: 96 + its
 * own). -1: not an address. */
int sl_addr_parse(const char *text, struct sl_addr *, int *bits);

/* Where text stands in bytes from an offset on; -1: nowhere. */
int64_t sl_view_find(const struct sl_view *, uint32_t from, const char *text, size_t size);

/* 1: the bytes begin with text, which is no longer than they are. */
int sl_view_starts(const struct sl_view *, const char *text, size_t size);

/* Countries as numbers: two capital letters as first << 8 | second, or one of these. */
/* clang-format off */
enum {
    SL_GEO_UNKNOWN, SL_GEO_PRIVATE, SL_GEO_SHARED, SL_GEO_LOOPBACK, SL_GEO_LINK_LOCAL,
    SL_GEO_MULTICAST, SL_GEO_BROADCAST, SL_GEO_UNSPECIFIED, SL_GEO_DOCUMENTATION, SL_GEO_RESERVED,
    SL_GEO_N
};
/* clang-format on */

/* A MaxMind DB with countries. NULL with *err on failure. */
struct sl_geo *sl_geo_open(const char *path, struct sl_error *err);
void sl_geo_close(struct sl_geo *);
uint32_t sl_geo_country(struct sl_geo *, const struct sl_addr *);
/* Databases with more than countries, by the name of their type. */
enum { SL_GEO_COUNTRIES = 1, SL_GEO_CITIES = 2, SL_GEO_NETWORKS = 4 };
uint32_t sl_geo_holds(const struct sl_geo *); /* a set of these */
/* A number that tells cities apart in this database, or the number of the autonomous system; 0:
 * unknown. what: SL_GEO_CITIES or SL_GEO_NETWORKS. */
uint32_t sl_geo_number(struct sl_geo *, const struct sl_addr *, uint32_t what);
/* "Berlin", or the name of the system's holder: its length, cut at size; 0: unknown. */
size_t sl_geo_text(const struct sl_geo *, const struct sl_addr *, uint32_t what, char *text,
                   size_t size);
/* What the database says of itself: its type, and when it was built, seconds since 1970. -1: it
 * holds no such text. */
int sl_geo_about(const struct sl_geo *, char type[64], uint64_t *built);
/* "DE" or "private" …; text holds at least 16 bytes; returns the length. */
int sl_geo_name(uint32_t country, char *text);

/* Aggregates: keyed totals that merge. What they promise stands in src/aggregate/aggregate.h. */
struct sl_agg;

/* What an aggregate begins with: additions that Lua has made itself, of whole values from 0 to
 * 2^31 - 1, to a count or sum without key and decimals. Whoever reads the aggregate takes them. At
 * most SL_AGG_BOX_MAX of them, so that the sum has room; then sl_agg_add does. */
enum { SL_AGG_BOX_MAX = 0x7fffffff };
struct sl_agg_box {
    int64_t sum;
    uint32_t n;
};

/* clang-format off */
enum {
    SL_AGG_COUNT = 1, SL_AGG_SUM, SL_AGG_MIN, SL_AGG_MAX, SL_AGG_TOP, SL_AGG_SERIES, SL_AGG_MEAN,
    SL_AGG_QUANTILE, SL_AGG_HISTOGRAM, SL_AGG_DISTINCT, SL_AGG_SAMPLE, SL_AGG_KIND_END
};
/* Types of the parts of a key. A prefix is SL_AGG_PREFIX | IPv4 bits << 8 | IPv6 bits << 16. */
enum {
    SL_AGG_NUMBER = 1, SL_AGG_ADDRESS, SL_AGG_PREFIX, SL_AGG_STRING, SL_AGG_COUNTRY, SL_AGG_TYPE_END
};
/* clang-format on */
enum { SL_AGG_BY_KEY, SL_AGG_BY_VALUE };
enum {
    SL_AGG_MAX_PARTS = 3,
    SL_AGG_MAX_FIELDS = 6,
    SL_AGG_MAX_DECIMALS = 9,
    SL_AGG_MAX_TEXT = 200
};

/* What makes two aggregates the same one, except seed. Zero stands for the default. Fields are the
 * parts of the key, then those of what a distinct counts or a sample keeps. */
struct sl_agg_spec {
    const char *name;                     /* 1 to SL_AGG_MAX_TEXT bytes; copied */
    const char *label[SL_AGG_MAX_FIELDS]; /* of each field, the same; copied */
    uint32_t type[SL_AGG_MAX_FIELDS];     /* SL_AGG_NUMBER … */
    uint32_t parts;                       /* of the key; 0: no key */
    uint32_t of_parts;                    /* of what is counted or kept */
    uint32_t kind;                        /* SL_AGG_COUNT … */
    uint32_t decimals;                    /* values are kept as integers of 10^-decimals */
    uint64_t max_keys;                    /* bound on distinct keys */
    uint64_t max_bins;                    /* bound on bins with content; series only */
    int64_t bin_us;                       /* width of a bin, microseconds; 0: found automatically */
    uint32_t precision;                   /* of a distinct: 2^precision registers */
    uint32_t keep;                        /* of a sample: records for each key */
    uint64_t pick;                        /* of a sample: another number, another choice */
    const double *edges;                  /* of a histogram: ascending; copied */
    uint32_t n_edges;
    uint64_t seed; /* of the hash; 0: random. No result depends on it. */
};

/* What was added, and what could not be. */
struct sl_agg_counters {
    uint64_t additions;
    uint64_t inexact;    /* values rounded to an integer because no decimals were declared */
    uint64_t not_finite; /* refused: the value is NaN or infinite */
    uint64_t too_large;  /* refused: 2^63 or more after scaling */
    uint64_t negative;   /* refused: below zero in a count or top */
    uint64_t bad_key;    /* refused: a number in the key is NaN or infinite */
    uint64_t bad_time;   /* refused: more than 4e12 seconds from 1970 */
    uint64_t past_keys;  /* new keys past max_keys, in "other" (a merged row counts once) */
    uint64_t past_bins;  /* new bins past max_bins of a fixed width, the same */
    uint64_t no_memory;  /* new keys or bins for which there was no memory, the same */
    uint64_t cut_texts;  /* strings of more than 255 bytes, of which those count */
};

struct sl_agg_stats {
    struct sl_agg_counters counters;
    struct sl_agg_spec spec; /* defaults filled in; texts borrowed until the aggregate is freed */
    uint64_t keys;           /* held now; of a series without key: its bins */
    uint64_t memory;         /* bytes */
    int64_t bin_us;          /* width of the bins now */
    double error;            /* no value of a top is too low by more than this */
    double other;            /* the value of what fell outside max_keys or max_bins */
    uint32_t approximate;    /* 1: something did */
};

/* A sorted view of an aggregate, valid until the aggregate changes. Read rows with sl_agg_row. */
struct sl_agg_rows {
    uint64_t n;     /* rows */
    uint64_t total; /* keys before the limit cut them */
    uint64_t gaps;  /* of a series: stretches without content that were too long to fill */
    double bin;     /* of a series: seconds from one row to the next */
};

/* Texts are borrowed like the rows, and not ended by a zero. */
struct sl_agg_row {
    double value;     /* of a mean the mean, of quantile and histogram how many */
    double time;      /* of a series: where the bin begins, seconds since 1970; of a sample: when */
    double count;     /* of a mean: values */
    double deviation; /* of a mean: the standard deviation of a sample */
    double from, to;  /* of a histogram: the bin, from <= value < to; infinite at the ends */
    double place;     /* of a sample: p.offset, of a flow 0 */
    double number[SL_AGG_MAX_FIELDS]; /* of a country its code */
    struct sl_addr address[SL_AGG_MAX_FIELDS];
    const char *text[SL_AGG_MAX_FIELDS];
    uint32_t text_size[SL_AGG_MAX_FIELDS];
    uint32_t other; /* 1: not a key, but all keys past the bound */
};

struct sl_agg *sl_agg_new(const struct sl_agg_spec *, struct sl_error *);
void sl_agg_free(struct sl_agg *);

void sl_agg_add(struct sl_agg *, double value); /* no key, or the one given by sl_agg_key_… */
void sl_agg_add_n(struct sl_agg *, double key, double value);
void sl_agg_add_a(struct sl_agg *, const struct sl_addr *key, double value);
void sl_agg_add_0(struct sl_agg *, double value); /* no key */
/* A key of several parts, each an address (a) or a number (n). The caller knows their types. */
void sl_agg_add_aa(struct sl_agg *, const struct sl_addr *, const struct sl_addr *, double value);
void sl_agg_add_an(struct sl_agg *, const struct sl_addr *, double, double value);
void sl_agg_add_aan(struct sl_agg *, const struct sl_addr *, const struct sl_addr *, double,
                    double value);
void sl_agg_add_naa(struct sl_agg *, double, const struct sl_addr *, const struct sl_addr *,
                    double value);
void sl_agg_add_t(struct sl_agg *, const struct sl_time *, double value); /* series; key as above */
void sl_agg_add_d(struct sl_agg *); /* distinct: key and what is counted, given by sl_agg_key_… */
/* sample: the same of what is kept; the record is that packet, or the flow that it begins */
void sl_agg_add_p(struct sl_agg *, const struct sl_packet *);
void sl_agg_add_f(struct sl_agg *, const struct sl_flow *);
void sl_agg_key_n(struct sl_agg *, double part); /* the next part of the key of the next call */
void sl_agg_key_a(struct sl_agg *, const struct sl_addr *part);
void sl_agg_key_s(struct sl_agg *, const char *part, size_t size); /* borrowed until that call */
/* Of the key given so: the value, the mean, how many different ones. 0: there is none. */
int sl_agg_get(struct sl_agg *, double *value);
int sl_agg_get_spread(struct sl_agg *, double *deviation, double *count); /* of a mean */
int sl_agg_get_quantile(struct sl_agg *, double q, double *value);

void sl_agg_stats(struct sl_agg *, struct sl_agg_stats *);
struct sl_agg_rows *sl_agg_rows_new(struct sl_agg *, int order, uint64_t limit, struct sl_error *);
void sl_agg_row(const struct sl_agg_rows *, uint64_t i, struct sl_agg_row *);
double sl_agg_row_quantile(const struct sl_agg_rows *, uint64_t i, double q);
void sl_agg_rows_free(struct sl_agg_rows *);

int sl_agg_merge(struct sl_agg *to, struct sl_agg *from, struct sl_error *);
int sl_agg_to_bytes(struct sl_agg *, uint8_t **bytes, size_t *size, struct sl_error *);
void sl_agg_bytes_free(uint8_t *);
struct sl_agg *sl_agg_from_bytes(const uint8_t *, size_t size, struct sl_error *);

/* What every address did in flows, for reports; contract: src/aggregate/hosts.h. */
enum { SL_HOST_BINS = 24 };
struct sl_host {
    struct sl_addr addr;
    uint64_t n_flows[2];    /* as source, as destination */
    uint64_t n_sent[2];     /* wire bytes that it sent in these */
    uint64_t n_received[2]; /* … and that were sent to it */
    struct sl_time first, last;
    uint32_t bins[SL_HOST_BINS]; /* flows by their beginning: see sl_hosts_flows_in */
};
/* Largest first by bytes in all, as source, as destination; flows as source, as destination. */
/* clang-format off */
enum {
    SL_HOSTS_BY_BYTES, SL_HOSTS_BY_SOURCE_BYTES, SL_HOSTS_BY_TARGET_BYTES, SL_HOSTS_BY_SOURCE_FLOWS,
    SL_HOSTS_BY_TARGET_FLOWS
};
/* clang-format on */
struct sl_hosts;
struct sl_hosts *sl_hosts_new(uint32_t max_hosts, struct sl_error *);
void sl_hosts_free(struct sl_hosts *);
void sl_hosts_add(struct sl_hosts *, const struct sl_flow *);
/* Puts the n largest in order; how many there are: n at most, none that has nothing of it. */
uint32_t sl_hosts_rank(struct sl_hosts *, uint32_t by, uint32_t n);
const struct sl_host *sl_hosts_at(const struct sl_hosts *, uint32_t i);
uint32_t sl_hosts_count(const struct sl_hosts *, uint32_t by); /* hosts that have something of it */
uint32_t sl_hosts_bins(const struct sl_hosts *);               /* from the first flow to the last */
uint32_t sl_hosts_flows_in(const struct sl_hosts *, const struct sl_host *, uint32_t bin);
uint64_t sl_hosts_dropped(const struct sl_hosts *);
double sl_hosts_error(const struct sl_hosts *);  /* no host's bytes are too low by more */
uint64_t sl_hosts_lost(const struct sl_hosts *); /* ends of flows for which there was no memory */
int sl_hosts_merge(struct sl_hosts *to, const struct sl_hosts *from, struct sl_error *);
int sl_hosts_to_bytes(const struct sl_hosts *, uint8_t **bytes, size_t *size, struct sl_error *);
struct sl_hosts *sl_hosts_from_bytes(const uint8_t *, size_t size, struct sl_error *);

/* The largest flows, whole; contract: src/aggregate/largest.h. */
struct sl_largest;
struct sl_largest *sl_largest_new(uint32_t n, struct sl_error *);
void sl_largest_free(struct sl_largest *);
void sl_largest_add(struct sl_largest *, const struct sl_flow *);
uint32_t sl_largest_sort(struct sl_largest *); /* how many there are */
const struct sl_flow *sl_largest_at(const struct sl_largest *, uint32_t i);
uint64_t sl_largest_lost(const struct sl_largest *); /* flows for which there was no memory */
int sl_largest_merge(struct sl_largest *to, const struct sl_largest *from, uint64_t numbers,
                     struct sl_error *);
int sl_largest_to_bytes(struct sl_largest *, uint8_t **bytes, size_t *size, struct sl_error *);
struct sl_largest *sl_largest_from_bytes(const uint8_t *, size_t size, struct sl_error *);

/* Packets and bytes by key, estimated from a sample; contract: src/aggregate/estimate.h. */
struct sl_estimate_row {
    struct sl_addr address; /* the key: one of these */
    double number;
    double blocks; /* that held it */
    double packets, packets_low, packets_high;
    double bytes, bytes_low, bytes_high;
};
struct sl_estimate *sl_estimate_new(uint32_t type,
                                    struct sl_error *); /* SL_AGG_NUMBER, …_ADDRESS */
void sl_estimate_free(struct sl_estimate *);
void sl_estimate_follow(struct sl_estimate *, const struct sl_blocks_read *);
void sl_estimate_add_n(struct sl_estimate *, double key, double bytes);
void sl_estimate_add_a(struct sl_estimate *, const struct sl_addr *key, double bytes);
/* Puts the keys that can be estimated in order, the most bytes first, and says how many there are.
 */
uint64_t sl_estimate_rank(struct sl_estimate *);
const struct sl_estimate_row *sl_estimate_at(const struct sl_estimate *, uint64_t i);
uint64_t
sl_estimate_rare(const struct sl_estimate *); /* keys that too few blocks held, as ranked */
uint64_t sl_estimate_lost(const struct sl_estimate *); /* packets of keys for which was no room */

/* What a regular file is known by under any name: its size, and a CRC-32 of its first 64 KiB.
 * -1: it is no regular file, or cannot be read. */
int sl_file_identity(const char *path, uint64_t *size, uint32_t *head);
uint32_t sl_crc32(const char *bytes, size_t size); /* that of zlib */

/* Result files and the children that draw them; contracts: outfile.h and child.h. Functions that
 * return int give 0 or -1, with the reason in …_error(), NULL when there is none. */
struct sl_outfile *sl_outfile_open(const char *path);
const char *sl_outfile_temp(const struct sl_outfile *file);
const char *sl_outfile_error(const struct sl_outfile *file);
int sl_outfile_write(struct sl_outfile *file, const void *data, size_t length);
int sl_outfile_commit(struct sl_outfile *file);
void sl_outfile_free(struct sl_outfile *file);

struct sl_child;
struct sl_child *sl_child_start(const char *const argv[], const char *variable,
                                struct sl_outfile *out);
int sl_child_write(struct sl_child *child, const void *data, size_t length);
int sl_child_finish(struct sl_child *child);
const char *sl_child_error(const struct sl_child *child);
int sl_child_missing(const struct sl_child *child);
void sl_child_free(struct sl_child *child);

/* ---- regular expressions of display filters ---- */

/* A Perl-compatible regular expression over bytes, case-insensitive as in Wireshark's "matches".
 * sl_regex_compile: NULL and a message when the pattern is wrong at byte *offset.
 * sl_regex_match: 1 or 0; a search that passes the match limit counts as 0 and in
 * sl_regex_limited(), so that hostile bytes cannot hold up a run. */
struct sl_regex;
struct sl_regex *sl_regex_compile(const char *pattern, size_t len, uint32_t *offset, char *message,
                                  size_t message_size);
int sl_regex_match(struct sl_regex *, const uint8_t *data, size_t len);
uint64_t sl_regex_limited(const struct sl_regex *);
void sl_regex_free(struct sl_regex *);

/* Whether one of n ranges [first, last], sorted and disjoint, in pairs, holds the value: how large
 * sets of addresses are searched. */
int sl_u32_in(const uint32_t *ranges, uint32_t n, uint32_t value);
