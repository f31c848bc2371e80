//! The project's chores: `cargo xtask test` is the whole check, `cargo xtask manual` writes what is made from the
//! keywords, `cargo xtask bench` measures, `cargo xtask soak` breaks things for hours.
#![forbid(unsafe_code)]

mod fuzz;
mod kernel_tests;
mod licences;
mod packages;
mod pages;
mod planted;
mod sanitize;
mod security;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test          everything that must pass: format, lints, licences, tidiness, all tests
cargo xtask test --quick  the same without namespaces and without installing anything
cargo xtask manual        write the pages and man pages that are made from the keywords and the command line
cargo xtask bench [...]   measure against keepalived; see docs/benchmarks.md
cargo xtask fuzz [TARGET]... [--runs N | --seconds S]
                          looks for octets from outside that do harm; see docs/fuzzing.md for all that it can
cargo xtask soak [...]    break running daemons at random, with --hours N for so long; --help tells more
cargo xtask kernel-tests  the tests of what the kernel of this machine may lack, on another one in a virtual machine; or
                          what is said after it, as to `cargo test`
cargo xtask planted       plant mistakes in a copy of the engine and see who finds each: --only NAME, --by HUNTER, --every,
                          --seeds N; --check only makes sure that they can be planted
cargo xtask mutants engine|config [--shard K/N]
                          changes a crate in one place after the other and looks whether a test fails; see docs/reliability.md
cargo xtask sanitize      the tests of the one crate with `unsafe`, and daemons of a rehearsal, under AddressSanitizer (takes rustup
                          and a nightly Rust)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(test::Extent::Everything),
        ["test", "--quick"] => test::run(test::Extent::Quick),
        ["manual"] => steps::manual(),
        ["bench", rest @ ..] => steps::bench(rest),
        ["planted", rest @ ..] => planted::run(rest),
        ["mutants", rest @ ..] => steps::mutants(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["sanitize"] => sanitize::run(),
        ["soak", rest @ ..] => steps::soak(rest),
        ["kernel-tests", rest @ ..] => kernel_tests::all(rest),
        // Cargo says this for each test program.
        ["kernel-test", program, rest @ ..] => kernel_tests::run(program, rest),
        _ => Err(format!("usage:\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}");
            ExitCode::FAILURE
        }
    }
}
