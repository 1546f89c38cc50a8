"""Cards, checkpoints, cosignatures, receipts and proofs of a fork (§ 4.2 to 4.6)."""
from functools import lru_cache

from . import documents, messagepack
from .age import recipient_bytes
from .hashes import climb, is_consistent, leaf_hash, row_leaf, tagged
from .notes import CARD_ML_DSA_44, COSIGN_ED25519, ED25519, ML_DSA_44, Lines, Note
from .signatures import ed25519_holds, ml_dsa_44_holds
from .text import Malformed, decimal, decode_utf8, demand, is_control, unbase64, unhex

SIZE_MAX = 9_999_999_999
RECEIPT_BYTES, FORK_BYTES = 16_383, 266_240
HIDDEN = [(0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
          (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164),
          (0xE000, 0xF8FF), (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFF),
          (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0x10FFFF)]


def is_pseudonym(name):
    if not 1 <= len(name) <= 64 or name != name.strip(" ") or "  " in name:
        return False
    if any(is_control(each) or each.isspace() and each != " " for each in name):
        return False
    if any(low <= ord(each) <= high for each in name for low, high in HIDDEN):
        return False
    joiners = "\u200c\u200d"
    ends = [at for at, each in enumerate(name) if each in joiners]
    return all(0 < at < len(name) - 1 and all(each >= "\u0600" and each not in joiners for each in (name[at - 1], name[at + 1]))
               for at in ends)


class Card:
    """A card that its own two signatures prove."""

    def __init__(self, data):
        note = Note(data)
        lines = note.text.split("\n")
        demand(len(lines) == 7 and lines[0] == "amparo.v1/card", "no card")
        words = []
        for line, label in zip(lines[1:6], ("name", "age", "log", "cosign", "ml-dsa-44"), strict=True):
            demand(line.startswith(label + " "), f"no {label}")
            words.append(line[len(label) + 1:])
        self.name = words[0]
        demand(is_pseudonym(self.name), "no pseudonym")
        recipient = recipient_bytes(words[1])
        self.log, self.cosign, self.ml_dsa = unbase64(words[2], 32), unbase64(words[3], 32), unbase64(words[4], 1312)
        self.member = tagged("amparo.v1/member", recipient, self.log, self.cosign, self.ml_dsa)
        self.key_name = f"amparo.v1/member/{self.member.hex()}"
        text = note.text.encode()

        def holds(classic, quantum):
            message = b"amparo.v1/card-ml-dsa-44\0" + text
            return ed25519_holds(self.log, text, classic) and ml_dsa_44_holds(self.ml_dsa, message, quantum)

        signed = note.two_lines(self.key_name, (ED25519, self.log), (CARD_ML_DSA_44, self.ml_dsa), holds)
        demand(signed is Lines.HOLD, "a card that its keys did not sign")


def cosigned_message(name, time, origin, size, root):
    """C2SP tlog-cosignature: the message of an ML-DSA-44 line."""
    framed = [bytes([len(each)]) + each.encode() for each in (name, origin)]
    return b"subtree/v1\n\0" + framed[0] + time + framed[1] + bytes(8) + size.to_bytes(8, "big") + root


class Checkpoint:
    """A state of a log, and under it whatever lines."""

    def __init__(self, data):
        self.note = Note(data)
        lines = self.note.text.split("\n")
        demand(len(lines) == 4, "a checkpoint has three lines")
        self.origin = lines[0]
        words = self.origin.split("/")
        demand(len(words) == 3 and words[0] == "amparo.v1", "no origin")
        self.vault, self.log = unhex(words[1], 32), unhex(words[2], 16)
        self.size, self.root = decimal(lines[1]), unbase64(lines[2], 32)
        demand(1 <= self.size <= SIZE_MAX, "no size of a log")

    @property
    def state(self):
        return self.size, self.root

    def signed_by(self, card):
        """The two lines of the log's member (§ 4.3)."""
        text = self.note.text.encode()

        def holds(classic, quantum):
            message = cosigned_message(self.origin, quantum[:8], self.origin, self.size, self.root)
            return (quantum[:8] == bytes(8) and ed25519_holds(card.log, text, classic)
                    and ml_dsa_44_holds(card.ml_dsa, message, quantum[8:]))

        return self.note.two_lines(self.origin, (ED25519, card.log), (ML_DSA_44, card.ml_dsa), holds)

    def cosigned_by(self, card):
        """The two lines of another member (§ 4.4)."""
        def holds(classic, quantum):
            time = classic[:8]
            if time != quantum[:8] or len(time) < 8 or time[0] & 0x80:
                return False
            text = f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n{self.note.text}".encode()
            message = cosigned_message(card.key_name, time, self.origin, self.size, self.root)
            return ed25519_holds(card.cosign, text, classic[8:]) and ml_dsa_44_holds(card.ml_dsa, message, quantum[8:])

        return self.note.two_lines(card.key_name, (COSIGN_ED25519, card.cosign), (ML_DSA_44, card.ml_dsa), holds)

    def cosigner(self, cards, owner):
        """The member, other than the log's own, of whose cosigning keys the first such line is."""
        first = []
        for card in cards:
            if card.member != owner:
                ours = [*self.note.of(card.key_name, COSIGN_ED25519, card.cosign),
                        *self.note.of(card.key_name, ML_DSA_44, card.ml_dsa)]
                first += [(place, card.member, card) for place, _ in ours]
        return min(first, key=lambda each: each[:2])[2] if first else None


class Receipt:
    """A proof that a log holds a `seal` entry, and perhaps one row of it (§ 4.5). Its signatures are for who has a card."""

    def __init__(self, data):
        demand(len(data) <= RECEIPT_BYTES, "a receipt that is too long")
        proof, found, below = decode_utf8(data).partition("\n\n")
        demand(found, "no state")
        first, extra, index, *path = proof.split("\n")
        demand(first == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), "no receipt")
        self.checkpoint = Checkpoint(below.encode())
        extra = messagepack.decode(unbase64(extra[6:]))
        documents.check_receipt(extra)
        entry, place = documents.read_entry(extra["entry"]), decimal(index[6:])
        demand(entry.vault_in(self.checkpoint.vault) and entry.log == self.checkpoint.log, "an entry of another log")
        demand(entry.kind == "seal" and entry.seq == place, "no sealing at this place")
        self.place = place
        root = climb(leaf_hash(extra["entry"]), place, self.checkpoint.size, [unbase64(line, 32) for line in path])
        demand(root == self.checkpoint.root, "a path that leads elsewhere")
        if extra["row"] is not None:
            check_row(entry.body, entry.log, extra["row"])


def check_row(seal, log, proved):
    row = documents.Row(proved["row"])
    demand(row.log == log and row.number == seal["first"] + proved["index"], "a row of another exhibit")
    demand(any(each["key"] == row.key for each in seal["manifests"]), "a row of another section")
    root = climb(row_leaf(proved["row"]), proved["index"], seal["count"], proved["path"])
    demand(root == seal["root"], "a row that was not sealed")


class ForkProof:
    """Two states of one log that contradict each other (§ 4.6)."""

    def __init__(self, data):
        demand(len(data) <= FORK_BYTES, "a proof that is too long")
        parts = decode_utf8(data).split("\n\n")
        demand(len(parts) == 5, "no proof of a fork")
        first, root, *path = parts[0].split("\n")
        demand(first == "amparo.v1/fork" and root.startswith("root ") and len(path) <= 64, "no proof of a fork")
        root, path = unbase64(root[5:], 32), [unbase64(line, 32) for line in path]
        self.states = [Checkpoint(f"{parts[1]}\n\n{parts[2]}\n".encode()), Checkpoint(f"{parts[3]}\n\n{parts[4]}".encode())]
        one, two = self.states
        demand(one.origin == two.origin and one.size <= two.size, "two states of one log, the shorter first")
        demand(is_consistent(one.size, root, two.size, two.root, path), "a proof that does not lead to the second state")
        demand(root != one.root, "two states of one history")


@lru_cache(maxsize=4096)
def admitted_card(text):
    """The card in an admission, or None for one that does not hold; the same few stand in many entries."""
    try:
        return Card(text.encode())
    except Malformed:
        return None
