//! The door: hands the process's arguments to [`amparo::cli`] and returns its exit code. All memory that the program gives
//! back is wiped here, whoever had it.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    amparo::cli::main()
}
