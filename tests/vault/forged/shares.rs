//! Keys that are split: what each reader was promised, and who may hand a key on.

use amparo::crypto::envelope;
use amparo::crypto::shares::{self, Share};
use amparo::format::event::{Event, NewKey, Wrap};
use amparo::format::share_file::{LentShare, ShareFile};
use amparo::vault::VaultError;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::quorum::Lent;
use amparo::vault::session::{Person, Request, Session};

use crate::vault::forge::{
    ANN, FOUNDER, Forge, LATER, MONITOR, Pen, READER, admit, assert_found, card, founded, keys, member,
};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

/// Shares of a secret for two readers, as a key of section main has them.
fn split(secret: u8, name: u8) -> [ShareFile; 2] {
    let shares: [Share; 2] =
        shares::split(&[secret; 32], 2, 2, &mut rand_core::OsRng).try_into().expect("as many as were asked for");
    let scope = || "main".parse().expect("a scope");
    shares.map(|share| ShareFile { scope: scope(), epoch: 1, split: [name; 16], total: 2, share })
}

/// A key that is split between two readers, as an owner brings it.
fn split_key(forge: &Forge, by: &Pen, change: impl Fn(&mut ShareFile)) -> NewKey {
    key_in_shares(forge, by, split(LATER, 7), change)
}

fn key_in_shares(forge: &Forge, by: &Pen, shares: [ShareFile; 2], change: impl Fn(&mut ShareFile)) -> NewKey {
    let whole = forge.new_key(by.id, "main", 1, LATER, &[]);
    let wraps = [READER, ANN].into_iter().zip(shares).map(|(who, mut file)| {
        let said = file.described();
        change(&mut file);
        Wrap { member: member(who), file: forge.put_wrap(whole.id(&by.id), &file.print(), who), share: Some(said) }
    });
    let mut wraps: Vec<Wrap> = wraps.collect();
    wraps.sort_by_key(|wrap| wrap.member);
    NewKey { wraps, ..whole }
}

#[test]
fn a_share_that_is_not_the_one_promised_is_the_fault_of_who_handed_it_out() {
    type Change = fn(&mut ShareFile);
    let flip: Change = |file| {
        let mut bytes = *file.share.as_bytes();
        bytes[9] ^= 1;
        file.share = shares::Share::from_bytes(&bytes).expect("a share");
    };
    let changes: [(bool, Change); 6] = [
        (true, |_| {}),
        (false, flip),
        (false, |file| file.epoch = 0),
        (false, |file| file.scope = "register".parse().expect("a scope")),
        (false, |file| file.split = [8; 16]),
        (false, |file| file.total = 3),
    ];
    for (at, (holds, change)) in changes.into_iter().enumerate() {
        let (forge, mut founder) = founded();
        founder.say(&forge, &[], admit(ANN, &["reader/main"]));
        let key = split_key(&forge, &founder, change);
        let own = key.wraps.iter().find(|wrap| wrap.member == member(READER)).expect("hers").file;
        let path = format!("keys/{}/{own}.age", forge.key_id(LATER));
        founder.say(&forge, &[], Event::Rotate { keys: vec![key] });
        let wrong = [(Check::Key, INVALID, path.as_str())];
        assert_found(&forge.verify(READER), if holds { &[] } else { &wrong });
        assert_found(&forge.verify(MONITOR), &[]);
        assert!(at < 6);
    }
    // A whole key where a share was promised breaks the promise as well: she alone would open what two were to open.
    let (forge, mut founder) = founded();
    let mut key = split_key(&forge, &founder, |_| {});
    let whole = forge.wraps(LATER, &[READER]).remove(0).file;
    let wrap = key.wraps.iter_mut().find(|wrap| wrap.member == member(READER)).expect("hers");
    let before = std::mem::replace(&mut wrap.file, whole);
    forge.remove(&format!("keys/{}/{before}.age", forge.key_id(LATER)));
    founder.say(&forge, &[], admit(ANN, &["reader/main"]));
    founder.say(&forge, &[], Event::Rotate { keys: vec![key] });
    forge.finds(&[(Check::Key, INVALID, &format!("keys/{}/{whole}.age", forge.key_id(LATER)))]);
}

/// What the reader opens of section main, with what Ann lent her.
fn opens(forge: &Forge, lent: &[&ShareFile]) -> Result<bool, VaultError> {
    let lent = lent.iter().map(|file| {
        let (from, to) = (member(ANN), member(READER));
        let file = ShareFile::clone(file);
        let share = LentShare { vault: forge.vault, key: forge.key_id(LATER), from, to, file };
        let bytes = envelope::seal(&share.print(), &[&card(READER).keys().age]).bytes;
        Lent { name: "ann.share".into(), bytes }
    });
    let lent: Vec<Lent> = lent.collect();
    forge.as_member(READER, |setting, request| {
        let mut person = Person::new(card(READER).name().clone(), keys(READER), true);
        person.lent = lent;
        let session = Session::open(setting, &Request { person: Some(&person), ..*request })?;
        Ok(session.ring.content(&forge.key_id(LATER)).is_some())
    })
}

#[test]
fn a_second_split_hides_no_share() {
    for order in [[7, 8], [8, 7]] {
        let (forge, mut founder) = founded();
        founder.say(&forge, &[], admit(ANN, &["reader/main"]));
        let (real, other) = (split(LATER, order[0]), split(MONITOR, order[1]));
        let lent = [real[1].clone(), other[1].clone()];
        let mut key = key_in_shares(&forge, &founder, real, |_| {});
        key.wraps.extend(forge.wraps(LATER, &[FOUNDER]));
        key.wraps.sort_by_key(|wrap| wrap.member);
        founder.say(&forge, &[], Event::Rotate { keys: vec![key] });
        // Who holds it whole hands out shares of something else.
        let NewKey { wraps, .. } = key_in_shares(&forge, &founder, other, |_| {});
        founder.say(&forge, &[], Event::Share { key: forge.key_id(LATER), wraps, dummies: Vec::new() });
        assert!(opens(&forge, &[&lent[0]]).expect("hers came with the key"));
        assert!(!opens(&forge, &[&lent[1]]).expect("one of another splitting, beside hers"));
        assert!(opens(&forge, &[]).is_ok_and(|opens| !opens));
    }
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["reader/main"]));
    let wrong = split(MONITOR, 7);
    let lent = wrong[1].clone();
    founder.say(&forge, &[], Event::Rotate { keys: vec![key_in_shares(&forge, &founder, wrong, |_| {})] });
    assert!(matches!(opens(&forge, &[&lent]), Err(VaultError::SharesOfNothing { .. })), "shares of something else");
}

#[test]
fn who_holds_a_share_has_no_key_to_hand_on() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["reader/main"]));
    founder.say(&forge, &[], Event::Rotate { keys: vec![split_key(&forge, &founder, |_| {})] });
    let wraps = forge.wraps(LATER, &[MONITOR]);
    let path = format!("keys/{}/{}.age", forge.key_id(LATER), wraps[0].file);
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], Event::Share { key: forge.key_id(LATER), wraps, dummies: Vec::new() });
    forge.finds(&[(Check::Authority, INVALID, &ann.at(0)), (Check::Foreign, INCOMPLETE, &path)]);
}
