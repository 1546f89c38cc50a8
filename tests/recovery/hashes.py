"""The hashes of the format amparo.v1, all of them SHA-256 (FORMAT.md, "Hashes" and "Trees")."""
import hashlib
import struct
import sys
from collections import namedtuple

# What every member knows of one exhibit: 128 bytes (FORMAT.md, "Inventory").
Row = namedtuple("Row", "log number key record_root record_leaves blobs blobs_root")


def claim(holds, otherwise):
    """Nothing is reported as good after the first thing that is not."""
    if not holds:
        sys.exit(f"FAILED: {otherwise}")


def sha256(data):
    return hashlib.sha256(data).digest()


def frame(domain, *parts):
    """A domain, then each part behind its length: no two different lists give the same bytes."""
    return bytes([len(domain)]) + domain.encode() + b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def leaf(data):
    """RFC 6962, 2.1."""
    return sha256(b"\0" + data)


def node(left, right):
    """RFC 6962, 2.1."""
    return sha256(b"\1" + left + right)


def left_half(count):
    """RFC 6962, 2.1: the largest power of two below `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def root(leaves):
    """The one hash that stands for all these leaf hashes and their order."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    half = left_half(len(leaves))
    return node(root(leaves[:half]), root(leaves[half:]))


def climb(leaf_hash, index, size, path):
    """RFC 6962, 2.1.1: the root that a path leads to from leaf `index` of `size`; the path begins beside the leaf."""
    claim(0 <= index < size and (size > 1 or not path) and (size == 1 or path), "a path has the wrong length")
    if size == 1:
        return leaf_hash
    half = left_half(size)
    if index < half:
        return node(climb(leaf_hash, index, half, path[:-1]), path[-1])
    return node(path[-1], climb(leaf_hash, index - half, size - half, path[:-1]))


def read_row(raw):
    claim(len(raw) == 128, "a row has 128 bytes")
    return Row(*struct.unpack(">16sQ32s32sII32s", raw))


def row_leaf(raw):
    """What identifies an exhibit, whatever people call it."""
    return leaf(frame("amparo.v1/row", raw))


def blobs_root(names):
    """Over the SHA-256 of each sealed file of an exhibit, in their order."""
    return root([leaf(frame("amparo.v1/blob", name)) for name in names])


def digits(value):
    """An id as people compare it: each four bytes, modulo 100,000."""
    return " ".join(f"{number % 100_000:05}" for number in struct.unpack(">8I", value))
