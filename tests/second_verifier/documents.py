"""Entries, inventories, manifests and what a receipt carries (§ 4.5, 6.2 to 6.5)."""
import re
import struct
from dataclasses import dataclass

from . import messagepack
from .hashes import EMPTY_ROOT, leaf_hash, tagged
from .keys import key_id
from .shapes import (handle, hash32, listed, log_id, one_of, optional, raw, role, salt, scope, structure, text, time, whole,
                     words, yes_or_no)
from .text import demand, is_words, moment

ENTRY_BYTES, ENTRY_FLOOR, BLOB_FLOOR = 4 << 20, 4_096, 16_384
FOUNDING_VAULT = bytes(32)
PATH = re.compile("[a-z0-9_]+(/[a-z0-9_]+)*")

U8, U32, U64 = whole(8), whole(32), whole(64)
LEVEL, VERDICT = one_of("bytes", "custody", "content"), one_of("valid", "incomplete", "invalid")
WORDS = words()

HEAD = {"log": log_id, "size": U64, "root": hash32}
ENTRY_REF = structure(log=log_id, seq=U64, leaf=hash32)
EXHIBIT_REF = structure(log=log_id, number=U64, row=hash32)
ADMISSION = {"card": text, "roles": listed(role, low=1, high=64, ascending=True), "handle": optional(handle)}
SHARE = structure(lambda it: 1 <= it["index"] <= it["total"] and 1 <= it["needed"] <= it["total"],
                  split=salt, index=U8, needed=U8, total=U8, hash=hash32)
WRAP = structure(member=hash32, file=hash32, share=optional(SHARE))
WRAPS, DUMMIES = listed(WRAP, low=1, ascending="member"), listed(hash32, ascending=True)
NEW_KEY = structure(scope=scope, epoch=U32, recipient=text, wraps=WRAPS, dummies=DUMMIES)
MANIFEST_REF = structure(key=hash32, blob=hash32, records=whole(32, low=1))
HEADS = listed(structure(**HEAD))
DISCREPANCY = structure(check=WORDS, subject=WORDS, message=WORDS)


def brings_well(event):
    """Each scope once, `custody` before the sections."""
    scopes = [(key["scope"] != "custody", key["scope"]) for key in event["keys"]]
    return scopes == sorted(set(scopes))


def founds_well(found):
    return ("owner" in found["founder"]["roles"] and brings_well(found)
            and {"custody", "main", "register"} <= {key["scope"] for key in found["keys"]}
            and all(key["epoch"] == 0 for key in found["keys"]))


def seals_well(seal):
    return seal["first"] + seal["count"] < 1 << 64 and sum(each["records"] for each in seal["manifests"]) == seal["count"]


EVENTS = {
    "found": structure(founds_well, founder=structure(**ADMISSION), members=listed(structure(**ADMISSION)),
                       keys=listed(NEW_KEY), monitors_needed=U32, continues=HEADS),
    "admit": structure(**ADMISSION),
    "remove": structure(member=hash32, reason=one_of("left", "seized"), cuts=listed(structure(**HEAD), ascending="log")),
    "adopt": structure(entries=listed(ENTRY_REF, low=1)),
    "rotate": structure(brings_well, keys=listed(NEW_KEY, low=1)),
    "share": structure(key=hash32, wraps=WRAPS, dummies=DUMMIES),
    "seal": structure(seals_well, first=whole(64, low=1), count=lambda it: demand(type(it) is int and 1 <= it <= 4096, "count"),
                      root=hash32, inventory=hash32, manifests=listed(MANIFEST_REF, ascending="key"), readback=yes_or_no),
    "amend": structure(exhibit=EXHIBIT_REF, key=hash32, blob=hash32),
    "withdraw": structure(exhibit=EXHIBIT_REF, scope=one_of("disclosure", "all")),
    "offer": structure(to=hash32, exhibits=listed(EXHIBIT_REF), heads=HEADS, medium=WORDS, seal_number=WORDS, condition=WORDS,
                       carrier=WORDS, place=WORDS, purpose=WORDS, authority=WORDS),
    "acknowledge": structure(offer=ENTRY_REF, heads=HEADS, level=LEVEL, discrepancies=listed(DISCREPANCY)),
    "decline": structure(offer=ENTRY_REF, reason=WORDS),
    "open": structure(exhibits=listed(EXHIBIT_REF), reason=WORDS),
    "verify": structure(heads=HEADS, level=LEVEL, verdict=VERDICT),
    "disclose": structure(exhibit=EXHIBIT_REF, to=WORDS, file=hash32, reason=WORDS),
    "stamp": structure(kind=one_of("rfc3161", "opentimestamps"), checkpoint=hash32, file=hash32),
    "anchor": structure(kind=WORDS, value=WORDS, published=WORDS),
    "pack": structure(to=listed(hash32), exhibits=optional(listed(EXHIBIT_REF)), offers=listed(U64, ascending=True),
                     pouch=hash32, bytes=U64),
    "note": structure(text=WORDS, exhibit=optional(EXHIBIT_REF), reconstructed=yes_or_no),
    "gap": structure(text=WORDS, **{"from": WORDS}, to=WORDS, exhibit=optional(EXHIBIT_REF)),
    "dispose": structure(blobs=listed(hash32, ascending=True), reason=WORDS, authority=WORDS),
    "close": structure(reason=WORDS),
}


def event(value):
    demand(isinstance(value, dict) and len(value) == 1, "no event")
    (name, body), = value.items()
    demand(isinstance(name, str) and name in EVENTS, "an event that the format does not have")
    EVENTS[name](body)


BEGINS = structure(member=hash32, salt=salt, handle=handle, continues=optional(structure(**HEAD)))
ENTRY = structure(
    lambda it: (it["begins"] is not None) == (it["seq"] == 0) and (it["seq"] != 0 or it["previous"] == EMPTY_ROOT)
    and all(head["size"] >= 1 and head["log"] != it["log"] for head in it["heads"]),
    format=one_of("amparo.v1/entry"), vault=hash32, log=log_id, seq=U64, previous=hash32, nonce=salt, time=time,
    clock=words(64), heads=listed(structure(**HEAD), high=64, ascending="log"), tool=words(64), begins=optional(BEGINS),
    event=event)


@dataclass
class Entry:
    """An entry as its author encoded it."""

    leaf: bytes
    fields: dict

    def __post_init__(self):
        self.log, self.seq, self.previous = self.fields["log"], self.fields["seq"], self.fields["previous"]
        self.vault, self.heads, self.begins = self.fields["vault"], self.fields["heads"], self.fields["begins"]
        self.moment = moment(self.fields["time"])
        (self.kind, self.body), = self.fields["event"].items()

    def is_founding(self, vault):
        return self.seq == 0 and self.kind == "found" and self.vault == FOUNDING_VAULT and self.leaf == vault

    def vault_in(self, vault):
        """Whether the entry names its vault as it must."""
        return self.is_founding(vault) or self.vault == vault

    def begins_its_log(self):
        """Whether a first entry's log id is derived as it must be."""
        begins = self.begins
        return self.log == tagged("amparo.v1/log", self.vault, begins["member"], begins["salt"])[:16]

    def admissions(self):
        """The admissions that it states."""
        if self.kind == "found":
            return [self.body["founder"], *self.body["members"]]
        return [self.body] if self.kind == "admit" else []

    def new_keys(self):
        """(key id, what is said of it) of each key that it brings."""
        keys = self.body["keys"] if self.kind in ("found", "rotate") else []
        return [(key_id(self.log, key["scope"], key["epoch"], key["recipient"]), key) for key in keys]


def read_entry(encoding):
    demand(len(encoding) <= ENTRY_BYTES, "an entry that is too long")
    fields = messagepack.decode(encoding)
    ENTRY(fields)
    return Entry(leaf_hash(encoding), fields)


def read_padded_entry(plaintext):
    _, encoding = messagepack.decode_padded(plaintext, ENTRY_FLOOR)
    return read_entry(encoding)


class Row:
    """What every member knows of one exhibit, in 128 bytes."""

    def __init__(self, data):
        demand(len(data) == 128, "a row has 128 bytes")
        self.data, self.leaf = data, None
        self.log, self.number, self.key, self.record_root, self.leaves, self.blobs, self.blobs_root = struct.unpack(
            ">16sQ32s32sII32s", data)
        demand(self.leaves >= 64 and self.leaves & (self.leaves - 1) == 0 and self.blobs >= 1, "no row")


def ascending(numbers):
    return all(a < b for a, b in zip(numbers, numbers[1:]))


INVENTORY = structure(format=one_of("amparo.v1/inventory"), vault=hash32, log=log_id,
                      rows=listed(raw(128), low=1, high=4096), blobs=listed(raw()))


def read_inventory(plaintext):
    """Vault, log, rows, and for each row the hashes of its blobs."""
    fields, _ = messagepack.decode_padded(plaintext, BLOB_FLOOR)
    INVENTORY(fields)
    rows = [Row(data) for data in fields["rows"]]
    demand(ascending([row.number for row in rows]), "rows that are not in order")
    demand(len(fields["blobs"]) == len(rows) and all(len(each) % 32 == 0 for each in fields["blobs"]), "blobs without rows")
    blobs = [[each[at:at + 32] for at in range(0, len(each), 32)] for each in fields["blobs"]]
    return fields["vault"], fields["log"], rows, blobs


def field_path(path):
    return len(path) <= 128 and PATH.fullmatch(path) is not None and not path.startswith("content/paragraph/")


def record_fields(value):
    demand(isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair), "no fields")
    demand(list(value) == sorted(value), "fields that are not sorted")
    demand(all(field_path(path) and is_words(words_, 16_384) for path, words_ in value.items()), "no path, or no value")


MANIFEST = structure(format=one_of("amparo.v1/manifest"), vault=hash32, log=log_id, records=listed(
    structure(number=U64, record=structure(secret=hash32, fields=record_fields), text=listed(hash32)), low=1, high=4096))


def read_manifest(plaintext):
    """Vault, log, and records by number."""
    fields, _ = messagepack.decode_padded(plaintext, BLOB_FLOOR)
    MANIFEST(fields)
    demand(ascending([each["number"] for each in fields["records"]]), "records that are not in order")
    return fields["vault"], fields["log"], {each["number"]: each for each in fields["records"]}


check_receipt = structure(format=one_of("amparo.v1/receipt"), entry=raw(), row=optional(structure(
    row=raw(128), index=U32, path=listed(hash32, high=63))))
