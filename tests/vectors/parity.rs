//! Parity as an independent implementation makes it, from the text of FORMAT § 6.10: Python, byte for byte.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use amparo::crypto::envelope;
use amparo::crypto::recipient::Identity;
use amparo::format::parity::{Grid, Layout};
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Disk, Mode, RelPath};
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::volumes::VolumeWriter;

use super::run;
use crate::peers;
use crate::vault::people::Stopped;

/// As this program makes it.
fn parity(pouch: &[u8], share: u16) -> Vec<u8> {
    let disk = FaultyDisk::new(Rules::Ext4);
    let folder = disk.create_folder(Path::new("/stick"), Mode::Open).expect("made");
    disk.put(Path::new("/pouch"), pouch);
    let pieces = Pieces::gather(&disk, &["/pouch".into()]).expect("a pouch");
    let name = RelPath::parse("parity").expect("a name");
    make_parity(&Stopped, &pieces, share, (&*folder, &name), None).expect("made");
    folder.read(&name, 1 << 24).expect("there")
}

#[test]
fn python_makes_the_same_parity_from_the_text_of_the_format() {
    let _row = crate::soak::row(11);
    let Some(python) = peers::program("python3") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/parity.py");
    // One cell and a bit; several fragments' worth of table, and cells that are no power of two.
    for (bytes, share) in [(3_000, 100), (9_000, 3), (170_000, 10)] {
        let plaintext: Vec<u8> =
            (0..bytes).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let pouch = envelope::seal(&plaintext, &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
        let ours = parity(&pouch, share);
        let theirs = run(Command::new(&python).arg(&script).arg(share.to_string()), &pouch);
        assert_eq!(ours.len(), theirs.len(), "{bytes} bytes, {share} %");
        let first = ours.iter().zip(&theirs).position(|(one, other)| one != other);
        assert_eq!(first, None, "{bytes} bytes, {share} %: they differ");
    }
}

/// A pouch of two rows: some packets of each, the first and the last among them.
#[test]
fn python_makes_the_same_packets_of_a_pouch_of_several_rows() {
    let _row = crate::soak::row(11);
    let Some(python) = peers::program("python3") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/parity.py");
    let plaintext: Vec<u8> =
        (0..16_800_000).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[0]).collect();
    let pouch = envelope::seal(&plaintext, &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
    let layout = Layout::of(Grid::of(pouch.len() as u64).expect("short"), 1).expect("a share");
    assert_eq!(layout.grid.rows, 2);
    let ours = parity(&pouch, 1);
    let wanted = [(0, 0), (1, 1), (1, layout.recovery - 1)];
    let named: Vec<String> = wanted.iter().map(|(row, index)| format!("{row}:{index}")).collect();
    let theirs = run(Command::new(&python).arg(&script).arg("1").args(&named), &pouch);
    let packet_bytes = usize::try_from(layout.packet_bytes()).expect("short");
    let at = |(row, index): (u64, u64)| usize::try_from(layout.slot(row, index)).expect("few") * packet_bytes;
    let picked: Vec<u8> = wanted.iter().flat_map(|wanted| &ours[at(*wanted)..][..packet_bytes]).copied().collect();
    assert!(picked == theirs, "they differ");
}

#[test]
fn stock_tools_join_volumes() {
    let _row = crate::soak::row(11);
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
