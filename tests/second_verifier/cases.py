"""Whole vaults as data, with the verdicts that are expected of them (§ 10.2)."""
import base64
from dataclasses import dataclass, field
from pathlib import Path

from .folder import Changes, MemoryFile, read_tree
from .given import check_alone
from .keys import Identity
from .papers import Card, Checkpoint
from .vault import Asked, Refused, verify


@dataclass
class Outcome:
    """What a case expects, or what this verifier says."""

    exit: int = None
    verdict: str = "none"
    level: str = None
    trusted: str = None
    exhibits: int = None
    covered: int = 0
    findings: set = field(default_factory=set)
    exhibit_verdicts: dict = field(default_factory=dict)
    handovers: set = field(default_factory=set)
    discrepancies: set = field(default_factory=set)

    def differences(self, said):
        """In words, what is expected here and was said otherwise."""
        told = []
        for name, expected in vars(self).items():
            other = getattr(said, name)
            if isinstance(expected, set):
                told += [f"{name}: expected {each}" for each in sorted(expected - other)]
                told += [f"{name}: said {each}" for each in sorted(other - expected)]
            elif expected != other:
                told.append(f"expected {name} {expected}, said {other}")
        return told


class Cases:
    """The cases below one folder; bases are made once."""

    def __init__(self, tests):
        self.tests, self.bases = Path(tests), {}
        self.identities = {}

    def lines(self, path):
        return [tuple(line.split(": ", 1)) for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]

    def base(self, name):
        """A fresh folder of a base."""
        if name not in self.bases:
            if name == "empty":
                self.bases[name] = {}
            elif name.startswith("golden/"):
                self.bases[name] = in_memory(read_tree(self.tests / name))
            else:
                folder, _, _ = self.make(self.lines(self.tests / "vectors/vaults" / name))
                self.bases[name] = folder.root
        return copied(self.bases[name])

    def make(self, lines):
        """The folder, what is asked, and what is expected, of one case."""
        asked, expected = Asked(), Outcome()
        folder = None
        for key, value in lines:
            if key == "base":
                folder = None if value == "none" else Changes(self.base(value))
            elif key in CHANGES:
                CHANGES[key](folder, *value.split(" "))
            elif key == "identity" and value != "none":
                asked.identity = self.identity(value)
            elif key == "trust":
                trust(asked, value)
            elif key == "remembers":
                log, note = value.split(" ")
                asked.remembered.append((bytes.fromhex(log), Checkpoint(base64.b64decode(note))))
            elif key == "acknowledges":
                log, seq = value.split(" ")
                asked.acknowledges.append((bytes.fromhex(log), int(seq)))
            elif key in ("receipt", "checkpoint", "card", "fork"):
                name, data = value.split(" ") if " " in value else (value, "")
                asked.papers.append((key, name, base64.b64decode(data)))
            else:
                expect(expected, key, value)
        return folder, asked, expected

    def identity(self, seed):
        if seed not in self.identities:
            self.identities[seed] = Identity(bytes.fromhex(seed))
        return self.identities[seed]

    def run(self, path):
        """What is expected of a case, and what this verifier says."""
        folder, asked, expected = self.make(self.lines(path))
        try:
            if folder is None:
                report = check_alone(asked.papers, [asked.owner] if asked.owner else [])
            else:
                report = verify(folder.root, asked)
        except Refused as refusal:
            return expected, Outcome(exit=refusal.code)
        said = Outcome(report.exit_code, report.verdict, report.level)
        if folder is not None:
            said.trusted, said.exhibits = "yes" if report.assured else "no", report.counted_exhibits
            said.covered = report.covered_exhibits
        said.findings = {f"{each.weight} {each.check} {each.subject}" for each in report.findings}
        said.exhibit_verdicts = {exhibit: verdict for exhibit, verdict in report.exhibit_verdicts().items() if verdict != "valid"}
        if report.handovers:
            said.handovers = {f"{log.hex()} {seq} {status}" for log, seq, status in report.handovers.all()}
            said.discrepancies = {f"{check} {subject}" for offer in asked.acknowledges
                                  for check, subject in report.handovers.discrepancies(offer)}
        return expected, said


def trust(asked, value):
    kind, _, what = value.partition(" ")
    if kind == "owner":
        asked.owner = Card(base64.b64decode(what))
    elif kind == "pinned":
        asked.pinned = bytes.fromhex(what)
    elif kind == "given":
        asked.vault = bytes.fromhex(what)


def expect(expected, key, value):
    if key in ("exit", "exhibits", "covered"):
        setattr(expected, key, int(value))
    elif key in ("verdict", "level", "trusted"):
        setattr(expected, key, value)
    elif key == "finding":
        expected.findings.add(value)
    elif key == "handover":
        expected.handovers.add(value)
    elif key == "discrepancy":
        expected.discrepancies.add(value)
    elif key == "exhibit":
        name, verdict = value.split(" ")
        expected.exhibit_verdicts[name] = verdict


def flip(folder, path, offset, bit):
    data = bytearray(folder.get(path))
    data[int(offset)] ^= 1 << int(bit)
    folder.put(path, bytes(data))


def rename(folder, old, new):
    folder.thing(new, folder.remove(old))


CHANGES = {
    "put": lambda folder, path, data="": folder.put(path, base64.b64decode(data)),
    "fill": lambda folder, path, count: folder.put(path, bytes(int(count))),
    "remove": lambda folder, path: folder.remove(path),
    "truncate": lambda folder, path, count: folder.put(path, folder.get(path)[:int(count)]),
    "flip": flip,
    "rename": rename,
    "link": lambda folder, path: folder.thing(path, None),
    "pipe": lambda folder, path: folder.thing(path, None),
    "folder": lambda folder, path: folder.thing(path, {}),
}


def copied(folder):
    """Folders anew, files shared: a change puts another file in its place."""
    return {name: copied(node) if isinstance(node, dict) else node for name, node in folder.items()}


def in_memory(folder):
    return {name: in_memory(node) if isinstance(node, dict) else node and MemoryFile(node.read())
            for name, node in folder.items()}
