//! What is sealed can be listed, opened and verified by those who may, and by nobody else.

use std::path::Path;
use std::sync::Arc;

use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::vault::VaultError;
use amparo::vault::findings::Verdict;
use amparo::vault::parallel::alone;
use amparo::vault::verify::Level;

use super::people::World;

#[test]
fn a_sealed_file_is_opened_by_its_reader_and_by_nobody_else() {
    let world = World::new();
    let source = world.write("sources/testimony.md", b"# What I saw\n\nFirst.\n\nSecond.\n");
    let sealed = world.seal(&[source], false).expect("sealed");
    assert_eq!(sealed.exhibits.len(), 1);
    assert_eq!(sealed.exhibits[0].id, "K7-0001");
    assert_eq!(sealed.readers, ["Harbour"]);
    assert!(sealed.failure.is_none() && sealed.skipped.is_empty() && !sealed.opened_before);

    let refused = world.open(&world.lawyer, "K7-0001", &world.path("no"));
    assert!(matches!(refused, Err(VaultError::NotReadable { .. })), "{refused:?}");
    let refused = world.open(&world.monitor, "K7-0001", &world.path("no"));
    assert!(matches!(refused, Err(VaultError::NotReadable { .. })), "{refused:?}");

    let opened = world.open(&world.reader, "k7-1", &world.path("out")).expect("opened");
    assert!(opened.unrecorded.is_none(), "{:?}", opened.unrecorded);
    let bytes = std::fs::read(&opened.exhibits[0].path).expect("the file");
    assert_eq!(bytes, b"# What I saw\n\nFirst.\n\nSecond.\n");
    assert_eq!(opened.exhibits[0].path, world.path("out/K7-0001/content/testimony.md"));
    assert!(world.path("out/K7-0001/record.json").exists());

    let listed = world.list(&world.monitor).expect("listed");
    assert!(listed[0].record.is_none() && listed[0].sealer == "Blue Heron" && listed[0].section == "main");
    let listed = world.list(&world.reader).expect("listed");
    let record = listed[0].record.as_ref().expect("a reader sees it");
    assert_eq!(record.field("content/paragraphs"), Some("3"));
    assert_eq!(record.field("original/media_type"), Some("text/markdown"));
}

#[test]
fn every_level_finds_an_honest_vault_valid() {
    let world = World::new();
    let mut sources = Vec::new();
    for (name, bytes) in [("a.txt", vec![b'a'; 100]), ("empty", Vec::new()), ("big.bin", vec![7; 40 << 20])] {
        sources.push(world.write(&format!("s/{name}"), &bytes));
    }
    sources.push("-".into());
    world.write("folder/inner/x.txt", b"x");
    world.write("folder/y.txt", b"yy");
    let sealed = world.seal(&sources, false).expect("sealed");
    assert_eq!(sealed.exhibits.len(), 4);
    let together = world.seal(&[world.path("folder")], true).expect("sealed");
    assert_eq!(together.exhibits[0].id, "K7-0005");

    for (who, level) in
        [(&world.lawyer, Level::Custody), (&world.monitor, Level::Custody), (&world.reader, Level::Content)]
    {
        let verified = world.verify(who).expect("verified");
        assert_eq!(
            (verified.verdict, verified.level, verified.trusted),
            (Verdict::Valid, level, true),
            "{:?}",
            verified.findings
        );
        assert_eq!(verified.exhibits, 5);
        assert!(!verified.not_checked.is_empty());
    }
    for id in ["K7-0001", "K7-0002", "K7-0003", "K7-0004", "K7-0005"] {
        let opened = world.open(&world.reader, id, &world.path("all")).expect("opened");
        assert!(opened.exhibits[0].path.exists(), "{id}: {:?}", opened.exhibits[0].path);
    }
    assert_eq!(std::fs::read(world.path("all/K7-0005/content/inner/x.txt")).expect("x"), b"x");
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!(verified.verdict, Verdict::Valid, "{:?}", verified.findings);
    assert_eq!(verified.logs.len(), 2, "the reader's log has its openings");
}

#[test]
fn the_register_has_its_own_record() {
    let world = World::new();
    let source = world.write("s/t.txt", b"words");
    let register = [("person/name".to_string(), "Somebody".to_string())];
    let sealed = world.seal_with(&[source], false, &register).expect("sealed");
    assert_eq!((sealed.register.as_deref(), sealed.exhibits[0].id.as_str()), (Some("K7-0002"), "K7-0001"));
    let verified = world.verify(&world.reader).expect("verified");
    assert_eq!(verified.verdict, Verdict::Valid, "{:?}", verified.findings);
    let listed = world.list(&world.reader).expect("listed");
    assert_eq!(listed[1].section, "register");
    assert_eq!(listed[0].record.as_ref().expect("a record").field("source/register"), Some("K7-0002"));
}

#[test]
fn small_files_are_sealed_first_and_work_is_committed_often() {
    let world = World::new();
    let sizes = [("d", 4000), ("b", 20), ("c", 300), ("a", 1)];
    let sources: Vec<_> = sizes.iter().map(|(name, size)| world.write(&format!("s/{name}"), &vec![1; *size])).collect();
    let sealed = world.seal_slowly(&sources, &mut || ()).expect("sealed");
    let bytes: Vec<u64> = sealed.exhibits.iter().map(|exhibit| exhibit.bytes).collect();
    assert_eq!(bytes, [1, 20, 300, 4000]);
    assert_eq!(sealed.head.expect("a signed state").size, 3, "the founding, and one entry for each thirty seconds");
    let verified = world.verify(&world.reader).expect("verified");
    assert_eq!((verified.verdict, verified.exhibits), (Verdict::Valid, 4), "{:?}", verified.findings);
}

/// The lists of a sealing hold up to 4,096 exhibits: whoever mixes those of several does not wait for each list again and again.
#[test]
fn exhibits_of_several_sealings_cost_the_same_in_any_order() {
    let disk = FaultyDisk::new(Rules::Ext4);
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    for folder in ["a", "b"] {
        for name in ["one", "other"] {
            disk.put(&world.path(folder).join(name), format!("{folder} {name}").as_bytes());
        }
        assert_eq!(world.seal(&[world.path(folder)], false).expect("sealed").exhibits.len(), 2);
    }
    let opened = |ids: &[&str]| {
        let twin = disk.twin();
        let there = world.moved_to(Arc::new(twin.clone()));
        // Threads side by side may ask for the lists of two sealings in turn, as chance has it.
        let opened = alone(|| there.open_all(&there.reader, ids, &there.path("out"))).expect("opened");
        assert!(opened.unrecorded.is_none() && opened.failure.is_none(), "{opened:?}");
        let opened: Vec<String> = opened.exhibits.into_iter().map(|exhibit| exhibit.id).collect();
        (opened, twin.operations())
    };
    let ids = ["K7-0001", "K7-0002", "K7-0003", "K7-0004"];
    let (in_order, operations) = opened(&ids);
    assert_eq!(in_order, ids);
    assert_eq!(opened(&["k7-3", "K7-0001", "K7-0004", "K7-0002", "K7-0003"]), (in_order, operations));
    // Of one sealing two cost no more lists than one; of the other, so many more operations.
    let [alone, of_one, of_two] = [&ids[..1], &ids[..2], &[ids[0], ids[2]]].map(|ids| opened(ids).1);
    assert!(of_one - alone < of_two - alone, "{alone}, {of_one}, {of_two} operations");
    assert_eq!(operations - of_one, of_one - alone + of_two - alone, "{alone}, {of_one}, {of_two}, {operations}");
}
