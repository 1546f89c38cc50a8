"""Findings and verdicts (§ 8.1)."""
from collections import namedtuple

INCOMPLETE, INVALID = "incomplete", "invalid"
CHECKS = ("layout vault card signature fork tree entry sequence authority reference behind key blob inventory manifest record "
          "payload cosignature receipt foreign").split()

Finding = namedtuple("Finding", "weight check subject")


def worst(weights):
    weights = set(weights)
    return INVALID if INVALID in weights else INCOMPLETE if weights else "valid"


class Report:
    """What a check found, on its way from the first row of § 8 to the last."""

    def __init__(self):
        self.findings, self.messages, self.exhibits = set(), {}, {}
        self.level, self.trusted, self.founder_signed = "bytes", False, False
        self.counted_exhibits, self.covered_exhibits, self.logs = 0, 0, []
        # From level custody on, where the founding entry is here.
        self.handovers = None

    def add(self, weight, check, subject, message, exhibits=()):
        """A finding; `exhibits` are the exhibit ids that it concerns."""
        finding = Finding(weight, check, subject)
        self.findings.add(finding)
        self.messages.setdefault(finding, message)
        for exhibit in exhibits:
            self.exhibits.setdefault(exhibit, set()).add(weight)

    def has(self, subject):
        return any(each.subject == subject for each in self.findings)

    @property
    def verdict(self):
        """The worst of what was found; VALID only where it is known whose vault this is (§ 8.6)."""
        found = worst(each.weight for each in self.findings)
        return INCOMPLETE if found == "valid" and not self.assured else found

    @property
    def assured(self):
        """Whether somebody known here answers for the vault (§ 8.6, code 5)."""
        return self.trusted and (self.level != "bytes" or self.founder_signed)

    @property
    def exit_code(self):
        found = worst(each.weight for each in self.findings)
        return {INVALID: 3, INCOMPLETE: 4}.get(found, 0 if self.assured else 5)

    def exhibit_verdicts(self):
        return {exhibit: worst(weights) for exhibit, weights in sorted(self.exhibits.items())}

    def ordered(self):
        return sorted(self.findings, key=lambda each: (CHECKS.index(each.check), each.subject, each.weight))

    def as_json(self):
        return {
            "format": 1, "verdict": self.verdict, "level": self.level, "trusted": self.trusted,
            "findings": [{"check": each.check, "subject": each.subject, "weight": each.weight,
                          "message": self.messages[each]} for each in self.ordered()],
            "exhibits": self.counted_exhibits, "covered_exhibits": self.covered_exhibits,
            "exhibit_verdicts": self.exhibit_verdicts(), "logs": self.logs,
            "handovers": [{"log": log.hex(), "seq": seq, "status": status} for log, seq, status in
                          sorted(self.handovers.all() if self.handovers else [])],
        }
