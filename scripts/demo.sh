#!/bin/bash
# Shows what sluice does on the example capture: two results here, four files in demo/. Called by
# `make demo`, after the build.
set -euo pipefail
cd "$(dirname "$0")/.."

capture=examples/office-hour.pcap
mkdir -p demo
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}
show ./sluice summary "$capture"
show ./sluice flows "$capture"
show ./sluice timeline "$capture" -o demo/timeline.png
show ./sluice geomap "$capture" -o demo/geomap.svg
show ./sluice flows "$capture" -o demo/flows.csv
show ./sluice report "$capture" -o demo/report.html

printf '\nIn %s:\n' "$PWD/demo"
for file in report.html timeline.png geomap.svg flows.csv; do
    [ -s "demo/$file" ] || {
        echo "demo/$file was not written" >&2
        exit 1
    }
    printf '  %-13s %s bytes\n' "$file" "$(stat -c %s "demo/$file")"
done
printf '\nOpen the report in a browser: xdg-open %q\n' "$PWD/demo/report.html"
