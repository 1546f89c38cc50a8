"""Level *custody*: logs, stories, and what they say of each other (§ 8.4)."""
from .age import is_recipient
from .content import Content
from .cosignatures import check_cosignatures
from .handovers import Handovers
from .histories import Log, collect_cards
from .notes import Lines
from .order import Order
from .report import INCOMPLETE, INVALID
from .sealings import Sealings
from .standing import COUNTED, LATE, REFUSED, UNDECIDED, Standing, member_of
from .wraps import check_wraps


class Custody:
    """The logs of a vault, judged."""

    def __init__(self, report, layout, checked, vault, ring, asked):
        self.report, self.layout, self.checked, self.vault, self.asked = report, layout, checked, vault, asked
        self.ring, self.left_out = ring, set()
        custody_keys = [key.key for key in ring if key.scope == "custody"]
        self.custody_keys = custody_keys
        self.every = {log: Log(log, folder, vault, checked, custody_keys) for log, folder in sorted(layout.logs.items())}
        self.cards = collect_cards(self.every)
        self.logs = [log for log in self.every.values() if log.begin(self.cards)]
        for log in self.logs:
            log.read_states(vault, checked, custody_keys)
            log.follow()
        self._judge()

    def _judge(self):
        """Applies § 7, and again as long as a removal's cut chooses another history (§ 7.1, 6)."""
        chosen = {}
        while True:
            self.order = Order([log for log in self.logs if log.story])
            self.standing = Standing(self.order, self.vault)
            choice = self._choice(chosen)
            if choice is None:
                return
            log, state = choice
            chosen[log.id] = state
            log.follow(state)

    def _choice(self, chosen):
        by_id = {log.id: log for log in self.logs}
        for told in self.standing.counted("remove"):
            for cut in told.entry.body["cuts"]:
                log, state = by_id.get(cut["log"]), (cut["size"], cut["root"])
                if log and log.card.member == told.entry.body["member"] and log.id not in chosen and state in log.forked:
                    if log.root_at(cut["size"]) != cut["root"]:
                        return log, state
        return None

    @property
    def founder(self):
        """The card of the founder, if the founding entry is in a story."""
        founding = (told for told in self.order.ordered if self.standing.is_founding(told))
        return next((told.log.card for told in founding if member_of(told.entry.body["founder"]) == told.member), None)

    def is_member(self, log):
        return self.standing.is_admitted(log.card.member)

    def is_past_cut(self, log, place):
        """Whether what concerns only this place and later ones concerns nobody any more."""
        cut = self.standing.smallest_cut(log.id, log.card.member) if self.founder else None
        return cut is not None and place >= cut

    # Logs

    def check_logs(self):
        for log in self.every.values():
            if log.card is None or self.founder and not self.is_member(log):
                self._check_foreign(log)
            else:
                self._check_log(log)

    def _check_foreign(self, log):
        self.report.add(INCOMPLETE, "foreign", log.subject, "nobody whom this vault admitted signs it")
        if log.card is None:
            self._tell_damaged(log)

    def _tell_damaged(self, log):
        for weight, files in ((INVALID, log.damaged), (INCOMPLETE, log.sealed)):
            for path, place in files.items():
                if log.card is None or not self.is_past_cut(log, place):
                    self.report.add(weight, "entry", path, "it is damaged, or does not open here")

    def _check_log(self, log):
        add = self.report.add
        for named in (each for each in log.wrong if not self.is_past_cut(log, max(each.number, 1) - 1)):
            add(INVALID, "signature", named.path, "no state that the log's member signed as it must be")
        for named in (each for each in log.unreadable if not self.is_past_cut(log, max(each.number, 1) - 1)):
            add(INCOMPLETE, "signature", named.path, "it cannot be read")
        for named in log.unsigned:
            add(INCOMPLETE, "foreign", named.path, "no line of the log's member")
        for state in log.blocked if log.story else log.blocked[:1]:
            self._tell_block(log, state)
        if not log.story:
            if not log.blocked and not self.is_past_cut(log, 0):
                add(INCOMPLETE, "tree", log.subject, "no signed state is left")
            self._tell_damaged(log)
        if any(not self.is_past_cut(log, self._where(log, state)) for state in log.forks):
            add(INVALID, "fork", log.subject, "two histories signed with one key")
        if log.story:
            self._check_uncovered(log)

    @staticmethod
    def _where(log, state):
        """The first place that a contradicting state changes, as far as is known."""
        return log.fork_point(state)

    def _tell_block(self, log, state):
        """Why the way to a signed state is blocked."""
        size, add = state[0], self.report.add
        place = max(each for each, _ in log.nodes if each <= size)
        files = log.folder.entries.get(place, []) if place < size else []
        if self.is_past_cut(log, place):
            self.left_out |= {named.path for named in files if named.path in log.damaged or named.path in log.sealed}
            return
        damaged = [named.path for named in files if named.path in log.damaged]
        sealed = [named.path for named in files if named.path in log.sealed]
        if place == size:
            add(INVALID, "tree", log.subject, "its entries lead to another root than the signed one")
        elif damaged or sealed:
            for path in damaged:
                add(INVALID, "entry", path, "it is damaged")
            for path in sealed:
                add(INCOMPLETE, "entry", path, "no custody key here opens it")
        elif files:
            add(INVALID, "tree", log.subject, "an entry does not follow those before it")
        else:
            add(INCOMPLETE, "entry", f"{log.subject}, entry {place}", "it is missing")

    def _check_uncovered(self, log):
        covered = {named.path for node in [*log.story, *log.forked.values()] for named in node.files}
        for files in log.folder.entries.values():
            for named in files:
                if named.path not in covered and named.path not in self.left_out and not self.report.has(named.path):
                    self.report.add(INCOMPLETE, "foreign", named.path, "no signed state covers it")

    # Stories

    def check(self):
        self.judged = [told for told in self.order.ordered if self.is_member(told.log)]
        self.by_id = {log.id: log for log in self.logs if log.story and self.is_member(log)}
        for told in self.judged:
            if told.standing != LATE:
                self._check_statements(told)
        self._check_authority()
        self._check_numbers()
        self._check_memory()
        self._narrow_ring()
        check_cosignatures(self)
        check_wraps(self)
        sealings = Sealings(self)
        sealings.check()
        self.report.counted_exhibits = sum(told.entry.body["count"] for told in self.standing.counted("seal"))
        self.report.level = "content" if any(key.scope != "custody" for key in self.ring.values()) else "custody"
        self.sealings = sealings
        Content(self, sealings).check()
        self.report.handovers = Handovers(self)
        self.report.logs = [{"log": log.id.hex(), "member": log.card.member.hex(), "size": log.head.size,
                             "root": log.head.root.hex()} for log in self.by_id.values()]

    def _check_statements(self, told):
        entry, add = told.entry, self.report.add
        for head, reached in zip(entry.heads, self.order.reaches_of(told), strict=True):
            if reached.repeated:
                add(INVALID, "reference", told.subject, "it names a log at a size that was named before")
            elif reached.lacking:
                add(INCOMPLETE, "behind", told.subject, "it names more of a log than is here")
            else:
                self._check_root(told, head)
        if told.standing == COUNTED:
            self._check_body(told)

    def _check_root(self, told, head):
        log = self.order.logs.get(head["log"])
        if log and head["size"] and not log.is_forked(head) and log.root_at(head["size"]) not in (None, head["root"]):
            self.report.add(INVALID, "reference", told.subject, "it names another root than the log has at that size")

    def _check_body(self, told):
        entry, add = told.entry, self.report.add
        if any(member_of(each) is None for each in entry.admissions()):
            add(INVALID, "card", told.subject, "it admits a card that does not hold")
        stated = entry.body["heads"] if entry.kind in ("offer", "acknowledge", "verify") else []
        continued = [entry.begins["continues"]] if entry.begins and entry.begins["continues"] else []
        for head in [*stated, *continued]:
            self._check_root(told, head)
        for cut in entry.body["cuts"] if entry.kind == "remove" else ():
            log = self.order.logs.get(cut["log"])
            if log is None or cut["size"] > len(log.story) and not log.is_forked(cut):
                add(INCOMPLETE, "behind", told.subject, "it cuts a log at a size that is not here")
            elif log.card.member != entry.body["member"] or not log.is_forked(cut) and log.root_at(cut["size"]) != cut["root"]:
                add(INVALID, "reference", told.subject, "it cuts at a state that is none of that member's log")
        for named in entry.body["entries"] if entry.kind == "adopt" else ():
            other = self.standing.entry_at(named["log"], named["seq"])
            if other is None:
                add(INCOMPLETE, "behind", told.subject, "it adopts an entry that is not here")
            elif other.entry.leaf != named["leaf"]:
                add(INVALID, "reference", told.subject, "it adopts another entry than stands there")

    def _check_authority(self):
        for told in self.judged:
            if told.standing == REFUSED:
                self.report.add(INVALID, "authority", told.subject, "its author may not say this")
            elif told.standing == UNDECIDED:
                self.report.add(INCOMPLETE, "authority", told.subject, "what is missing might allow it")
        for told in self.standing.powerless:
            if told.standing == COUNTED and self._could_know(told):
                self.report.add(INVALID, "authority", told.subject, "it removes whom its author may not remove")
        for key, said in (key for told in self.standing.counted("found", "rotate") for key in told.entry.new_keys()):
            if not is_recipient(said["recipient"]):
                self.report.add(INVALID, "key", key.hex(), "no recipient of a key")

    def _could_know(self, told):
        removed, rank = told.entry.body["member"], self.standing.took_effect[told]
        if self.standing.admitted_too_late(told):
            return False
        if removed == told.member or self.standing.rank[removed] == 0:
            return True
        return any(grant.member == removed and grant.role == "owner" and told.saw(grant.by)
                   and self.standing.took_effect[grant.by] < rank for grant in self.standing.grants)

    def _check_numbers(self):
        for log in self.by_id.values():
            following = 1
            for told in self.order.told[log.id]:
                if told.entry.kind != "seal":
                    continue
                if told.entry.body["first"] != following and told.standing != LATE:
                    self.report.add(INVALID, "sequence", told.subject, "its numbers do not follow those before")
                following = told.entry.body["first"] + told.entry.body["count"]

    def _check_memory(self):
        for log, checkpoint in self.asked.remembered:
            here = self.by_id.get(log)
            if here and (checkpoint.state in here.forks or checkpoint.state in here.forked):
                continue
            if here is None or checkpoint.size > len(here.story):
                cut_off = self.is_past_cut(here, len(here.story)) if here else self._is_cut_off(log, checkpoint)
                lacking = not cut_off and not self._is_foreign_here(log, checkpoint)
                if lacking:
                    self.report.add(INCOMPLETE, "behind", f"logs/{log.hex()}", "this device remembers more of it")
            elif here.root_at(checkpoint.size) != checkpoint.root:
                if not self.is_past_cut(here, 0):
                    self.report.add(INVALID, "fork", here.subject, "this device remembers another history of it")

    def _is_foreign_here(self, log, checkpoint):
        """Whether a log that nobody who counts admitted has this state."""
        foreign = [each for each in self.logs if each.id == log and each.story and not self.is_member(each)]
        return any(each.root_at(checkpoint.size) == checkpoint.root or checkpoint.state in each.forks
                   or checkpoint.state in each.forked for each in foreign)

    def _is_cut_off(self, log, checkpoint):
        """Whether a log that is not here is a removed member's, by the lines of its state, and none of it counts."""
        return any(self.standing.smallest_cut(log, card.member) == 0 and checkpoint.signed_by(card) is Lines.HOLD
                   for card in self.cards.values() if self.standing.is_admitted(card.member))

    # Keys

    def _narrow_ring(self):
        """What no counted entry brought is no key, but for custody keys that came too late."""
        self.every_custody_key = {key for key, each in self.standing.brought.items() if each.scope == "custody"}
        self.every_custody_key |= {key for entry in self.kept() for key, said in entry.new_keys()
                                   if said["scope"] == "custody" and is_recipient(said["recipient"])}
        self.custody_keys = [key.key for key in self.ring if key.id in self.every_custody_key]
        self.has_all_custody_keys = self.every_custody_key <= {key.id for key in self.ring}
        self.ring = {key.id: key for key in self.ring if key.id in self.standing.brought or key.id in self.every_custody_key}

    def kept(self):
        """Entries whose files are kept though they do not count: late ones, undecided ones, those of forks."""
        entries = [told.entry for told in self.judged if told.standing in (LATE, UNDECIDED)]
        for log in self.by_id.values():
            entries += [node.entry for node in log.forked.values() if log.root_at(node.size) != node.root]
        return entries


