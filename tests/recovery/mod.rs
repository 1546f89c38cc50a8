//! Everything comes back without the program: the commands of docs/RECOVERY.md are run as they stand there, with stock
//! tools and the short scripts of this folder alone, and what they say of a tampered copy is not that all is well.

mod tampered;
mod volumes;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use amparo::crypto::envelope::seal_with_passphrase;
use amparo::crypto::hash::unhex;
use amparo::crypto::seed::Seed;
use amparo::format::identity_file::IdentityFile;
use amparo::store::RelPath;
use amparo::store::real::RealDisk;
use amparo::vault::cosign::make::cosign;
use amparo::vault::custody::offer::{Circumstances, Receiver};
use amparo::vault::findings::Verdict;
use amparo::vault::pouch::pack::{PackRequest, pack};
use amparo::vault::session::Trust;
use amparo::vault::verify::VerifyRequest;

use crate::vault::people::{World, request, with};
use crate::{peers, soak};

const PAGE: &str = include_str!("../../docs/RECOVERY.md");
const PASSPHRASE: &str = "four words of heron";
const TESTIMONY: &[u8] = "# Lo que vi\r\n\nEl cuatro de mayo.\n \t\nNadie volvió.\n\n".as_bytes();

/// What the archivist has: a folder with the vault, the reader's identity file, the founder's card, a receipt, and
/// the folder of scripts. The world is kept so that its temporary folder is.
struct Desk {
    world: World,
    folder: PathBuf,
    python: PathBuf,
}

impl Desk {
    /// A vault with one exhibit of each form; `None` where a peer is missing.
    fn new(large: usize) -> Option<Self> {
        for program in ["age", "openssl", "sha256sum", "tar"] {
            peers::program(program)?;
        }
        for package in ["age-encryption", "@noble/post-quantum"] {
            peers::node_module(package)?;
        }
        peers::go_path()?;
        let python = peers::python()?;
        let world = World::new();
        let folder = world.path("desk");
        let desk = Self { world, folder, python };
        desk.seal_one_of_each(large);
        desk.lay_out();
        Some(desk)
    }

    fn seal_one_of_each(&self, large: usize) {
        let world = &self.world;
        let seal = |paths: &[PathBuf], together| drop(world.seal(paths, together).expect("sealed"));
        seal(&[world.write("sources/testimonio.md", TESTIMONY)], false);
        seal(&[world.write("sources/film.bin", &film(large)), "-".into()], false);
        for (name, bytes) in folder_files() {
            let path = world.path("sources/papers").join(std::ffi::OsStr::from_bytes(name));
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        seal(&[world.path("sources/papers")], true);
        let register = [("person/name".to_string(), "Somebody".to_string())];
        world.seal_with(&[world.write("sources/empty", b"")], false, &register).expect("sealed");
        // A second log, of which the archivist was told nothing.
        world.open(&world.reader, "K7-0001", &world.path("opened")).expect("opened");
        // And a monitor who has signed what she saw.
        let trust = Trust::VaultId(world.created.vault);
        let cosigned = with(&RealDisk, world.monitor.machine, |setting| {
            let place = request(&world.vault, &world.monitor, Some(&trust));
            cosign(setting, &VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] })
        });
        assert_eq!(cosigned.expect("cosigned").1.signed.len(), 2);
    }

    fn lay_out(&self) {
        let (world, folder) = (&self.world, &self.folder);
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a file");
        std::fs::create_dir(folder).expect("a folder");
        std::fs::rename(&world.vault, folder.join("vault")).expect("the vault is on the desk");
        std::os::unix::fs::symlink(folder.join("vault"), &world.vault).expect("and where it was");
        let name = world.reader.person.card().name().clone();
        let identity = IdentityFile { name, seed: Seed::from_bytes(&[2; 32]) };
        write("identity.age", &seal_with_passphrase(&identity.to_bytes(), PASSPHRASE).bytes);
        write("founder.card", world.lawyer.person.card().as_bytes());
        write("other.card", world.monitor.person.card().as_bytes());
        write("receipt.txt", world.receipt(&world.lawyer, "K7-0002").expect("a receipt").print().as_bytes());
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        std::fs::create_dir(folder.join("recovery")).expect("a folder");
        for script in std::fs::read_dir(home.join("recovery")).expect("this folder").flatten() {
            if script.path().is_file() {
                std::fs::copy(script.path(), folder.join("recovery").join(script.file_name())).expect("a copy");
            }
        }
        std::fs::copy(home.join("vectors/verify.go"), folder.join("recovery/verify.go")).expect("a copy");
        std::os::unix::fs::symlink(peers::node_modules(), folder.join("recovery/node_modules")).expect("a link");
    }

    /// A pouch to the reader came as well, as `pouch.bin`.
    fn gets_pouch(&self) {
        let world = &self.world;
        let vault = self.folder.join("vault");
        let to = Receiver { typed: "Harbour".into(), card: None };
        let name = RelPath::parse("pouch.bin").expect("a name");
        let packed = with(&RealDisk, world.lawyer.machine, |setting| {
            let request = PackRequest {
                place: request(&vault, &world.lawyer, None),
                to: &[to],
                ids: &[],
                told: &Circumstances::default(),
                out: (&self.folder, &name),
                parity: None,
                volume_bytes: None,
            };
            pack(setting, &request)
        });
        assert!(packed.expect("packed").lacking.is_empty());
    }

    /// Runs commands as an archivist types them, under a terminal that knows the passphrase.
    fn run(&self, commands: &str) -> Output {
        let programs = self.python.parent().expect("a folder of programs").to_path_buf();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)));
        let mut command = Command::new(&self.python);
        command.arg(self.folder.join("recovery/terminal.py")).arg(PASSPHRASE).args(["bash", "-euo", "pipefail", "-c"]);
        command.arg(commands).current_dir(&self.folder).env("PATH", path.expect("no colon in it"));
        command.env("HOME", &self.folder).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONWARNINGS", "ignore");
        command.output().expect("python starts")
    }

    fn succeeds(&self, commands: &str) -> String {
        let output = self.run(commands);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{commands}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// Bytes that are the same in no two segments.
fn film(bytes: usize) -> Vec<u8> {
    (0..bytes.div_ceil(8) as u64).flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect()
}

fn folder_files() -> [(&'static [u8], &'static [u8]); 4] {
    let long =
        b"a/very/deep/folder/with/names/that/do/not/fit/into/the/one/hundred/bytes/of/an/old/tar/header/at/all.txt";
    [(b"broken \xff\xfe.txt", b"one"), ("carta número 1.txt".as_bytes(), b"two"), (long, b"three"), (b"none", b"")]
}

/// The commands of the page, in its order: its blocks marked `sh`.
fn commands() -> String {
    let blocks = PAGE.split("```sh\n").skip(1).map(|rest| rest.split("```").next().expect("a block ends"));
    blocks.collect::<Vec<_>>().join("\n")
}

/// The forms of decrypting that this machine has; the page shows both.
fn forms() -> Vec<String> {
    let npm = commands();
    let stock = npm.replace("DECRYPT='node recovery/decrypt.mjs'", "DECRYPT='age --decrypt --identity'");
    assert_ne!(npm, stock, "the page names the form that its test replaces");
    let version = Command::new("age").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).trim().trim_start_matches("v1.").to_owned();
    let is_new = version.split('.').next().and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 3);
    if is_new {
        return vec![stock, npm];
    }
    soak::tell("SKIPPED the stock form of the page: this age is older than 1.3, and opens no sealed file");
    vec![npm]
}

#[test]
fn the_commands_of_the_page_bring_everything_back() {
    let _row = soak::row(11);
    let Some(desk) = Desk::new(40 << 20) else { return };
    desk.gets_pouch();
    for commands in forms() {
        let said = desk.succeeds(&commands);
        assert!(!said.contains("FAILED") && said.matches("GOOD").count() >= 6 + 2 + 4, "{said}");
        for expected in ["Signature Verified Successfully", "the ML-DSA-44 signature holds", "K7-0006", "Lantern saw"] {
            assert!(said.contains(expected), "{expected} is not in\n{said}");
        }
        assert!(said.contains(&desk.world.created.vault.fingerprint()), "{said}");
        assert!(desk.read("everything/K7-0001/content/testimonio.md") == TESTIMONY, "the testimony");
        assert!(desk.read("K7-0001/content/testimonio.md") == TESTIMONY, "the testimony");
        assert!(desk.read("everything/K7-0002/content/film.bin") == film(40 << 20), "the film");
        assert!(desk.read("everything/K7-0003/content/part-000001") == b"from standard input", "standard input");
        assert!(desk.read("everything/K7-0005/content/empty").is_empty(), "the empty file");
        let register: serde_json::Value =
            serde_json::from_slice(&desk.read("everything/K7-0006/record.json")).expect("JSON");
        assert_eq!(register["fields"]["person/name"], "Somebody");
        assert!(!desk.folder.join("everything/K7-0006/content").exists(), "the register has no content");
        every_file_of_the_folder_has_its_name_and_bytes(&desk);
        what_came_in_the_pouch_is_a_copy_of_the_vault(&desk);
        for name in ["K7-0001", "everything", "found", "unpacked"] {
            std::fs::remove_dir_all(desk.folder.join(name)).expect("removed before the other form");
        }
    }
}

fn what_came_in_the_pouch_is_a_copy_of_the_vault(desk: &Desk) {
    let (vault, unpacked) = (desk.folder.join("vault"), desk.folder.join("unpacked"));
    let mut folders = vec![unpacked.clone()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).expect("a folder").flatten().map(|item| item.path()) {
            if item.is_dir() {
                folders.push(item);
            } else {
                let name = item.strip_prefix(&unpacked).expect("below");
                let same = std::fs::read(vault.join(name)).expect("the vault has it");
                assert!(std::fs::read(&item).expect("a file") == same, "{}", name.display());
                files += 1;
            }
        }
    }
    assert!(files > 20, "{files} files");
    let seen = desk.world.verify_at(&unpacked, &desk.world.reader).expect("verified");
    assert_eq!((seen.verdict, seen.exhibits), (Verdict::Valid, 6), "{:?}", seen.findings);
}

fn every_file_of_the_folder_has_its_name_and_bytes(desk: &Desk) {
    let listing: serde_json::Value =
        serde_json::from_slice(&desk.read("everything/K7-0004/listing.json")).expect("JSON");
    let listed = listing["files"].as_array().expect("files");
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = listed
        .iter()
        .map(|file| {
            let name = file["name"].as_str().map(|name| name.as_bytes().to_vec());
            let name = name.unwrap_or_else(|| from_hex(file["name_hex"].as_str().expect("a name or its bytes")));
            (name, desk.read(&format!("everything/K7-0004/{}", file["member"].as_str().expect("a member"))))
        })
        .collect();
    found.sort();
    let mut expected: Vec<(Vec<u8>, Vec<u8>)> =
        folder_files().iter().map(|(name, bytes)| (name.to_vec(), bytes.to_vec())).collect();
    expected.sort();
    assert_eq!(found, expected);
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.flat_map(|pair| unhex::<1>(pair).expect("hex")).collect()
}
