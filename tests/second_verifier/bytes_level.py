"""What can be checked without a key (§ 8.2 and 8.3)."""
from .folder import Unreadable
from .hashes import root_of
from .histories import ENTRY_FILE, NOTE_FILE, read_checkpoint
from .notes import Lines
from .report import INCOMPLETE, INVALID
from .text import Malformed, decode_utf8, demand, unhex

BLOB_FILE, WRAPPED_FILE, HINT_FILE = 17 << 20, 65_536, 1_024


class NewerFormat(Exception):
    """The folder is of a format that is newer than this page."""


def read_hint(named):
    """The vault id that the file `VAULT` gives (§ 5.1)."""
    demand(named is not None, "no file VAULT")
    try:
        data = named.file.read()
    except Unreadable as error:
        raise Malformed(str(error)) from None
    first = data.split(b"\n")[0]
    if first != b"amparo.v1/vault" and len(first) < 64 and first.startswith(b"amparo.v") and first.endswith(b"/vault"):
        raise NewerFormat
    demand(len(data) <= HINT_FILE, "a hint that is too long")
    lines = decode_utf8(data).split("\n")
    demand(len(lines) == 3 and lines[0] == "amparo.v1/vault" and lines[2] == "", "no hint")
    return unhex(lines[1], 32)


def damage(report, checked, named, check, limit, unreadable=True):
    """A finding for a file that is not what its name promises."""
    state = checked.state(named, limit)
    if state == "damaged":
        report.add(INVALID, check, named.path, "its bytes are not those of its name")
    elif state == "unreadable" and unreadable:
        report.add(INCOMPLETE, check, named.path, "it cannot be read")
    return state == "sound"


def check_folder(report, layout, checked, vault):
    """At every level (§ 8.2)."""
    for path in layout.strangers:
        report.add(INCOMPLETE, "layout", path, "no name of the format")
    if layout.vault_file is None:
        report.add(INCOMPLETE, "vault", "VAULT", "it is missing")
    else:
        try:
            if read_hint(layout.vault_file) != vault:
                report.add(INVALID, "vault", "VAULT", "it names another vault")
        except Malformed as error:
            report.add(INVALID, "vault", "VAULT", str(error))
    for named in layout.blobs.values():
        damage(report, checked, named, "blob", BLOB_FILE)
    for folder in layout.logs.values():
        for named in folder.cosignatures:
            damage(report, checked, named, "cosignature", None)


def leaves_of(folder):
    """The leaves in the names, by place, as far as there is exactly one for each."""
    leaves = []
    while len(files := folder.entries.get(len(leaves), ())) == 1:
        leaves.append(files[0].leaf)
    return leaves


def is_founding(folder, vault):
    return any(named.leaf == vault for named in folder.entries.get(0, ()))


def founder_signed(layout, checked, vault, card):
    """Whether the founding log is signed with this card (§ 5.2)."""
    for log, folder in layout.logs.items():
        if is_founding(folder, vault):
            leaves = leaves_of(folder)
            for named in folder.checkpoints:
                checkpoint = read_checkpoint(named, vault, log) if checked.state(named, NOTE_FILE) == "sound" else None
                if checkpoint and checkpoint.size <= len(leaves) and checkpoint.signed_by(card) is Lines.HOLD:
                    if root_of(leaves[:checkpoint.size]) == checkpoint.root:
                        return True
    return False


def check_bytes(report, layout, checked, vault, card, remembered):
    """Level *bytes* (§ 8.3)."""
    for named in layout.keys.values():
        damage(report, checked, named, "key", WRAPPED_FILE)
    for log, folder in layout.logs.items():
        for files in folder.entries.values():
            for named in files:
                damage(report, checked, named, "entry", ENTRY_FILE)
        signer = card if card and is_founding(folder, vault) else None
        check_log(report, checked, log, folder, vault, signer, card)
    for log, checkpoint in remembered:
        leaves = leaves_of(layout.logs[log]) if log in layout.logs else []
        if checkpoint.size > len(leaves):
            report.add(INCOMPLETE, "behind", f"logs/{log.hex()}", "this device remembers more of it")
        elif root_of(leaves[:checkpoint.size]) != checkpoint.root:
            report.add(INVALID, "tree", f"logs/{log.hex()}", "this device remembers it otherwise")


def check_log(report, checked, log, folder, vault, signer, card):
    leaves, passed, subject = leaves_of(folder), [0], f"logs/{log.hex()}"
    for named in folder.checkpoints:
        passed.append(check_checkpoint(report, checked, named, log, folder, vault, leaves, signer, card))
    if max(passed) == 0:
        report.add(INCOMPLETE, "tree", subject, "it has no signed state that holds")
    elif len(leaves) > max(passed):
        report.add(INCOMPLETE, "foreign", subject, "entries that no signed state covers")


def check_checkpoint(report, checked, named, log, folder, vault, leaves, signer, card):
    """The size of a checkpoint that is one of this log, wherever its root leads; else 0."""
    if not damage(report, checked, named, "signature", NOTE_FILE):
        return 0
    checkpoint = read_checkpoint(named, vault, log)
    if checkpoint is None or checkpoint.size != named.number:
        report.add(INVALID, "signature", named.path, "no checkpoint of this vault, log and size")
        return 0
    signed = checkpoint.signed_by(card) if card else Lines.HOLD
    if signed is Lines.WRONG:
        report.add(INVALID, "signature", named.path, "a line of the card's member, and not both as they must be")
        return 0
    if signed is Lines.NONE and signer:
        report.add(INCOMPLETE, "foreign", named.path, "no line of the card's member")
        return 0
    places = [len(folder.entries.get(place, ())) for place in range(min(checkpoint.size, len(leaves) + 1))]
    if checkpoint.size > len(leaves):
        report.add(INCOMPLETE, "entry", named.path, f"place {len(places) - 1} below its size has no one name")
    elif root_of(leaves[:checkpoint.size]) != checkpoint.root:
        report.add(INVALID, "tree", named.path, "the leaves in the names lead elsewhere")
    return checkpoint.size
