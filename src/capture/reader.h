/* Reads the records of a capture, whatever its format, as raw packets: the reader fills data,
 * number, offset, ts, caplen, len, link_type and iface, and input 0; decode fills the rest.
 *
 * Formats are found by magic, never by name. A reader never looks back and never copies packet
 * bytes, so it serves files, pipes and HTTP alike.
 */
#ifndef SL_CAPTURE_READER_H
#define SL_CAPTURE_READER_H

#include "buffer.h"

/* Records above this are taken for damage, as libpcap's and tshark's readers do
 * (MAXIMUM_SNAPLEN, WTAP_MAX_PACKET_SIZE_STANDARD). */
enum { SL_MAX_CAPLEN = 262144 };

enum { SL_READ_END = 0, SL_READ_ERROR = -1, SL_READ_WAIT = -2, SL_READ_UNKNOWN = -3 };

struct sl_reader;
struct sl_reader_state;

/* What was met beside packets. */
struct sl_reader_stats {
    uint64_t other_blocks; /* pcapng blocks that hold no packet and no interface */
    uint64_t without_time; /* packets of pcapng simple packet blocks */
    int own_time;          /* the first packet has a time stamp: none was borrowed from before */
};

/* Looks at the first bytes of the source (borrowed until close) and opens the reader that they
 * call for. Compressed ones are unpacked, in a thread, and looked at again; offsets of packets and
 * in errors are then those of the unpacked data. NULL with *err: not a capture, a format that
 * sluice does not read, or no bytes. */
struct sl_reader *sl_reader_open(struct sl_source *, struct sl_error *) SL_USED;
void sl_reader_close(struct sl_reader *); /* NULL is allowed; leaves the source open */

/* A reader that goes on at exactly this byte offset of a source that can seek and is not compressed
 * (sl_reader_can_seek), where a record begins, in that state (copied; state.h). Offsets are those
 * in the source; packets are numbered from 1, or behind sl_reader_count_from. */
struct sl_reader *sl_reader_open_at(struct sl_source *, uint64_t offset,
                                    const struct sl_reader_state *, struct sl_error *) SL_USED;
int sl_reader_can_seek(const struct sl_reader *);

/* Moves a reader that can seek to where another record begins; it goes on there in the state that
 * it is in, and counts packets on. */
int sl_reader_move(struct sl_reader *, uint64_t offset, struct sl_error *) SL_USED;

/* The reader was moved over records that nobody read. Of pcapng, sl_reader_next returns from now on
 * SL_READ_UNKNOWN before a packet of an interface that is not known, and before the description of
 * one: how many were described in between, and so its number, is not known either. A section that
 * begins makes all known again. */
void sl_reader_passed_over(struct sl_reader *);

/* After SL_READ_UNKNOWN: moves the reader back to `offset`, where its state was true. It reads from
 * there to where it stood, then sl_reader_next returns SL_READ_END, and sl_reader_limit lets it go
 * on. Of what stands between these packets only sections and interfaces are queued. */
int sl_reader_go_back(struct sl_reader *, uint64_t offset, struct sl_error *) SL_USED;

/* So many packets lie before the reader: its numbers and messages take them in. */
void sl_reader_count_from(struct sl_reader *, uint64_t packets);

/* Records that begin at `end` or behind belong to somebody else: before the first of them
 * sl_reader_next returns SL_READ_END. A record that begins before `end` is read to its own end. */
void sl_reader_limit(struct sl_reader *, uint64_t end);

/* Where the next record begins, after sl_reader_next gave packets or SL_READ_END; after
 * SL_READ_ERROR the one that could not be read. */
uint64_t sl_reader_offset(const struct sl_reader *);

/* Fills packets[0 .. n-1], n <= max, with the next records and returns n. Their data is borrowed
 * until the next call. SL_READ_END: the capture ended well. SL_READ_ERROR: it cannot be read
 * further; *err says where and why, and every whole record before that place has been handed
 * out. SL_READ_WAIT: nothing came within timeout_ms. SL_READ_UNKNOWN: see sl_reader_passed_over.
 * Never waits while it has a packet. */
int sl_reader_next(struct sl_reader *, struct sl_packet *packets, uint32_t max, int timeout_ms,
                   struct sl_error *) SL_USED;

/* Queues from now on what stands between the packets (blocks.h). To be called before the first
 * sl_reader_next. */
struct sl_blocks;
int sl_reader_keep_blocks(struct sl_reader *, struct sl_error *) SL_USED;
struct sl_blocks *sl_reader_blocks(const struct sl_reader *); /* NULL: not asked for */
int sl_reader_is_pcapng(const struct sl_reader *);

const struct sl_reader_stats *sl_reader_stats(const struct sl_reader *);

/* How far it is in its source, and the size of that (-1: not known), in bytes as they lie there:
 * of a compressed capture the compressed ones. */
uint64_t sl_reader_taken(const struct sl_reader *);
int64_t sl_reader_size(const struct sl_reader *);

#endif
