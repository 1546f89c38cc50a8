"""Files in `cosign/`: what other members signed of a log (§ 8.4)."""
from .notes import Lines
from .report import INCOMPLETE, INVALID


def check_cosignatures(custody):
    stamped = {told.entry.body["file"] for told in custody.standing.counted("stamp")}
    admitted = [card for card in custody.cards.values() if custody.standing.is_admitted(card.member)]
    for log in custody.logs:
        if not log.story or not custody.is_member(log):
            continue
        for named, note in log.cosignatures:
            if named.hash not in stamped:
                check_cosignature(custody, log, named, note, admitted)


def check_cosignature(custody, log, named, note, admitted):
    add = custody.report.add
    cosigner = note.cosigner(admitted, log.card.member) if note else None
    if cosigner is None:
        add(INCOMPLETE, "foreign", named.path, "no cosigned state of this log by a member")
    elif note.cosigned_by(cosigner) is not Lines.HOLD:
        add(INVALID, "cosignature", named.path, "the cosigner's two lines do not both hold")
    elif log.root_at(note.size) == note.root or note.state in log.forks or note.state in log.forked:
        return
    elif note.size > len(log.story):
        if note.signed_by(log.card) is not Lines.HOLD:
            add(INCOMPLETE, "behind", named.path, "it is of a state that is not here")
        elif not custody.is_past_cut(log, len(log.story)):
            add(INCOMPLETE, "behind", log.subject, "a later state of it was signed and cosigned")
    else:
        add(INVALID, "cosignature", named.path, "it states what the log's member never signed")
