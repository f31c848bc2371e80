//! Puts the functions side by side that a daemon needs from second to second (`layout.ld`): less than half of the memory.
//! Only the linkers of Linux know how, and only what is shipped is worth it.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=layout.ld");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        let directory = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{directory}/layout.ld");
    }
}
