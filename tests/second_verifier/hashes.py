"""Hashes, trees and padded lengths (§ 2.2 to 2.4)."""
import hashlib
import hmac

EMPTY_ROOT = hashlib.sha256(b"").digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def frame(domain, *parts):
    """A domain, then each part behind its length: no two lists of parts give the same bytes."""
    return b"".join([bytes([len(domain)]), domain.encode(), *(len(part).to_bytes(8, "big") + part for part in parts)])


def tagged(domain, *parts):
    return sha256(frame(domain, *parts))


def keyed(secret, domain, about):
    """HMAC-SHA-256 with a record's secret: salts and decoys."""
    return hmac.digest(secret, frame(domain, about), "sha256")


def leaf_hash(data):
    return sha256(b"\0" + data)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def grow(peaks, leaf):
    """The perfect subtrees of a tree, (height, hash) from the left, after one more leaf."""
    height = 0
    while peaks and peaks[-1][0] == height:
        leaf, height, peaks = node_hash(peaks[-1][1], leaf), height + 1, peaks[:-1]
    return peaks + ((height, leaf),)


def bag(peaks):
    """The root over the perfect subtrees of a tree."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1][1]
    for _, peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves):
    """RFC 6962, 2.1, over leaf hashes."""
    peaks = ()
    for leaf in leaves:
        peaks = grow(peaks, leaf)
    return bag(peaks)


def climb(leaf, index, size, path):
    """RFC 9162, 2.1.3.2: the root to which a leaf's audit path leads, or None for a path of the wrong length."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(first_size, first_root, size, root, proof):
    """RFC 9162, 2.1.4.2: whether a tree of `first_size` leaves is the beginning of one of `size` leaves."""
    if first_size == size:
        return not proof and first_root == root
    if not 0 < first_size < size or not proof:
        return False
    path = list(proof) if first_size & (first_size - 1) else [first_root, *proof]
    place, last = first_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == root


def padded_length(length, floor):
    """Padmé of the length or of the floor, whichever is more."""
    length = max(length, floor)
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << max(exponent - exponent.bit_length(), 0)) - 1
    return (length + mask) & ~mask


def row_leaf(row):
    """What identifies an exhibit (§ 6.4)."""
    return leaf_hash(frame("amparo.v1/row", row))


def blob_leaf(blob):
    return leaf_hash(frame("amparo.v1/blob", blob))
