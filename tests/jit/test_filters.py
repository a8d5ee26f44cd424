"""The loop that -Y becomes stays compiled: a trace for it, and nothing in it that LuaJIT cannot compile."""
import os

import pytest

from support import NO_CAPTURES, ROOT, TRUTH, path_of
from tries import held

with open(os.path.join(ROOT, "tests", "e2e", "filters_like_tshark.txt"), encoding="utf-8") as listed:
    FILTERS = listed.read().splitlines()


@pytest.mark.parametrize("text", FILTERS + ["ip.addr in {%s}" % ",".join("10.1.%d.1" % i for i in range(200))])
def test_filter_is_compiled(text, traced):
    if not TRUTH:
        pytest.skip(NO_CAPTURES)

    def check(log):
        assert "packet filter -Y" in log.loops(), log.text
        assert not log.refused(), log.text

    capture = path_of(TRUTH["tls-web-334-flows-ipv4-ipv6.pcap"])
    held(lambda: traced("count", "-Y", text, capture), check)
