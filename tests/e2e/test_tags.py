"""Stacks of VLAN tags and MPLS labels: their fields have a value for each, as in tshark."""
import shutil
import subprocess

import pytest

from build import MACS, be, pcapng, tcp4

Q, AD, OLD, MPLS, UPSTREAM = 0x8100, 0x88A8, 0x9100, 0x8847, 0x8848


def frame(*tags, behind=be("H", 0x0800)):
    return MACS + b"".join(be("HH", *tag) for tag in tags) + behind


def labels(ethertype, *stack):
    """The bottom of stack in the last of them; traffic classes and times to live count up."""
    words = [label << 12 | i << 9 | (i == len(stack) - 1) << 8 | 64 + i for i, label in enumerate(stack)]
    return be("H%dI" % len(words), ethertype, *words)


FRAMES = {
    "none": frame() + tcp4(1),
    "one": frame((Q, 5)) + tcp4(2),
    "two": frame((Q, 5), (Q, 0x3006)) + tcp4(3),
    "802.1ad": frame((AD, 0x2007), (Q, 9)) + tcp4(4),
    "old QinQ": frame((OLD, 7), (Q, 9)) + tcp4(5),
    "three kinds": frame((OLD, 7), (OLD, 6), (AD, 9)) + tcp4(6),
    "five": frame((Q, 1), (Q, 2), (Q, 3), (Q, 4), (Q, 5)) + tcp4(7),
    "802.1ad between": frame((Q, 5), (AD, 7), (Q, 6)) + tcp4(8),
    "cut in the second": frame((Q, 5), (Q, 6))[:17],
    "labels": frame(behind=labels(MPLS, 16, 32, 48, 64, 80)) + tcp4(10),
    "labels behind a tag": frame((Q, 5), behind=labels(MPLS, 16, 32)) + tcp4(11),
    "labels, upstream": frame(behind=labels(UPSTREAM, 16, 1000)) + tcp4(12),
}
FIELDS = ["vlan.id", "vlan.priority", "vlan.dei", "vlan.etype", "ieee8021ad.id", "ieee8021ad.priority", "mpls.label",
          "mpls.exp", "mpls.bottom", "mpls.ttl"]
FILTERS = [
    "vlan", "ieee8021ad", "mpls", "vlan.id == 9", "vlan.id != 5", "all vlan.id > 1", "count(vlan.id) == 2",
    "count(mpls.label) > 2", "vlan.id + 1 == 3", "len(vlan.id) == 2", "vlan.dei == 1", "!(vlan.id == 5)",
    "vlan.id in {2..4, 8}", "vlan.id & 2", "vlan.priority", "vlan.etype == 0x800 && vlan.etype == 0x8100",
    "mpls.bottom == 0", "any mpls.label != 16", "vlan.id === 5", "vlan.id == 5 or vlan.id == 2", "any vlan.id in {6}",
    "mpls.label > mpls.ttl", "vlan.id < ieee8021ad.id", "count(vlan.id) == count(mpls.label)",
]


@pytest.fixture
def tagged(tmp_path):
    path = tmp_path / "tags.pcapng"
    path.write_bytes(pcapng((1, data) for data in FRAMES.values()))
    return path


def frames_of(argv):
    return subprocess.run(argv, check=True, capture_output=True).stdout.decode().split()


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_values_are_tsharks(sluice, tagged):
    for more in ([], ["-E", "occurrence=f"], ["-E", "occurrence=l"], ["-E", "aggregator=;"]):
        args = [*more, *(word for name in FIELDS for word in ("-e", name))]
        theirs = subprocess.run(["tshark", "-r", tagged, "-T", "fields", *args], check=True, capture_output=True)
        assert sluice(tagged, "-T", "fields", *args).stdout.split(b"\n") == theirs.stdout.split(b"\n"), more


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize("expression", FILTERS)
def test_filters_are_tsharks(sluice, tagged, expression):
    what = [tagged, "-Y", expression, "-T", "fields", "-e", "frame.number"]
    theirs = frames_of(["tshark", "-r", *what])
    assert sluice(*what).stdout.decode().split() == theirs
    assert len(theirs) < len(FRAMES)


def test_two_service_tags(sluice, tmp_path):
    """Two 802.1ad tags are two values of one field; tshark names them ieee8021ad.svid and .cvid."""
    path = tmp_path / "tags.pcapng"
    path.write_bytes(pcapng([(1, frame((AD, 7), (AD, 8), (Q, 9)) + tcp4(1))]))
    done = sluice(path, "-T", "fields", "-e", "ieee8021ad.id", "-e", "vlan.id")
    assert done.stdout == b"7,8\t9\n"
