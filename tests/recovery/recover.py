"""Finds everything in a vault without amparo, and writes down where it is. docs/RECOVERY.md shows how to use it.

    recover.py --decrypt COMMAND VAULT FOLDER

COMMAND turns an age file on its standard input into its plaintext, such as 'age -d -i vault-keys.txt'. The script
lists all exhibits and makes FOLDER with

    exhibits/LABEL.sha256     the sealed files of one exhibit in their order, for `sha256sum --check`
    exhibits/LABEL.row        what was signed of it, in hex, for check_exhibit.py
    logs/LOG.checkpoint       the newest signed state of each log, for check_signatures.py
    logs/LOG.card             the card of the member whose log it is

Needs `msgpack` from PyPI. Every hash between the names of the sealed files and the signed states is checked here; the
signatures are for check_signatures.py, the content for check_exhibit.py.
"""
import argparse
import base64
import shlex
import subprocess
from collections import Counter
from pathlib import Path

import msgpack

from hashes import blobs_root, claim, digits, frame, leaf, read_row, root, row_leaf, sha256


def document(plaintext):
    """A MessagePack value with zeros behind it (FORMAT.md, "MessagePack"): the value, and its own bytes."""
    unpacker = msgpack.Unpacker(max_buffer_size=len(plaintext))
    unpacker.feed(plaintext)
    value, end = unpacker.unpack(), unpacker.tell()
    claim(not any(plaintext[end:]), "a document has something other than zeros behind it")
    return value, plaintext[:end]


def blob_path(name):
    return f"blobs/{name.hex()[:2]}/{name.hex()}"


class Vault:
    def __init__(self, folder, command):
        self.folder, self.command = Path(folder), shlex.split(command)
        self.logs = [self.read_log(log) for log in sorted((self.folder / "logs").iterdir())]
        founding = [log for log in self.logs if log["entries"][0]["vault"] == bytes(32)]
        claim(len(founding) == 1, f"{len(founding)} logs found a vault; exactly one must")
        self.id = founding[0]["leaves"][0]  # the vault's id is the hash of the entry that founded it
        for log in self.logs:
            self.check_log(log, log is founding[0])

    def open(self, path, name, may_fail=False):
        """The plaintext of the age file at `path`, whose SHA-256 must be `name`."""
        sealed = (self.folder / path).read_bytes()
        claim(sha256(sealed).hex() == name, f"{path} is not the file that its name says")
        done = subprocess.run(self.command, input=sealed, capture_output=True)
        claim(done.returncode == 0 or may_fail, f"{path} does not open: {done.stderr.decode(errors='replace')}")
        return done.stdout if done.returncode == 0 else None

    def read_log(self, folder):
        """One log: every entry that its largest checkpoint covers, and whether they lead to the root that it states."""
        checkpoint = max((folder / "checkpoints").iterdir())  # their names begin with the size, in ten digits
        origin, size, signed_root = checkpoint.read_text().split("\n")[:3]
        entries, leaves = [], []
        for path in sorted(folder.glob("entries/*/*"))[:int(size)]:
            _, leaf_name, file_name = path.name.split("-")
            entry, encoding = document(self.open(path.relative_to(self.folder), file_name))
            claim(leaf(encoding).hex() == leaf_name and entry["seq"] == len(entries), f"{path} holds another entry")
            entries.append(entry)
            leaves.append(leaf(encoding))
        claim(len(entries) == int(size) > 0, f"{folder} has {len(entries)} entries and should have {size}")
        proved = base64.b64encode(root(leaves)).decode()
        claim(proved == signed_root, f"{folder} has other entries than the signed ones")
        return {"name": folder.name, "begins": entries[0]["begins"], "origin": origin, "checkpoint": checkpoint,
                "entries": entries, "leaves": leaves}

    def check_log(self, log, founds):
        """Whether a log belongs to this vault, and to the member who signs it."""
        vault = bytes(32) if founds else self.id
        own = frame("amparo.v1/log", vault, log["begins"]["member"], log["begins"]["salt"])
        claim(sha256(own)[:16].hex() == log["name"], f"log {log['name']} is not that of its member")
        claim(log["origin"] == f"amparo.v1/{self.id.hex()}/{log['name']}", f"log {log['name']} is of another vault")
        for entry in log["entries"]:
            expected = vault if entry["seq"] == 0 else self.id
            claim((entry["vault"], entry["log"].hex()) == (expected, log["name"]), "an entry is from elsewhere")

    def exhibits(self):
        """Each exhibit: its label, the entry that sealed it, what its record says, its row, its sealed files' names."""
        for log in self.logs:
            for entry in (entry for entry in log["entries"] if "seal" in entry["event"]):
                seal = entry["event"]["seal"]
                inventory, _ = document(self.open(blob_path(seal["inventory"]), seal["inventory"].hex()))
                rows, records = inventory["rows"], self.records(seal["manifests"])
                claim(root([row_leaf(row) for row in rows]) == seal["root"], "an inventory is not the signed one")
                for number, (raw, listed) in enumerate(zip(rows, inventory["blobs"], strict=True), seal["first"]):
                    row, blobs = read_row(raw), [listed[at:at + 32] for at in range(0, len(listed), 32)]
                    label = f"{log['begins']['handle']}-{row.number:04}"
                    claim((row.log.hex(), row.number) == (log["name"], number), f"{label} stands in another's place")
                    claim(blobs_root(blobs) == row.blobs_root, f"{label}: its sealed files are not the signed ones")
                    yield label, entry, records.get(number), raw, blobs

    def records(self, manifests):
        """The fields of each record of one sealing, by the exhibit's number, as far as our keys open them."""
        opened = [self.open(blob_path(each["blob"]), each["blob"].hex(), may_fail=True) for each in manifests]
        listed = [record for plaintext in opened if plaintext for record in document(plaintext)[0]["records"]]
        return {each["number"]: each["record"]["fields"] for each in listed}

    def cards(self):
        """Each card that an entry admits, by member id: the name under which a card is signed ends in it."""
        events = [entry["event"] for log in self.logs for entry in log["entries"]]
        admitted = [event["admit"] for event in events if "admit" in event]
        for found in (event["found"] for event in events if "found" in event):
            admitted += [found["founder"], *found["members"]]
        return {card["card"].split("\u2014 amparo.v1/member/")[1][:64]: card["card"] for card in admitted}


def write_exhibits(vault, folder):
    """Lists them, each with the files that get it back."""
    exhibits = list(vault.exhibits())
    uses = Counter(label for label, *_ in exhibits)
    for label, entry, fields, raw, blobs in exhibits:
        if uses[label] > 1:  # two logs share a handle
            label = f"{label}~{row_leaf(raw).hex()[:4]}"
        fields = fields or {"identity/title": "(no key to read it)"}
        title = " ".join(fields.get("identity/title", fields.get("original/name", "")).split())
        print(label, entry["time"], f"{len(blobs)} sealed files", fields.get("identity/kind", "-"), title, sep="\t")
        lines = [f"{blob.hex()}  {blob_path(blob)}\n" for blob in blobs]
        (folder / f"{label}.sha256").write_text("".join(lines))
        (folder / f"{label}.row").write_text(raw.hex() + "\n")


def write_logs(vault, folder):
    cards = vault.cards()
    for log in vault.logs:
        (folder / f"{log['name']}.checkpoint").write_bytes(log["checkpoint"].read_bytes())
        (folder / f"{log['name']}.card").write_text(cards[log["begins"]["member"].hex()])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decrypt", required=True, metavar="COMMAND")
    parser.add_argument("vault", metavar="VAULT")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    asked = parser.parse_args()
    vault = Vault(asked.vault, asked.decrypt)
    print(f"vault {digits(vault.id)}")
    for name, write in (("exhibits", write_exhibits), ("logs", write_logs)):
        (asked.folder / name).mkdir(parents=True)
        write(vault, asked.folder / name)


if __name__ == "__main__":
    main()
