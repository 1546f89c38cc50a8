//! What one member does wrong lowers the verdict, and stops nobody's work but what rests on it.

use std::path::{Path, PathBuf};

use amparo::format::event::Event;
use amparo::format::role::Section;
use amparo::vault::VaultError;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::open::{OpenRequest, Opened, open};
use amparo::vault::seal::SealRequest;
use amparo::vault::session::{Request, Trust};

use crate::vault::forge::{Forge, MONITOR, Pen, READER, SEALER, VAULT, founded};
use crate::vault::forge_seal::{Exhibit, Twist};
use crate::vault::people::{Sealing, device, sealing, with};

fn opened_by_nobody() -> Event {
    Event::Open { exhibits: Vec::new(), reason: String::new() }
}

fn seals(forge: &Forge, who: u8) -> Result<Sealing, VaultError> {
    forge.disk.put(Path::new("/source.txt"), b"what was said");
    let device = device(Path::new("/device"), "Somebody", who);
    let trust = Trust::VaultId(forge.vault);
    with(&forge.disk, device.machine, |setting| {
        let person = Some(&*device.person);
        let request = SealRequest {
            place: Request { vault: Path::new(VAULT), state: &device.state, person, trust: Some(&trust) },
            paths: &[PathBuf::from("/source.txt")],
            together: false,
            section: Section::main(),
            fields: &[],
            register: &[],
            identity: None,
            readback: true,
            accepted: &[],
        };
        sealing(setting, &request, &mut std::io::empty())
    })
}

fn opens(forge: &Forge, id: &str) -> Result<Opened, VaultError> {
    let device = device(Path::new("/device"), "Reader", READER);
    let trust = Trust::VaultId(forge.vault);
    with(&forge.disk, device.machine, |setting| {
        let person = Some(&*device.person);
        let request = OpenRequest {
            place: Request { vault: Path::new(VAULT), state: &device.state, person, trust: Some(&trust) },
            ids: &[id.to_string()],
            out: Path::new("/opened"),
            overwrite: false,
            reason: "",
        };
        open(setting, &request)
    })
}

#[test]
fn a_monitor_who_says_what_she_may_not_stops_no_lawyer() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], opened_by_nobody());
    forge.finds(&[(Check::Authority, Verdict::Invalid, &monitor.at(0))]);
    let sealed = seals(&forge, SEALER).expect("sealed all the same");
    assert_eq!((sealed.exhibits.len(), sealed.overlooked.len()), (1, 1));
    let opened = opens(&forge, "K7-0001").expect("opened all the same");
    assert_eq!((opened.exhibits.len(), opened.overlooked.len()), (1, 1));
}

#[test]
fn nothing_is_built_on_an_owner_who_says_what_he_may_not() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    founder.say(&forge, &[], opened_by_nobody());
    assert!(matches!(seals(&forge, SEALER), Err(VaultError::Unsound(_))));
    assert!(matches!(opens(&forge, "K7-0001"), Err(VaultError::Unsound(_))));
}

#[test]
fn an_exhibit_is_not_opened_from_a_record_that_does_not_hold() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], opened_by_nobody());
    sealer.seal(&forge, &[Exhibit::text("two")], &Twist::default());
    assert!(matches!(opens(&forge, "S4-0001"), Err(VaultError::Unsound(_))));
    assert_eq!(opens(&forge, "K7-0001").expect("opened").exhibits.len(), 1);
}
