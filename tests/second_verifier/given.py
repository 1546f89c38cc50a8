"""Receipts, checkpoints, proofs of a fork and cards that were given (§ 8.4, 8.6)."""
from .notes import Lines
from .papers import Card, Checkpoint, ForkProof, Receipt
from .report import INCOMPLETE, INVALID, Report
from .standing import LATE, REFUSED, UNDECIDED
from .text import Malformed

READERS = {"receipt": Receipt, "checkpoint": Checkpoint, "fork": ForkProof, "card": Card}
MALFORMED = {"receipt": "receipt", "checkpoint": "signature", "fork": "fork", "card": "card"}


def states_of(kind, paper):
    """The signed states that a paper brings."""
    return {"receipt": lambda: [paper.checkpoint], "checkpoint": lambda: [paper], "fork": lambda: paper.states}[kind]()


def hold_against(report, custody, vault, papers):
    """Holds each (kind, name, bytes) against a vault that was checked; `custody` is None at level *bytes*."""
    for kind, name, data in papers:
        try:
            paper = READERS[kind](data)
        except Malformed as error:
            report.add(INVALID, MALFORMED[kind], name, str(error))
            continue
        held = [hold_state(report, custody, vault, name, state) for state in states_of(kind, paper)]
        if kind == "receipt" and all(held):
            hold_sealing(report, custody.standing.entry_at(paper.checkpoint.log, paper.place), name)
        if kind == "fork" and custody and not report.has(name):
            report.add(INVALID, "fork", name, "it proves two histories of a log of this vault")


def hold_sealing(report, told, name):
    """Whether what a receipt is about counts."""
    if told.standing in (LATE, UNDECIDED):
        report.add(INCOMPLETE, "receipt", name, "its exhibit does not count: what it rests on came too late or is missing")
    elif told.standing == REFUSED:
        report.add(INVALID, "receipt", name, "its exhibit was refused")


def hold_state(report, custody, vault, name, state):
    """Whether a state is the story's."""
    if state.vault != vault:
        report.add(INVALID, "receipt", name, "it is of another vault")
        return False
    if custody is None:
        report.add(INCOMPLETE, "receipt", name, "it could not be compared")
        return False
    log = custody.by_id.get(state.log)
    if log is None:
        report.add(INCOMPLETE, "behind", name, "its log is lacking here")
    elif state.signed_by(log.card) is not Lines.HOLD:
        report.add(INVALID, "receipt", name, "its lines do not hold under the card of the log's member")
    elif state.size > len(log.story):
        report.add(INCOMPLETE, "behind", name, "its size is lacking here")
    elif log.root_at(state.size) != state.root:
        report.add(INVALID, "fork", name, "its root is not the log's at that size")
    else:
        return True
    return False


def check_alone(papers, cards):
    """Papers without a vault, against known cards (§ 8.6)."""
    report = Report()
    report.trusted = report.founder_signed = True
    for kind, name, data in papers:
        try:
            paper = READERS[kind](data)
        except Malformed as error:
            report.add(INVALID, MALFORMED[kind], name, str(error))
            continue
        if kind == "card":
            known = any(card.member == paper.member for card in cards)
        else:
            known = True
            for state in states_of(kind, paper):
                signed = [state.signed_by(card) for card in cards]
                if Lines.WRONG in signed:
                    report.add(INVALID, "signature", name, "a line of a known member, and not both as they must be")
                known &= Lines.HOLD in signed
        report.trusted &= known
    return report
