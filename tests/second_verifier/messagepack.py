"""MessagePack with one encoding of each value, and padded documents (§ 6.1)."""
import msgpack

from .hashes import padded_length
from .text import Malformed, demand

DEPTH = 16


def decode(data):
    """A value whose one encoding these bytes are."""
    value, end = decode_first(data)
    demand(end == len(data), "something follows the document")
    return value


def decode_padded(data, floor):
    """The value of a padded document, and its own bytes."""
    value, end = decode_first(data)
    demand(len(data) == padded_length(end, floor) and not any(data[end:]), "other padding")
    return value, data[:end]


def decode_first(data):
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1), strict_map_key=False)
    unpacker.feed(data)
    try:
        value = unpacker.unpack()
    except Exception as error:  # the library has a dozen kinds, and some of them are Python's own
        raise Malformed(f"no MessagePack: {type(error).__name__}") from None
    end = unpacker.tell()
    check_depth(value, DEPTH)
    # Python's dictionaries keep the order in which keys came and forget a doubled one, so that this print differs.
    demand(msgpack.packb(value) == data[:end], "MessagePack in another form")
    return value, end


def check_depth(value, left):
    demand(left >= 0, "too deeply nested")
    for each in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()):
        check_depth(each, left - 1)
