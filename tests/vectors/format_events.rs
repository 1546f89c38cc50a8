//! One of each event, for the vectors of entries.

use amparo::crypto::hash::Hash;
use amparo::format::event::{
    Acknowledge, Admission, Discrepancy, EntryRef, Event, ExhibitRef, Found, Head, ManifestRef, NewKey, Offer, Remove,
    RemoveReason, Seal, Share, Wrap,
};
use amparo::format::ids::{KeyId, LogId, MemberId};
use amparo::format::role::{Role, Scope, Section};

pub(super) fn all() -> Vec<Event> {
    let mut all = authority();
    all.extend(evidence());
    all.extend(handover());
    all.extend(remarks());
    all
}

fn log() -> LogId {
    LogId([8; 16])
}

fn exhibit() -> ExhibitRef {
    ExhibitRef { log: log(), number: 12, row: Hash::of(b"row") }
}

fn place() -> EntryRef {
    EntryRef { log: log(), seq: 70_000, leaf: Hash::of(b"leaf") }
}

fn head() -> Head {
    Head { log: log(), size: 70_001, root: Hash::of(b"root") }
}

fn member() -> MemberId {
    MemberId(Hash::of(b"member"))
}

fn key() -> KeyId {
    KeyId(Hash::of(b"key"))
}

pub(super) fn new_key(scope: Scope, epoch: u32) -> NewKey {
    let wraps = vec![Wrap { member: member(), file: Hash::of(b"wrapped"), share: None }];
    NewKey { scope, epoch, recipient: "age1pq1example".into(), wraps, dummies: vec![Hash::of(b"dummy")] }
}

fn admission(role: Role) -> Admission {
    Admission { card: "amparo.v1/card\n".into(), roles: vec![role], handle: Some("K7".into()) }
}

fn authority() -> Vec<Event> {
    let share = Share { split: [6; 16], index: 1, needed: 2, total: 3, hash: Hash::of(b"share") };
    let found = Found {
        founder: Admission { roles: vec![Role::Owner, Role::Sealer], ..admission(Role::Owner) },
        members: vec![Admission { handle: None, ..admission(Role::Reader(Section::main())) }],
        keys: [Scope::Custody, Scope::Content(Section::main()), Scope::Content(Section::register())]
            .map(|scope| new_key(scope, 0))
            .into(),
        monitors_needed: 1,
        continues: Vec::new(),
    };
    vec![
        Event::Found(found),
        Event::Admit(admission(Role::Monitor)),
        Event::Remove(Remove { member: member(), reason: RemoveReason::Seized, cuts: vec![head()] }),
        Event::Adopt { entries: vec![place()] },
        Event::Rotate { keys: vec![new_key(Scope::Content(Section::register()), 1)] },
        Event::Share {
            key: key(),
            wraps: vec![Wrap { member: member(), file: Hash::of(b"wrapped"), share: Some(share) }],
            dummies: Vec::new(),
        },
    ]
}

fn evidence() -> Vec<Event> {
    let manifest = ManifestRef { key: key(), blob: Hash::of(b"manifest"), records: 200 };
    vec![
        Event::Seal(Seal {
            first: 1,
            count: 200,
            root: Hash::of(b"rows"),
            inventory: Hash::of(b"inventory"),
            manifests: vec![manifest],
            readback: true,
        }),
        Event::Amend { exhibit: exhibit(), key: key(), blob: Hash::of(b"amendment") },
        Event::Withdraw { exhibit: exhibit(), scope: "disclosure".into() },
        Event::Open { exhibits: vec![exhibit()], reason: String::new() },
        Event::Disclose {
            exhibit: exhibit(),
            to: "Court 3".into(),
            file: Hash::of(b"disclosure"),
            reason: String::new(),
        },
        Event::Dispose {
            blobs: vec![Hash::of(b"blob")],
            reason: "returned to the family".into(),
            authority: "the owners".into(),
        },
    ]
}

fn handover() -> Vec<Event> {
    let discrepancy =
        Discrepancy { check: "blob".into(), subject: "K7-0012".into(), message: "it is not in this copy".into() };
    vec![
        Event::Offer(Offer {
            to: member(),
            exhibits: vec![exhibit()],
            heads: vec![head()],
            medium: "USB stick".into(),
            seal_number: "4711".into(),
            condition: "unbroken".into(),
            carrier: "Swift".into(),
            place: "the border".into(),
            purpose: "safe keeping".into(),
            authority: "the client".into(),
        }),
        Event::Acknowledge(Acknowledge {
            offer: place(),
            heads: vec![head()],
            level: "custody".into(),
            discrepancies: vec![discrepancy],
        }),
        Event::Decline { offer: place(), reason: "the seal was broken".into() },
        Event::Verify { heads: vec![head()], level: "content".into(), verdict: "valid".into() },
        pack(Some(Vec::new()), Vec::new()),
    ]
}

fn pack(exhibits: Option<Vec<ExhibitRef>>, offers: Vec<u64>) -> Event {
    Event::Pack { to: vec![member()], exhibits, offers, pouch: Hash::of(b"pouch"), bytes: 5_000_000_000 }
}

pub(super) fn pack_of_everything() -> Event {
    pack(None, vec![7, 1000])
}

fn remarks() -> Vec<Event> {
    vec![
        Event::Stamp { kind: "rfc3161".into(), checkpoint: Hash::of(b"checkpoint"), file: Hash::of(b"reply") },
        Event::Anchor { kind: "newspaper".into(), value: "headline".into(), published: "2031-05-04".into() },
        Event::Note { text: "a line\nand another".into(), exhibit: Some(exhibit()), reconstructed: true },
        Event::Gap { text: "the office was closed".into(), from: "May".into(), to: "June".into(), exhibit: None },
        Event::Close { reason: "the laptop is retired".into() },
    ]
}
