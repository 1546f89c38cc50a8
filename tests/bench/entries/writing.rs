//! What the verbs take that write. Each reads the whole story before it says anything, and what takes in another copy
//! reads it again afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use amparo::store::real::RealDisk;
use amparo::store::{Disk, RelPath};
use amparo::vault::cosign::make::cosign;
use amparo::vault::custody::acknowledge::{AcknowledgeRequest, acknowledge};
use amparo::vault::custody::offer::{Circumstances, OfferRequest, Receiver, offer};
use amparo::vault::findings::Verdict;
use amparo::vault::merge::{MergeRequest, merge};
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pack::{PackRequest, pack};
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::unpack::{UnpackRequest, found_copy, unpack};
use amparo::vault::session::Request;
use amparo::vault::verify::VerifyRequest;

use crate::copied::copy_all;
use crate::timed;
use crate::vault::{Many, seal_all, with};

/// One handover, from the monitor's copy to the founder and back, in `folder`, where the vault lies as well.
pub(crate) fn all(many: &Many, folder: &Path, opening: Duration) {
    let beside = Some(opening);
    let more = [folder.join("one more.txt")];
    fs::write(&more[0], "One more page").expect("a source");
    timed("seal of one small file", beside, || seal_all(&many.request(), &more));
    let copy = folder.join("copy");
    copy_all(&many.vault, &copy);
    let state = folder.join("state of the monitor");
    let (new, new_state) = (folder.join("new"), folder.join("state of a new device"));
    let monitor = |vault, state| Request { vault, state, person: Some(&many.monitor), ..many.request() };
    timed("custody offer", beside, || {
        let to = Receiver { typed: many.founder.card().name().to_string(), card: None };
        let told = Circumstances::default();
        let request = OfferRequest { place: monitor(&copy, &state), to: &to, ids: &[], told: &told };
        with(&many.monitor, |setting| offer(setting, &request).expect("offered"));
    });
    timed("merge of a copy with one more entry", beside, || {
        let source = RealDisk.folder(&copy).expect("the copy");
        let request = MergeRequest { place: many.request(), source, replace_damaged: false, whole_or_nothing: false };
        let merged = with(&many.founder, |setting| merge(setting, &request).expect("merged"));
        assert_eq!(merged.entries, 1, "{merged:?}");
    });
    timed("custody acknowledge", beside, || {
        let request = AcknowledgeRequest { place: many.request(), offer: None, sign_older: false };
        let signed = with(&many.founder, |setting| acknowledge(setting, &request).expect("acknowledged"));
        assert_eq!(signed.weight(), Verdict::Valid, "{:#?}", signed.discrepancies);
    });
    timed("verify --cosign", beside, || {
        let place = monitor(&many.vault, &state);
        let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
        let (_, cosigned, _) = with(&many.monitor, |setting| cosign(setting, &request).expect("cosigned"));
        println!("  {} states signed", cosigned.signed.len());
    });
    let pouch = timed("pack --to, all of it", beside, || packed(many, folder));
    timed("unpack into a new folder", beside, || {
        fs::create_dir(&new).expect("a folder");
        let pieces = Pieces::gather(&RealDisk, std::slice::from_ref(&pouch)).expect("a pouch");
        let opened = Opened::open(pieces, &[&many.monitor.keys.age]).expect("to the monitor");
        let pouch = Arc::new(Archive::read(opened, &pouch).expect("read"));
        let request = UnpackRequest { place: monitor(&new, &new_state), pouch: &pouch, salvage: false };
        let merged = with(&many.monitor, |setting| {
            found_copy(setting, &new, &pouch).expect("begun");
            unpack(setting, &request).expect("unpacked")
        });
        assert!(merged.entries > many.entries as u64, "{} entries came", merged.entries);
    });
}

fn packed(many: &Many, folder: &Path) -> PathBuf {
    let to = [Receiver { typed: many.monitor.card().name().to_string(), card: None }];
    let (told, name) = (Circumstances::default(), "all.amparo");
    let request = PackRequest {
        place: many.request(),
        to: &to,
        ids: &[],
        told: &told,
        out: (folder, &RelPath::parse(name).expect("a name")),
        parity: None,
        volume_bytes: None,
    };
    with(&many.founder, |setting| pack(setting, &request).expect("packed"));
    folder.join(name)
}
