#!/bin/bash
# Puts Azurite, the emulator of Azure's blob storage that the tests fetch from, into build/npm.
# Nothing of it is part of sluice. Silent when it is there.
set -euo pipefail

# The last version that runs on the Node 18 of Debian 12 (3.36 wants 21).
version=3.35.0

cd "$(dirname "$0")/.."
stamp=build/npm/azurite-$version
[ -e "$stamp" ] && exit 0
echo "Installing azurite $version from npm into build/npm"
mkdir -p build/npm
npm install --prefix build/npm --no-save --no-audit --no-fund --loglevel=error \
    --ignore-scripts "azurite@$version" >build/npm/log 2>&1 || {
    cat build/npm/log >&2
    exit 1
}
touch "$stamp"
