#!/bin/bash
# Fetches the real, unmodified systems that the tests boot, from Debian's own packages. Nothing here is committed.
#
#   guests/fetch-debian.sh [DIRECTORY]          default: artifacts/debian (or $TTVM_DEBIAN)
#
# Idempotent: what is there is kept and the network is not touched for it. Delete a subdirectory to fetch it again.
# Afterwards, under stable names whatever the packages' versions are:
#   linux-amd64/vmlinuz          linux-amd64/modules/        the generic kernel (bzImage) and the few modules guests use
#   linux-cloud-amd64/vmlinuz    linux-cloud-amd64/modules/  the same kernel configured for virtual machines
#   gnumach/gnumach              GNU Mach 1.8, a 32-bit multiboot ELF
#   memtest86+/memtest86+x64.bin memtest86+/memtest86+ia32.bin   (Linux boot protocol)
#   seabios/bios.bin             seabios/bios-256k.bin       seabios/vgabios-stdvga.bin
#   grub/                        GRUB 2 for a PC's BIOS: boot.img, modules, grub-mkimage with the one library that it may lack
#   busybox/busybox              a static busybox, from which make-initramfs.sh makes the initramfs
# Each subdirectory has a file PACKAGE with the package, its version and its architecture.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-${TTVM_DEBIAN:-$here/../artifacts/debian}}
mkdir -p "$target"
target=$(cd "$target" && pwd)

fail() { echo "fetch-debian: $*" >&2; exit 1; }

for tool in apt-get apt-cache dpkg-deb tar gzip; do
    command -v "$tool" >/dev/null || fail "needs $tool; this script runs on Debian and its derivatives only"
done

scratch=$(mktemp -d "$target/.fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# A fresh container has no package lists; only root may fetch them.
need_lists() {
    apt-cache show "$1" >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || fail "apt knows no package $1; run: sudo apt-get update"
    echo "fetch-debian: updating apt's lists"
    apt-get update -qq || fail "apt-get update failed"
    apt-cache show "$1" >/dev/null 2>&1 || fail "apt knows no package $1 even after apt-get update (Debian 12 with 'main' is expected)"
}

# linux-image-amd64 is a metapackage; the kernel itself is in the one linux-image-* package that it depends on.
resolve() {
    apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -1
}

# fetch PACKAGE: the .deb's path in $deb
fetch() {
    rm -rf "$scratch/deb" && mkdir "$scratch/deb"
    chmod 755 "$scratch" && chmod 777 "$scratch/deb"    # apt downloads as its own unprivileged user
    echo "fetch-debian: downloading $1"
    local attempt
    for attempt in 1 2 3; do
        (cd "$scratch/deb" && apt-get download -q "$1" >"$scratch/log" 2>&1) && break
        [ $attempt = 3 ] && { cat "$scratch/log" >&2; fail "cannot download $1 (tried 3 times)"; }
        sleep 2
    done
    deb=$(ls "$scratch"/deb/*.deb) || fail "apt-get download $1 left no .deb"
}

# unpack DIRECTORY PATTERN...: those files of $deb into $scratch/DIRECTORY
unpack() {
    local directory=$1; shift
    rm -rf "${scratch:?}/$directory" && mkdir "$scratch/$directory"
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$scratch/$directory" --wildcards --no-same-owner "$@" ||
        fail "$(basename "$deb") does not hold what is expected: $*"
}

# finish DIRECTORY: the finished directory appears under its name in one step, so that an interrupted run leaves nothing half done
finish() {
    dpkg-deb -W --showformat='${Package} ${Version} ${Architecture}\n' "$deb" >"$scratch/new/PACKAGE"
    rm -rf "${target:?}/$1" && mv "$scratch/new" "$target/$1"
    echo "fetch-debian: $1: $(cat "$target/$1/PACKAGE")"
}

have() { [ -f "$target/$1/PACKAGE" ] && { echo "fetch-debian: $1: $(cat "$target/$1/PACKAGE") (already there)"; return 0; }; return 1; }

linux() { # DIRECTORY METAPACKAGE
    [ -f "$target/$1/modules/ata_piix.ko" ] && have "$1" && return
    need_lists "$2"
    local concrete; concrete=$(resolve "$2")
    [ -n "$concrete" ] || fail "$2 depends on no linux-image-<version> package"
    need_lists "$concrete"
    fetch "$concrete"
    unpack tree './boot/vmlinuz-*' './boot/config-*' './lib/modules/*/kernel/drivers/virtio/*.ko' \
        './lib/modules/*/kernel/drivers/block/virtio_blk.ko' './lib/modules/*/kernel/drivers/char/hw_random/virtio-rng.ko' \
        './lib/modules/*/kernel/drivers/char/virtio_console.ko' './lib/modules/*/kernel/drivers/ata/libata.ko' \
        './lib/modules/*/kernel/drivers/ata/ata_piix.ko' './lib/modules/*/kernel/drivers/scsi/scsi_common.ko' \
        './lib/modules/*/kernel/drivers/scsi/scsi_mod.ko' './lib/modules/*/kernel/drivers/scsi/sd_mod.ko'
    # What the disk drivers need of the rest is built into some kernels.
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$scratch/tree" --wildcards --no-same-owner './lib/modules/*/kernel/block/t10-pi.ko' \
        './lib/modules/*/kernel/lib/crc*.ko' './lib/modules/*/kernel/crypto/crct10dif_common.ko' 2>/dev/null || true
    mkdir -p "$scratch/new/modules"
    cp "$scratch"/tree/boot/vmlinuz-* "$scratch/new/vmlinuz"
    cp "$scratch"/tree/boot/config-* "$scratch/new/config"
    find "$scratch/tree/lib/modules" -name '*.ko' -exec cp {} "$scratch/new/modules/" \;
    finish "$1"
}

plain() { # DIRECTORY PACKAGE PATTERN...: the named files, without their directories
    local directory=$1 package=$2; shift 2
    have "$directory" && return
    need_lists "$package"
    fetch "$package"
    unpack tree "$@"
    mkdir -p "$scratch/new"
    find "$scratch/tree" -type f -exec cp {} "$scratch/new/" \;
    if [ -f "$scratch/new/gnumach-1.8-486.gz" ]; then gzip -dc "$scratch/new/gnumach-1.8-486.gz" >"$scratch/new/gnumach"; fi
    finish "$directory"
}

grub() {
    have grub && return
    local package
    mkdir -p "$scratch/grub"
    for package in libdevmapper1.02.1 grub-common grub-pc-bin; do
        need_lists $package
        fetch $package
        case $package in
            libdevmapper*) unpack tree './lib/*/libdevmapper.so.*' ;;
            grub-common) unpack tree './usr/bin/grub-mkimage' ;;
            *) unpack tree './usr/lib/grub/i386-pc/*' ;;
        esac
        find "$scratch/tree" -type f -exec cp {} "$scratch/grub/" \;
    done
    mv "$scratch/grub" "$scratch/new"
    finish grub
}

linux linux-cloud-amd64 linux-image-cloud-amd64
linux linux-amd64 linux-image-amd64
plain busybox busybox-static './bin/busybox'
plain gnumach gnumach-image-1.8-486 './boot/gnumach-1.8-486.gz'
plain memtest86+ memtest86+ './boot/*'
plain seabios seabios './usr/share/seabios/*'
grub
