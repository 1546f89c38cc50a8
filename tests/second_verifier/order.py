"""What each author had seen, and the order of all entries (§ 7.2)."""
from dataclasses import dataclass, field


@dataclass(eq=False)
class Told:
    """An entry of a story, with what its author had seen of every log."""

    log: object
    entry: object
    past: dict = field(default_factory=dict)
    gap: bool = False
    standing: str = ""

    @property
    def seq(self):
        return self.entry.seq

    @property
    def member(self):
        return self.log.card.member

    @property
    def subject(self):
        return f"{self.log.subject}, entry {self.seq}"

    def saw(self, other):
        """Whether `other` was seen by this entry."""
        return self.past.get(other.log.id, 0) > other.seq


@dataclass
class Reach:
    """What a head in an entry means here: so many entries of its log count as seen."""

    log: object
    seen: int
    believed: bool = False
    lacking: bool = False
    forked: bool = False
    repeated: bool = False


def reach(logs, head, named):
    """`named` is the largest size at which its author named that log before: sizes only grow."""
    log = logs.get(head["log"])
    if head["size"] <= named:
        return Reach(None, 0, repeated=True)
    if log is None:
        return Reach(None, 0, lacking=True)
    size, root = head["size"], head["root"]
    if log.root_at(size) == root:
        return Reach(log, size, believed=True)
    if (size, root) in log.forked:
        return Reach(log, log.common(log.forked[size, root]), forked=True)
    if (size, root) in log.forks:
        return Reach(log, 0, forked=True)
    if size > len(log.story):
        return Reach(log, len(log.story), lacking=True)
    return Reach(log, 0)


class Order:
    """All entries of all stories in causal order, each with its past."""

    def __init__(self, logs):
        self.logs = {each.id: each for each in logs}
        self.told = {each.id: [Told(each, node.entry) for node in each.story] for each in logs}
        self.reaches, self.named = {}, {}
        for told in (each for entries in self.told.values() for each in entries):
            self._find_reaches(told)
        self.taken = {each.id: 0 for each in logs}
        self.ordered = []
        while (following := self._next()) is not None:
            self._take(following)

    def _find_reaches(self, told):
        named = self.named.setdefault(told.log.id, {})
        self.reaches[told] = [reach(self.logs, head, named.get(head["log"], 0)) for head in told.entry.heads]
        for head in told.entry.heads:
            named[head["log"]] = max(head["size"], named.get(head["log"], 0))

    def reaches_of(self, told):
        return self.reaches[told]

    def _next(self):
        """Of the logs' next entries the earliest that waits for nothing; one that waits for what is not here comes last."""
        waiting = [self.told[log][count] for log, count in self.taken.items() if count < len(self.told[log])]

        def ready(told, patient):
            return all(self.taken[each.log.id] >= each.seen for each in self.reaches[told]
                       if each.log and (patient or not each.lacking))

        for patient in (True, False):
            if able := [told for told in waiting if ready(told, patient)]:
                return min(able, key=lambda told: (told.entry.moment, told.log.id))
        return None

    def _take(self, told):
        log = told.log.id
        mine = self.told[log]
        if told.seq:
            before = mine[told.seq - 1]
            told.past, told.gap = dict(before.past), before.gap
        told.past[log] = told.seq
        for each in self.reaches[told]:
            told.gap |= each.lacking or each.forked
            # Of two that wait for each other, one goes first and has not seen all of the other.
            reached = min(each.seen, self.taken[each.log.id]) if each.log else 0
            if not reached:
                continue
            last = self.told[each.log.id][reached - 1]
            told.gap |= last.gap
            for other, seen in [*last.past.items(), (each.log.id, reached)]:
                if other != log:
                    told.past[other] = max(told.past.get(other, 0), seen)
        self.taken[log] += 1
        self.ordered.append(told)
