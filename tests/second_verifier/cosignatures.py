"""Files in `cosign/`: what other members signed of a log, and which exhibits monitors cover so (§ 8.4)."""
from .notes import Lines
from .report import INCOMPLETE, INVALID


def check_cosignatures(custody):
    stamped = {told.entry.body["file"] for told in custody.standing.counted("stamp")}
    admitted = [card for card in custody.cards.values() if custody.standing.is_admitted(card.member)]
    reached = {}
    for log in custody.logs:
        if not log.story or not custody.is_member(log):
            continue
        for named, note in log.cosignatures:
            cosigner = named.hash not in stamped and check_cosignature(custody, log, named, note, admitted)
            if cosigner and is_a_monitors(custody.standing, cosigner.member, (log.id, *note.state)):
                sizes = reached.setdefault(log.id, {})
                sizes[cosigner.member] = max(note.size, sizes.get(cosigner.member, 0))
    custody.report.covered_exhibits = covered_exhibits(custody, reached)


def check_cosignature(custody, log, named, note, admitted):
    """The cosigner's card, if the cosignature holds."""
    add = custody.report.add
    cosigner = note.cosigner(admitted, log.card.member) if note else None
    if cosigner is None:
        add(INCOMPLETE, "foreign", named.path, "no cosigned state of this log by a member")
    elif note.cosigned_by(cosigner) is not Lines.HOLD:
        add(INVALID, "cosignature", named.path, "the cosigner's two lines do not both hold")
    elif log.root_at(note.size) == note.root:
        return cosigner
    elif note.state in log.forks or note.state in log.forked:
        return None
    elif note.size > len(log.story):
        if note.signed_by(log.card) is not Lines.HOLD:
            add(INCOMPLETE, "behind", named.path, "it is of a state that is not here")
        elif not custody.is_past_cut(log, len(log.story)):
            add(INCOMPLETE, "behind", log.subject, "a later state of it was signed and cosigned")
    else:
        add(INVALID, "cosignature", named.path, "it states what the log's member never signed")
    return None


def is_a_monitors(standing, member, state):
    """Whether her cosignature of a state counts, and as a monitor's: once removed, only by a check that counts."""
    made = [grant.by for grant in standing.grants if grant.member == member and grant.role == "monitor" and grant.confirmed]
    if member not in standing.cuts:
        return bool(made)
    checks = (told for told in standing.counted("verify") if told.member == member
              and any((head["log"], head["size"], head["root"]) == state for head in told.entry.body["heads"]))
    return any(all(by.saw(cut.by) for cut in standing.cuts_on(check)) for check in checks for by in made)


def covered_exhibits(custody, reached):
    """How many exhibits lie where enough monitors have signed."""
    needed = next(told for told in custody.order.ordered if custody.standing.is_founding(told)).entry.body["monitors_needed"]
    size = {log: sorted(sizes.values(), reverse=True)[needed - 1] for log, sizes in reached.items() if 0 < needed <= len(sizes)}
    sealed = custody.standing.counted("seal")
    return sum(told.entry.body["count"] for told in sealed if told.seq < size.get(told.log.id, 0))
