//! Parity as an independent implementation makes it, from the text of FORMAT § 6.10: Python, byte for byte.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use amparo::crypto::envelope;
use amparo::crypto::recipient::Identity;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Disk, Mode, RelPath};
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::volumes::VolumeWriter;

use super::run;
use crate::peers;
use crate::vault::people::Stopped;

#[test]
fn python_makes_the_same_parity_from_the_text_of_the_format() {
    let Some(python) = peers::program("python3") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/parity.py");
    // One cell and a bit; several fragments' worth of table, and cells that are no power of two.
    for (bytes, share) in [(3_000, 100), (9_000, 3), (170_000, 10)] {
        let plaintext: Vec<u8> =
            (0..bytes).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let pouch = envelope::seal(&plaintext, &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
        let disk = FaultyDisk::new(Rules::Ext4);
        let folder = disk.create_folder(Path::new("/stick"), Mode::Open).expect("made");
        disk.put(Path::new("/pouch"), &pouch);
        let pieces = Pieces::gather(&disk, &["/pouch".into()]).expect("a pouch");
        let name = RelPath::parse("parity").expect("a name");
        make_parity(&Stopped, &pieces, share, (&*folder, &name), None).expect("made");
        let ours = folder.read(&name, 1 << 24).expect("there");
        let theirs = run(Command::new(&python).arg(&script).arg(share.to_string()), &pouch);
        assert_eq!(ours.len(), theirs.len(), "{bytes} bytes, {share} %");
        let first = ours.iter().zip(&theirs).position(|(one, other)| one != other);
        assert_eq!(first, None, "{bytes} bytes, {share} %: they differ");
    }
}

#[test]
fn stock_tools_join_volumes() {
    let (Some(_), Some(shell)) = (peers::program("tail"), peers::program("sh")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let plaintext = vec![7; 300_000];
    let pouch = envelope::seal(&plaintext, &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
    let disk = amparo::store::real::RealDisk;
    let source = folder.path().join("pouch");
    std::fs::write(&source, &pouch).expect("written");
    let id = Pieces::gather(&disk, &[source]).expect("a pouch").id().expect("a header");
    let opened = disk.folder(folder.path()).expect("opened");
    let name = RelPath::parse("p").expect("a name");
    let size = Some(100_000);
    let mut writer = VolumeWriter::begin(&*opened, &name, (id, pouch.len() as u64), size).expect("begun");
    writer.write_all(&pouch).expect("written");
    writer.finish().expect("kept");
    let command = "for file in p.0*; do tail -c +4097 \"$file\" | head -c -4096; done";
    let joined = run(Command::new(shell).args(["-c", command]).current_dir(folder.path()), b"");
    assert!(joined == pouch);
}
