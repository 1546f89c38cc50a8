"""What a value of MessagePack may be: small checks from which the tables of § 6 are put together (§ 6.1)."""
import re

from .keys import is_scope
from .text import demand, is_words, moment

HANDLE = re.compile("[A-Z][A-Z0-9]{0,7}")


def text(value):
    demand(isinstance(value, str), "no text")


def words(limit=4096):
    def check(value):
        text(value)
        demand(is_words(value, limit), "no words")
    return check


def one_of(*choices):
    def check(value):
        text(value)
        demand(value in choices, "another word than the format has")
    return check


def whole(bits, low=0):
    def check(value):
        demand(type(value) is int and low <= value < 1 << bits, "no number of this size")
    return check


def yes_or_no(value):
    demand(type(value) is bool, "neither yes nor no")


def raw(length=None):
    def check(value):
        demand(isinstance(value, bytes) and (length is None or len(value) == length), "no bytes of this length")
    return check


def listed(shape, low=0, high=None, ascending=None):
    """A list; `ascending` is the field by which its structures are sorted, or True for bytes and text themselves."""
    def check(value):
        demand(isinstance(value, list) and low <= len(value) and (high is None or len(value) <= high), "no list of this length")
        for each in value:
            shape(each)
        if ascending:
            keys = [each if ascending is True else each[ascending] for each in value]
            keys = [key.encode() if isinstance(key, str) else key for key in keys]
            demand(all(a < b for a, b in zip(keys, keys[1:])), "a list that is not sorted")
    return check


def optional(shape):
    def check(value):
        if value is not None:
            shape(value)
    return check


def structure(_also=None, **fields):
    """A map of exactly these fields in this order; `_also` is what the table says of them together."""
    def check(value):
        demand(isinstance(value, dict) and list(value) == list(fields), "other fields")
        for name, shape in fields.items():
            shape(value[name])
        if _also:
            demand(_also(value), "fields that do not go together")
    return check


def time(value):
    text(value)
    demand(len(value) == 25, "no time")
    moment(value)


def handle(value):
    text(value)
    demand(HANDLE.fullmatch(value), "no handle")


def scope(value):
    text(value)
    demand(is_scope(value), "no scope")


def role(value):
    text(value)
    if value not in ("owner", "sealer", "monitor"):
        demand(value.startswith("reader/") and value != "reader/custody" and is_scope(value[7:]), "no role")


hash32, log_id, salt = raw(32), raw(16), raw(16)
