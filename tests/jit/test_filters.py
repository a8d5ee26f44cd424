"""The loop that -Y becomes stays compiled: a trace for it, and nothing in it that LuaJIT cannot compile."""
import os

import pytest

from support import NO_CAPTURES, ROOT, TRUTH, path_of
from tries import held

with open(os.path.join(ROOT, "tests", "e2e", "filters_like_tshark.txt"), encoding="utf-8") as listed:
    FILTERS = listed.read().splitlines()


# Filters whose headers only some captures have.
TAGGED = {"vlan.id == 232 || vlan.priority in {1..3}": "qinq-pppoe-ipv6.pcap",
          "count(vlan.id) == 2 && any vlan.etype == 0x86dd": "qinq-pppoe-ipv6.pcap",
          "mpls.label == 2001 || mpls.ttl < 3": "gz-mpls-10507-packets-snapped.pcap.gz"}


@pytest.mark.parametrize("text", FILTERS + list(TAGGED) + ["ip.addr in {%s}" % ",".join("10.1.%d.1" % i for i in range(200))])
def test_filter_is_compiled(text, traced):
    if not TRUTH:
        pytest.skip(NO_CAPTURES)

    def check(log):
        assert "packet filter -Y" in log.loops(), log.text
        assert not log.refused(), log.text

    file = TAGGED.get(text, "tls-web-334-flows-ipv4-ipv6.pcap")
    held(lambda: traced("count", "-Y", text, path_of(TRUTH[file])), check)
