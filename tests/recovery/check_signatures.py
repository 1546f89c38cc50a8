"""Checks a member's card, and that the member signed a log's state, with PyPI `cryptography` (46 or later).

    check_signatures.py CARD                 is the card its owner's own, and what are its digits?
    check_signatures.py CARD CHECKPOINT      did this member sign this state, with both keys?

The forms are C2SP's: signed-note, tlog-checkpoint, tlog-cosignature (FORMAT.md, "Note", "Card", "Checkpoint").
"""
import base64
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from hashes import claim, digits, frame, sha256

# The type of a signature stands before the key in the hash that names it.
ED25519, ML_DSA_44 = b"\x01", b"\x06"
CARD_LABEL = b"amparo.v1/card-ml-dsa-44"


def split_note(note):
    """A note's text with its last line feed, and its signature lines."""
    text, _, lines = note.rpartition(b"\n\n")
    return text + b"\n", lines.decode().split("\n")[:-1]


def signature(lines, name, kind, public):
    """What the one line of this key carries."""
    key_id = sha256(name.encode() + b"\n" + kind + public)[:4]
    decoded = [base64.b64decode(line.split(" ")[2]) for line in lines if line.startswith(f"\u2014 {name} ")]
    ours = [line[4:] for line in decoded if line[:4] == key_id]
    claim(len(ours) == 1, f"{len(ours)} signatures by this key as {name}; there must be one")
    return ours[0]


def verify(key, signed, message, what):
    try:
        key.verify(signed, message)
    except InvalidSignature:
        claim(False, f"the {what} signature does not hold")


def recipient_bytes(text):
    """The raw key in an age recipient: bech32, five bits a letter, the last six letters a checksum."""
    bits = "".join(f"{'qpzry9x8gf2tvdw0s3jn54khce6mua7l'.index(letter):05b}" for letter in text.split("1")[-1][:-6])
    return int(bits[:len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8, "big")


def read_card(note):
    """A card whose signatures hold: its name, member id, Ed25519 key for logs, ML-DSA-44 key."""
    text, lines = split_note(note)
    words = dict(line.split(" ", 1) for line in text.decode().split("\n")[1:-1])
    log, cosign, ml_dsa = (base64.b64decode(words[key]) for key in ("log", "cosign", "ml-dsa-44"))
    member = sha256(frame("amparo.v1/member", recipient_bytes(words["age"]), log, cosign, ml_dsa))
    name = f"amparo.v1/member/{member.hex()}"
    verify(Ed25519PublicKey.from_public_bytes(log), signature(lines, name, ED25519, log), text, "card's Ed25519")
    signed = signature(lines, name, b"\xff" + CARD_LABEL, ml_dsa)
    verify(MLDSA44PublicKey.from_public_bytes(ml_dsa), signed, CARD_LABEL + b"\0" + text, "card's ML-DSA-44")
    return words["name"], member, log, ml_dsa


def check_checkpoint(note, log, ml_dsa):
    """Both lines under a log's state; gives its origin, size and root."""
    text, lines = split_note(note)
    origin, size, root, rest = text.decode().split("\n", 3)
    claim(rest == "", "a state has three lines")
    root = base64.b64decode(root)
    verify(Ed25519PublicKey.from_public_bytes(log), signature(lines, origin, ED25519, log), text, "Ed25519")
    # tlog-cosignature, "ML-DSA-44 signed message"; the log's own line states the time 0, and a tree from 0 on.
    stamped, name = signature(lines, origin, ML_DSA_44, ml_dsa), bytes([len(origin)]) + origin.encode()
    claim(stamped[:8] == bytes(8), "the log's own ML-DSA-44 line states a time")
    message = b"subtree/v1\n\0" + name + bytes(8) + name + bytes(8) + int(size).to_bytes(8, "big") + root
    verify(MLDSA44PublicKey.from_public_bytes(ml_dsa), stamped[8:], message, "ML-DSA-44")
    return origin, int(size), root


def main():
    name, member, log, ml_dsa = read_card(Path(sys.argv[1]).read_bytes())
    print(f"GOOD: the card is signed with its own keys\nname {name}\ndigits {digits(member)}")
    if len(sys.argv) > 2:
        origin, size, root = check_checkpoint(Path(sys.argv[2]).read_bytes(), log, ml_dsa)
        print(f"GOOD: {name} signed the state of {origin}\n{size} entries, root {root.hex()}")


if __name__ == "__main__":
    main()
