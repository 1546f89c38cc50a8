//! How forged vaults begin.

use amparo::crypto::envelope;
use amparo::crypto::merkle::Growing;
use amparo::format::document::Document;
use amparo::format::entry::{Entry, entry_leaf};
use amparo::format::event::{Event, Found};
use amparo::format::ids::{LogId, VaultId};
use amparo::format::vault_file;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::layout;

use super::forge::{
    CUSTODY, FOUNDER, Forge, MAIN, MONITOR, Pen, READER, REGISTER, SEALER, VAULT, admission, vault_key,
};
use crate::vectors::{case, written};

/// A vault of which the founder seals, a reader, a monitor and another sealer are members: the case `founded` among the
/// vectors, so that every vault that is forged from it differs from it in little.
pub(crate) fn founded() -> (Forge, Pen) {
    if !case::home().join("founded").exists() {
        let (forge, pen) = found();
        let mut lines: case::Lines = vec![
            ("check".into(), "vault".into()),
            ("title".into(), "a vault as it is founded".into()),
            ("base".into(), "empty".into()),
        ];
        lines.extend(forge.head(READER));
        lines.extend(written::changes(&written::Files::new(), &written::files_below(&forge.disk, VAULT)));
        if written::wanted() {
            written::complete("founded", lines);
        }
        return (forge, pen);
    }
    let disk = case::made(&case::read("founded"));
    let mut forge = Forge::on(disk);
    let name = forge.names("logs/").into_iter().find(|name| name.contains("/entries/")).expect("the founding entry");
    let padded = envelope::open(&forge.read(&name), &[&vault_key(CUSTODY)]).expect("it is to the custody key");
    let (entry, length) = Entry::decode_padded(&padded).expect("an entry");
    let leaf = entry_leaf(&padded[..length]);
    forge.vault = VaultId(leaf);
    let mut tree = Growing::default();
    tree.push(leaf);
    let begins = entry.begins.expect("it begins its log");
    for (scope, seed) in [("custody", CUSTODY), ("main", MAIN), ("register", REGISTER)] {
        forge.brings(entry.log, scope, 0, seed);
    }
    (forge, Pen { who: FOUNDER, vault: VaultId(leaf), id: entry.log, begins, tree, next_number: 1 })
}

/// Founds it.
fn found() -> (Forge, Pen) {
    founding_with(&[])
}

/// Founds a vault with more sections, each with its key.
pub(crate) fn founding_with(sections: &[(&str, u8, &[u8])]) -> (Forge, Pen) {
    let mut forge = Forge::on(FaultyDisk::new(Rules::Ext4));
    let mut pen = Pen::begin(VaultId::UNFOUNDED, FOUNDER, "K7");
    let mut found = founding(&forge, pen.id);
    if let Event::Found(found) = &mut found {
        found
            .keys
            .extend(sections.iter().map(|(scope, seed, holders)| forge.new_key(pen.id, scope, 0, *seed, holders)));
        found.keys[1..].sort_by_key(|key| key.scope.to_string());
    }
    pen.say(&forge, &[], found);
    forge.vault = pen.vault;
    forge.put(&layout::vault_file(), vault_file::print(&forge.vault).as_bytes());
    (forge, pen)
}

/// The event that founds it, said in this log.
pub(crate) fn founding(forge: &Forge, by: LogId) -> Event {
    let everybody = [FOUNDER, READER, MONITOR, SEALER];
    Event::Found(Found {
        founder: admission(FOUNDER, &["owner", "sealer"]),
        members: vec![
            admission(READER, &["reader/main", "reader/register"]),
            admission(MONITOR, &["monitor"]),
            admission(SEALER, &["sealer"]),
        ],
        keys: vec![
            forge.new_key(by, "custody", 0, CUSTODY, &everybody),
            forge.new_key(by, "main", 0, MAIN, &[READER]),
            forge.new_key(by, "register", 0, REGISTER, &[READER]),
        ],
        monitors_needed: 1,
        continues: Vec::new(),
    })
}
