//! Members on disks that fail, in vaults that somebody forged, and a hundred of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::crypto::hash::Hash;
use amparo::crypto::seed::Seed;
use amparo::format::card::Card;
use amparo::format::event::{Event, RemoveReason, Wrap};
use amparo::format::pseudonym::Pseudonym;
use amparo::format::role::{Role, Section};
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::commit;
use amparo::vault::custody::{self, note::Kind};
use amparo::vault::findings::{Check, Finding, Verdict};
use amparo::vault::members::{AddRequest, Added, RemoveRequest, Removed, add, grant_here, list, remove};
use amparo::vault::session::{Request, Session, Trust};
use amparo::vault::{Setting, VaultError};

use super::forge::{
    ANN, BEN, CUSTODY, EVE, FOUNDER, Forge, LATER, MONITOR, Pen, READER, SEALER, VAULT, admit, founded, member, note,
};
use super::people::{Device, World, device, request, with};

fn tern() -> Card {
    Card::sign(&Pseudonym::parse("Tern").expect("a name"), &Seed::from_bytes(&[40; 32]).keys())
}

fn reader() -> Role {
    Role::Reader(Section::main())
}

fn adds(disk: &FaultyDisk, world: &World, cards: &[Card], roles: &[Role]) -> Result<Added, VaultError> {
    with(disk, world.lawyer.machine, |setting| {
        let place = request(&world.vault, &world.lawyer, None);
        add(setting, &AddRequest { place, cards, roles, handle: None })
    })
}

fn removes(disk: &FaultyDisk, world: &World, name: &str) -> Result<Removed, VaultError> {
    with(disk, world.lawyer.machine, |setting| {
        let place = request(&world.vault, &world.lawyer, None);
        remove(setting, &RemoveRequest { place, member: name, reason: RemoveReason::Left, trust_up_to: &[] })
    })
}

/// Does something with the power failing at one operation after another, then does it again; the vault holds at any
/// time. Returns how often a removal was found half done in between.
fn survives(base: &FaultyDisk, world: &World, act: impl Fn(&FaultyDisk, &World) -> Result<(), VaultError>) -> u64 {
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    act(&rehearsal, &world.moved_to(Arc::new(rehearsal.clone()))).expect("nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    assert!(operations > 20, "{operations} operations");
    let mut half_done = 0;
    // Each takes a quarter of a second; all of them hold, and neighbours tell the same story.
    for nth in (0..operations).step_by(3) {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
        let told = act(&disk, &world.moved_to(Arc::new(disk.clone())));
        disk.heal();
        let disk = disk.crash(nth);
        let there = world.moved_to(Arc::new(disk.clone()));
        let context = format!("at {nth} of {operations}: {told:?}");
        let seen = there.verify(&there.lawyer).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
        half_done += u64::from(seen.notices.iter().any(|notice| notice.contains("still holding the newest key")));
        act(&disk, &there).unwrap_or_else(|error| panic!("{context}: {error}"));
        let seen = there.verify(&there.monitor).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
        let left: Vec<&String> = seen.notices.iter().filter(|notice| notice.contains("still holding")).collect();
        assert!(left.is_empty(), "{context}: {left:?}");
    }
    half_done
}

fn on_a_failing_disk() -> (FaultyDisk, World) {
    let disk = FaultyDisk::new(Rules::Ext4);
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    (disk, world)
}

#[test]
fn a_power_cut_while_admitting_is_made_good_by_admitting_again() {
    let (disk, world) = on_a_failing_disk();
    survives(&disk, &world, |disk, world| {
        let added = adds(disk, world, &[tern()], &[reader(), Role::Sealer])?;
        assert_eq!(added.admitted.len() + added.already.len(), 1);
        // The custody key was handed over now or before; the content key is the reader's to give.
        assert!(added.awaited.iter().all(|awaited| awaited.scope.to_string() == "main"), "{:?}", added.awaited);
        Ok(())
    });
}

#[test]
fn a_power_cut_while_removing_is_made_good_by_removing_again() {
    let (disk, world) = on_a_failing_disk();
    adds(&disk, &world, &[tern()], &[reader()]).expect("admitted");
    with(&disk, world.reader.machine, |setting| {
        let trust = Trust::VaultId(world.created.vault);
        let granted = grant_here(setting, &request(&world.vault, &world.reader, Some(&trust))).expect("granted");
        assert_eq!(granted.given.len(), 1);
    });
    let half_done = survives(&disk, &world, |disk, world| removes(disk, world, "Tern").map(|_| ()));
    assert!(half_done > 0, "the power never failed between the two entries");
    let removed = removes(&disk, &world, "Tern").expect("removed");
    assert!(removed.now && removed.renewed.len() == 2, "{:?}", removed.renewed);
    let again = removes(&disk, &world, "Tern").expect("removed");
    assert!(!again.now && again.renewed.is_empty());
}

/// What the founder's device does in a forged vault.
fn as_founder<T>(forge: &Forge, act: impl FnOnce(&mut Setting<'_>, Request<'_>) -> T) -> T {
    let device = Device { state: PathBuf::from("/founder"), ..device(Path::new("/"), "Heron", FOUNDER) };
    let trust = Trust::VaultId(forge.vault);
    with(&forge.disk, device.machine, |setting| {
        act(setting, Request { trust: Some(&trust), ..request(Path::new(VAULT), &device, None) })
    })
}

fn founder_removes(forge: &Forge, name: &str, trust_up_to: &[String]) -> Result<Removed, VaultError> {
    as_founder(forge, |setting, place| {
        remove(setting, &RemoveRequest { place, member: name, reason: RemoveReason::Seized, trust_up_to })
    })
}

fn founder_says(forge: &Forge, text: &str) {
    as_founder(forge, |setting, place| custody::note::note(setting, &place, text, None, Kind::Note).expect("noted"));
}

/// A log in which an entry stands that no reader takes would be lost to everybody.
#[test]
fn what_does_not_fit_into_an_entry_is_not_said() {
    let (forge, _) = founded();
    let blobs = (0_u32..140_000).map(|number| Hash::of(&number.to_be_bytes())).collect::<BTreeSet<_>>();
    let dispose =
        Event::Dispose { blobs: blobs.into_iter().collect(), reason: String::new(), authority: String::new() };
    let said = as_founder(&forge, |setting, place| {
        let session = Session::open_to_write(setting, &place)?;
        commit::say(setting, &session, place.person()?, dispose)
    });
    assert!(matches!(said, Err(VaultError::EntryTooLong { bytes }) if bytes > 4 << 20), "{said:?}");
    founder_says(&forge, "something shorter");
    forge.finds(&[]);
}

#[test]
fn what_is_wrong_with_her_log_does_not_keep_an_owner_from_removing_her() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    founder.say(&forge, &[], admit(BEN, &["owner"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], note("hello"));
    // An owner opens, which is a reader's: every verdict is INVALID, and nobody builds upon her.
    ann.say(&forge, &[], Event::Open { exhibits: Vec::new(), reason: String::new() });
    forge.finds(&[(Check::Authority, Verdict::Invalid, &ann.at(1))]);
    let outcome = founder_removes(&forge, "Ben", &[]);
    assert!(matches!(outcome, Err(VaultError::Unsound(_))), "{outcome:?}");
    let removed = founder_removes(&forge, "Ann", &["A5:0".into()]).expect("removed");
    assert_eq!((removed.kept[0].counted, removed.kept[0].here, removed.overlooked.len()), (1, 2, 1));
    forge.finds(&[]);
    founder_removes(&forge, "Ben", &[]).expect("nothing is in the way any more");
}

/// Her device was seized: whoever has it lets somebody in and brings a key, and only then the removal comes.
#[test]
fn whom_a_removed_owner_let_in_beyond_the_cut_gets_no_new_key() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner", "reader/main"]));
    let wraps = forge.wraps(CUSTODY, &[ANN]);
    let key = forge.key_id(CUSTODY);
    founder.say(&forge, &[], Event::Share { key, wraps, dummies: Vec::new() });
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], note("hello"));
    ann.say(&forge, &[], admit(EVE, &["reader/main"]));
    let keys = vec![forge.new_key(ann.id, "custody", 1, LATER, &[EVE, FOUNDER, READER, MONITOR, SEALER])];
    ann.say(&forge, &[], Event::Rotate { keys });
    let removed = founder_removes(&forge, "Ann", &["A5:0".into()]).expect("removed");
    let renewed: Vec<_> = removed.renewed.iter().map(|renewed| (renewed.scope.to_string(), renewed.epoch)).collect();
    assert_eq!(renewed, [("custody".to_string(), 1)], "what she brought beyond the cut is no key, and no epoch");
    let holders = &removed.renewed[0].holders;
    assert!(holders.contains(&member(SEALER)) && !holders.contains(&member(EVE)), "{holders:?}");
    forge.finds(&[]);
}

/// Whoever has her device brings a custody key beyond the cut, and gives it to the founder alone, whatever the entry says.
/// The founder goes on writing to it until she hears of it; her removal must be read by all.
#[test]
fn a_removal_is_read_by_those_whom_a_seized_device_gave_no_key() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    founder.say(&forge, &[], admit(BEN, &["owner"]));
    founder_removes(&forge, "Ben", &[]).expect("removed, in a log of her device");
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], note("hello"));
    let mut key = forge.new_key(ann.id, "custody", 1, LATER, &[FOUNDER]);
    key.wraps.extend(forge.wraps(LATER, &[EVE]).into_iter().map(|wrap| Wrap { member: member(MONITOR), ..wrap }));
    key.wraps.sort_by_key(|wrap| wrap.member);
    ann.say(&forge, &[], Event::Rotate { keys: vec![key] });
    founder_says(&forge, "nothing special");
    let before = forge.verify(MONITOR);
    let lied = |found: &&Finding| (found.check, found.weight) == (Check::Key, Verdict::Invalid);
    assert_eq!(before.findings.iter().filter(lied).count(), 1, "{:?}", before.findings);
    let removed = founder_removes(&forge, "Ann", &["A5:0".into()]).expect("removed");
    assert!(removed.left.is_some());
    let after = forge.verify(MONITOR);
    assert_eq!(after.verdict, Verdict::Incomplete, "what she said in between stays closed: {:?}", after.findings);
    let about: Vec<_> = after.findings.iter().map(|found| (found.check, found.weight)).collect();
    let closed = [Check::Entry, Check::Behind].map(|check| (check, Verdict::Incomplete));
    assert_eq!(about, closed, "{:?}", after.findings);
    assert!(after.notices.iter().any(|notice| notice.contains("Ann")), "she is told as removed: {:?}", after.notices);
    assert_eq!(forge.verify(FOUNDER).verdict, Verdict::Valid, "her own log she reads");
}

/// The removal came from elsewhere: what she wrote to his key stays closed to others, and she goes on in another log.
#[test]
fn a_log_that_rests_on_a_key_that_came_too_late_is_not_gone_on_with() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], note("hello"));
    let before = ann.head();
    ann.say(&forge, &[], Event::Rotate { keys: vec![forge.new_key(ann.id, "custody", 1, LATER, &[FOUNDER])] });
    founder_says(&forge, "to his key");
    founder.say(&forge, &[before], super::forged::remove(ANN, &[before]));
    let logs = |forge: &Forge| forge.verify(MONITOR).logs.iter().filter(|log| log.size > 0).count();
    let readable = logs(&forge);
    founder_says(&forge, "to one that counts");
    assert_eq!(logs(&forge), readable + 1);
    founder_says(&forge, "and goes on there");
    assert_eq!(logs(&forge), readable + 1);
    assert_eq!(forge.verify(FOUNDER).verdict, Verdict::Valid);
}

#[test]
fn who_stands_beyond_what_one_entry_can_name_is_obeyed_all_the_same() {
    // Each entry names at most 64 other logs: by their ids alone, the founder's would not be among them here.
    let (forge, mut founder) = founded();
    let founding = founder.head();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    for number in 0..70_u8 {
        let mut pens = std::iter::repeat_with(|| Pen::begin(forge.vault, READER, &format!("N{number}")));
        let mut pen = pens.find(|pen| pen.id < founder.id).expect("one in ten has such an id");
        pen.say(&forge, &[founding], note("one of many devices"));
    }
    let device = Device { state: PathBuf::from("/ann"), ..device(Path::new("/"), "Ann", ANN) };
    let trust = Trust::VaultId(forge.vault);
    let card = super::forge::card(EVE);
    with(&forge.disk, device.machine, |setting| {
        let place = Request { trust: Some(&trust), ..request(Path::new(VAULT), &device, None) };
        let cards = std::slice::from_ref(&card);
        // Ann was never handed the custody key by an entry that counts: she can read nothing here.
        let outcome = add(setting, &AddRequest { place, cards, roles: &[Role::Sealer], handle: None });
        assert!(matches!(outcome, Err(VaultError::NoKey)), "{outcome:?}");
    });
    let wraps = forge.wraps(CUSTODY, &[ANN]);
    let key = forge.key_id(CUSTODY);
    founder.say(&forge, &[], Event::Share { key, wraps, dummies: Vec::new() });
    with(&forge.disk, device.machine, |setting| {
        let place = Request { trust: Some(&trust), ..request(Path::new(VAULT), &device, None) };
        let cards = std::slice::from_ref(&card);
        let added = add(setting, &AddRequest { place, cards, roles: &[Role::Sealer], handle: None }).expect("added");
        assert_eq!((added.admitted.len(), added.given.len()), (1, 1));
        let place = Request { trust: Some(&trust), ..request(Path::new(VAULT), &device, None) };
        let request = RemoveRequest { place, member: "Eve", reason: RemoveReason::Left, trust_up_to: &[] };
        assert_eq!(remove(setting, &request).expect("removed").renewed.len(), 1);
    });
    forge.finds(&[]);
}

#[test]
fn a_hundred_members_are_admitted_handed_keys_and_outlive_a_removal() {
    let (disk, world) = on_a_failing_disk();
    let card = |number: u8| {
        let name = Pseudonym::parse(&format!("Member {number}")).expect("a name");
        Card::sign(&name, &Seed::from_bytes(&[100 + number; 32]).keys())
    };
    let cards: Vec<Card> = (0..100).map(card).collect();
    let added = adds(&disk, &world, &cards, &[Role::Sealer, reader()]).expect("added");
    assert_eq!((added.admitted.len(), added.given.len(), added.awaited.len()), (100, 1, 100));
    let trust = Trust::VaultId(world.created.vault);
    let by_reader = |what: &str| {
        with(&disk, world.reader.machine, |setting| {
            let granted = grant_here(setting, &request(&world.vault, &world.reader, Some(&trust))).expect(what);
            (granted.given.iter().map(|given| given.members.len()).collect::<Vec<_>>(), granted.left.len())
        })
    };
    assert_eq!(by_reader("granted"), (vec![100], 0));
    assert_eq!(by_reader("nothing left"), (vec![], 0));
    let removed = removes(&disk, &world, "Member 7").expect("removed");
    let holders: Vec<usize> = removed.renewed.iter().map(|renewed| renewed.holders.len()).collect();
    assert_eq!(holders, [102, 100], "custody: all but one; main: 99 of these and the reader");
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!((verified.verdict, verified.findings.len()), (Verdict::Valid, 0), "{:?}", verified.findings);
    let (all, _) = with(&disk, world.monitor.machine, |setting| {
        list(setting, &request(&world.vault, &world.monitor, None)).expect("listed")
    });
    assert_eq!(all.iter().filter(|listed| listed.awaits.is_empty()).count(), 103);
    assert_eq!(all.iter().filter(|listed| listed.removed.is_some()).count(), 1);
}
