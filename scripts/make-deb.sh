#!/bin/bash
# Builds a Debian package of what `make install` installs: scripts/make-deb.sh PROGRAM FOLDER, called by
# `make deb`, which builds PROGRAM with PREFIX=/usr. Needs dpkg-dev; lintian has no errors with it.
set -euo pipefail

program=$1 folder=$2
cd "$(dirname "$0")/.."
version=0.$(git log -1 --format=%cd --date=format:%Y%m%d)+git$(git rev-parse --short HEAD)
date=$(git log -1 --format=%cD)
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-$(git log -1 --format=%an)} <${DEBEMAIL:-$(git log -1 --format=%ae)}>"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
tree=$root/sluice
make -s -o "$program" install PROGRAM="$program" DESTDIR="$tree" PREFIX=/usr
strip --strip-unneeded "$tree/usr/bin/sluice"
mkdir -p "$tree/usr/share/zsh/vendor-completions" "$tree/usr/share/doc/sluice" "$tree/DEBIAN" "$root/debian"
mv "$tree/usr/share/zsh/site-functions/_sluice" "$tree/usr/share/zsh/vendor-completions/"
rmdir "$tree/usr/share/zsh/site-functions"
gzip -9n "$tree/usr/share/man/man1/sluice.1"
cp README.md "$tree/usr/share/doc/sluice/"
cp lua/README.md "$tree/usr/share/doc/sluice/recipes.md"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: sluice\n\n'
    printf 'Files: *\nCopyright: the authors of sluice\nLicense: MIT\n'
    sed -e 's/^$/./' -e 's/^/ /' LICENSE
} >"$tree/usr/share/doc/sluice/copyright"
printf 'sluice (%s) unstable; urgency=medium\n\n  * Built from the checkout.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$date" | gzip -9n >"$tree/usr/share/doc/sluice/changelog.gz"

printf 'Source: sluice\n\nPackage: sluice\nArchitecture: any\n' >"$root/debian/control"
depends=$(cd "$root" && dpkg-shlibdeps -O --ignore-missing-info sluice/usr/bin/sluice 2>/dev/null)
cat >"$tree/DEBIAN/control" <<CONTROL
Package: sluice
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk "$tree/usr" | cut -f 1)
Depends: ${depends#shlibs:Depends=}, lua-cjson, libcurl4t64 | libcurl4
Recommends: gnuplot-nox | gnuplot, fonts-dejavu-core
Section: net
Priority: optional
Description: streaming filter and analyser for packet captures
 It reads captures from files, pipes, interfaces and by ranges over HTTP, keeps
 flows in bounded memory, and gives packets and flows to LuaJIT recipes that
 filter, count, and draw charts and maps.
CONTROL
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
mkdir -p "$folder"
dpkg-deb --root-owner-group --build "$tree" "$folder/sluice_${version}_$architecture.deb"
