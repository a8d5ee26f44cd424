#!/bin/bash
# Installs what a job needs and the machine lacks: scripts/install-deps.sh [build|test|engines|lint|fuzz|bench]
# On Debian and Ubuntu it names the missing packages, then installs them. Elsewhere it says what is
# missing and fails, because package names differ. When nothing is missing it is silent.
set -euo pipefail

job=${1:-build}

# One line a need: its Debian package, and how to see that it is there on any system: a program,
# a pkg-config module (pc:), a Lua or Python module (lua:, py:), a file (file:).
build_needs='
gcc                     gcc
make                    make
pkg-config              pkg-config
libc6-dev               file:/usr/include/stdio.h
libpcap-dev             pc:libpcap
libluajit-5.1-dev       pc:luajit
luajit                  luajit
libcurl4-openssl-dev    pc:libcurl
libexpat1-dev           pc:expat
ca-certificates         file:/etc/ssl/certs/ca-certificates.crt
libmaxminddb-dev        pc:libmaxminddb
libsqlite3-dev          pc:sqlite3
zlib1g-dev              pc:zlib
libzstd-dev             pc:libzstd
liblz4-dev              pc:liblz4
liblzma-dev             pc:liblzma
libpcre2-dev            pc:libpcre2-8
lua-cjson               lua:cjson
gnuplot-nox             gnuplot
fonts-dejavu-core       font:DejaVu'
test_needs='
git                     git
libcmocka-dev           pc:cmocka
python3                 python3
python3-pytest          py:pytest
python3-pytest-xdist    py:xdist
tshark                  tshark
tcpdump                 tcpdump
nginx-light             nginx
nodejs                  node
npm                     npm
imagemagick             convert
poppler-utils           pdftotext
zstd                    zstd
lz4                     lz4
chromium                chromium
chromium-driver         chromedriver
python3-selenium        py:selenium
mmdb-bin                mmdblookup
tmux                    tmux
debootstrap             debootstrap
dpkg-dev                dpkg-shlibdeps
lintian                 lintian
iproute2                ip
python3-yaml            py:yaml
parallel                parallel'
# Daemons, which nobody wants on a machine unasked: tests that need them are skipped without.
engines_needs='
slurm-wlm               slurmctld
munge                   munged
openssh-server          sshd
buildah                 buildah'
lint_needs='
clang-format            clang-format
clang-tidy              clang-tidy
cppcheck                cppcheck
lua-check               luacheck
shellcheck              shellcheck'
fuzz_needs='
clang                   clang
libclang-rt-dev         file:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*'
bench_needs='
curl                    curl
iproute2                ip
nginx-light             nginx
tshark                  tshark
tcpdump                 tcpdump
nfdump                  nfpcapd
softflowd               softflowd
hyperfine               hyperfine
gzip                    zcat
zstd                    zstd'

case $job in
build) needs=$build_needs ;;
test) needs=$build_needs$test_needs ;;
engines) needs=$build_needs$test_needs$engines_needs ;;
lint) needs=$build_needs$lint_needs ;;
fuzz) needs=$build_needs$fuzz_needs ;;
bench) needs=$build_needs$bench_needs ;;
*)
    echo "usage: scripts/install-deps.sh [build|test|engines|lint|fuzz|bench]" >&2
    exit 2
    ;;
esac

# Programs of administrators (nginx, softflowd) may stand outside a user's PATH.
PATH=$PATH:/usr/sbin:/sbin

present() {
    case $1 in
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    lua:*) luajit -e "require '${1#lua:}'" >/dev/null 2>&1 ;;
    py:*) /usr/bin/python3 -c "import ${1#py:}" 2>/dev/null ;;
    file:*) compgen -G "${1#file:}" >/dev/null ;;
    font:*) fc-list 2>/dev/null | grep -q "${1#font:}" ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Whether Debian's package is needed. Node, npm and Python's pytest often come from elsewhere.
missing() {
    case $1 in
    nodejs | npm) ! present "$2" ;;
    *) ! installed "$1" ;;
    esac
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    absent=()
    while read -r package check; do
        [ -z "$package" ] || present "$check" || absent+=("$package")
    done <<<"$needs"
    [ ${#absent[@]} = 0 ] && exit 0
    echo "sluice's $job needs what this machine lacks, by its name in Debian: ${absent[*]}." >&2
    echo "This script installs on Debian and Ubuntu only; please install these another way." >&2
    exit 1
fi

packages=()
while read -r package check; do
    [ -z "$package" ] || ! missing "$package" "$check" || packages+=("$package")
done <<<"$needs"
[ ${#packages[@]} = 0 ] && exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing packages: ${packages[*]}. As root: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=120 "$@"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        return 1
    }
}

echo "Installing Debian packages for sluice's $job: ${packages[*]}"
# The lists may never have been fetched (a fresh container), or name versions that are gone.
apt-get -s install --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || run apt update
run apt install --no-install-recommends "${packages[@]}" || {
    run apt update && run apt install --no-install-recommends "${packages[@]}"
}
