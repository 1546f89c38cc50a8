//! The door: hands the process's arguments to [`amparo::cli`] and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    amparo::cli::main()
}
