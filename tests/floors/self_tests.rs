//! Cases that each rule must refuse, and cases that look like them and must pass.

use super::*;

#[test]
fn an_upward_path_is_found_however_it_is_written() {
    for upward_path in [
        "use crate::vault::seal;",
        "use crate::{crypto::hash, vault};",
        "fn f() { crate::cli::main() }",
        "use super::super::store::Layout;",
        "use crate::Everything;",
        "use crate::*;",
        "use crate as root;",
    ] {
        assert_eq!(upward("format/card.rs", upward_path).len(), 1, "{upward_path}");
    }
    for fine in [
        "use crate::crypto::hash;",
        "use super::super::crypto::hash;",
        "use super::entry;",
        "pub(crate) struct Card;",
        "// use crate::vault::seal;",
        "const S: &str = \"use crate::vault::seal;\";",
        "#[cfg(test)]\nmod tests { use crate::vault::seal; }",
    ] {
        assert_eq!(upward("format/card.rs", fine), Vec::<String>::new(), "{fine}");
    }
    assert_eq!(upward("format/mod.rs", "use super::vault;").len(), 1);
    assert!(upward("cli/mod.rs", "use crate::vault::seal;").is_empty());
}

#[test]
fn each_ban_holds_on_its_floors_and_nowhere_else() {
    for (line, floors) in [
        ("use std::fs;", ["crypto", "format", "vault", "cli"].as_slice()),
        ("use std::{io, fs::File};", &["crypto", "format", "vault", "cli"]),
        ("fn f(p: &Path) -> bool { p.exists() }", &["crypto", "format", "vault", "cli"]),
        ("fn f() { let t = std::time::SystemTime::now(); }", &["crypto", "format", "store", "vault"]),
        ("fn f() { let t = Instant::now(); }", &["crypto", "format", "store", "vault"]),
        ("fn f() { let v = std::env::var(\"HOME\"); }", &["crypto", "format", "store", "vault"]),
        ("fn f() { println!(\"x\"); }", &["crypto", "format", "store", "vault"]),
        ("use std::io::{self, stderr};", &["crypto", "format", "store", "vault"]),
        ("use indicatif::ProgressBar;", &["crypto", "format", "store", "vault"]),
        ("use rand_core::OsRng;", &["format", "store", "vault"]),
        ("use std::net::TcpStream;", &FLOORS),
    ] {
        for floor in FLOORS {
            let expected = usize::from(floors.contains(&floor));
            assert_eq!(banned(&format!("{floor}/room.rs"), line, &[]).len(), expected, "{floor}: {line}");
        }
    }
    assert_eq!(banned("main.rs", "use std::net::TcpStream;", &[]).len(), 1);
}

#[test]
fn a_ban_is_not_confused_by_talk_tests_or_names_of_our_own() {
    for fine in [
        "/* std::fs::read */ //! println!\nfn f() { let s = \"std::fs::read\"; }",
        "#[cfg(test)]\nmod tests { use std::fs; fn f() { println!(\"x\"); } }",
        "fn f(clock: &dyn Clock) { clock.now(); store.exists(name); }",
        "const VERSION: &str = env!(\"CARGO_PKG_VERSION\");",
    ] {
        assert_eq!(banned("vault/seal.rs", fine, &[]), Vec::<String>::new(), "{fine}");
    }
    let exception = [("vault/seal.rs", "std::fs", "shown here only")];
    assert!(banned("vault/seal.rs", "use std::fs;", &exception).is_empty());
    assert_eq!(banned("vault/open.rs", "use std::fs;", &exception).len(), 1);
}

#[test]
fn long_files_need_a_reason_and_short_ones_none() {
    let long = "\n".repeat(LINES_MAX + 1);
    assert!(too_long("src/a.rs", &long, &[]).is_some());
    assert!(too_long("src/a.rs", &long, &[("src/a.rs", "")]).is_some());
    assert!(too_long("src/a.rs", &long, &[("src/a.rs", "one table, read from top to bottom")]).is_none());
    assert!(too_long("src/a.rs", "", &[("src/a.rs", "one table, read from top to bottom")]).is_some());
}

#[test]
fn empty_names_are_found_in_files_modules_and_types() {
    assert_eq!(empty_names("src/vault/utils.rs", "").len(), 1);
    assert_eq!(empty_names("tests/common/mod.rs", "").len(), 1);
    assert_eq!(empty_names("src/a.rs", "mod helpers;").len(), 1);
    assert_eq!(empty_names("src/a.rs", "struct KeyManager;").len(), 1);
    assert!(empty_names("src/cli/commands/util.rs", "// mod helpers\nfn common() {}").is_empty());
}

#[test]
fn traces_are_found_in_any_file() {
    for (file, line) in [
        ("docs/A.md", format!("see {}/main", MACHINE_PATHS[0])),
        ("tests/a.rs", format!("// {}/.config", MACHINE_PATHS[1])),
        ("src/a.rs", format!("const A: &str = \"{TEMPORARY_PATH}/a\";")),
        (".ci/run", format!("pip install --index-url https://{}/simple", REGISTRY_HOSTS[3])),
        ("Cargo.lock", "source = \"registry+https://mirror.example/index\"".to_owned()),
    ] {
        assert_eq!(traces(file, &line).len(), 1, "{file}: {line}");
    }
    for (file, line) in [
        ("tests/a.rs", format!("let a = \"{TEMPORARY_PATH}/a\";")),
        ("src/a.rs", format!("#[cfg(test)]\nmod tests {{ const A: &str = \"{TEMPORARY_PATH}/a\"; }}")),
        ("docs/A.md", "art/work/a, frame/rooted, https://example.org/root".to_owned()),
        ("Cargo.lock", format!("source = \"{DEFAULT_REGISTRY}\"")),
    ] {
        assert_eq!(traces(file, &line), Vec::<String>::new(), "{file}: {line}");
    }
}
