"""What a remote capture costs: memory, and bytes that are fetched though nobody reads them."""
import json

from nginx import sent
from support import SLOWNESS, pcap, tcp_frame
from test_http import FIRST, nginx, peak_kib  # noqa: F401 (a fixture)

MIB = 1 << 20


def block(flows, size):
    """One packet of each flow, within a minute."""
    payload = bytes(size)
    return pcap([(1700000000 + n * 50 // flows, 0,
                  tcp_frame("10.%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255), "192.0.2.1", 1024 + n % 60000, 443, 0x10,
                            seq=1, payload=payload)) for n in range(flows)])


def write_repeated(path, data, size):
    with open(path, "wb") as file:
        file.write(data)
        while file.tell() < size:
            file.write(data[24:])
    path.chmod(0o644)


def compare(nginx, tmp_path, flows, size):  # noqa: F811
    """The result from nginx and from the file are the same; returns both peaks in MiB."""
    url, folder, log = nginx
    path = folder / "large.pcap"
    write_repeated(path, block(flows, 1300), size)
    work = tmp_path / "work"
    work.mkdir()
    command = ["summary", "-T", "json", "-q"]
    remote, local = peak_kib([*command, url + "large.pcap"], work), peak_kib([*command, path], work)
    result = json.loads(remote[1])
    assert remote[0] == local[0] == 0
    assert {**result, "inputs": None} == {**json.loads(local[1]), "inputs": None}
    assert result["flows"] == flows and sent(log()) == path.stat().st_size
    print("peak MiB: %d over HTTP, %d from the file" % (remote[2] / 1024, local[2] / 1024))
    return remote[2] / 1024, local[2] / 1024


def test_memory_over_http(nginx, tmp_path):  # noqa: F811
    remote, local = compare(nginx, tmp_path, 5000, 100 * MIB)
    assert remote - local <= 32 or SLOWNESS > 1  # a sanitiser's own memory says nothing


def test_a_thousand_packets_of_many(sluice, nginx):  # noqa: F811
    url, folder, log = nginx
    write_repeated(folder / "large.pcap", block(1000, 1300), 100 * MIB)
    done = sluice("count", url + "large.pcap", "-c", "1000", "-T", "json")
    assert json.loads(done.stdout)["packets"] == 1000
    assert FIRST < sent(log()) < 4 * MIB
