"""Checks a receipt with nothing but the card of the one who sealed. Needs `msgpack` and `cryptography` from PyPI.

    check_receipt.py RECEIPT CARD [SEALED_FILE…]

With the sealed files of the exhibit, in their order, it also tells whether they are the ones that were signed.
"""
import base64
import sys
from pathlib import Path

import msgpack

from check_signatures import check_checkpoint, read_card
from hashes import blobs_root, claim, climb, digits, leaf, read_row, row_leaf, sha256


def main():
    receipt, card, sealed_files = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes(), sys.argv[3:]
    name, member, log, ml_dsa = read_card(card)
    # C2SP tlog-proof: what is proved, its place, its path, an empty line, and the signed state.
    proof, _, note = receipt.partition(b"\n\n")
    first, extra, index, *path = proof.decode().split("\n")
    claim(first == "c2sp.org/tlog-proof@v1", "it is no receipt")
    extra = msgpack.unpackb(base64.b64decode(extra.removeprefix("extra ")))
    entry, index = msgpack.unpackb(extra["entry"]), int(index.removeprefix("index "))

    origin, size, root = check_checkpoint(note, log, ml_dsa)
    path = [base64.b64decode(line) for line in path]
    claim(climb(leaf(extra["entry"]), index, size, path) == root, "the entry is not in the signed log")
    vault = origin.split("/")[1]
    claim(origin == f"amparo.v1/{vault}/{entry['log'].hex()}" and entry["seq"] == index, "the entry is of another log")
    claim(entry["vault"].hex() == vault, "the entry is of another vault")
    seal = entry["event"]["seal"]
    print(f"GOOD: {name} signed an entry that seals {seal['count']} exhibits, dated {entry['time']}")
    print(f"member {digits(member)}\nvault {digits(bytes.fromhex(vault))}")
    if extra["row"] is None:
        return
    raw, place = extra["row"]["row"], extra["row"]["index"]
    row = read_row(raw)
    proved = climb(row_leaf(raw), place, seal["count"], extra["row"]["path"])
    claim(proved == seal["root"], "the row is not in the entry")
    claim((row.log, row.number) == (entry["log"], seal["first"] + place), "the row is that of another exhibit")
    print(f"GOOD: exhibit {row.number} is among them\nrow {raw.hex()}")
    if sealed_files:
        names = [sha256(Path(file).read_bytes()) for file in sealed_files]
        claim(blobs_root(names) == row.blobs_root, "not the sealed files of the receipt, or not in their order")
        print(f"GOOD: its {len(names)} sealed files are these, unchanged since they were signed")


if __name__ == "__main__":
    main()
