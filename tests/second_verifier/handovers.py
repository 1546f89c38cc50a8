"""Handovers: how far each has come, and what an acknowledgement of one lists (§ 7.4)."""
from .hashes import row_leaf
from .report import INCOMPLETE, INVALID
from .sealings import blob_path

WHOLE, AMISS, DECLINED, PENDING, ANSWERED = (
    "acknowledged", "acknowledged with discrepancies", "declined", "pending", "answered")
# The first of these that some answer gives is the status.
TABLE = (AMISS, WHOLE, DECLINED)
SUBJECT_BYTES = 512


def cut(subject):
    return subject.encode()[:SUBJECT_BYTES].decode(errors="ignore")


class Handovers:
    def __init__(self, custody):
        self.custody, self.order, self.standing = custody, custody.order, custody.standing
        self.offers = {(told.log.id, told.seq): told for told in self.standing.counted("offer")}
        self.outcomes = {place: set() for place in self.offers}
        for told in self.standing.counted("acknowledge", "decline"):
            self._answer(told)

    def _answer(self, told):
        named = told.entry.body["offer"]
        offer = self.offers.get((named["log"], named["seq"]))
        if offer and offer.entry.leaf == named["leaf"] and offer.entry.body["to"] == told.member:
            amiss = told.entry.kind == "acknowledge" and told.entry.body["discrepancies"]
            outcome = AMISS if amiss else WHOLE if told.entry.kind == "acknowledge" else DECLINED
            self.outcomes[named["log"], named["seq"]].add(outcome)

    def status(self, place):
        return next((word for word in TABLE if word in self.outcomes[place]), PENDING)

    def all(self):
        """(log, seq, status) of each offer, and of each pouch that has one."""
        of_offers = [(*place, self.status(place)) for place in self.offers]
        of_pouches = [(told.log.id, told.seq, self._of_pouch(told)) for told in self.standing.counted("pack")]
        return [each for each in of_offers + of_pouches if each[2]]

    def _of_pouch(self, pack):
        body = pack.entry.body
        if body["exhibits"] == [] and body["offers"] == []:
            receivers = [each for each in body["to"] if each != pack.member]
            if not receivers:
                return None
            return ANSWERED if all(self._has_seen(each, pack) for each in receivers) else PENDING
        statuses = {self.status(place) for place in self._carried(pack)}
        if PENDING in statuses:
            return PENDING
        return next((word for word in TABLE if word in statuses), None)

    def _carried(self, pack):
        """The offers that the pouch of this entry carries, whichever entry of the log says so."""
        carried = set()
        for told in self.standing.counted("pack"):
            body = told.entry.body
            if told.log is pack.log and body["pouch"] == pack.entry.body["pouch"]:
                carried |= {(told.log.id, seq) for seq in body["offers"] if seq < told.seq
                            and (told.log.id, seq) in self.offers and self.offers[told.log.id, seq].entry.body["to"] in body["to"]}
        return carried

    def _has_seen(self, member, pack):
        """Whether the last entry of a log of hers has seen the entry before the one that tells of the pouch."""
        hers = [log for log in self.custody.by_id.values() if log.card.member == member]
        return any(self.order.told[log.id][-1].past.get(pack.log.id, 0) >= max(pack.seq, 1) for log in hers)

    # What an acknowledgement lists

    def discrepancies(self, place):
        """(check, subject) of each finding that concerns what an offer hands over."""
        offer = self.offers[place]
        concerned = {*self._lacking(offer), *self._missing(offer)}
        exhibits = offer.entry.body["exhibits"]
        if exhibits:
            subjects, folders = self._about(offer)
            concerned |= {each for each in self.custody.report.findings
                          if each.subject in subjects or each.subject.startswith(folders)}
        else:
            since = self._sealed_since(offer)
            concerned |= {each for each in self.custody.report.findings if each.subject not in since}
        return {(check, cut(subject)) for _, check, subject in concerned}

    def _lacking(self, offer):
        for head in offer.entry.body["heads"]:
            here = self.custody.by_id.get(head["log"])
            if head["log"] != offer.log.id and (len(here.story) if here else 0) < head["size"]:
                yield INCOMPLETE, "behind", f"logs/{head['log'].hex()}"

    def _named(self, exhibit):
        return self.custody.sealings.named_id(exhibit["log"], exhibit["number"], exhibit["row"])

    def _sealings_of(self, exhibit):
        """The counted sealings that have an exhibit's log and number."""
        def has(body):
            return body["first"] <= exhibit["number"] < body["first"] + body["count"]
        return [each for each in self.custody.sealings.all
                if each.told.log.id == exhibit["log"] and has(each.told.entry.body)]

    def _row_of(self, sealing, exhibit):
        if sealing.rows is None:
            return None
        at = exhibit["number"] - sealing.told.entry.body["first"]
        return sealing.rows[at] if row_leaf(sealing.rows[at].data) == exhibit["row"] else None

    def _missing(self, offer):
        for exhibit in offer.entry.body["exhibits"]:
            sealings = self._sealings_of(exhibit)
            if not sealings:
                yield INCOMPLETE, "behind", self._named(exhibit)
            elif all(each.rows is not None and self._row_of(each, exhibit) is None for each in sealings):
                yield INVALID, "reference", self._named(exhibit)

    def _about(self, offer):
        """What is about the offered exhibits: subjects, and folders of which everything is."""
        subjects, folders = set(), {f"logs/{offer.log.id.hex()}"}
        for exhibit in offer.entry.body["exhibits"]:
            folders.add(f"logs/{exhibit['log'].hex()}")
            sealings = self._sealings_of(exhibit)
            holds = next((each for each in sealings if self._row_of(each, exhibit)), None)
            if holds is None:
                subjects |= {blob_path(each.told.entry.body["inventory"]) for each in sealings if each.rows is None}
                continue
            body, row = holds.told.entry.body, self._row_of(holds, exhibit)
            blobs = holds.blobs[exhibit["number"] - body["first"]]
            manifests = [each["blob"] for each in body["manifests"] if each["key"] == row.key]
            subjects |= {"VAULT", self._named(exhibit), self.custody.sealings.named_id(exhibit["log"], exhibit["number"])}
            subjects |= {blob_path(each) for each in [*blobs, *manifests, body["inventory"]]}
            folders.add(f"keys/{row.key.hex()}")
        return subjects, tuple(folders)

    def _sealed_since(self, offer):
        heads, since = offer.entry.body["heads"], set()
        for sealing in self.custody.sealings.all:
            told, body = sealing.told, sealing.told.entry.body
            if not any(head["log"] == told.log.id and told.seq < head["size"] for head in heads):
                blobs = [body["inventory"], *(each["blob"] for each in body["manifests"]),
                         *(blob for blobs in sealing.blobs or () for blob in blobs)]
                since |= {blob_path(each) for each in blobs} | set(sealing.exhibits.values())
        return since
