#!/bin/bash
# Makes a disk image that Debian's GRUB 2 boots from: boot sector, core image behind it, one ext2 partition with the given files.
#
#   guests/make-grub-disk.sh OUTPUT CONFIGURATION FILE...
#
# CONFIGURATION becomes /boot/grub/grub.cfg, the files go to /boot under their own names. No loop device and no root is needed: the
# boot sector is patched as grub-bios-setup does it, and mke2fs fills the file system from a directory.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
grub=${TTVM_DEBIAN:-$here/../artifacts/debian}/grub
fail() { echo "make-grub-disk: $*" >&2; exit 1; }
[ $# -ge 2 ] || fail "usage: make-grub-disk.sh OUTPUT CONFIGURATION FILE..."
output=$1 configuration=$2; shift 2
PATH=$PATH:/usr/sbin:/sbin
command -v mke2fs >/dev/null || fail "needs mke2fs; run: apt-get install e2fsprogs"
[ -f "$grub/boot.img" ] || fail "needs $grub; run guests/fetch-debian.sh first"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/tree/boot/grub"
cp "$configuration" "$scratch/tree/boot/grub/grub.cfg"
[ $# = 0 ] || cp "$@" "$scratch/tree/boot/"
chmod -R u=rwX,go=rX "$scratch/tree"
find "$scratch/tree" -exec touch --no-dereference --date=@1767225600 {} +

# Everything that the configurations use is in the core image, so that the partition holds no modules.
LD_LIBRARY_PATH=$grub "$grub/grub-mkimage" -O i386-pc -d "$grub" -p '(hd0,msdos1)/boot/grub' -o "$scratch/core.img" \
    biosdisk part_msdos ext2 normal configfile echo test sleep reboot halt serial terminal multiboot linux linux16 cat ls lsmmap

first=2048
kilobytes=$(du -sk "$scratch/tree" | cut -f1)
E2FSPROGS_FAKE_TIME=1767225600 mke2fs -q -t ext2 -b 1024 -m 0 -U 7474766d-0000-4000-8000-000000000001 \
    -E hash_seed=7474766d-0000-4000-8000-000000000002 -d "$scratch/tree" "$scratch/partition" $((kilobytes * 21 / 20 + 2048))k >/dev/null
sectors=$(($(stat -c %s "$scratch/partition") / 512))
[ "$(stat -c %s "$scratch/core.img")" -le $(((first - 1) * 512)) ] || fail "the core image does not fit before the partition"

put() { printf "$2" | dd of="$scratch/disk" bs=1 seek="$1" conv=notrunc status=none; }
little() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
truncate -s $(((first + sectors) * 512)) "$scratch/disk"
dd if="$grub/boot.img" of="$scratch/disk" bs=440 count=1 conv=notrunc status=none
dd if="$scratch/core.img" of="$scratch/disk" bs=512 seek=1 conv=notrunc status=none
dd if="$scratch/partition" of="$scratch/disk" bs=512 seek=$first conv=notrunc status=none
# boot.img looks for the core image in sector 1 as it is, and the core image for the rest of itself in sector 2.
put 446 "\\x80\\xfe\\xff\\xff\\x83\\xfe\\xff\\xff$(little $first)$(little $sectors)"
put 510 '\x55\xaa'
mkdir -p "$(dirname "$output")"
mv "$scratch/disk" "$output"
