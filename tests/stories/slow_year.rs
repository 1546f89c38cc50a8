//! *The slow year*: nobody meets. What is new goes by pouch, in both directions; some are lost, some come twice or out of
//! order, answers go by phone as text, and some of these are lost too. The copies end with the same verdict and story.

use std::collections::BTreeSet;

use super::{Dice, joins, story, types, verdict};
use crate::commands::harness::World;

const PEOPLE: [(&str, &str); 3] = [("heron", "Blue Heron"), ("tern", "Grey Tern"), ("owl", "Grey Owl")];
const INCREMENTS: usize = 100;
const SEED: u64 = 0x2026_1124;

/// The year so far: what is on the road, and to whom.
struct Year {
    world: World,
    dice: Dice,
    /// Pouches by their number, by the index of whoever will get them.
    road: [Vec<usize>; 3],
    /// Those that somebody took in.
    taken: [BTreeSet<usize>; 3],
    lost: usize,
    twice: usize,
    out_of_order: usize,
    answered: usize,
}

#[test]
fn whatever_the_road_does_the_copies_end_alike() {
    let mut year = Year::begin();
    for increment in 0..INCREMENTS {
        year.world.later(60 * 24 * 3);
        year.packs(increment);
        let who = year.dice.below(3);
        if year.dice.below(2) == 0 {
            year.unpacks(who, increment);
        }
    }
    let counts = [year.lost, year.twice, year.out_of_order, year.answered];
    assert!(counts.into_iter().all(|count| count > 5), "{counts:?}");
    year.ends();
    let world = &year.world;
    let (told, sealed) = (story(world, "heron"), verdict(world, "heron")["exhibits"].clone());
    assert!(told.as_array().expect("entries").len() > INCREMENTS);
    assert!(sealed.as_u64() > Some(30), "{sealed}");
    for (who, _) in PEOPLE {
        let found = verdict(world, who);
        assert_eq!((&found["verdict"], &found["exhibits"]), (&"valid".into(), &sealed), "{who}, {SEED:#x}: {found:#}");
        assert_eq!(story(world, who), told, "{who} tells another story, seed {SEED:#x}");
    }
    // Nobody signed for less than she was offered, because it was still on the road.
    for entry in told.as_array().expect("entries").iter().filter(|entry| entry["event"] == "acknowledge") {
        assert_ne!(entry["status"], "acknowledged with discrepancies", "{entry:#}");
    }
}

impl Year {
    fn begin() -> Self {
        let world = World::new();
        for (who, pseudonym) in PEOPLE {
            joins(&world, who, pseudonym);
        }
        let init = ["init", "evidence", "--handle", "K7", "--sealer", "../tern.card", "--reader", "../owl.card"];
        world.run("heron", &init).exits(0);
        // The first pouch to a newcomer is how the vault reaches her.
        let pack = ["pack", "--to", "Grey Tern", "--to", "Grey Owl", "-o", "../first", "--no-input"];
        types(&world, "heron", &pack).exits(0);
        for who in ["tern", "owl"] {
            world.run(who, &["unpack", "../first", "-o", "evidence", "--owner", "../heron.card"]).exits(0);
        }
        let (road, taken) = Default::default();
        Self { world, dice: Dice(SEED), road, taken, lost: 0, twice: 0, out_of_order: 0, answered: 0 }
    }

    /// Somebody does something and packs what the others lack.
    fn packs(&mut self, increment: usize) {
        let from = self.dice.below(3);
        let (who, _) = PEOPLE[from];
        if who == "owl" {
            types(&self.world, who, &["custody", "note", "The road is closed."]).exits(0);
        } else {
            let name = format!("statement-{increment}.txt");
            self.world.write(&format!("{who}/{name}"), name.as_bytes());
            types(&self.world, who, &["seal", &name, "--kind", "document"]).exits(0);
        }
        let all = self.dice.below(4) == 0;
        let first = (from + 1 + self.dice.below(2)) % 3;
        let to: Vec<usize> = (0..3).filter(|one| *one != from && (all || *one == first)).collect();
        let pouch = format!("pouch-{increment}");
        let file = format!("../{pouch}");
        let mut pack = vec!["pack", "--no-input", "-o", &file];
        pack.extend(to.iter().flat_map(|one| ["--to", PEOPLE[*one].1]));
        // Of what others sealed, something may be on its way to her: that is told.
        let packed = types(&self.world, who, &pack);
        assert!(packed.exit == 0 || (packed.exit == 4 && packed.err.contains("not here")), "{}", packed.err);
        for one in to {
            if self.dice.below(4) == 0 { self.lost += 1 } else { self.road[one].push(increment) }
        }
    }

    /// One of the pouches on the road arrives, not always the oldest; or one that came before comes again.
    fn unpacks(&mut self, who: usize, increment: usize) {
        if self.road[who].is_empty() {
            return;
        }
        let comes_again = !self.taken[who].is_empty() && self.dice.below(4) == 0;
        let pouch = if comes_again {
            let which = self.dice.below(self.taken[who].len());
            *self.taken[who].iter().nth(which).expect("one of them")
        } else {
            let which = self.dice.below(self.road[who].len());
            self.road[who].swap_remove(which)
        };
        self.out_of_order += usize::from(!comes_again && self.taken[who].last().is_some_and(|last| *last > pouch));
        self.taken[who].insert(pouch);
        let name = PEOPLE[who].0;
        let answer = format!("answer-{increment}-{name}");
        let file = format!("../{answer}");
        let unpack = format!("../pouch-{pouch}");
        let unpack = ["unpack", &unpack, "--no-input"];
        if comes_again {
            let copy = format!("{name}/evidence");
            let before = self.world.tree(&copy);
            types(&self.world, name, &unpack).exits(0);
            assert_eq!(self.world.tree(&copy), before, "what came before changes nothing, seed {SEED:#x}");
            self.twice += 1;
            return;
        }
        types(&self.world, name, &[&unpack[..], &["--sign", "--answer", &file]].concat()).exits(0);
        if self.world.path(&answer).exists() && self.dice.below(3) > 0 {
            self.answered += 1;
            for (other, _) in PEOPLE.iter().filter(|(other, _)| *other != name) {
                // Whoever did not offer cannot open it.
                let merged = types(&self.world, other, &["merge", &file, "--no-input"]);
                assert!(merged.exit == 0 || merged.exit == 12, "{other}, {answer}: {}", merged.err);
            }
        }
    }

    /// At the end of the year the road is open: sealed files by pouch, and then the last words by text, which adds none.
    fn ends(&mut self) {
        let send = |from: usize, to: &[usize], name: &str| {
            let file = format!("../{name}");
            let mut pack = vec!["pack", "--no-input", "-o", &file];
            pack.extend(to.iter().flat_map(|one| ["--to", PEOPLE[*one].1]));
            // What was lost on its way to her she cannot hand on; the founder in the end has it from its sealer.
            let packed = types(&self.world, PEOPLE[from].0, &pack);
            let lacks = packed.exit == 4 && packed.err.contains("not here") && from != 0;
            assert!(packed.exit == 0 || lacks, "{}", packed.err);
            for one in to {
                types(&self.world, PEOPLE[*one].0, &["unpack", &file, "--no-input"]).exits(0);
            }
        };
        send(1, &[0], "last-1");
        send(2, &[0], "last-2");
        send(0, &[1, 2], "last-3");
        for (round, (from, to)) in [(1, &[0][..]), (2, &[0]), (0, &[1, 2])].into_iter().enumerate() {
            let file = format!("../words-{round}");
            let mut pack = vec!["pack", "--answers", "-o", &file];
            pack.extend(to.iter().flat_map(|one| ["--to", PEOPLE[*one].1]));
            if types(&self.world, PEOPLE[from].0, &pack).exit == 0 {
                for one in to {
                    types(&self.world, PEOPLE[*one].0, &["merge", &file, "--no-input"]).exits(0);
                }
            }
        }
    }
}
