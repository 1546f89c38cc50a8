"""Makes the parity of a pouch as FORMAT 6.10 has it, with nothing but Python's own library: `parity.py SHARE < POUCH`.

Written from the text alone. Slow: for short pouches. Of a longer one it makes the packets that are named as ROW:INDEX,
in their order: `parity.py SHARE 0:0 1:7 < POUCH`.
"""

import hashlib
import math
import struct
import sys

BASIS = [0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E, 0x914C, 0x4012,
         0x6C98, 0x10D8, 0x6A72, 0xB900, 0xFDB8, 0xFB34, 0xFF38, 0x991E]


def up(number, divisor):
    return -(-number // divisor)


def root(number):
    return 0 if number == 0 else math.isqrt(number - 1) + 1


# Powers of x generate the whole field: its polynomial is primitive.
POWERS, LOGS = [0] * 65535, [0] * 65536
value = 1
for exponent in range(65535):
    POWERS[exponent], LOGS[value] = value, exponent
    value <<= 1
    if value & 0x10000:
        value ^= 0x1002D


def times(a, b):
    return POWERS[(LOGS[a] + LOGS[b]) % 65535] if a and b else 0


def inverse(a):
    return POWERS[-LOGS[a] % 65535]


ELEMENTS = [0] * 65536
for number in range(1, 65536):
    low = number & -number
    ELEMENTS[number] = ELEMENTS[number ^ low] ^ BASIS[low.bit_length() - 1]
NUMBERS = {element: number for number, element in enumerate(ELEMENTS)}


def elements(cell):
    return [ELEMENTS[cell[at + n] | cell[at + 32 + n] << 8] for at in range(0, len(cell), 64) for n in range(32)]


def cell_of(symbols):
    cell = bytearray()
    for at in range(0, len(symbols), 32):
        numbers = [NUMBERS[symbol] for symbol in symbols[at:at + 32]]
        cell += bytes(number & 255 for number in numbers) + bytes(number >> 8 for number in numbers)
    return bytes(cell)


def recovery(originals, count, wanted):
    places = 1
    while places < count:
        places *= 2
    columns = [elements(cell) for cell in originals]
    z = []
    for j in range(len(originals)):
        product, y = 1, ELEMENTS[places + j]
        for x in range(places):
            product = times(product, y ^ ELEMENTS[x])
        z.append(product)
    cells = {}
    for i in wanted:
        sums = [0] * len(columns[0])
        for j, column in enumerate(columns):
            log = LOGS[times(z[j], inverse(ELEMENTS[places + j] ^ ELEMENTS[i]))]
            sums = [s ^ POWERS[(LOGS[d] + log) % 65535] if d else s for s, d in zip(sums, column)]
        cells[i] = cell_of(sums)
    return cells


def main():
    share, pouch = int(sys.argv[1]), sys.stdin.buffer.read()
    length = len(pouch)
    w = 4096
    while up(length, w) > 4194304:
        w *= 2
    c = up(length, w)
    rows = up(c, 4096)
    k = up(c, rows)
    mean = up(k * share, 100)
    s = mean + root(56 * mean) + 19
    t = up(8 * k, max(1, root(up(s * 8 * k, w))))
    t = up(t, 64) * 64
    f = up(8 * k, t)
    r = s + f
    header_end = pouch.index(b"\n", pouch.index(b"\n---") + 1) + 1 + 16
    domain = b"amparo.v1/pouch"
    framed = bytes([len(domain)]) + domain + struct.pack(">Q", header_end) + pouch[:header_end]
    pouch_id = hashlib.sha256(framed).digest()[:16]
    pouch += bytes(k * rows * w - length)
    named = [tuple(int(number) for number in packet.split(":")) for packet in sys.argv[2:]]
    packets = {}
    for j in range(rows):
        wanted = [i for i in range(r) if not named or (j, i) in named]
        if not wanted:
            continue
        cells = [pouch[(strip * rows + j) * w:(strip * rows + j + 1) * w] for strip in range(k)]
        table = b"".join(hashlib.sha256(cell).digest()[:8] for cell in cells).ljust(f * t, b"\0")
        fragments = recovery([table[at:at + t] for at in range(0, f * t, t)], r, wanted)
        for i, cell in recovery(cells, r, wanted).items():
            fragment = fragments[i]
            header = struct.pack(">8sHHIIQ16s4x", b"RSPARITY", 1, share, j, i, length, pouch_id)
            packets[i, j] = header + hashlib.sha256(header + fragment + cell).digest()[:16] + fragment + cell
    for key in sorted(packets):
        sys.stdout.buffer.write(packets[key])


main()
