"""Which story a log tells (§ 7.1): candidates, signed states, the head, forks."""
from dataclasses import dataclass, field

from .age import AgeFile, NotForThisKey
from .documents import read_padded_entry
from .hashes import EMPTY_ROOT, bag, grow
from .notes import Lines
from .papers import Checkpoint, admitted_card
from .text import Malformed

ENTRY_FILE, NOTE_FILE, COSIGNATURE_FILE = 5 << 20, 131_072, 147_456


@dataclass(eq=False)
class Node:
    """An entry in its place: `size` entries of one history have the root `root`."""

    size: int
    root: bytes
    peaks: tuple
    parent: "Node" = None
    entry: object = None
    files: list = field(default_factory=list)

    def way(self):
        """The nodes from the first entry to this one."""
        nodes, at = [], self
        while at.parent:
            nodes.append(at)
            at = at.parent
        return nodes[::-1]


class Log:
    """A log's folder: what could be opened of it, who signs it, and where its candidates lead."""

    def __init__(self, log, folder, vault, checked, ring):
        self.id, self.folder, self.subject = log, folder, f"logs/{log.hex()}"
        self.damaged, self.sealed, self.candidates = {}, {}, []
        for files in folder.entries.values():
            for named in files:
                self._open(named, vault, checked, ring)
        self.nodes = self._place()

    def _open(self, named, vault, checked, ring):
        """A candidate, or the path, with its place, among what is damaged or cannot be opened here."""
        state = checked.state(named, ENTRY_FILE)
        if state == "unreadable":
            self.sealed[named.path] = named.number
            return
        try:
            if state == "damaged":
                raise Malformed("other bytes than the name promises")
            entry = read_padded_entry(AgeFile(named.file.read()).open(ring))
            if (entry.leaf, entry.seq, entry.log) != (named.leaf, named.number, self.id):
                raise Malformed("another entry than the name tells")
            if not entry.vault_in(vault) or entry.seq == 0 and not entry.begins_its_log():
                raise Malformed("an entry of another vault or log")
            self.candidates.append((named, entry))
        except NotForThisKey:
            self.sealed[named.path] = named.number
        except Malformed:
            self.damaged[named.path] = named.number

    def _place(self):
        """Each candidate names the root before it, so that it has one place in one history."""
        origin = Node(0, EMPTY_ROOT, ())
        nodes = {(0, EMPTY_ROOT): origin}
        for named, entry in sorted(self.candidates, key=lambda each: (each[1].seq, each[0].path)):
            before = nodes.get((entry.seq, entry.previous))
            if before is None:
                continue
            peaks = grow(before.peaks, entry.leaf)
            node = nodes.setdefault((entry.seq + 1, bag(peaks)), Node(entry.seq + 1, bag(peaks), peaks, before, entry))
            node.files.append(named)
        return nodes

    def begin(self, cards):
        """The card of the log's member, or None for a foreign log."""
        members = [entry.begins["member"] for _, entry in self.candidates if entry.seq == 0]
        self.card = next((cards[member] for member in members if member in cards), None)
        return self.card

    def read_states(self, vault, checked, ring):
        """Sorts checkpoints by what the member's lines under them are worth, and finds states that cosignatures carry."""
        self.states, self.wrong, self.unsigned, self.unreadable, self.carried = {}, [], [], [], set()
        for named in self.folder.checkpoints:
            state = checked.state(named, NOTE_FILE)
            checkpoint = read_checkpoint(named, vault, self.id) if state == "sound" else None
            if state == "unreadable":
                self.unreadable.append(named)
            elif checkpoint is None or checkpoint.size != named.number:
                self.wrong.append(named)
            else:
                signed = checkpoint.signed_by(self.card)
                if signed is Lines.HOLD:
                    self.states.setdefault(checkpoint.state, named)
                else:
                    (self.wrong if signed is Lines.WRONG else self.unsigned).append(named)
        self.cosignatures = []
        for named in self.folder.cosignatures:
            if checked.state(named, None) == "sound":
                note = read_cosignature(named, vault, self.id, ring)
                self.cosignatures.append((named, note))
                if note and note.signed_by(self.card) is Lines.HOLD:
                    self.carried.add(note.state)

    def follow(self, chosen=None):
        """Takes the largest signed state whose entries are here, or one on the fork that a cut has chosen (step 6)."""
        ordered = sorted(self.states, key=lambda state: (-state[0], state[1]))
        found = [self.nodes[state] for state in ordered if state in self.nodes]
        if chosen:
            found = [node for node in found if chosen in {(each.size, each.root) for each in node.way()}]
        self.head = found[0] if found else None
        self.story = self.head.way() if self.head else []
        told = {(node.size, node.root) for node in self.story}
        size = len(self.story)
        self.blocked = [state for state in ordered if state not in self.nodes and state[0] > size]
        # States beside the story: those with their entries here, and those without.
        self.forks = {state for state in self.states if state not in told and (state in self.nodes or state[0] <= size)}
        self.forks |= {state for state in self.carried if state not in told and state[0] <= size}
        # What only a cosignature carries counts as not here, though candidates may lead to it.
        self.fork_nodes = {state: self.nodes[state] for state in self.forks if state in self.nodes and state in self.states}
        self.forked = {(node.size, node.root): node for head in self.fork_nodes.values() for node in head.way()}

    def root_at(self, size):
        if size == 0:
            return EMPTY_ROOT
        return self.story[size - 1].root if size <= len(self.story) else None

    def is_forked(self, head):
        """Whether a head stands on another history that the log's member signed."""
        state = head["size"], head["root"]
        return self.root_at(head["size"]) != head["root"] and (state in self.forks or state in self.forked)

    def common(self, node):
        """How many entries a history has in common with the story."""
        return next((each.size for each in reversed(node.way()) if self.root_at(each.size) == each.root), 0)

    def fork_point(self, state):
        """From which place on a contradicting state may differ from the story: as early as is known."""
        return self.common(self.nodes[state]) if state in self.nodes else 0


def read_checkpoint(named, vault, log):
    """A checkpoint of this log, or None."""
    try:
        checkpoint = Checkpoint(named.file.read())
    except Malformed:
        return None
    return checkpoint if (checkpoint.vault, checkpoint.log) == (vault, log) else None


def read_cosignature(named, vault, log, ring):
    """A cosigned state of this log, or None for what anybody can put there."""
    if named.file.size > COSIGNATURE_FILE:
        return None
    try:
        note = Checkpoint(AgeFile(named.file.read()).open(ring))
    except (Malformed, NotForThisKey):
        return None
    return note if (note.vault, note.log) == (vault, log) else None


def collect_cards(logs):
    """All cards in the admissions of all candidates, by member; of one member the first in the order of its bytes."""
    cards = {}
    for card in sorted({each["card"] for log in logs.values() for _, entry in log.candidates for each in entry.admissions()}):
        if read := admitted_card(card):
            cards.setdefault(read.member, read)
    return cards
