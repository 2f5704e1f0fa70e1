#!/bin/bash
# Makes the initramfs that the Linux guests start: a static busybox, initramfs/init and initramfs/workload.
#
#   guests/make-initramfs.sh [--modules DIRECTORY] [OUTPUT]     default: artifacts/debian/initramfs.cpio.gz
#
# --modules adds the virtio and ATA disk drivers of one kernel, for example artifacts/debian/linux-amd64/modules.
# The same busybox gives the same bytes on every host: times, owners, inode numbers and the order of files are fixed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
debian=${TTVM_DEBIAN:-$here/../artifacts/debian}
fail() { echo "make-initramfs: $*" >&2; exit 1; }

modules=
if [ "${1:-}" = --modules ]; then
    modules=${2:?--modules needs a directory}; shift 2
    [ -f "$modules/virtio_blk.ko" ] || fail "$modules holds no virtio_blk.ko; run guests/fetch-debian.sh first"
fi
output=${1:-$debian/initramfs.cpio.gz}
case $output in -*) fail "$output is no file to write: make-initramfs.sh [--modules DIRECTORY] [OUTPUT]" ;; esac

command -v cpio >/dev/null || fail "needs cpio; run: apt-get install cpio"
command -v gzip >/dev/null || fail "needs gzip; run: apt-get install gzip"
# The installed busybox may be the small dynamic one; the fetched package is known to be static.
busybox=$debian/busybox/busybox
[ -x "$busybox" ] || busybox=$(command -v busybox) || fail "needs busybox; run guests/fetch-debian.sh or: apt-get install busybox-static"
if head -c 4096 "$busybox" | grep -q 'ld-linux'; then fail "$busybox is not static; run guests/fetch-debian.sh"; fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,tmp}
install -m 755 "$busybox" "$root/bin/busybox"
install -m 755 "$here/initramfs/init" "$root/init"
install -m 755 "$here/initramfs/workload" "$root/workload"
install -m 755 "$here/initramfs/long" "$root/long"
for applet in awk cat cmp cttyhack date dd dmesg echo free grep gunzip gzip head hexdump insmod kill ls mount ps poweroff reboot \
    rm seq setsid sh sha256sum sleep sort stty tail test true uname uptime wc; do
    ln -s busybox "$root/bin/$applet"
done
# Drivers after those that they need, as the modules themselves say it; /modules/order has their names for init.
order=()
add_module() {
    case " ${order[*]} " in *" $1 "*) return ;; esac
    [ -f "$modules/$1.ko" ] || fail "$modules holds no $1.ko; delete the directory and run guests/fetch-debian.sh"
    local needed
    for needed in $(tr '\0' '\n' <"$modules/$1.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do add_module "$needed"; done
    install -m 644 "$modules/$1.ko" "$root/modules/"
    order+=("$1")
}
if [ -n "$modules" ]; then
    mkdir "$root/modules"
    for module in virtio_pci virtio_mmio virtio_blk virtio_console virtio-rng virtio_balloon ata_piix sd_mod; do add_module $module; done
    printf '%s\n' "${order[@]}" >"$root/modules/order"
fi

chmod -R u=rwX,go=rX "$root"
find "$root" -exec touch --no-dereference --date=@1767225600 {} +
mkdir -p "$(dirname "$output")"
(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --null --create --format=newc --reproducible --owner=+0:+0 --quiet) |
    gzip -9 --no-name >"$output.part"
mv "$output.part" "$output"
echo "make-initramfs: $output $(stat -c %s "$output") bytes, sha256 $(sha256sum "$output" | cut -c1-16)"
