//! Who relied on what came too late: found in random histories, and told here by hand.

use amparo::format::role::Role;
use amparo::store::faulty::Rules;
use amparo::vault::findings::{Check, Verdict};

use super::acts::Act;
use super::{Founded, LAWYER, MONITOR, READER, SEALER, Story};

/// Sparrow lets Tern in; an owner removes Sparrow without having heard of it, another owner lets Tern in as well. What Tern
/// said by then rests on what came too late: it does not count, and Tern broke no rule. Found as history 259.
#[test]
fn who_relied_on_what_came_too_late_is_not_accused() {
    let mut story = Story::begin(1, &Founded::on(Rules::Ext4));
    let tern = 4;
    let admits = |roles: &[Role]| Act::Admit(tern, roles.to_vec());
    story.act(SEALER, &admits(&[Role::Monitor]), 0).expect("admitted");
    story.sit_down(tern, SEALER, "newcomer");
    assert_eq!(story.seats.len(), 5);
    story.act(LAWYER, &Act::Remove(SEALER, false), 0).expect("removed");
    story.act(READER, &admits(&[Role::Monitor]), 0).expect("admitted");
    story.end(false);
    let found = story.findings(LAWYER);
    let undecided: Vec<_> = found.iter().filter(|(_, check, _)| *check == Check::Authority).collect();
    assert!(matches!(undecided.as_slice(), [(Verdict::Incomplete, _, said)] if said.contains("an owner can adopt")));
}

/// Sparrow lets Tern in; the monitor, who has heard of it, takes in what Tern says and names it; the lawyer, who has not,
/// removes Sparrow. Tern's record is no evidence any more; and no copy may lack, for good, what an honest monitor has named.
/// Found as history 2330.
#[test]
fn what_an_honest_member_named_goes_along_though_it_does_not_count() {
    let mut story = Story::begin(1, &Founded::on(Rules::Ext4));
    let tern = 4;
    story.act(SEALER, &Act::Admit(tern, vec![Role::Monitor]), 0).expect("admitted");
    story.sit_down(tern, SEALER, "newcomer");
    let seat = story.seats.len() - 1;
    story.act(LAWYER, &Act::Remove(SEALER, false), 0).expect("removed");
    story.act(MONITOR, &Act::Merge(seat), 0).expect("merged");
    story.act(MONITOR, &Act::Note, 0).expect("noted");
    // From hand to hand: the lawyer never sees the copy that Tern's record lies in as evidence.
    story.act(LAWYER, &Act::Merge(MONITOR), 0).expect("merged");
    story.act(READER, &Act::Merge(LAWYER), 0).expect("merged");
    for who in [LAWYER, READER] {
        let found = story.findings_at_the_end(who);
        let checks: Vec<_> = found.iter().map(|(weight, check, _)| (*weight, *check)).collect();
        assert_eq!(checks, [(Verdict::Incomplete, Check::Foreign)], "at {who}: {found:#?}");
    }
    story.end(false);
}
