"""Decrypts an encrypted recording, by docs/TRACE_FORMAT.md alone: AES-256-GCM as NIST SP 800-38D and FIPS 197 have it, nothing but Python's standard library. Slow.

    python3 read_encrypted.py FILE PASSPHRASE OUT
"""
import hashlib
import struct
import sys


def sbox():
    def times(a, b):
        product = 0
        while b:
            product ^= a if b & 1 else 0
            a = a << 1 ^ (0x11B if a & 0x80 else 0)
            b >>= 1
        return product
    table = []
    for value in range(256):
        inverse = next((other for other in range(256) if times(value, other) == 1), 0)
        bits = inverse
        for turn in range(1, 5):
            bits ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        table.append(bits ^ 0x63)
    return table


S = sbox()
TWICE = [(value << 1 ^ (0x11B if value & 0x80 else 0)) & 0xFF for value in range(256)]


def expand(key):
    words, constant = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    while len(words) < 60:
        word = list(words[-1])
        if len(words) % 8 == 0:
            word = [S[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = TWICE[constant]
        elif len(words) % 8 == 4:
            word = [S[b] for b in word]
        words.append([a ^ b for a, b in zip(words[-8], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 60, 4)]


def encrypt(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [S[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 14:
            mixed = []
            for column in range(0, 16, 4):
                a = state[column:column + 4]
                every = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ every ^ TWICE[a[i] ^ a[(i + 1) % 4]] for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def ghash(h, data):
    """Multiplications by H, with its multiples by every nibble at every place worked out before."""
    power, bits = h, []
    for _ in range(128):
        bits.append(power)
        power = power >> 1 ^ (0xE1 << 120 if power & 1 else 0)
    tables = []
    for place in range(0, 128, 8):
        table = [0] * 256
        for value in range(1, 256):
            low = value & -value
            table[value] = table[value ^ low] ^ bits[place + 7 - (low.bit_length() - 1)]
        tables.append(table)
    result = 0
    for start in range(0, len(data), 16):
        block = (result ^ int.from_bytes(data[start:start + 16].ljust(16, b"\0"), "big")).to_bytes(16, "big")
        result = 0
        for place, byte in enumerate(block):
            result ^= tables[place][byte]
    return result


def padded(data):
    return data + b"\0" * (-len(data) % 16)


def open_sealed(keys, nonce, sealed, tag, associated):
    h = int.from_bytes(encrypt(keys, bytes(16)), "big")
    lengths = struct.pack(">QQ", len(associated) * 8, len(sealed) * 8)
    check = ghash(h, padded(associated) + padded(sealed) + lengths) ^ int.from_bytes(encrypt(keys, nonce + b"\0\0\0\1"), "big")
    if check.to_bytes(16, "big") != tag:
        sys.exit(f"{sys.argv[1]}: a seal does not fit")
    stream = b"".join(encrypt(keys, nonce + struct.pack(">I", 2 + i)) for i in range((len(sealed) + 15) // 16))
    return bytes(a ^ b for a, b in zip(sealed, stream))


data = open(sys.argv[1], "rb").read()
signature, version, method, zero, iterations, chunk_size, size = struct.unpack_from("<4sBBHIIQ", data)
if (signature, version, method, zero) != (b"TTVE", 1, 1, 0):
    sys.exit(f"{sys.argv[1]} is not an encrypted recording")
header, salt, tag = data[:56], data[24:56], data[56:72]
round_keys = expand(hashlib.pbkdf2_hmac("sha256", sys.argv[2].encode(), salt, iterations, 32))
open_sealed(round_keys, struct.pack("<QI", 2 ** 64 - 1, 0), b"", tag, header)
count = (size + chunk_size - 1) // chunk_size
plain, offset = b"", 72
for number in range(count):
    length = min(chunk_size, size - number * chunk_size)
    sealed, tag = data[offset:offset + length], data[offset + length:offset + length + 16]
    plain += open_sealed(round_keys, struct.pack("<QI", number, 0), sealed, tag, header + struct.pack("<QB", number, number == count - 1))
    offset += length + 16
if offset != len(data):
    sys.exit(f"{sys.argv[1]} has another length than it says")
open(sys.argv[3], "wb").write(plain)
print(iterations, count)
