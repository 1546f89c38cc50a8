"""Wrapped keys and shares that entries name (§ 8.4)."""
from .age import AgeFile, NotForThisKey, is_recipient
from .bytes_level import WRAPPED_FILE
from .keys import read_wrapped
from .report import INCOMPLETE, INVALID
from .shares import read_share
from .text import Malformed


def named_files(entry):
    """(key id, hash, wrap or None for a dummy) of each wrapped key that an entry names."""
    if entry.kind == "share":
        keys = [(entry.body["key"], entry.body)]
    else:
        keys = [(key, said) for key, said in entry.new_keys() if is_recipient(said["recipient"])]
    for key, body in keys:
        yield from ((key, wrap["file"], wrap) for wrap in body["wraps"])
        yield from ((key, dummy, None) for dummy in body["dummies"])


def check_wraps(custody):
    brought, named = custody.standing.brought, set()
    for told in custody.standing.counted("found", "rotate", "share"):
        for key, file, wrap in named_files(told.entry):
            if told.entry.kind != "share" and brought[key].by is not told:
                continue
            named.add((key, file))
            check_wrap(custody, brought.get(key), key, file, wrap)
    kept = {(key, file) for entry in custody.kept() for key, file, _ in named_files(entry)}
    for place, found in custody.layout.keys.items():
        if place not in named and place not in kept:
            custody.report.add(INCOMPLETE, "foreign", found.path, "no counted entry names it")


def check_wrap(custody, brought, key, file, wrap):
    add, path = custody.report.add, f"keys/{key.hex()}/{file.hex()}.age"
    found = custody.layout.keys.get((key, file))
    state = custody.checked.state(found, WRAPPED_FILE) if found else "missing"
    if state == "damaged":
        add(INVALID, "key", path, "its bytes are not those of its name")
    elif state != "sound":
        add(INCOMPLETE, "key", path, f"it is {state}")
    elif wrap and custody.asked.identity and wrap["member"] == custody.asked.identity.member:
        try:
            plaintext = AgeFile(found.file.read()).open([custody.asked.identity.age])
            holds = read_wrapped(plaintext).id == key if wrap["share"] is None else holds_share(plaintext, brought, wrap["share"])
        except (Malformed, NotForThisKey):
            holds = False
        if not holds:
            add(INVALID, "key", path, "it does not hold what its entry promises")


def holds_share(plaintext, brought, share):
    held = read_share(plaintext)
    promised = tuple(share[name] for name in ("split", "index", "needed", "total", "hash"))
    return brought is not None and (held.scope, held.epoch) == (brought.scope, brought.epoch) and held[2:] == promised
