//! A story that nobody planned: some people, honest and otherwise, say in some order what the format lets them say, and
//! now and then what it does not.

use std::collections::{BTreeMap, BTreeSet};

use amparo::crypto::hash::Hash;
use amparo::format::document::Document;
use amparo::format::entry::entry_leaf;
use amparo::format::event::{EntryRef, Event, ExhibitRef, Head, Remove, RemoveReason};
use amparo::format::ids::{KeyId, LogId};
use amparo::format::key_file::KeyFile;
use amparo::store::layout;

use super::dice::Dice;
use crate::vault::forge::{
    ANN, BEN, CUSTODY, EVE, FOUNDER, Forge, LATER, MAIN, MONITOR, Pen, READER, REGISTER, SEALER, admit, founded, keys,
    member, note, to, vault_key,
};
use crate::vault::forge_once::signed;
use crate::vault::forge_seal::{Exhibit, Twist};
use crate::vault::forged::{cosigned_by, put_cosignature};

pub(super) const EVERYBODY: [u8; 7] = [FOUNDER, READER, MONITOR, SEALER, ANN, BEN, EVE];
const ROLES: [&str; 5] = ["monitor", "owner", "reader/main", "reader/register", "sealer"];
const TEXTS: [&str; 3] = ["one", "one\n\ntwo\n\n \nthree", "\n\nfour"];
const TIMES: [&str; 6] = [
    "2031-05-04T23:10:00-03:00",
    "2031-05-05T02:10:00+00:00",
    "2031-05-05T02:10:01+00:00",
    "2029-12-31T23:59:59+14:00",
    "0000-01-01T00:00:00+23:59",
    "2032-02-29T12:00:00-11:30",
];

/// A vault as it was told, and what somebody's device may remember of it.
pub(super) struct Story {
    pub(super) forge: Forge,
    /// To whom something was offered.
    pub(super) receivers: Vec<u8>,
    /// Signed states of logs, as they were at some time.
    pub(super) states: Vec<(LogId, Vec<u8>)>,
}

pub(super) struct Teller<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) forge: Forge,
    pub(super) pens: Vec<Pen>,
    /// For each pen and log: the largest size that the pen has named.
    named: BTreeMap<(usize, LogId), u64>,
    entries: Vec<EntryRef>,
    /// Offers, and to whom.
    pub(super) offers: Vec<(EntryRef, u8)>,
    pub(super) exhibits: Vec<ExhibitRef>,
    blobs: BTreeSet<Hash>,
    states: Vec<(LogId, Vec<u8>)>,
}

pub(super) fn tell(dice: &mut Dice) -> Story {
    let (forge, founder) = founded();
    let steps = 2 + dice.below(16);
    let mut teller = Teller {
        dice,
        forge,
        pens: vec![founder],
        named: BTreeMap::new(),
        entries: Vec::new(),
        offers: Vec::new(),
        exhibits: Vec::new(),
        blobs: BTreeSet::new(),
        states: Vec::new(),
    };
    for who in [SEALER, ANN, READER] {
        if teller.dice.percent(50) {
            teller.begin(who);
        }
    }
    for _ in 0..steps {
        teller.step();
    }
    let receivers = teller.offers.iter().map(|(_, who)| *who).collect();
    Story { forge: teller.forge, receivers, states: teller.states }
}

impl Teller<'_> {
    pub(super) fn begin(&mut self, who: u8) {
        let handle = (*self.dice.one(&["S4", "A5", "K7", "R2"])).to_string();
        self.pens.push(Pen::begin(self.forge.vault, who, &handle));
        let at = self.pens.len() - 1;
        self.say(at, note("hello"));
    }

    fn step(&mut self) {
        // Whoever wrote last is often whoever writes next, and the founder often.
        let at = if self.dice.percent(35) { 0 } else { self.dice.below(self.pens.len()) };
        match self.dice.below(100) {
            0..4 => {
                let who = *self.dice.one(&EVERYBODY);
                self.begin(who);
            }
            4..6 => {
                // Two histories of one log.
                let pen = self.pens[at].clone();
                self.pens.push(pen);
                self.say(at, note("one way"));
                let other = self.pens.len() - 1;
                self.say(other, note("another way"));
            }
            6..12 => self.cosign(at),
            12..32 => self.seal(at),
            32..40 => self.answer(),
            _ => {
                let event = self.event(at);
                self.say(at, event);
            }
        }
        if self.dice.percent(20) {
            let pen = &self.pens[self.dice.below(self.pens.len())];
            self.states.push((pen.id, signed(&pen.checkpoint(), &keys(pen.who))));
        }
    }

    fn event(&mut self, at: usize) -> Event {
        let who = *self.dice.one(&EVERYBODY);
        match self.dice.below(80) {
            0..12 => note("something"),
            12..24 => {
                let mut roles: Vec<&str> = self.dice.some(&ROLES, 30);
                if roles.is_empty() {
                    roles.push(ROLES[self.dice.below(ROLES.len())]);
                }
                self.admission(who, &roles)
            }
            24..32 => self.removal(who),
            32..36 => Event::Adopt { entries: self.references() },
            36..41 => self.rotation(at),
            41..44 => self.share(),
            44..47 => Event::Withdraw { exhibit: self.exhibit(at), scope: "all".into() },
            47..50 => Event::Open { exhibits: vec![self.exhibit(at)], reason: String::new() },
            50..53 => Event::Verify { heads: self.all_heads(), level: "custody".into(), verdict: "valid".into() },
            53..56 => {
                let known: Vec<Hash> = self.blobs.iter().copied().collect();
                let blobs = self.dice.some(&known, 40);
                for blob in blobs.iter().filter(|_| self.dice.percent(60)) {
                    if self.forge.names("blobs/").contains(&layout::blob(*blob).to_string()) {
                        self.forge.remove(&layout::blob(*blob).to_string());
                    }
                }
                Event::Dispose { blobs, reason: "asked".into(), authority: "court".into() }
            }
            56..58 => Event::Close { reason: "done".into() },
            58..61 => {
                let key = *self.dice.one(&[MAIN, REGISTER, LATER, CUSTODY]);
                let blob = self.forge.put_blob(b"more of it", &[&to(key)]);
                self.blobs.insert(blob);
                Event::Amend { exhibit: self.exhibit(at), key: self.forge.key_id(key), blob }
            }
            61..68 => self.offer(who),
            68..74 => self.packing(at),
            74..76 => Event::Stamp {
                kind: "rfc3161".into(),
                checkpoint: Hash::of(b"state"),
                file: self
                    .forge
                    .names("logs/")
                    .iter()
                    .find(|name| name.contains("/cosign/"))
                    .map_or(Hash::of(b"reply"), |name| {
                        Hash::from_hex(name.rsplit('/').next().expect("a name")).expect("a hash")
                    }),
            },
            _ => self.confused_answer(),
        }
    }

    fn admission(&mut self, who: u8, roles: &[&str]) -> Event {
        let mut event = admit(who, roles);
        if let Event::Admit(admission) = &mut event
            && self.dice.percent(5)
        {
            admission.card = admission.card.replace("amparo.v1/member", "amparo.v1/stranger");
        }
        event
    }

    fn removal(&mut self, who: u8) -> Event {
        let of: Vec<Pen> = self.pens.iter().filter(|pen| pen.who == who).cloned().collect();
        let mut cuts: BTreeMap<LogId, Head> = BTreeMap::new();
        for pen in of.iter().filter(|_| self.dice.percent(75)) {
            cuts.insert(pen.id, pen.head());
        }
        // Sometimes the last thing that was heard of is another's log, or what nobody signed.
        if self.dice.percent(6) {
            let head = self.pens[self.dice.below(self.pens.len())].head();
            cuts.insert(head.log, Head { size: head.size + self.dice.below(2) as u64, ..head });
        }
        let reason = if self.dice.percent(50) { RemoveReason::Left } else { RemoveReason::Seized };
        Event::Remove(Remove { member: member(who), reason, cuts: cuts.into_values().collect() })
    }

    fn rotation(&mut self, at: usize) -> Event {
        let scope = *self.dice.one(&["main", "main", "main", "register", "custody"]);
        let epoch = *self.dice.one(&[1, 1, 1, 2, 0]);
        let seed = if self.dice.percent(80) { LATER } else { LATER + 1 };
        let mut holders = self.dice.some(&EVERYBODY, 50);
        holders.push(READER);
        holders.sort_unstable();
        holders.dedup();
        let mut key = self.forge.new_key(self.pens[at].id, scope, epoch, seed, &holders);
        if self.dice.percent(30) {
            key.dummies = vec![self.forge.put_wrap(self.forge.key_id(seed), b"nothing", EVE)];
        }
        Event::Rotate { keys: vec![key] }
    }

    fn share(&mut self) -> Event {
        let seed = *self.dice.one(&[CUSTODY, MAIN, REGISTER, LATER]);
        let who = *self.dice.one(&EVERYBODY);
        // Now and then what is inside is another key than the one that is promised.
        let held = if self.dice.percent(10) { MAIN } else { seed };
        let mut wraps = self.forge.wraps(seed, &[who]);
        if held != seed {
            let other = KeyFile { key: vault_key(held), ..self.forge.key(seed) };
            wraps[0].file = self.forge.put_wrap(self.forge.key_id(seed), &other.print(), who);
        }
        Event::Share { key: self.forge.key_id(seed), wraps, dummies: Vec::new() }
    }

    /// Entries that were written, or one that was not.
    pub(super) fn references(&mut self) -> Vec<EntryRef> {
        let known = self.entries.clone();
        let mut references = self.dice.some(&known, 30);
        if references.is_empty() || self.dice.percent(10) {
            let log = self.pens[self.dice.below(self.pens.len())].id;
            references.push(EntryRef { log, seq: self.dice.below(4) as u64, leaf: Hash::of(b"another") });
        }
        references
    }

    pub(super) fn all_heads(&mut self) -> Vec<Head> {
        let heads: Vec<Head> = self.pens.iter().map(Pen::head).collect();
        let mut heads = self.dice.some(&heads, 60);
        for head in &mut heads {
            if self.dice.percent(3) {
                head.root = Hash::of(b"a lie");
            }
        }
        heads
    }

    /// What a pen's owner has seen since.
    fn heads(&mut self, at: usize) -> Vec<Head> {
        let mut heads: BTreeMap<LogId, Head> = BTreeMap::new();
        for pen in self.pens.iter().filter(|pen| pen.id != self.pens[at].id && pen.size() > 0) {
            let mut head = pen.head();
            let before = self.named.get(&(at, head.log)).copied().unwrap_or(0);
            if self.dice.percent(3) {
                match self.dice.below(3) {
                    0 => head.root = Hash::of(b"a lie"),
                    1 => head.size += 1 + self.dice.below(3) as u64,
                    _ => head.size = before.max(1),
                }
            } else if head.size <= before || !self.dice.percent(55) {
                continue;
            }
            self.named.insert((at, head.log), before.max(head.size));
            heads.insert(head.log, head);
        }
        heads.into_values().collect()
    }

    pub(super) fn say(&mut self, at: usize, event: Event) {
        let heads = self.heads(at);
        let mut entry = self.pens[at].entry(&heads, event);
        entry.time = (*self.dice.one(&TIMES)).into();
        let leaf = entry_leaf(&entry.encode());
        let said = EntryRef { log: entry.log, seq: entry.seq, leaf };
        self.entries.push(said);
        if let Event::Offer(offer) = &entry.event {
            self.offers.extend(EVERYBODY.into_iter().find(|who| member(*who) == offer.to).map(|who| (said, who)));
        }
        let pen = &mut self.pens[at];
        if self.dice.percent(90) {
            pen.write(&self.forge, &entry);
        } else {
            pen.unsigned(&self.forge, &entry);
        }
    }

    fn cosign(&mut self, at: usize) {
        let who = *self.dice.one(&[MONITOR, MONITOR, MONITOR, READER, SEALER, EVE]);
        if self.pens[at].size() > 0 && self.pens[at].who != who {
            put_cosignature(&self.forge, self.pens[at].id, &cosigned_by(&self.pens[at], who));
        }
    }

    fn seal(&mut self, at: usize) {
        let mut exhibits = Vec::new();
        for _ in 0..=self.dice.below(3) {
            exhibits.push(match self.dice.below(10) {
                0 => Exhibit::register("somebody"),
                1 => Exhibit { key: LATER, ..Exhibit::text("to the new key") },
                2 => Exhibit::text("").with("content/name", Some("b.txt")),
                3 => Exhibit::text("one\n\ntwo\n").with("original/bytes", Some("7")),
                _ => Exhibit::text(TEXTS[self.dice.below(TEXTS.len())]),
            });
        }
        let bent = self.dice.below(120);
        let pen = &self.pens[at];
        let another = format!("amparo.v1/{}/{}/99", pen.vault, pen.id);
        let twist = match bent {
            0 => Twist {
                record: Some(&|record| record.set("exhibit", another.as_str()).expect("a field")),
                ..Twist::default()
            },
            1 => Twist {
                committed: Some(&|known| known.text.truncate(known.text.len().saturating_sub(1))),
                ..Twist::default()
            },
            2 => Twist { payload: Some(&|bytes| bytes[1000] ^= 1), ..Twist::default() },
            3 => Twist { payload: Some(&|bytes| bytes.truncate(9000)), ..Twist::default() },
            4 => Twist { payload: Some(&|bytes| bytes.extend([0; 512])), ..Twist::default() },
            5 => Twist { segments: Some(&|all| all.push(vec![0; 512])), ..Twist::default() },
            6 => Twist { blobs: Some(&|blobs| blobs.push(blobs[0])), ..Twist::default() },
            7 => Twist { rows: Some(&|rows| rows[0].0.number += 1), ..Twist::default() },
            8 => Twist { rows: Some(&|rows| rows[0].0.record_leaves *= 2), ..Twist::default() },
            9 => Twist { rows: Some(&|rows| rows[0].0.key = KeyId(Hash::of(b"another"))), ..Twist::default() },
            10 => Twist { manifest: Some(&|manifest| manifest.records[0].number += 7), ..Twist::default() },
            11 => Twist { seal: Some(&|seal| seal.root = Hash::of(b"another")), ..Twist::default() },
            12 => Twist { seal: Some(&|seal| seal.first += 1), ..Twist::default() },
            13 => Twist { seal: Some(&|seal| seal.inventory = seal.manifests[0].blob), ..Twist::default() },
            14 => Twist { segments_to: Some(&[REGISTER]), ..Twist::default() },
            15 => Twist { inventory_to: Some(&[MAIN]), ..Twist::default() },
            16 => Twist { manifests_to: Some(&[CUSTODY]), ..Twist::default() },
            17 => Twist { segments_to: Some(&[MAIN, REGISTER]), ..Twist::default() },
            _ => Twist::default(),
        };
        let (event, blobs) = pen.sealing(&self.forge, &exhibits, &twist);
        self.blobs.extend(blobs);
        if let Event::Seal(seal) = &event {
            self.exhibits.extend(self.forge.exhibits_of(seal));
        }
        self.say(at, event);
    }
}
