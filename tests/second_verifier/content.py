"""Level *content*: manifests, records, payloads (§ 8.5)."""
from .age import AgeFile, NotForThisKey
from .documents import read_manifest
from .payload import DamagedSegment, Stream, check_payload
from .record import RECORD_BYTES, is_bound, print_record, record_tree
from .report import INVALID
from .sealings import SOUND, blob_path
from .text import Malformed, demand


class Content:
    def __init__(self, custody, sealings):
        self.custody, self.report, self.sealings = custody, custody.report, sealings

    def check(self):
        for sealing in self.sealings.all:
            for manifest in sealing.told.entry.body["manifests"] if sealing.rows is not None else ():
                if manifest["key"] in self.custody.ring and self.sealings.state(manifest["blob"]) == SOUND:
                    self._check_manifest(sealing, manifest)

    def _check_manifest(self, sealing, manifest):
        rows = [(row, blobs) for row, blobs in zip(sealing.rows, sealing.blobs, strict=True) if row.key == manifest["key"]]
        key = self.custody.ring[manifest["key"]].key
        try:
            vault, log, records = read_manifest(AgeFile(self.sealings.read(manifest["blob"])).open([key]))
            demand((vault, log) == (self.custody.vault, sealing.told.log.id), "a manifest of another vault or log")
            demand(list(records) == [row.number for row, _ in rows], "other numbers than the rows of its key")
        except (Malformed, NotForThisKey) as error:
            concerned = [sealing.exhibits[row.number] for row, _ in rows]
            self.report.add(INVALID, "manifest", blob_path(manifest["blob"]), str(error), concerned)
            return
        for row, blobs in rows:
            self._check_exhibit(sealing.exhibits[row.number], row, blobs, records[row.number], key)

    def _check_exhibit(self, exhibit, row, blobs, entry, key):
        record = entry["record"]
        holds = (is_bound(record["fields"], self.custody.vault, row.log, row.number)
                 and len(print_record(record)) <= RECORD_BYTES
                 and record_tree(record, entry["text"]) == (row.record_root, row.leaves))
        if not holds:
            self.report.add(INVALID, "record", exhibit, "its record is not the sealed one", [exhibit])
            return
        if any(self.sealings.state(blob) != SOUND for blob in blobs):
            return
        try:
            check_payload(Stream(blobs, self.sealings.read, key), entry)
        except DamagedSegment as error:
            self.report.add(INVALID, "payload", blob_path(error.blob), str(error), [exhibit])
        except Malformed as error:
            self.report.add(INVALID, "payload", exhibit, str(error), [exhibit])
