//! Test vectors of others, and files and signatures that cross over to other implementations and back.

mod age;
pub(crate) mod case;
pub(crate) mod format;
mod format_events;
mod format_inputs;
mod notes;
mod parity;
mod plants;
pub(crate) mod pouches;
mod trees;
pub(crate) mod vaults;
mod whole_pouch;
pub(crate) mod written;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::peers;

/// Runs a script of this folder beside the npm packages: arguments after `--`, `input` on standard input. Gives what
/// it printed; panics with its words when it fails.
fn node(script: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    Some(run(&mut node_command(script, arguments)?, input))
}

fn node_command(script: &str, arguments: &[&str]) -> Option<Command> {
    let node = peers::program("node")?;
    for package in ["age-encryption", "cctv-age", "@noble/post-quantum"] {
        peers::node_module(package)?;
    }
    let mut command = Command::new(node);
    command.args(["--input-type=module", "-e", script, "--"]).args(arguments);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers"));
    Some(command)
}

fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    tried(command, input).unwrap_or_else(|said| panic!("{said}"))
}

/// What a peer printed, or its words where it refuses.
fn tried(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, String> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("a peer that was found can be started");
    // One that refuses may not read all of it.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    let output = child.wait_with_output().expect("the peer ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(output.stdout) } else { Err(said) }
}

/// Go, with Debian's `golang.org/x/mod`, building into `cache`.
fn go(cache: &Path) -> Option<Command> {
    let (program, path): (PathBuf, PathBuf) = (peers::program("go")?, peers::go_path()?);
    let mut command = Command::new(program);
    command.env("GO111MODULE", "off").env("GOPATH", path).env("GOCACHE", cache);
    Some(command)
}
