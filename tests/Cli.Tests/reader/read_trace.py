"""Reads a recording (one that is not packed) by docs/TRACE_FORMAT.md alone: prints its length, outcome, digests and what the guest printed on its first serial port."""
import hashlib
import json
import struct
import sys
import zipfile
import zlib


def lz4(block):
    """An LZ4 block, decompressed."""
    result, at = bytearray(), 0

    def more(length):
        nonlocal at
        byte = 255 if length == 15 else 0
        while byte == 255:
            byte, at = block[at], at + 1
            length += byte
        return length

    while True:
        token, at = block[at], at + 1
        count = more(token >> 4)
        result += block[at:at + count]
        at += count
        if at == len(block):
            return bytes(result)
        offset, at = block[at] | block[at + 1] << 8, at + 2
        for _ in range(more(token & 15) + 4):
            result.append(result[-offset])


def frames(part):
    """(kind, metadata, payload) of each frame."""
    at = 0
    while at < len(part):
        magic, version, kind, compressed, zero, meta_size, size, raw_size, crc = struct.unpack_from("<4sBBBBIIII", part, at)
        end = at + 24 + meta_size + size
        assert magic == b"TTVF" and version == 1 and compressed in (0, 1, 3) and zero == 0 and end <= len(part)
        assert crc == zlib.crc32(part[at:at + 20] + part[at + 24:end]), "checksum"
        payload = part[at + 24 + meta_size:end]
        payload = zlib.decompress(payload) if compressed == 1 else lz4(payload) if compressed else payload
        assert len(payload) == raw_size
        yield kind, part[at + 24:at + 24 + meta_size], payload
        at = end


def unpack(data, at):
    """One MessagePack object, and where the next one begins."""
    tag = data[at]
    at += 1
    if tag < 0x80:
        return tag, at
    if tag == 0xC0:
        return None, at
    if tag & 0xF0 == 0x90 or tag in (0xDC, 0xDD):
        count = tag & 15
        if tag >= 0xDC:
            width = 2 if tag == 0xDC else 4
            count, at = int.from_bytes(data[at:at + width], "big"), at + width
        items = []
        for _ in range(count):
            item, at = unpack(data, at)
            items.append(item)
        return items, at
    if 0xCC <= tag <= 0xD3:
        width = 1 << (tag & 3)
        return int.from_bytes(data[at:at + width], "big", signed=tag >= 0xD0), at + width
    if tag >= 0xE0:
        return tag - 256, at
    if tag & 0xE0 == 0xA0:
        return data[at:at + (tag & 31)], at + (tag & 31)
    width = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}[tag]
    size = int.from_bytes(data[at:at + width], "big")
    return data[at + width:at + width + size], at + width + size


def name_of(count, ordinal):
    return f"{count}:{ordinal}" if ordinal else str(count)


def main(path):
    with zipfile.ZipFile(path) as container:
        parts = {entry.filename: container.read(entry) for entry in container.infolist()}
    manifest = json.loads(parts["manifest.json"])
    assert manifest["formatVersion"] in (1, 2, 3), "format version"
    for part in manifest["parts"]:
        content = parts[part["name"]]
        assert len(content) == part["sizeBytes"] and hashlib.sha256(content).hexdigest() == part["sha256"], part["name"]
    end = manifest["end"]
    print(f"end {name_of(end['instructionCount'], end['eventOrdinal'])}")

    digests = {}
    for kind, meta, payload in frames(parts["checkpoints"]):
        if kind != 4:
            continue
        count, ordinal = struct.unpack_from("<Q", meta)[0], struct.unpack_from("<I", meta, 72)[0]
        state = unpack(payload, 0)[0][0]
        # The digest is SHA-256 of the saved state and the page sum.
        assert hashlib.sha256(state + meta[24:40]).digest() == meta[40:72], "digest"
        digests[(count, ordinal)] = meta[40:72].hex()

    text, logged, outcome = bytearray(), {}, None
    for kind, meta, payload in frames(parts["log"]):
        at = 0
        while at < len(payload):
            record, at = unpack(payload, at)
            if record[0] == 18 and record[3] == 0:
                text += record[4]
            elif record[0] == 19:
                logged[(record[1], record[2])] = record[4].hex()
            elif record[0] == 21:
                outcome = record[5]
    assert all(digests[position] == digest for position, digest in logged.items()), "the log's digests"
    print(f"outcome {end['outcome']} {end['code']}")
    assert outcome is None or outcome == end["code"]
    for position, digest in sorted(digests.items()):
        print(f"digest {name_of(*position)} {digest}")
    sys.stdout.flush()
    sys.stdout.buffer.write(text)


main(sys.argv[1])
