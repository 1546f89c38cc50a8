//! What the page says of a pouch in volumes is run as it stands there: the joining with stock tools, the repair with the program.

use std::path::Path;
use std::process::{Command, Output};

use amparo::format::volume::PAGE_BYTES;
use amparo::store::RelPath;
use amparo::store::real::RealDisk;
use amparo::vault::custody::offer::{Circumstances, Receiver};
use amparo::vault::pouch::pack::{PackRequest, pack};

use super::PAGE;
use crate::peers;
use crate::vault::people::{World, request, with};

const NAMES: [&str; 3] = ["trip.001", "trip.002", "trip.003"];

/// The commands of the section about volumes, in its order: whatever a line shows behind `$`.
fn commands() -> Vec<&'static str> {
    let (_, rest) = PAGE.split_once("### If the pouch came in volumes").expect("the section is there");
    let (section, _) = rest.split_once("\n## ").expect("another follows");
    let blocks = section.split("```console\n").skip(1).map(|rest| rest.split("```").next().expect("a block ends"));
    let lines = blocks.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.strip_prefix("$ ").expect("a command")).collect()
}

/// A pouch in three volumes, with parity, as the page names them, and how it was in one file.
fn came_in_volumes(world: &World) -> Vec<u8> {
    world.seal(&[world.write("sources/film.bin", &super::film(800_000))], false).expect("sealed");
    let folder = world.path("stick");
    std::fs::create_dir(&folder).expect("a folder");
    let (to, name) = (Receiver { typed: "Harbour".into(), card: None }, RelPath::parse("trip").expect("a name"));
    let packed = with(&RealDisk, world.lawyer.machine, |setting| {
        let request = PackRequest {
            place: request(&world.vault, &world.lawyer, None),
            to: &[to],
            ids: &[],
            told: &Circumstances::default(),
            out: (&folder, &name),
            parity: Some(10),
            volume_bytes: Some(500_000),
        };
        pack(setting, &request)
    });
    let (volumes, parity) = packed.expect("packed").made;
    assert_eq!(volumes, NAMES, "the page joins three");
    let [parity] = &parity[..] else { panic!("the page has one parity file: {parity:?}") };
    std::fs::rename(folder.join(parity), folder.join("trip.parity")).expect("names tell nothing");
    let data = NAMES.iter().flat_map(|name| {
        let bytes = std::fs::read(folder.join(name)).expect("a volume");
        bytes[PAGE_BYTES..bytes.len() - PAGE_BYTES].to_vec()
    });
    data.collect()
}

fn run(folder: &Path, command: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_amparo")).parent().expect("a folder").to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&path)));
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", command]).current_dir(folder).env("PATH", path.expect("no colon in it"));
    shell.env("HOME", folder).output().expect("bash starts")
}

#[test]
fn the_commands_about_volumes_do_what_the_page_says() {
    let _row = crate::soak::row(11);
    if ["bash", "sha256sum"].into_iter().any(|name| peers::program(name).is_none()) {
        return;
    }
    let world = World::new();
    let (pouch, folder) = (came_in_volumes(&world), world.path("stick"));
    let said = |command: &str, exit: i32| {
        let output = run(&folder, command);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{command}\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let commands = commands();
    let [first, behind, hash, join, check, repair] = &commands[..] else { panic!("other commands: {commands:#?}") };
    // A volume says which it is, and whether it is undamaged.
    let page = said(first, 0);
    assert!(page.starts_with("pouch-volume/v1\npart 1 of 3\n"), "{page}");
    let told = said(behind, 0);
    let (told, hashed) = (told.trim().strip_prefix("sha256 ").expect("a hash"), said(hash, 0));
    assert_eq!(Some(told), hashed.split_whitespace().next());
    // Joined by stock tools they are the pouch.
    said(join, 0);
    let joined = || std::fs::read(folder.join("pouch.bin")).expect("it was written");
    assert!(joined() == pouch, "the joined volumes are another file");
    // With the program, damaged as they are.
    let mut torn = std::fs::read(folder.join(NAMES[1])).expect("a volume");
    torn[100_000..200_000].fill(0);
    std::fs::write(folder.join(NAMES[1]), &torn).expect("torn");
    assert!(said(check, 4).contains("all of it can be restored"));
    std::fs::remove_file(folder.join("pouch.bin")).expect("made anew");
    assert!(said(repair, 0).contains("repaired: pouch.bin"));
    assert!(joined() == pouch, "the repaired pouch is another file");
}
