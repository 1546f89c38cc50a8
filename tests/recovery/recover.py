"""Finds exhibits in a vault without amparo. docs/RECOVERY.md shows how to use it.

    recover.py --decrypt COMMAND VAULT list           what there is
    recover.py --decrypt COMMAND VAULT blobs ID       the sealed files of one exhibit, in order, for `sha256sum -c`
    recover.py --decrypt COMMAND VAULT row ID         what was signed of one exhibit, in hex, for check_exhibit.py
    recover.py --decrypt COMMAND VAULT logs FOLDER    each log's signed state, and its member's card, into FOLDER

COMMAND turns an age file on its standard input into its plaintext, such as 'age -d -i vault-keys.txt'. Needs `msgpack`
from PyPI. Every hash from the sealed files up to the signed states is checked; the signatures are for
check_signatures.py, the content for check_exhibit.py.
"""
import argparse
import base64
import shlex
import subprocess
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
        """Each exhibit: its label, the entry that sealed it, its row, and the names of its sealed files."""
        for log in self.logs:
            for entry in (entry for entry in log["entries"] if "seal" in entry["event"]):
                seal = entry["event"]["seal"]
                inventory, _ = document(self.open(blob_path(seal["inventory"]), seal["inventory"].hex()))
                rows = inventory["rows"]
                claim(root([row_leaf(row) for row in rows]) == seal["root"], "an inventory is not the signed one")
                for number, (raw, listed) in enumerate(zip(rows, inventory["blobs"], strict=True), seal["first"]):
                    row, blobs = read_row(raw), [listed[at:at + 32] for at in range(0, len(listed), 32)]
                    label = f"{log['begins']['handle']}-{row.number:04}"
                    claim((row.log.hex(), row.number) == (log["name"], number), f"{label} stands in another's place")
                    claim(blobs_root(blobs) == row.blobs_root, f"{label}: its sealed files are not the signed ones")
                    yield label, entry, raw, blobs

    def find(self, wanted):
        """By label; where two logs share a handle, by label, `~` and the first digits of the row's hash."""
        label, _, piece = wanted.partition("~")
        found = [each for each in self.exhibits() if each[0] == label and row_leaf(each[2]).hex().startswith(piece)]
        claim(len(found) == 1, f"{len(found)} exhibits are called {wanted}")
        return found[0]

    def fields(self, entry):
        """What the records of one sealing say, by the exhibit's number, as far as our keys open them."""
        blobs = [manifest["blob"] for manifest in entry["event"]["seal"]["manifests"]]
        opened = [self.open(blob_path(blob), blob.hex(), may_fail=True) for blob in blobs]
        manifests = [document(plaintext)[0] for plaintext in opened if plaintext]
        records = [record for manifest in manifests for record in manifest["records"]]
        return {record["number"]: record["record"]["fields"] for record in records}

    def cards(self):
        """Each card that an entry admits, by member id: the name under which a card is signed ends in it."""
        events = [entry["event"] for log in self.logs for entry in log["entries"]]
        admitted = [event["admit"] for event in events if "admit" in event]
        for found in (event["found"] for event in events if "found" in event):
            admitted += [found["founder"], *found["members"]]
        return {card["card"].split("\u2014 amparo.v1/member/")[1][:64]: card["card"] for card in admitted}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decrypt", required=True)
    parser.add_argument("vault")
    parser.add_argument("verb", choices=["list", "blobs", "row", "logs"])
    parser.add_argument("about", nargs="?")
    asked = parser.parse_args()
    vault = Vault(asked.vault, asked.decrypt)
    if asked.verb == "list":
        print(f"# vault {digits(vault.id)}")
        for label, entry, raw, blobs in vault.exhibits():
            fields = vault.fields(entry).get(read_row(raw).number, {})
            title = fields.get("identity/title", fields.get("original/name", "")) if fields else "(no key to read it)"
            print(label, entry["time"], f"{len(blobs)} sealed files", fields.get("identity/kind", "-"), title, sep="\t")
    elif asked.verb == "blobs":
        print("".join(f"{blob.hex()}  {blob_path(blob)}\n" for blob in vault.find(asked.about)[3]), end="")
    elif asked.verb == "row":
        print(vault.find(asked.about)[2].hex())
    else:
        Path(asked.about).mkdir()
        for log in vault.logs:
            member = log["begins"]["member"].hex()
            print(log["name"], f"{len(log['entries'])} entries", f"member {member}", sep="\t")
            (Path(asked.about) / f"{log['name']}.checkpoint").write_bytes(log["checkpoint"].read_bytes())
            (Path(asked.about) / f"{log['name']}.card").write_text(vault.cards()[member])


if __name__ == "__main__":
    main()
