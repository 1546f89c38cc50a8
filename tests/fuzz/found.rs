//! What a search of a device, as `border-check` makes it, takes the bytes of a file for.

use std::path::Path;
use std::time::Duration;

use amparo::crypto::hash::Hash;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::vault::border_check::{SearchRequest, search};
use amparo::vault::device::Kind;
use amparo::vault::{Clock, Setting, Stage, Watch};
use jiff::ZonedDateTime;
use rand_core::OsRng;

/// What a search of a device takes a file for: by what it holds, whatever it is called.
pub(crate) fn device(bytes: &[u8]) -> bool {
    let found = found_on_a_device("/home/notes.txt", bytes);
    assert_eq!(found_on_a_device("/home/DSC_0042.JPG", bytes), found);
    !found.is_empty()
}

/// What is found where a device holds nothing but one file.
pub(crate) fn found_on_a_device(name: &str, bytes: &[u8]) -> Vec<Kind> {
    let (disk, nowhere) = (FaultyDisk::new(Rules::Ext4), Path::new("/nowhere"));
    disk.put(Path::new(name), bytes);
    let named = ["/home".into()];
    let request =
        SearchRequest { identity: nowhere, state: nowhere, vault: None, named: &named, always: &[], home: None };
    let (clock, watch, rng) = (&Nobody, &Nobody, &mut OsRng);
    let mut setting = Setting { disk: &disk, clock, rng, watch, machine: Hash::ZERO };
    let search = search(&mut setting, &request).expect("it is looked at");
    let locked = vec![None; search.locked().len()];
    let finds = search.judge(&mut setting, &locked).expect("judged").finds.into_iter();
    finds.filter(|find| find.path == Path::new(name)).map(|find| find.kind).collect()
}

/// Nobody waits, and it is always the same moment.
struct Nobody;

impl Clock for Nobody {
    fn now(&self) -> ZonedDateTime {
        ZonedDateTime::default()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Watch for Nobody {
    fn begin(&self, _: Stage, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn stopped(&self) -> bool {
        false
    }
}
