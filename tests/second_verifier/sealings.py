"""Counted sealings: their inventories, and which blobs are here (§ 8.4)."""
from collections import Counter
from dataclasses import dataclass, field

from .age import AgeFile, NotForThisKey
from .bytes_level import BLOB_FILE
from .documents import read_inventory
from .hashes import blob_leaf, root_of, row_leaf
from .report import INCOMPLETE, INVALID
from .text import Malformed, demand

MISSING, SOUND = "missing", "sound"


@dataclass
class Sealing:
    """A counted `seal` entry; `rows` and `blobs` are None where its inventory is at fault."""

    told: object
    rows: list = None
    blobs: list = None
    exhibits: dict = field(default_factory=dict)


def blob_path(blob):
    return f"blobs/{blob.hex()[:2]}/{blob.hex()}"


class Sealings:
    def __init__(self, custody):
        self.custody, self.report = custody, custody.report
        handles = Counter(told.entry.begins["handle"] for log in custody.by_id.values()
                          for told in custody.order.told[log.id][:1])
        self.handles, self.named = handles, {}
        self.all = [Sealing(told) for told in custody.standing.counted("seal")]
        self.doubled = set()

    def state(self, blob):
        """What is here of a blob: `sound`, `damaged`, `unreadable` or `missing`."""
        named = self.custody.layout.blobs.get(blob)
        return self.custody.checked.state(named, BLOB_FILE) if named else MISSING

    def read(self, blob):
        return self.custody.layout.blobs[blob].file.read()

    def exhibit_id(self, log, number, row=None):
        """`K7-0012`, and `~3f2a` where two logs have one handle and the row is known (§ 6.3)."""
        return self.named_id(log, number, row and row_leaf(row.data))

    def named_id(self, log, number, leaf=None):
        """The same where only the leaf hash of the row is known, and perhaps not even the log."""
        handle = self.custody.order.told[log][0].entry.begins["handle"] if log in self.custody.by_id else "?"
        mark = f"~{leaf.hex()[:4]}" if leaf and self.handles[handle] > 1 else ""
        return f"{handle}-{number:04}{mark}"

    def check(self):
        for sealing in self.all:
            self._check_inventory(sealing)
        amendments = [told.entry.body["blob"] for told in self.custody.standing.counted("amend")]
        for sealing in self.all:
            body = sealing.told.entry.body
            for blob in [body["inventory"], *(each["blob"] for each in body["manifests"]),
                         *(blob for blobs in sealing.blobs or () for blob in blobs)]:
                self._name(blob)
        for blob in amendments:
            self._name(blob)
            if self.state(blob) == MISSING and blob not in self.custody.standing.disposed:
                self.report.add(INCOMPLETE, "blob", blob_path(blob), "the blob of an amendment is missing")
        for sealing in self.all:
            if sealing.rows is not None:
                self._check_blobs(sealing)
        if all(sealing.rows is not None for sealing in self.all):
            self._check_foreign()

    def _name(self, blob):
        if blob in self.named:
            self.report.add(INVALID, "inventory", blob_path(blob), "it is named twice")
        self.named[blob] = True

    def _check_inventory(self, sealing):
        body, log = sealing.told.entry.body, sealing.told.log.id
        exhibits = [self.exhibit_id(log, number) for number in range(body["first"], body["first"] + body["count"])]
        path, state = blob_path(body["inventory"]), self.state(body["inventory"])
        if state != SOUND:
            weight = INVALID if state == "damaged" else INCOMPLETE
            self.report.add(weight, "blob", path, f"an inventory is {state}", exhibits)
            return
        try:
            rows, blobs = self._inventory(body, log)
        except NotForThisKey as error:
            weight = INVALID if self.custody.has_all_custody_keys else INCOMPLETE
            self.report.add(weight, "inventory", path, str(error), exhibits)
            return
        except Malformed as error:
            self.report.add(INVALID, "inventory", path, str(error), exhibits)
            return
        sealing.rows, sealing.blobs = rows, blobs
        sealing.exhibits = {row.number: self.exhibit_id(log, row.number, row) for row in rows}

    def _inventory(self, body, log):
        plaintext = AgeFile(self.read(body["inventory"])).open(self.custody.custody_keys)
        vault, of, rows, blobs = read_inventory(plaintext)
        demand((vault, of) == (self.custody.vault, log), "an inventory of another vault or log")
        demand(root_of([row_leaf(row.data) for row in rows]) == body["root"], "rows that were not sealed")
        numbers = [body["first"] + place for place in range(body["count"])]
        demand([row.number for row in rows] == numbers, "other numbers than the entry's")
        demand(all(row.log == log for row in rows), "a row of another log")
        for row, listed in zip(rows, blobs, strict=True):
            demand(len(listed) == row.blobs, "another number of blobs than the row says")
            demand(root_of([blob_leaf(each) for each in listed]) == row.blobs_root, "other blobs than the row's")
        counts = Counter(row.key for row in rows)
        demand(counts == {each["key"]: each["records"] for each in body["manifests"]}, "other sections than the entry's")
        return rows, blobs

    def _check_blobs(self, sealing):
        keys, disposed = self.custody.ring, self.custody.standing.disposed
        for manifest in sealing.told.entry.body["manifests"]:
            concerned = [sealing.exhibits[row.number] for row in sealing.rows if row.key == manifest["key"]]
            self._check_blob(manifest["blob"], disposed, concerned if manifest["key"] in keys else ())
        for row, blobs in zip(sealing.rows, sealing.blobs, strict=True):
            for blob in blobs:
                self._check_blob(blob, disposed, [sealing.exhibits[row.number]])

    def _check_blob(self, blob, disposed, exhibits):
        state = self.state(blob)
        if state == MISSING and blob not in disposed:
            self.report.add(INCOMPLETE, "blob", blob_path(blob), "it is missing", exhibits)
        elif state in ("damaged", "unreadable"):
            self.report.add(INVALID if state == "damaged" else INCOMPLETE, "blob", blob_path(blob), f"it is {state}", exhibits)

    def _check_foreign(self):
        kept = set()
        for entry in self.custody.kept():
            if entry.kind == "amend":
                kept.add(entry.body["blob"])
            elif entry.kind == "seal":
                kept |= {entry.body["inventory"], *(each["blob"] for each in entry.body["manifests"]), *self._rows_of(entry)}
        for blob, found in self.custody.layout.blobs.items():
            if blob not in self.named and blob not in kept:
                self.report.add(INCOMPLETE, "foreign", found.path, "no counted sealing names it")

    def _rows_of(self, entry):
        """The blobs of the rows of a sealing that does not count, if its inventory can be read."""
        if self.state(entry.body["inventory"]) != SOUND:
            return set()
        try:
            _, blobs = self._inventory(entry.body, entry.log)
        except (Malformed, NotForThisKey):
            return set()
        return {each for listed in blobs for each in listed}
