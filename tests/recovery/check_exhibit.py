"""Compares an exhibit that `tar` extracted with what was signed of it. Needs Python 3.11 and nothing else.

    check_exhibit.py FOLDER ROW    ROW as recover.py and check_receipt.py print it

What holds is: the record is the signed one to the last letter, and the content is the one of which the record speaks.
"""
import hashlib
import hmac
import json
import re
import sys
from pathlib import Path

from hashes import claim, digits, frame, leaf, read_row, root, row_leaf, sha256


def record_tree(record, text):
    """Root and number of leaves of a record's tree (FORMAT.md, "Record"); `text` is empty for other content."""
    secret = bytes.fromhex(record["secret"])

    def derive(domain, about):
        return hmac.digest(secret, frame(domain, about), "sha256")

    def commit(path, value):
        path = path.encode()
        return sha256(frame("amparo.v1/field", derive("amparo.v1/salt", path), path, value))

    committed = [commit(path, value.encode()) for path, value in record["fields"].items()]
    committed += [commit(f"content/paragraph/{number:06}", part) for number, part in enumerate(paragraphs(text), 1)]
    leaves = max(64, 1 << (len(committed) - 1).bit_length())
    # Decoys hide how much is known of an exhibit; they come from the secret, so none can be slipped in.
    committed += [derive("amparo.v1/decoy", number.to_bytes(4, "big")) for number in range(leaves - len(committed))]
    return root([leaf(commitment) for commitment in sorted(committed)]), leaves


def paragraphs(text):
    """A paragraph begins at the first line, and at each line that is not blank and follows a blank one."""
    found, after_blank = [b""], False
    for line in re.findall(rb"[^\n]*\n|[^\n]+", text):
        blank = not line.strip(b" \t\r\n")
        if after_blank and not blank:
            found.append(b"")
        found[-1] += line
        after_blank = blank
    return [part for part in found if part]


def check_content(folder, fields):
    """The files of the content: those that the record tells, no more, each of its length and hash."""
    found = {path.relative_to(folder).as_posix() for path in folder.glob("content/**/*") if path.is_file()}
    beside = {"content", "record.json", ".pad"} | ({"listing.json"} if "content/listing_sha256" in fields else set())
    claim({path.name for path in folder.iterdir()} <= beside, "there is something beside the content and its record")
    if "content/listing_sha256" in fields:  # a folder
        listing = (folder / "listing.json").read_bytes()
        claim(sha256(listing).hex() == fields["content/listing_sha256"], "listing.json is not the signed one")
        files = json.loads(listing)["files"]
        for file in files:
            check_file([folder / file["member"]], file["bytes"], file["sha256"])
        claim(found == {file["member"] for file in files}, "the files are not those that listing.json names")
        return len(files)
    if "content/parts" in fields:  # standard input, cut into parts
        expected = [f"content/part-{number:06}" for number in range(1, int(fields["content/parts"]) + 1)]
    else:
        expected = [f"content/{fields['content/name']}"] if "content/name" in fields else []
    claim(found == set(expected), "there are more, fewer or other files than the record names")
    if expected:
        check_file([folder / name for name in expected], int(fields["original/bytes"]), fields["original/sha256"])
    return len(expected)


def check_file(pieces, size, expected):
    """The pieces, put together, have this length and this SHA-256."""
    hashed, length = hashlib.sha256(), 0
    for piece in pieces:
        with piece.open("rb") as file:
            while block := file.read(1 << 20):
                hashed.update(block)
                length += len(block)
    claim((length, hashed.hexdigest()) == (size, expected), f"{pieces[0]} is not what was sealed")


def main():
    folder, row = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])
    signed = read_row(row)
    printed = (folder / "record.json").read_text(encoding="utf-8")
    record = json.loads(printed)
    fields = record["fields"]
    # Only one form: a key that stands there twice, or one more, would show a reader what was never signed.
    secret, in_order = bytes.fromhex(record["secret"]).hex(), dict(sorted(fields.items()))
    whole = {"format": "amparo.v1/record", "secret": secret, "fields": in_order}
    claim(json.dumps(whole, indent=2, ensure_ascii=False) + "\n" == printed, "record.json has another form")
    files = check_content(folder, fields)
    by_paragraph = sorted(folder.glob("content/*")) if "content/paragraphs" in fields else []
    text = b"".join(path.read_bytes() for path in by_paragraph)
    claim(record_tree(record, text) == (signed.record_root, signed.record_leaves), "the record is not the signed one")
    _, vault, log, number = fields["exhibit"].split("/")
    claim((log, int(number)) == (signed.log.hex(), signed.number), "the record is that of another exhibit")
    print(f"GOOD: {len(fields)} fields and {files} files are those of exhibit {number} in log {log}")
    print(f"vault {digits(bytes.fromhex(vault))}")
    print(f"row {row_leaf(row).hex()}")


if __name__ == "__main__":
    main()
