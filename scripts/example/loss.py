"""A download over a bad radio link: segments get lost behind the capture point.

So the capture holds the original, the duplicate ACKs with SACK blocks that its loss causes, and the
retransmission: after three duplicates fast, else by the sender's timer with back-off.
"""

from .tcp import CLIENT, SERVER

LOST_SHARE = 0.11
LOST_AGAIN_SHARE = 0.2
TIMER_US = 240000  # beyond the round trip; doubles with each try


class LossyDownload:
    """Sends from SERVER to CLIENT; between two times the link loses a share of the segments."""

    def __init__(self, connection, lossy_from_us, lossy_to_us):
        self._connection = connection
        self._from_us = lossy_from_us
        self._to_us = lossy_to_us

    def send(self, data):
        connection = self._connection
        window = 10
        time_us = connection.turn(SERVER)
        while data:
            size = window * connection.room
            flight, data = connection.cut(data[:size]), data[size:]
            lossy = self._from_us <= time_us < self._to_us
            lost = [n for n in range(len(flight))
                    if lossy and connection.rng.random() < LOST_SHARE]
            seqs, heard_us, duplicates = self._flight(time_us, flight, lost)
            window = max(2, window // 2) if lost else min(window + 2, 24)
            for n in lost:
                missing = lost[lost.index(n) + 1:]
                heard_us = self._recover(seqs, flight, n, missing, heard_us, duplicates)
                duplicates = 3  # a partial ACK: the next hole is resent at once (RFC 6582)
            time_us = heard_us + connection.reaction(SERVER)

    def _flight(self, time_us, flight, lost):
        """Send all; returns sequence numbers, the time of the last ACK, and how many duplicated."""
        connection = self._connection
        start = connection.next[SERVER]
        seqs = [start + connection.room * n for n in range(len(flight))]
        ends = [seq + len(chunk) for seq, chunk in zip(seqs, flight)]
        duplicates = 0
        for n, chunk in enumerate(flight):
            at_us = connection.data(time_us + n * connection.gap(SERVER), SERVER, chunk)
            heard_us = at_us
            if n in lost:
                continue
            hole = next((m for m in lost if m < n), None)
            answer_us = at_us + connection.rng.randrange(60, 220)
            if hole is None:
                heard_us = connection.acknowledge(CLIENT, answer_us, ack=ends[n])
            else:
                sack = blocks(seqs, ends, [m for m in range(hole + 1, n + 1) if m not in lost])
                heard_us = connection.acknowledge(CLIENT, answer_us, ack=seqs[hole], sack=sack)
                duplicates += 1
        return seqs, heard_us, duplicates

    def _recover(self, seqs, flight, hole, missing, heard_us, duplicates):
        """Resend one segment until it arrives; returns when its ACK was seen."""
        connection = self._connection
        ends = [seq + len(chunk) for seq, chunk in zip(seqs, flight)]
        timer_us = TIMER_US
        # Later than a round trip after the newest data: else it may as well be reordering.
        sent_us = heard_us + connection.reaction(SERVER) + connection.delay_us[SERVER] // 8
        if duplicates < 3:
            sent_us += timer_us
        while True:
            at_us = connection.resend(sent_us, SERVER, seqs[hole], flight[hole])
            if connection.rng.random() >= LOST_AGAIN_SHARE:
                break
            timer_us *= 2
            sent_us = at_us + timer_us
        arrived = [m for m in range(hole + 1, len(flight)) if m not in missing]
        above = [m for m in arrived if missing and m > missing[0]]
        ack = seqs[missing[0]] if missing else ends[-1]
        return connection.acknowledge(CLIENT, at_us + connection.rng.randrange(60, 220), ack=ack,
                                      sack=blocks(seqs, ends, above))


def blocks(seqs, ends, received):
    """SACK blocks over the segments received above a hole, the newest first (RFC 2018)."""
    found = []
    for n in received:
        if found and found[-1][1] == seqs[n]:
            found[-1] = (found[-1][0], ends[n])
        else:
            found.append((seqs[n], ends[n]))
    return tuple(reversed(found))
