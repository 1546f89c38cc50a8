"""The tar of a payload, of which every byte follows from names and sizes (§ 6.8)."""
from .hashes import padded_length
from .text import demand

BLOCK, TAIL, PAYLOAD_FLOOR = 512, 1_024, 16_384
SIZE_MAX = 8_589_934_591


def block(name, size, kind=b"0"):
    head = name.ljust(100, b"\0") + b"0000644\0" + 2 * b"0000000\0" + b"%011o\0" % size + b"0" * 11 + b"\0"
    rest = kind + bytes(100) + b"ustar\x0000" + bytes(64) + 2 * b"0000000\0" + bytes(167)
    checksum = sum(head) + 8 * 0x20 + sum(rest)
    return head + b"%06o\0 " % checksum + rest


def padding(size):
    return -size % BLOCK


def pax(key, value):
    """One record; its length counts its own digits."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def header(name, size, label):
    """A member's header, long where name or size need it."""
    name_fits, size_fits = name.isascii() and len(name) <= 100, size <= SIZE_MAX
    if name_fits and size_fits:
        return block(name, size)
    records = (b"" if name_fits else pax(b"path", name)) + (b"" if size_fits else pax(b"size", str(size).encode()))
    label = label.encode()
    return (block(b"pax/" + label, len(records), b"x") + records + bytes(padding(len(records)))
            + block(name if name_fits else b"content/" + label, size if size_fits else 0))


def pad_header(offset):
    """The header of `.pad` at this offset, and the size of its zeros."""
    size = padded_length(offset + BLOCK + TAIL, PAYLOAD_FLOOR) - (offset + BLOCK + TAIL)
    if size <= SIZE_MAX:
        return header(b".pad", size, "pad"), size
    size = padded_length(offset + 3 * BLOCK + TAIL, PAYLOAD_FLOOR) - (offset + 3 * BLOCK + TAIL)
    long = pax(b"size", str(size).encode())
    return block(b"pax/pad", len(long), b"x") + long + bytes(padding(len(long))) + block(b".pad", 0 if size > SIZE_MAX else size), size


def octal(field):
    demand(field[-1:] == b"\0" and all(0x30 <= each < 0x38 for each in field[:-1]), "no octal number")
    return int(field[:-1], 8)


def read_header(stream, index):
    """Name and size of the next member, whose header is the one that a writer would write."""
    first = stream.take(BLOCK)
    label, read = f"{index:08}", first
    path, size = None, None
    if first[156:157] == b"x":
        length = octal(first[124:136])
        demand(length <= 4 * BLOCK, "a long header that is too long")
        records = stream.take(length + padding(length))
        read += records
        path, size = read_pax(records[:length])
        first = stream.take(BLOCK)
        read += first
    name = path if path is not None else first[:100].rstrip(b"\0")
    size = size if size is not None else octal(first[124:136])
    if name == b".pad":
        return name, size, read
    demand(read == header(name, size, label), "a header in another form")
    return name, size, read


def read_pax(records):
    path = size = None
    while records:
        digits, found, _ = records.partition(b" ")
        demand(found and digits.isdigit() and 0 < int(digits) <= len(records), "no record of a long header")
        record, records = records[len(digits) + 1:int(digits)], records[int(digits):]
        key, found, value = record.partition(b"=")
        demand(found and value.endswith(b"\n"), "no record of a long header")
        if key == b"path":
            path = value[:-1]
        elif key == b"size":
            demand(value[:-1].isdigit() and len(value) < 20, "no size")
            size = int(value[:-1])
    return path, size
