"""A record: its tree, its print, and the paragraphs of a text (§ 6.6, 6.7)."""
import json
import re

from .hashes import keyed, leaf_hash, root_of, tagged

RECORD_BYTES, TEXT_BYTES, PARAGRAPHS = 65_536, 1_048_576, 4_096


def print_json(value):
    """JSON in the one form of § 6.6; Python's own print differs in nothing but U+007F, which it leaves as it is, too."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def print_record(record):
    return print_json({"format": "amparo.v1/record", "secret": record["secret"].hex(), "fields": record["fields"]})


def commitment(secret, path, value):
    return tagged("amparo.v1/field", keyed(secret, "amparo.v1/salt", path), path, value)


def paragraph_commitments(secret, paragraphs):
    return [commitment(secret, f"content/paragraph/{number:06}".encode(), part) for number, part in enumerate(paragraphs, 1)]


def record_tree(record, text):
    """Root and number of leaves of the tree over all fields, the paragraphs' commitments, and decoys."""
    secret = record["secret"]
    committed = [*(commitment(secret, path.encode(), value.encode()) for path, value in record["fields"].items()), *text]
    width = max(64, 1 << (len(committed) - 1).bit_length())
    committed += [keyed(secret, "amparo.v1/decoy", n.to_bytes(4, "big")) for n in range(width - len(committed))]
    return root_of([leaf_hash(each) for each in sorted(committed)]), width


def is_bound(fields, vault, log, number):
    """Whether the field `exhibit` names this vault, log and number."""
    return fields.get("exhibit") == f"amparo.v1/{vault.hex()}/{log.hex()}/{number}"


def split_paragraphs(text):
    """The paragraphs of a text, which joined are the text."""
    paragraphs, after_blank = [], False
    for line in re.findall(rb"[^\n]*\n|[^\n]+", text):
        blank = not line.strip(b" \t\r\n")
        if not paragraphs or after_blank and not blank:
            paragraphs.append([])
        paragraphs[-1].append(line)
        after_blank = blank
    return [b"".join(lines) for lines in paragraphs]
