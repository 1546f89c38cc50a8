//! Programs and libraries of others that the tests run for real, so that no layer is only ever read by its own
//! writer. A test that lacks its peer, or a right that it needs, says so and passes; under `AMPARO_PEERS=required` it fails.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program on the search path.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    found(name, std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file()))
}

/// A package that npm installed from `package.json`: its folder.
pub(crate) fn node_module(name: &str) -> Option<PathBuf> {
    program("node")?;
    found(&format!("the npm package {name}"), existing(node_modules().join(name)))
}

/// The folder of all npm packages, for `NODE_PATH`. Only `require` heeds that: a script that uses `import` has to
/// stand in this folder, so that Node finds the packages beside it.
pub(crate) fn node_modules() -> PathBuf {
    home().join("node_modules")
}

/// A Python interpreter that has the packages of `requirements.txt`.
pub(crate) fn python() -> Option<PathBuf> {
    found("the Python environment of tests/peers", existing(home().join("python/bin/python3")))
}

/// The `GOPATH` in which Debian keeps `golang.org/x/mod/sumdb/note`; Go must run with `GO111MODULE=off`.
pub(crate) fn go_path() -> Option<PathBuf> {
    program("go")?;
    let path = PathBuf::from("/usr/share/gocode");
    let note = path.join("src/golang.org/x/mod/sumdb/note");
    found("Go's sumdb/note", existing(note).map(|_| path))
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.exists().then_some(path)
}

/// Whether this user has a right that a test needs; without it, the same as without a peer.
pub(crate) fn right(to: &str, has: bool) -> bool {
    found(&format!("the right to {to}"), has.then_some(())).is_some()
}

fn found<T>(peer: &str, path: Option<T>) -> Option<T> {
    let required = std::env::var_os("AMPARO_PEERS").is_some_and(|value| value == "required");
    report(peer, path, required)
}

fn report<T>(peer: &str, path: Option<T>, required: bool) -> Option<T> {
    if path.is_none() {
        assert!(!required, "{peer} is missing, and AMPARO_PEERS=required");
        let thread = std::thread::current();
        // Not `eprintln!`: the test harness would swallow it.
        let _ = writeln!(std::io::stderr(), "SKIPPED {}: {peer} is missing", thread.name().unwrap_or("?"));
    }
    path
}

fn succeeds(command: &mut Command) {
    let output = command.output().expect("a peer that was found can be started");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn programs_answer() {
    for (name, flag) in [
        ("age", "--version"),
        ("node", "--version"),
        ("openssl", "version"),
        ("sha256sum", "--version"),
        ("strace", "-V"),
        ("tar", "--version"),
        ("tmux", "-V"),
    ] {
        if let Some(path) = program(name) {
            succeeds(Command::new(path).arg(flag));
        }
    }
}

#[test]
fn npm_packages_load() {
    for name in ["age-encryption", "@noble/post-quantum"] {
        let (Some(node), Some(folder)) = (program("node"), node_module(name)) else { return };
        let entry = if name == "age-encryption" { name.to_owned() } else { format!("{name}/ml-dsa.js") };
        let script = format!("await import('{entry}')");
        let beside = node_modules().join("..");
        assert!(folder.starts_with(node_modules()));
        succeeds(Command::new(node).args(["--input-type=module", "-e", &script]).current_dir(beside));
    }
    let _ = node_module("cctv-age");
}

#[test]
fn python_has_messagepack_and_ml_dsa() {
    let Some(python) = python() else { return };
    let script = "import msgpack; from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey";
    succeeds(Command::new(python).args(["-c", script]));
}

#[test]
fn go_reads_signed_notes() {
    let (Some(go), Some(path)) = (program("go"), go_path()) else { return };
    let cache = tempfile::tempdir().expect("a temporary folder can be made");
    let list = ["list", "golang.org/x/mod/sumdb/note"];
    let mut command = Command::new(go);
    succeeds(command.args(list).env("GOPATH", path).env("GO111MODULE", "off").env("GOCACHE", cache.path()));
}

#[test]
fn a_missing_peer_is_skipped_or_fails_as_asked() {
    assert_eq!(report("the peer of this example", None::<PathBuf>, false), None);
    let asked = std::panic::catch_unwind(|| report("the peer of this example", None::<PathBuf>, true));
    assert!(asked.is_err(), "a required peer was missing and nothing failed");
}
