//! What is done with a share that was lent, where several must come together; and keys handed on to whoever a pouch let in.

use amparo::store::faulty::FaultyDisk;
use amparo::vault::VaultError;

use super::super::super::people::World;
use super::typed::{at_home, is_said, prepared, read, types};
use super::{Act, PLAIN, READERS, check, members, pouches};

const SHARE: &str = "paper/share.txt";

/// Something is sealed to two readers of whom neither opens alone, and one lent hers to the other.
fn lent(disk: &FaultyDisk, world: &World) {
    prepared(disk, world);
    members::split_key(disk, world);
    for (who, words) in [
        (&world.lawyer, &["seal", "s/first.txt"][..]),
        (&world.reader, &["identity", "lend", "--to", "Lantern", "-o", SHARE]),
    ] {
        let said = types(world, &at_home(who, "two"), words, b"", &mut || ());
        assert_eq!(said.exit, 0, "{words:?}: {}", said.err);
    }
}

fn with_share(world: &World, words: &[&str]) -> Result<bool, VaultError> {
    let words = [words, &["--share", SHARE]].concat();
    let said = types(world, &at_home(&world.monitor, "two"), &words, b"", &mut || ());
    // What is opened and could not be recorded is told, and no failure: it may lie on a medium that nobody can write.
    let is_recorded = !said.err.contains("could not be entered in the custody record");
    said.done().map(|done| done && is_recorded)
}

fn has_opened(world: &World) -> Result<(), String> {
    let read = read(world, "opened/L2-0001/content/first.txt");
    check(read.is_some_and(|read| read == b"the first"), "what was opened is not there")?;
    is_said(world, ("two", &world.monitor), "open")
}

pub(super) static ACTS: [Act; 3] = [
    Act {
        name: "open --share",
        copy: "two",
        who: |world| &world.monitor,
        before: lent,
        run: |world, _| with_share(world, &["open", "L2-0001", "-o", "opened", "--overwrite"]),
        effect: has_opened,
        ..PLAIN
    },
    Act {
        name: "verify --share",
        copy: "two",
        who: |world| &world.monitor,
        before: lent,
        run: |world, _| with_share(world, &["verify"]),
        ..PLAIN
    },
    Act {
        name: "unpack --grant",
        before: |disk, world| {
            prepared(disk, world);
            assert!(members::adds(world, &mut || ()).expect("added"));
            pouches::packed(disk, world);
        },
        run: |world, _| {
            let words = ["unpack", "/stick/whole.bin", "--grant"];
            types(world, &at_home(&world.reader, "copy"), &words, b"", &mut || ()).done()
        },
        says: &[("admit", 1), ("share", 2), ("seal", 2)],
        ..READERS
    },
];
