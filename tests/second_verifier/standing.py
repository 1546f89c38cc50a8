"""Which entries count (§ 7.3): owners first, then everything."""
from collections import namedtuple

from .age import is_recipient
from .papers import admitted_card

COUNTED, LATE, REFUSED, UNDECIDED = "counted", "late", "refused", "undecided"
ANY_ROLE = {"offer", "acknowledge", "decline", "verify", "stamp", "anchor", "pack", "note", "gap", "close"}

Grant = namedtuple("Grant", "member role by confirmed")
Cut = namedtuple("Cut", "by sizes")
Brought = namedtuple("Brought", "scope epoch by")


def member_of(admission):
    """Who is admitted; a card that does not hold admits nobody."""
    card = admitted_card(admission["card"])
    return card and card.member


class Standing:
    """The standing of each entry, and the effects of those that count."""

    def __init__(self, order, vault):
        self.order, self.vault = order, vault
        self.rank, self.took_effect, self.adopted, self.cuts = {}, {}, set(), {}
        self.powerless = []
        self.owner_grants = []
        self.closed = self._closings()
        self._rank_owners()
        self.grants, self.brought, self.wraps, self.disposed = [], {}, [], set()
        self.idle_keys, self.idle_admits = [], []
        for told in order.ordered:
            told.standing = self._stand(told)
            if told.standing == COUNTED:
                self._count(told)
            elif told.standing != REFUSED:
                self._keep_idle(told)

    def _admitted(self, told):
        """(member, roles) of each admission in it."""
        return [(member_of(each), each["roles"]) for each in told.entry.admissions()]

    def _closings(self):
        """The place of the first `close` of each log."""
        places = {}
        for told in self.order.ordered:
            if told.entry.kind == "close":
                places.setdefault(told.log.id, told.seq)
        return places

    def is_closed(self, told):
        return told.seq > self.closed.get(told.log.id, told.seq)

    def is_founding(self, told):
        return told.entry.is_founding(self.vault)

    # Cuts

    def cuts_on(self, told):
        """The removals that cut this entry, whatever was granted since; none of what was adopted."""
        if told in self.adopted:
            return []
        return [cut for cut in self.cuts.get(told.member, ()) if told.seq >= cut.sizes.get(told.log.id, 0)]

    def is_cut(self, told, grants):
        """Whether some removal cuts it and no grant that had seen that removal was seen by it."""
        return bool(self.cuts_on(told)) and not self.granted(told, grants)

    def granted(self, told, grants):
        """The grants to its member that count for this entry."""
        cuts = self.cuts_on(told)
        return [grant for grant in grants if grant.member == told.member and told.saw(grant.by)
                and all(grant.by.saw(cut.by) for cut in cuts)]

    # First pass

    @staticmethod
    def _is_owners_act(told):
        return told.entry.kind in ("found", "remove", "adopt") or told.entry.kind == "admit" and "owner" in told.entry.body["roles"]

    def _rank_owners(self):
        founder = next((told.member for told in self.order.ordered if self.is_founding(told)), None)
        self.rank = {founder: 0} if founder else {}
        rank, waiting = 0, [told for told in self.order.ordered if self._is_owners_act(told)]
        while acting := [told for told in waiting if self.rank.get(told.member, rank + 1) <= rank and self._may_act(told)]:
            for told in acting:
                self.took_effect[told] = rank
                self._act(told, rank)
            rank, waiting = rank + 1, [told for told in waiting if told not in self.took_effect]

    def _may_act(self, told):
        if self.is_founding(told):
            return True
        owns = any(grant.role == "owner" for grant in self.granted(told, self.owner_grants))
        return told.entry.kind != "found" and owns and not self.is_closed(told) and not self.is_cut(told, self.owner_grants)

    def _act(self, told, rank):
        body = told.entry.body
        for member, roles in self._admitted(told):
            if member and "owner" in roles:
                self.rank.setdefault(member, rank + 1)
                self.owner_grants.append(Grant(member, "owner", told, True))
        if told.entry.kind == "remove":
            if self.rank.get(body["member"], rank + 1) <= rank:
                self.powerless.append(told)
            else:
                sizes = {each["log"]: each["size"] for each in body["cuts"]}
                self.cuts.setdefault(body["member"], []).append(Cut(told, sizes))
        if told.entry.kind == "adopt":
            for named in body["entries"]:
                other = self.entry_at(named["log"], named["seq"])
                if other and other.entry.leaf == named["leaf"] and self.rank.get(other.member, rank + 1) > rank:
                    self.adopted.add(other)

    def entry_at(self, log, seq):
        entries = self.order.told.get(log, ())
        return entries[seq] if seq < len(entries) else None

    # Second pass

    def _stand(self, told):
        if self.is_cut(told, self.grants):
            return LATE
        if not self.is_closed(told) and self._is_allowed(told):
            return COUNTED
        return UNDECIDED if told.gap or self._rests_on_idle(told) else REFUSED

    def _keep_idle(self, told):
        """A late or undecided entry: what it would give, if it counted."""
        if told.entry.kind in ("rotate", "share"):
            self.idle_keys.append(told)
        self.idle_admits += [(member, told) for member, _ in self._admitted(told) if member]

    def admitted_too_late(self, told):
        """Whether its author had seen an admission of herself that came too late."""
        return any(member == told.member and told.saw(by) for member, by in self.idle_admits)

    def _rests_on_idle(self, told):
        """Whether it was said on a right that came too late, or by a key that did."""
        if self.admitted_too_late(told):
            return True
        return told.entry.kind in ("seal", "amend", "rotate", "share") and any(told.saw(by) for by in self.idle_keys)

    def _is_allowed(self, told):
        kind, body = told.entry.kind, told.entry.body
        if self._is_owners_act(told):
            return told in self.took_effect
        roles = {grant.role for grant in self.granted(told, self.grants)}
        keys = {key for key, each in self.brought.items() if told.saw(each.by)}
        if kind == "admit":
            return "owner" in roles or body["roles"] == ["monitor"] and "sealer" in roles
        if kind == "rotate":
            return "owner" in roles and all(key["epoch"] <= self._next_epoch(told, key["scope"]) for key in body["keys"])
        if kind == "dispose":
            return "owner" in roles
        if kind in ("seal", "amend", "withdraw"):
            named = [each["key"] for each in body["manifests"]] if kind == "seal" else [body["key"]] if kind == "amend" else []
            return "sealer" in roles and all(key in keys for key in named)
        if kind in ("open", "disclose"):
            return any(role.startswith("reader/") for role in roles)
        if kind == "share":
            return any(key == body["key"] and wrap["member"] == told.member and wrap["share"] is None and told.saw(by)
                       for key, wrap, by in self.wraps)
        return kind in ANY_ROLE and bool(roles)

    def _next_epoch(self, told, scope):
        return 1 + max((each.epoch for each in self.brought.values() if each.scope == scope and told.saw(each.by)), default=-1)

    def _count(self, told):
        kind, body = told.entry.kind, told.entry.body
        by_owner = any(grant.role == "owner" for grant in self.granted(told, self.grants))
        confirmed = kind == "found" or by_owner or told in self.adopted
        for member, roles in self._admitted(told):
            self.grants += [Grant(member, role, told, confirmed) for role in roles if member]
        for key, said in told.entry.new_keys():
            if is_recipient(said["recipient"]) and key not in self.brought:
                self.brought[key] = Brought(said["scope"], said["epoch"], told)
                self.wraps += [(key, wrap, told) for wrap in said["wraps"]]
        if kind == "share":
            self.wraps += [(body["key"], wrap, told) for wrap in body["wraps"]]
        if kind == "dispose":
            self.disposed |= set(body["blobs"])

    def counted(self, *kinds):
        """The counted entries of these kinds, in causal order."""
        return [told for told in self.order.ordered if told.standing == COUNTED and told.entry.kind in kinds]

    def is_admitted(self, member):
        return any(grant.member == member for grant in self.grants)

    def is_gone(self, member):
        """Removed, and not admitted again."""
        cuts = self.cuts.get(member, ())
        return bool(cuts) and not any(grant.member == member and all(grant.by.saw(cut.by) for cut in cuts) for grant in self.grants)

    def smallest_cut(self, log, member):
        """From which place on a log concerns nobody any more, or None."""
        if not self.is_gone(member):
            return None
        back = [grant for grant in self.grants if grant.member == member]
        for cut in sorted(self.cuts[member], key=lambda cut: cut.sizes.get(log, 0)):
            back = [grant for grant in back if grant.by.saw(cut.by)]
            if not back:
                return cut.sizes.get(log, 0)
        return None
