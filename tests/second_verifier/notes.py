"""Signed notes and the lines under them (§ 4.1)."""
import re
from collections import namedtuple
from enum import Enum

from .hashes import sha256
from .text import decode_utf8, demand, unbase64

NOTE_BYTES = 131_072
ED25519, COSIGN_ED25519, ML_DSA_44, CARD_ML_DSA_44 = b"\x01", b"\x04", b"\x06", b"\xffamparo.v1/card-ml-dsa-44"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
DASH = "\u2014 "

Line = namedtuple("Line", "name key_id signature")


class Lines(Enum):
    """What the two lines of somebody under a note are worth."""

    NONE = "there is no line of theirs"
    WRONG = "there is one, and not both as they must be"
    HOLD = "both hold"


class Note:
    """A text and its signature lines; `text` keeps its last line feed."""

    def __init__(self, data):
        demand(len(data) <= NOTE_BYTES, "a note that is too long")
        whole = decode_utf8(data)
        demand(not CONTROL.search(whole), "a control character")
        text, found, below = whole.rpartition("\n\n")
        demand(found and text and below.endswith("\n"), "no note")
        self.text = text + "\n"
        self.lines = [read_line(line) for line in below[:-1].split("\n")]

    def of(self, name, kind, public):
        """The signatures by this key under this name."""
        key_id = sha256(name.encode() + b"\n" + kind + public)[:4]
        return [(place, line.signature) for place, line in enumerate(self.lines) if (line.name, line.key_id) == (name, key_id)]

    def two_lines(self, name, first, second, holds):
        """A member's two lines: (type, key) of each, and what decides whether their signatures hold."""
        ours = [self.of(name, *first), self.of(name, *second)]
        if not any(ours):
            return Lines.NONE
        if [len(each) for each in ours] != [1, 1]:
            return Lines.WRONG
        (above, classic), (below, quantum) = ours[0][0], ours[1][0]
        return Lines.HOLD if above < below and holds(classic, quantum) else Lines.WRONG


def read_line(line):
    demand(line.startswith(DASH) and line.count(" ") == 2, "no signature line")
    _, name, encoded = line.split(" ")
    demand(name and not any(letter.isspace() for letter in name) and "+" not in name, "no key name")
    raw = unbase64(encoded)
    demand(len(raw) > 4, "an empty signature")
    return Line(name, raw[:4], raw[4:])
