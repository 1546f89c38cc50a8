"""The program with one check left out, a check at a time, before the harnesses of rows 4 to 6: each must turn red.

Nothing of this is in the program. A copy of it is made in which every check below can be left out, compiled once with
the tests of the vault, and run with none left out, which must be green, and then with each. Called by .ci/run; needs
Rust and Python alone.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
TREE = TARGET / "plants"

DAMAGED = "vault::damaged::whatever_is_damaged_is_noticed_and_named"
PLACED = "vault::damaged::each_bit_and_each_length_is_placed_by_its_check_in_its_file"
POUCHES = "vault::pouch_flips::whatever_is_damaged_is_noticed_and_placed"
KINDS = "vault::forged::kinds::of_a_forged_log_exactly_what_was_forged_is_found"
STATES = "vault::forged::states::a_states_name_tells_its_size_and_its_hash"
SIZES = {"AMPARO_DAMAGES": "400", "AMPARO_BITS": "400", "AMPARO_LENGTHS": "150", "AMPARO_FORGERIES": "12"}

# What is left out, its file, its text, what stands there instead, and which test must notice.
PLANTS = [
    (
        "sealed files against their names",
        "vault/exhibits.rs",
        "if Hash(hasher.finalize().into()) == name {",
        "if LEFT_OUT || Hash(hasher.finalize().into()) == name {",
        PLACED,
    ),
    (
        "wrapped keys against their names",
        "vault/verify/bytes.rs",
        "Ok(hash) if hash == *sha256 => {}",
        "Ok(hash) if LEFT_OUT || hash == *sha256 => {}",
        PLACED,
    ),
    (
        "a signed state against its name",
        "vault/history/signed.rs",
        "if Hash::of(&bytes) != name.sha256 {",
        "if !LEFT_OUT && Hash::of(&bytes) != name.sha256 {",
        STATES,
    ),
    (
        "names that a vault does not have",
        "vault/survey.rs",
        "if strangers <= STRANGERS_SHOWN_MAX {",
        "if !LEFT_OUT && strangers <= STRANGERS_SHOWN_MAX {",
        DAMAGED,
    ),
    (
        "the last chunk of a pouch is marked",
        "vault/pouch/opened.rs",
        "!self.frayed && self.chunk_as(",
        "LEFT_OUT || !self.frayed && self.chunk_as(",
        POUCHES,
    ),
    (
        "what lies between two headers of a pouch is told",
        "vault/pouch/archive.rs",
        "self.gaps.push(position..found);",
        "if !LEFT_OUT { self.gaps.push(position..found); }",
        POUCHES,
    ),
    (
        "an entry names the root before it",
        "vault/history/reach.rs",
        "tips.get(&candidate.entry.previous) else",
        "tips.get(&candidate.entry.previous).or_else(|| tips.values().next().filter(|_| LEFT_OUT)) else",
        KINDS,
    ),
    (
        "an entry is of this vault",
        "vault/history/chain.rs",
        "if entry.vault != self.vault && !founds {",
        "if !LEFT_OUT && entry.vault != self.vault && !founds {",
        KINDS,
    ),
    (
        "the Ed25519 line holds",
        "format/checkpoint.rs",
        "if !ed25519_verifies(",
        "if !LEFT_OUT && !ed25519_verifies(",
        KINDS,
    ),
    (
        "the ML-DSA line holds",
        "format/checkpoint.rs",
        "match verify_ml_dsa(&name, pair.ml_dsa, &checkpoint, public)? {",
        "match if LEFT_OUT { NO_TIME } else { verify_ml_dsa(&name, pair.ml_dsa, &checkpoint, public)? } {",
        KINDS,
    ),
    (
        "two histories of one log",
        "vault/history/chain.rs",
        "others.into_iter().filter(strayed)",
        "others.into_iter().filter(|state| !LEFT_OUT && strayed(state))",
        KINDS,
    ),
    (
        "this device remembers more",
        "vault/session/contact.rs",
        "if log.holds(&head) {",
        "if LEFT_OUT || log.holds(&head) {",
        KINDS,
    ),
    (
        "a role allows what is said",
        "vault/history/authority.rs",
        "if !holds {",
        "if !LEFT_OUT && !holds {",
        KINDS,
    ),
    (
        "a removed member is late",
        "vault/history/authority.rs",
        "if !cutting.is_empty() && grants.is_empty() {",
        "if !LEFT_OUT && !cutting.is_empty() && grants.is_empty() {",
        KINDS,
    ),
    (
        "what one log says of another",
        "vault/history/order.rs",
        "Err((Verdict::Invalid, Check::Reference, contradicts(head)))",
        "if LEFT_OUT { Ok(()) } else { Err((Verdict::Invalid, Check::Reference, contradicts(head))) }",
        KINDS,
    ),
    (
        "whom nobody admitted is foreign",
        "vault/history/mod.rs",
        "self.findings.incomplete(Check::Foreign, layout::log(*stranger).to_string(), message);",
        "if !LEFT_OUT { self.findings.incomplete(Check::Foreign, layout::log(*stranger).to_string(), message); }",
        KINDS,
    ),
]

SWITCH = """
/// Whether this check is left out.
pub(crate) fn planted(check: usize) -> bool {
    static PLANT: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    *PLANT.get_or_init(|| std::env::var("AMPARO_PLANT").ok()?.parse().ok()) == Some(check)
}
"""
# Of the tests, those of the vault and what they use; each is a file, a folder, or both.
MODULES = ["copied", "peers", "soak", "vault", "vectors"]
TESTS = "//! Of the tests, those of the vault.\n#![allow(dead_code, unused_imports)]\n" + "".join(
    f"mod {module};\n" for module in MODULES
)
LIGHT = "\n[profile.dev.package.amparo]\ndebug = false\n"


def put(path, text):
    """Writes where something changes: what stays as it is need not be compiled again."""
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def changed(texts):
    """The program's sources with all checks that can be left out."""
    for number, (what, file, check, instead, _) in enumerate(PLANTS):
        path = f"src/{file}"
        assert texts[path].count(check) == 1, f"{what}: {texts[path].count(check)} times in {path}"
        texts[path] = texts[path].replace(check, instead.replace("LEFT_OUT", f"crate::planted({number})"))
    texts["src/lib.rs"] += SWITCH
    texts["tests/main.rs"] = TESTS
    texts["Cargo.toml"] += LIGHT
    return texts


def lay_out():
    """The copy; what the sources and tests read besides lies where it does here."""
    texts = {name: (ROOT / name).read_text() for name in ["Cargo.toml", "Cargo.lock"]}
    sources = [ROOT / f"tests/{module}.rs" for module in MODULES]
    for folder in ["src", *(f"tests/{name}" for name in ["bench", *MODULES])]:
        sources += (ROOT / folder).rglob("*.rs")
    for path in sources:
        if path.is_file() and not {"node_modules", "python"} & set(path.parts):
            texts[str(path.relative_to(ROOT))] = path.read_text()
    texts = changed(texts)
    for path in TREE.rglob("*.rs"):
        if str(path.relative_to(TREE)) not in texts:
            path.unlink()
    for name, text in texts.items():
        put(TREE / name, text)
    for path in [ROOT / "tests/evidence", *(ROOT / "tests/vectors").glob("*.mjs")]:
        there = TREE / path.relative_to(ROOT)
        if not there.is_symlink():
            there.symlink_to(path)


def build():
    """The tests of the vault on the copy: the program that runs them."""
    command = ["cargo", "test", "--locked", "--offline", "--test", "main", "--no-run"]
    command += ["--message-format", "json-render-diagnostics"]
    env = os.environ | {"CARGO_TARGET_DIR": str(TARGET)}
    built = subprocess.run(command, cwd=TREE, env=env, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    programs = [message.get("executable") for message in messages if message.get("target", {}).get("name") == "main"]
    return [program for program in programs if program][-1]


def said(program, test, number=None):
    """What the harness says with this check left out, or with none."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AMPARO_")} | SIZES
    if number is not None:
        env["AMPARO_PLANT"] = str(number)
    command = [program, "--exact", test]
    run = subprocess.run(command, cwd=TREE, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.returncode, run.stdout.decode(errors="replace")


def main():
    lay_out()
    start = time.monotonic()
    program = build()
    print(f"built in {time.monotonic() - start:.0f} s")
    start = time.monotonic()
    for test in sorted({plant[-1] for plant in PLANTS}):
        code, output = said(program, test)
        assert code == 0 and "1 passed" in output, f"{test}, nothing left out:\n{output}"
    unseen = []
    for number, (what, *_, test) in enumerate(PLANTS):
        code, output = said(program, test, number)
        if code == 0 or "test result: FAILED. 0 passed; 1 failed" not in output:
            unseen.append(what)
            print(f"NOT SEEN: {what}, by {test}: exit {code}\n{output[-2000:]}")
    print(f"{len(PLANTS)} checks left out, {len(PLANTS) - len(unseen)} seen, in {time.monotonic() - start:.0f} s")
    sys.exit(1 if unseen else 0)


main()
