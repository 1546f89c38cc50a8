"""Bech32 (BIP-173) without its limit of length, as age writes keys."""
from functools import lru_cache

from .text import demand

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def checksum(prefix, values):
    """The polynomial over prefix and values; 1 for a text whose checksum is right."""
    state = 1
    for value in [*(ord(each) >> 5 for each in prefix), 0, *(ord(each) & 31 for each in prefix), *values]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= generator if top >> bit & 1 else 0
    return state


@lru_cache(maxsize=4096)
def decode(prefix, text):
    """The bytes behind a prefix in small letters; `text` is in small letters throughout."""
    demand(text.startswith(prefix + "1"), "another kind of key")
    letters = text[len(prefix) + 1:]
    demand(len(letters) > 6 and all(each in LETTERS for each in letters), "no bech32")
    values = [LETTERS.index(each) for each in letters]
    demand(checksum(prefix, values) == 1, "a wrong checksum")
    values = values[:-6]
    number = 0
    for value in values:
        number = number << 5 | value
    spare = 5 * len(values) % 8
    demand(spare < 5 and number & (1 << spare) - 1 == 0, "bits that say nothing")
    return (number >> spare).to_bytes(5 * len(values) // 8, "big")


@lru_cache(maxsize=4096)
def encode(prefix, data):
    bits = 8 * len(data)
    spare = -bits % 5
    number = int.from_bytes(data, "big") << spare
    values = [number >> shift & 31 for shift in range(bits + spare - 5, -1, -5)]
    check = checksum(prefix, [*values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> shift & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1" + "".join(LETTERS[each] for each in values)
