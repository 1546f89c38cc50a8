"""A whole vault, from the folder to the report (§ 5.2, 8.1)."""
from dataclasses import dataclass, field

from .age import AgeFile, NotForThisKey
from .bytes_level import WRAPPED_FILE, NewerFormat, check_bytes, check_folder, founder_signed, read_hint
from .custody import Custody
from .folder import Checked, Unreadable
from .given import hold_against
from .keys import read_wrapped
from .layout import Layout
from .report import INCOMPLETE, Report
from .text import Malformed


class Refused(Exception):
    """No vault, or another one than was meant: there is no verdict."""

    def __init__(self, code, fact):
        super().__init__(fact)
        self.code = code


@dataclass
class Asked:
    """What the verifier has, and what it was given."""

    identity: object = None
    pinned: bytes = None
    vault: bytes = None
    owner: object = None
    remembered: list = field(default_factory=list)
    papers: list = field(default_factory=list)
    # Offers, by log and number, that the verifier acknowledges with this copy.
    acknowledges: list = field(default_factory=list)


def recognise(layout, asked):
    """The vault id (§ 5.2)."""
    founding = {named.leaf for folder in layout.logs.values() for named in folder.entries.get(0, ())}
    for known in (asked.vault, asked.pinned):
        if known in founding:
            return known
    try:
        vault = read_hint(layout.vault_file)
    except Malformed as error:
        raise Refused(10, f"no vault: {error}") from None
    if asked.vault not in (None, vault):
        raise Refused(5, "another vault than the one that was given")
    return vault


def ring_of(layout, checked, identity):
    """The vault keys that this identity opens, whatever the logs will say of them (§ 8.4)."""
    ring = []
    for named in layout.keys.values() if identity else ():
        if named.file.size > WRAPPED_FILE:
            continue
        try:
            key = read_wrapped(AgeFile(named.file.read()).open([identity.age]))
        except (Malformed, NotForThisKey, Unreadable):
            continue
        if key.id == named.leaf:
            ring.append(key)
    return ring


def verify(folder, asked):
    layout, checked, report = Layout(folder), Checked(), Report()
    try:
        vault = recognise(layout, asked)
        check_folder(report, layout, checked, vault)
    except NewerFormat:
        raise Refused(1, "a newer format") from None
    # What a device has seen of another vault says nothing of this one (§ 9).
    asked.remembered = [(log, checkpoint) for log, checkpoint in asked.remembered if checkpoint.vault == vault]
    report.trusted = vault in (asked.pinned, asked.vault)
    signed = bool(asked.owner) and founder_signed(layout, checked, vault, asked.owner)
    ring = ring_of(layout, checked, asked.identity)
    custody = None
    if any(key.scope == "custody" for key in ring):
        custody = Custody(report, layout, checked, vault, ring, asked)
        custody.check_logs()
    if custody and custody.founder:
        if asked.owner and asked.owner.member != custody.founder.member:
            raise Refused(5, "the vault was founded by another than the one whose card was given")
        report.trusted |= asked.owner is not None
        custody.check()
    else:
        if custody:
            report.add(INCOMPLETE, "vault", "VAULT", "its founding entry is not here, or not signed")
        elif asked.identity and asked.remembered:
            report.add(INCOMPLETE, "key", "keys", "no key here opens the logs any more")
        if asked.owner and not signed:
            raise Refused(5, "nothing shows that the owner of the card that was given founded the vault")
        report.founder_signed = signed
        report.trusted |= signed
        check_bytes(report, layout, checked, vault, asked.owner, asked.remembered)
    hold_against(report, custody if custody and custody.founder else None, vault, asked.papers)
    return report
