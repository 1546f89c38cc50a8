//! The house keeps its floors: what each may name, how long files may be, what nothing may be called, and that no
//! trace of a machine or of a registry gets into the tree. Every rule is also shown a case that it must refuse.

mod rust_text;
mod self_tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rust_text::{code_only, paths, tokens, without_tests};

/// From the ground up; each may use those before it.
const FLOORS: [&str; 5] = ["crypto", "format", "store", "vault", "cli"];

const LINES_MAX: usize = 400;

/// Files that may be longer than [`LINES_MAX`], each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// What one file may name although its floor may not, each with its reason: (file, path as in [`BANS`], reason).
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("store/confine/calls.rs", "std::env", "the kind of machine that it was built for, which is no environment")];

/// What only the floors in `allowed` may name. The file at the door (`main.rs`) and the map (`lib.rs`) are held to
/// none but the bans on everyone.
struct Ban {
    what: &'static str,
    allowed: &'static [&'static str],
    named: &'static [&'static str],
}

const BANS: &[Ban] = &[
    Ban { what: "the disk", allowed: &["store"], named: &["std::fs", "os::unix::fs", "rustix::fs", "tempfile"] },
    Ban {
        what: "the clock",
        allowed: &["cli"],
        named: &["SystemTime::now", "Instant::now", "Zoned::now", "Timestamp::now"],
    },
    Ban { what: "the environment", allowed: &["cli"], named: &["std::env", "env::var", "env::var_os"] },
    Ban {
        what: "the terminal",
        allowed: &["cli"],
        named: &[
            "print!",
            "println!",
            "eprint!",
            "eprintln!",
            "dbg!",
            "io::stdin",
            "io::stdout",
            "io::stderr",
            "clap",
            "indicatif",
            "rpassword",
            "signal_hook",
        ],
    },
    // age draws its own randomness, and its recipients are in crypto; everything above gets it passed in.
    Ban { what: "randomness of its own", allowed: &["crypto", "cli"], named: &["OsRng", "thread_rng", "getrandom"] },
    Ban { what: "the network", allowed: &[], named: &["std::net", "os::unix::net", "rustix::net"] },
];

/// Methods of `Path` that ask the disk; the disk's own floor alone may call them.
const DISK_METHODS: [&str; 6] = ["canonicalize", "exists", "read_dir", "read_link", "symlink_metadata", "try_exists"];

/// Names that say nothing: of files, folders and modules, and as part of a type's name.
const EMPTY_NAMES: [&str; 6] = ["utils", "helper", "helpers", "common", "manager", "misc"];
const EMPTY_TYPES: [&str; 4] = ["Utils", "Helper", "Manager", "Misc"];

/// Pieced together, so that this file may be searched like any other.
const MACHINE_PATHS: [&str; 2] = [concat!("/", "work"), concat!("/", "root")];
const TEMPORARY_PATH: &str = concat!("/", "tmp");
const REGISTRY_HOSTS: [&str; 8] = [
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("golang", ".org/dl"),
    concat!("proxy.", "golang"),
    concat!("deb", ".debian.org"),
];

/// What other programs put into the tree and `.gitignore` leaves out, wherever it lies.
const IGNORED: [&str; 6] = [".git", "target", "node_modules", "__pycache__", "artifacts", "corpus"];

/// How every lock file names Rust's default registry, whatever mirror the crates came from.
const DEFAULT_REGISTRY: &str = concat!("registry+https://github.com/rust-lang/crates", ".io-index");

#[test]
fn dependencies_point_down() {
    assert_none(&each_source(upward));
}

#[test]
fn disk_clock_environment_and_terminal_stay_on_their_floors() {
    assert_none(&each_source(|file, text| banned(file, text, EXCEPTIONS)));
    let stale = EXCEPTIONS.iter().filter(|(file, named, _)| {
        let text = fs::read_to_string(home().join("src").join(file)).unwrap_or_default();
        !banned(file, &text, &[]).iter().any(|finding| finding.contains(named))
    });
    assert_none(
        &stale
            .map(|(file, named, _)| format!("{file} no longer names {named}: drop the exception"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_are_short_and_their_names_say_something() {
    let mut findings = Vec::new();
    for file in tree().iter().filter(|file| is_rust(file)) {
        let text = fs::read_to_string(home().join(file)).expect("a file of the tree is readable");
        findings.extend(too_long(file, &text, LONG_FILES));
        findings.extend(empty_names(file, &text));
    }
    assert_none(&findings);
}

#[test]
fn no_trace_of_a_machine_or_of_a_registry() {
    let mut findings = Vec::new();
    for file in tree() {
        let bytes = fs::read(home().join(&file)).expect("a file of the tree is readable");
        findings.extend(traces(&file, &String::from_utf8_lossy(&bytes)));
    }
    assert_none(&findings);
}

/// Paths of `text` that lead from its floor to a higher one, or to something that stands on no floor.
fn upward(file: &str, text: &str) -> Vec<String> {
    let Some(floor) = floor_of(file) else { return Vec::new() };
    let code = code_only(text);
    let code = without_tests(&code, &code);
    let tokens = tokens(&code);
    let mut findings = Vec::new();
    for path in paths(&tokens) {
        let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
        let target = match path.segments.first().map(String::as_str) {
            Some("crate") => path.segments.get(1),
            Some("super") if supers == module_depth(file) => path.segments.get(supers),
            _ => continue,
        };
        let line = path.line;
        match target.map(|name| (name, FLOORS.iter().position(|other| other == name))) {
            Some((_, Some(other))) if other <= floor => {}
            Some((name, Some(_))) => findings.push(format!("{file}:{line}: {} may not use {name}", FLOORS[floor])),
            Some((name, None)) => findings.push(format!("{file}:{line}: {name} stands on no floor")),
            // `pub(crate)` names no path; a renamed root would hide one.
            None if code.lines().nth(line - 1).is_some_and(|line| line.contains("(crate)")) => {}
            None => findings.push(format!("{file}:{line}: the root itself has no name here")),
        }
    }
    findings
}

/// Paths and methods that the floor of `file` may not name.
fn banned(file: &str, text: &str, exceptions: &[(&str, &str, &str)]) -> Vec<String> {
    let floor = floor_of(file).map(|index| FLOORS[index]);
    let code = code_only(text);
    let code = without_tests(&code, &code);
    let tokens = tokens(&code);
    let mut findings = Vec::new();
    for path in paths(&tokens) {
        for ban in BANS.iter().filter(|ban| floor.map_or(ban.allowed.is_empty(), |name| !ban.allowed.contains(&name))) {
            let named = ban.named.iter().find(|named| names(&path.segments, named));
            let Some(named) = named.filter(|named| !excepted(exceptions, file, named)) else { continue };
            findings.push(format!("{file}:{}: {named}: {} is not for this floor", path.line, ban.what));
        }
    }
    for call in tokens.windows(4).filter(|_| !matches!(floor, None | Some("store"))) {
        let [dot, method, open, close] = call else { continue };
        let asks = [dot.text, open.text, close.text] == [".", "(", ")"] && DISK_METHODS.contains(&method.text);
        if asks && !excepted(exceptions, file, method.text) {
            findings.push(format!("{file}:{}: .{}() asks the disk", method.line, method.text));
        }
    }
    findings
}

fn excepted(exceptions: &[(&str, &str, &str)], file: &str, named: &str) -> bool {
    exceptions.iter().any(|(excepted, what, _)| *excepted == file && *what == named)
}

/// Whether `wanted` stands anywhere in the path: `io::stdout` is found in `std::io::stdout` too.
fn names(segments: &[String], wanted: &str) -> bool {
    let wanted: Vec<&str> = wanted.split("::").collect();
    // A crate or a function stands at an end of its path; a variable of ours may well be called like it.
    if wanted.len() == 1 && wanted[0].starts_with(char::is_lowercase) && !wanted[0].ends_with('!') {
        let ends = [segments.first(), segments.last()];
        return segments.len() > 1 && ends.into_iter().flatten().any(|end| end == wanted[0]);
    }
    segments.windows(wanted.len()).any(|window| window.iter().zip(&wanted).all(|(a, b)| a == b))
}

fn too_long(file: &str, text: &str, listed: &[(&str, &str)]) -> Option<String> {
    let lines = text.lines().count();
    match listed.iter().find(|(name, _)| *name == file) {
        None if lines > LINES_MAX => Some(format!("{file}: {lines} lines; split it, or list it with a reason")),
        Some(_) if lines <= LINES_MAX => Some(format!("{file}: {lines} lines; drop it from the list of long files")),
        Some((_, reason)) if reason.len() < 20 => Some(format!("{file}: a long file needs a reason")),
        _ => None,
    }
}

fn empty_names(file: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for part in file.trim_end_matches(".rs").split('/').filter(|part| EMPTY_NAMES.contains(part)) {
        findings.push(format!("{file}: `{part}` says nothing"));
    }
    let code = code_only(text);
    for pair in tokens(&code).windows(2) {
        let name = pair[1].text;
        let empty = match pair[0].text {
            "mod" => EMPTY_NAMES.contains(&name),
            "struct" | "enum" | "trait" | "type" => EMPTY_TYPES.iter().any(|part| name.contains(part)),
            _ => false,
        };
        if empty {
            findings.push(format!("{file}:{}: `{name}` says nothing", pair[1].line));
        }
    }
    findings
}

/// Places where `text` names a folder of somebody's machine or the host of a package registry.
fn traces(file: &str, text: &str) -> Vec<String> {
    let of_tests = file.starts_with("tests/");
    let shipped = if is_rust(file) { without_tests(text, &code_only(text)) } else { text.to_owned() };
    let mut findings = Vec::new();
    for (index, (line, shipped_line)) in text.lines().zip(shipped.lines()).enumerate() {
        let mut found: Vec<&str> = MACHINE_PATHS.into_iter().filter(|path| names_folder(line, path)).collect();
        if !of_tests && names_folder(shipped_line, TEMPORARY_PATH) {
            found.push(TEMPORARY_PATH);
        }
        let elsewhere = line.replace(DEFAULT_REGISTRY, "");
        found.extend(REGISTRY_HOSTS.into_iter().filter(|host| elsewhere.contains(host)));
        if file == "Cargo.lock" && elsewhere.starts_with("source = ") && elsewhere != r#"source = """# {
            found.push("a source of its own");
        }
        findings.extend(found.iter().map(|what| format!("{file}:{}: names {what}", index + 1)));
    }
    findings
}

/// Whether `folder` stands in `line` as an absolute path, not as the middle of a longer one or of a word.
fn names_folder(line: &str, folder: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || "_-.}".contains(c);
    line.match_indices(folder).any(|(at, _)| {
        !line[..at].ends_with(word) && !line[at + folder.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "rs")
}

fn floor_of(file: &str) -> Option<usize> {
    let first = file.split('/').next()?.trim_end_matches(".rs");
    FLOORS.iter().position(|floor| *floor == first)
}

/// How many `super` lead from the module in `file` (below `src/`) to the root.
fn module_depth(file: &str) -> usize {
    file.split('/').filter(|part| *part != "mod.rs").count()
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the project, relative to it, without what `.gitignore` leaves out.
fn tree() -> BTreeSet<String> {
    let python = home().join("tests/peers/python");
    let mut files = BTreeSet::new();
    let mut folders = vec![home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree is readable") {
            let entry = entry.expect("a folder of the tree is readable");
            let path = entry.path();
            let name = entry.file_name();
            if IGNORED.iter().any(|ignored| name == *ignored) || path == python || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(home()).expect("the walk started at home");
                files.insert(below.to_string_lossy().into_owned());
            }
        }
    }
    files
}

/// What `rule` finds in the sources that are shipped, named as below `src/`.
fn each_source(rule: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    let files = tree();
    let sources = files.iter().filter_map(|file| file.strip_prefix("src/")).filter(|file| is_rust(file));
    let shipped: Vec<&str> = sources.filter(|file| !file.split('/').any(|part| part.starts_with("tests"))).collect();
    assert!(shipped.len() > FLOORS.len(), "the walk found only {shipped:?}");
    let read = |file: &str| fs::read_to_string(home().join("src").join(file)).expect("a source is UTF-8");
    shipped.into_iter().flat_map(|file| rule(file, &read(file))).collect()
}

fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
