#!/bin/bash
# Prints the manifest of a prebuilt guest: what built it, its hash, and the hash of each part that is loaded into memory.
set -euo pipefail
image=$1
name=$(basename "$image")
echo '{'
echo "  \"file\": \"$name\","
echo '  "why": "ttvm demo needs no compiler; the golden recordings were made with it",'
echo "  \"compiler\": \"$(gcc --version | head -1)\","
echo "  \"linker\": \"$(ld --version | head -1)\","
echo "  \"sha256\": \"$(sha256sum "$image" | cut -d' ' -f1)\","
echo '  "sections": {'
separator=
for section in .boot .text .rodata .data .user.text .user.data; do
    hash=$(objcopy -O binary --only-section=$section "$image" /dev/stdout | sha256sum | cut -d' ' -f1)
    printf '%s    "%s": "%s"' "$separator" "$section" "$hash"
    separator=$',\n'
done
printf '\n  }\n}\n'
