"""What the benchmark measures: a table of captures and a table of cases.

A command is split into words at blanks, or given as a tuple of words where one of them holds
blanks. A word may name {sluice}, {filter_c} (filter_c.c), {bench} (this folder), {file} (the capture), {url} (the capture on a local nginx), {limited}
(there, 20 MiB/s a connection), {eighth} (its last byte of the first eighth) and
{scratch} (an empty folder); a brace that is meant as such is doubled. `theirs` is empty where the
goal is a limit (bytes, or seconds and bytes) and not another program.
"""

from dataclasses import dataclass

MIB = 1 << 20
UDP_SINK_PORT = 29995  # on loopback; a bound socket that nobody reads


@dataclass(frozen=True)
class File:
    """A capture that gen makes."""
    packets: int
    flows: int
    options: tuple
    packer: str = ""  # command that packs its standard input

    def scaled(self, scale):
        return max(100, int(self.packets * scale)), max(10, int(self.flows * scale))


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    ours: str | tuple
    theirs: str | tuple = ""
    goal: float = 1.0  # ratio of wall times, or bytes where `memory`
    stage: float = 0.0  # ratio to reach by now, on the way to the goal; 0: the goal itself
    goal_per_flow: int = 0  # bytes
    memory: bool = False  # compare resident memory, not time
    cpu: bool = False  # compare processor time of the command and all that it starts, not wall time
    most_bytes: int = 0  # without theirs: goal is seconds of wall time, and so much memory
    prepare: tuple = ()  # command that is run once before
    served: bool = False  # needs nginx, gives {url}
    line: bool = False  # {url} is behind a line of 1 Gbit/s and 50 ms (line.py); goal: share of its time
    cores: int = 1
    rounds: int = 0  # 0: as asked for
    counted: bool = True  # ours prints {"packets": all of the capture}, which is checked
    same: bool = False  # ours and theirs print the same, which is checked
    agree: bool = False  # ours and theirs print the same count of packets, which is checked
    tools: tuple = ()
    writes: tuple = ()  # files in {scratch} that ours and theirs write: the same packets, which is checked


@dataclass(frozen=True)
class Coverage:
    """How often the intervals of --sample hold the truth: bursts.py's capture under many seeds."""
    name: str
    packets: int
    part: str
    seeds: int
    goal: float
    theirs: str = ""
    tools: tuple = ()
    line: bool = False
    cores: int = 1


FILES = {
    # More flows than any cache holds, packets of a few dozen bytes: the hardest for a flow table.
    "small-12m": File(12_000_000, 1_200_000, ("--size-mix", "small", "--snaplen", "96")),
    # The same traffic, less of it, for tools that take tens of seconds or gigabytes.
    "small-3m": File(3_000_000, 300_000, ("--size-mix", "small", "--snaplen", "96")),
    "small-1m": File(1_000_000, 100_000, ("--size-mix", "small", "--snaplen", "96")),
    # Bytes, not packets, are the work here.
    "full-1gb": File(1_200_000, 40_000, ("--size-mix", "full")),
    "full-500mb": File(545_000, 20_000, ("--size-mix", "full")),
    "small-3m-gzip": File(3_000_000, 300_000, ("--size-mix", "small", "--snaplen", "96"), "gzip -1"),
    "small-3m-zstd": File(3_000_000, 300_000, ("--size-mix", "small", "--snaplen", "96"), "zstd -q"),
}

PORT_443 = "p.proto == 6 and (p.sport == 443 or p.dport == 443)"
TCPDUMP_443 = ("tcpdump", "-r", "{file}", "--count", "tcp port 443")

TCPDUMP_WRITE = ("tcpdump", "-Z", "root", "-r", "{file}", "-w", "{scratch}/theirs.pcap", "tcp port 443")
TEN = ("talkers", "timeline", "protocols", "countries", "sizes", "health", "networks", "scans", "resets", "dns")

WRITTEN = ("ours.pcap", "theirs.pcap")

# A plan, its pieces one after the other, and their merge.
IN_PIECES = "{bench}/pieces.sh {sluice} %s {file} %d {scratch} merge"
THOUSAND = ("{bench}/pieces.sh", "{sluice}", "talkers", "{file}", "1000", "{scratch}")
MERGE = ("sh", "-c", "exec {sluice} merge talkers -q -T json {scratch}/*.part")

SUMMARY = "{sluice} summary -q -T json {file} -j "

CASES = [
    Case("flow table, 1 worker / tcpdump --count", "small-12m", SUMMARY + "1",
         "tcpdump -r {file} --count", 1.0, stage=1.5, tools=("tcpdump",)),
    Case("flow table, 2 workers / tcpdump --count", "small-12m", SUMMARY + "2",
         "tcpdump -r {file} --count", 0.55, cores=2, tools=("tcpdump",)),
    Case("full-size packets, 2 workers / read(2)", "full-1gb", SUMMARY + "2",
         "dd if={file} of=/dev/null bs=1M", 1.3, cores=2, tools=("dd",)),
    Case("flow table, 2 workers / nfpcapd", "small-3m", SUMMARY + "2",
         "nfpcapd -r {file} -w {scratch}", 0.12, cores=2, rounds=3, tools=("nfpcapd",)),
    Case("flow table, 2 workers / softflowd", "small-3m", SUMMARY + "2",
         "softflowd -r {file} -n 127.0.0.1:" + str(UDP_SINK_PORT) +
         " -v 9 -m 4000000 -d -c none -p {scratch}/pid", 0.12, cores=2, rounds=3,
         tools=("softflowd",)),
    Case("flow table, 2 workers / tshark conv,tcp", "small-1m", SUMMARY + "2",
         "tshark -n -r {file} -q -z conv,tcp", 0.01, cores=2, rounds=3, tools=("tshark",)),
    *(Case(f"{recipe} of {packer} / {unpack} | the same", f"small-3m-{packer}",
           f"{{sluice}} {recipe} -q -T json {{file}}",
           ("sh", "-c", f"{unpack} <{{file}} | {{sluice}} {recipe} -q -T json -"), 1.25, cores=2,
           tools=(unpack,))
      for recipe in ("count", "summary")
      for packer, unpack in (("gzip", "zcat"), ("zstd", "zstdcat"))),
    Case("-Y filter / the same in C", "small-12m",
         "{sluice} count -q -T json -j 1 {file} -Y tcp.port==443", "{filter_c} filter {file}",
         1.3, stage=1.5, counted=False, agree=True),
    Case("Lua filter (eval) / the same in C", "small-12m",
         ("{sluice}", "eval", PORT_443, "-q", "-T", "json", "-j", "1", "{file}"),
         "{filter_c} handler {file}", 1.3, stage=1.5, counted=False, agree=True),
    Case("Lua recipe / the same in C", "small-12m",
         "{sluice} {bench}/port443.lua -q -T json -j 1 {file}", "{filter_c} handler {file}",
         1.3, stage=1.5, counted=False, agree=True),
    Case("-Y filter / tcpdump --count, same BPF", "small-12m",
         "{sluice} count -q -T json -j 1 {file} -Y tcp.port==443", TCPDUMP_443, 0.5,
         tools=("tcpdump",), counted=False, agree=True),
    Case("Lua filter (eval) / tcpdump, same BPF", "small-12m",
         ("{sluice}", "eval", PORT_443, "-q", "-T", "json", "-j", "1", "{file}"), TCPDUMP_443,
         0.5, tools=("tcpdump",), counted=False, agree=True),
    Case("-f with -w / tcpdump -w, same BPF", "small-12m",
         ("{sluice}", "-q", "-f", "tcp port 443", "-w", "{scratch}/ours.pcap", "{file}"), TCPDUMP_WRITE, 0.6,
         tools=("tcpdump",), counted=False, writes=WRITTEN),
    Case("-Y with -w / tcpdump -w, same packets", "small-12m",
         "{sluice} -q -Y tcp.port==443 -w {scratch}/ours.pcap {file}", TCPDUMP_WRITE, 0.6,
         tools=("tcpdump",), counted=False, writes=WRITTEN),
    Case("sum by source, over a million / Lua filter", "small-12m",
         ("{sluice}", "eval", 'sum("bytes", p.src, p.len)', "-q", "-j", "1", "{file}"),
         ("{sluice}", "eval", PORT_443, "-q", "-T", "json", "-j", "1", "{file}"), 2.0,
         counted=False),
    Case("report of a million flows / flows", "small-12m", "{sluice} report -q -o {scratch}/report.html {file}",
         "{sluice} flows -q {file}", 3.0, cores=2, rounds=3, counted=False),
    # Ten at most twelve times one: a tenth of all ten, one after the other.
    Case("ten recipes in one pass / one by one", "small-3m", "{sluice} " + ",".join(TEN) + " -q -T json -j 1 {file}",
         ("sh", "-c", "for r in " + " ".join(TEN) + "; do {sluice} $r -q -T json -j 1 {file} || exit; done"), 1.2,
         counted=False),
    Case("memory, all flows live", "small-12m", SUMMARY + "1 --idle 0", goal=48 * MIB,
         goal_per_flow=256, memory=True),
    Case("memory, filter and count", "small-12m", "{sluice} count -q -T json -j 1 -f tcp {file}",
         goal=64 * MIB, memory=True, counted=False),
    # Pieces of 140 MB, as 32 of 5 GB.
    *(Case(f"pieces + merge / -j 1, CPU: {recipe}, {size}", name, IN_PIECES % (recipe, 8),
           f"{{sluice}} {recipe} -q -T json -j 1 {{file}}", 1.15, cpu=True, counted=False, same=True, rounds=3)
      for size, name in (("full", "full-1gb"), ("small", "small-12m")) for recipe in ("count", "summary", "talkers")),
    *(Case(f"merge of 1,000 pieces: talkers, {packets} packets", name, MERGE, goal=10, most_bytes=256 * MIB,
           prepare=THOUSAND, counted=False, rounds=3)
      for packets, name in (("1 M", "small-1m"), ("12 M", "small-12m"))),
    # An eighth of the file by one connection takes as long as all of it by eight.
    Case("HTTP, 20 MiB/s a connection / 8 x one curl", "full-1gb", "{sluice} count -q -T json {limited}",
         "curl -sS --noproxy * -o /dev/null -r 0-{eighth} {limited}", 1 / 0.95, served=True, rounds=3,
         tools=("nginx", "curl")),
    Case("HTTP, 50 ms and 1 Gbit/s / the line", "full-1gb", "{sluice} count -q -T json {url}", goal=1 / 0.9,
         served=True, line=True, rounds=3, tools=("nginx", "ip", "tc")),
    Case("memory, HTTP - file", "full-500mb", "{sluice} summary -q -T json -j 1 {url}",
         SUMMARY + "1", goal=32 * MIB, memory=True, served=True, tools=("nginx",)),
    Coverage("sample, what part of intervals holds the truth", 2_000_000, "10%", 1000, 0.93),
]
