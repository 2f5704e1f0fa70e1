#!/bin/bash
# Builds busybox with debug information from Debian's source package and configuration: Debian has no debug package of it in its main archive. For tests that compare
# with binutils and gdb over it. Nothing of it is committed.
#
#   guests/build-busybox.sh [DIRECTORY]             default: artifacts/debian (or $TTVM_DEBIAN)
#
# Afterwards DIRECTORY/busybox-debug/busybox is there, static and not stripped, and PACKAGE beside it says what it is. What is there is kept.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-${TTVM_DEBIAN:-$here/../artifacts/debian}}
mkdir -p "$target"
target=$(cd "$target" && pwd)

fail() { echo "build-busybox: $*" >&2; exit 1; }

[ -f "$target/busybox-debug/PACKAGE" ] && exit 0
for tool in apt-get tar patch make gcc bzip2 xz; do
    command -v "$tool" >/dev/null || fail "needs $tool: apt-get install apt tar patch make gcc bzip2 xz-utils"
done

scratch=$(mktemp -d "$target/.busybox.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# Lists of their own: who uses this machine need not have source packages in theirs.
mkdir -p lists/partial cache/archives/partial
echo "deb-src http://deb.debian.org/debian bookworm main" >sources.list
apt() {
    apt-get -qq -o "Dir::Etc::sourcelist=$scratch/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$scratch/lists" \
        -o "Dir::Cache=$scratch/cache" -o APT::Sandbox::User=root "$@"
}
apt update || fail "apt-get update failed for Debian's source packages"
apt source --download-only busybox || fail "apt-get source busybox failed"

tar -xf busybox_*.orig.tar.*
cd busybox-[0-9]*
tar -xf ../busybox_*.debian.tar.*
grep -v '^#' debian/patches/series | while read -r patch; do
    [ -z "$patch" ] || patch -s -p1 <"debian/patches/$patch" || fail "$patch does not apply"
done
cp debian/config/pkg/static .config
make -s oldconfig </dev/null >/dev/null 2>&1 || fail "Debian's configuration is not accepted"
make -s -j"$(nproc)" CFLAGS=-g SKIP_STRIP=y busybox_unstripped >"$scratch/log" 2>&1 || { tail -5 "$scratch/log" >&2; fail "busybox does not compile"; }

mkdir "$scratch/new"
cp busybox_unstripped "$scratch/new/busybox"
echo "busybox $(sed -n 's/^Version: //p' ../busybox_*.dsc | head -1) from source, with -g" >"$scratch/new/PACKAGE"
rm -rf "$target/busybox-debug"
mv "$scratch/new" "$target/busybox-debug"
echo "build-busybox: $(cat "$target/busybox-debug/PACKAGE")"
