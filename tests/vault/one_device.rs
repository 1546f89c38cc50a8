//! Two people work with one device, each with an identity of her own: what one was interrupted in, the other's next command
//! carries out, and never clears away.

use std::path::Path;
use std::sync::Arc;

use amparo::format::role::Role;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::findings::Verdict;
use amparo::vault::members::{AddRequest, add};

use super::people::{Device, World, device, request, with};

/// Another sealer at the lawyer's device.
fn kestrel(world: &World) -> Device {
    let Device { state, machine, .. } = &world.lawyer;
    Device { state: state.clone(), machine: *machine, ..device(&world.path(""), "Kestrel", 41) }
}

#[test]
fn what_one_identity_was_sealing_the_other_does_not_clear() {
    let base = FaultyDisk::new(Rules::Ext4);
    for name in ["hers", "mine", "next"] {
        base.put(Path::new(&format!("/home/s/{name}.txt")), name.as_bytes());
    }
    let world = World::on(Arc::new(base.clone()), Path::new("/home")).expect("founded");
    with(world.disk(), world.lawyer.machine, |setting| {
        let (place, cards) = (request(&world.vault, &world.lawyer, None), [kestrel(&world).person.card().clone()]);
        add(setting, &AddRequest { place, cards: &cards, roles: &[Role::Sealer], handle: Some("S4".into()) })
    })
    .expect("admitted");
    let (mut carried_out, mut nth) = (0, 0);
    loop {
        let disk = base.twin();
        disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
        let lawyer = world.moved_to(Arc::new(disk.clone()));
        let told = lawyer.seal(&[world.path("s/mine.txt")], false);
        if told.is_ok_and(|sealing| !sealing.exhibits.is_empty()) {
            break;
        }
        let left = disk.crash(nth);
        let mut other = world.moved_to(Arc::new(left.clone()));
        other.lawyer = kestrel(&world);
        other.seal(&[world.path("s/hers.txt")], false).expect("sealed");
        let lawyer = world.moved_to(Arc::new(left));
        let between = lawyer.verify(&lawyer.lawyer).expect("verified");
        lawyer.seal(&[world.path("s/next.txt")], false).expect("sealed");
        let found = lawyer.verify(&lawyer.lawyer).expect("verified");
        assert_eq!((between.verdict, found.verdict), (Verdict::Valid, Verdict::Valid), "{nth}: {:#?}", found.findings);
        assert_eq!(found.exhibits, between.exhibits + 1, "{nth}");
        carried_out += u64::from(between.exhibits == 2);
        nth += 1;
    }
    assert!(carried_out > 0, "of {nth} interruptions none came after the change was written down");
}
