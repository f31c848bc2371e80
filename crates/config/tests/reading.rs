//! How files are read: how strict `include` is, what chance is, which parts are left out.

use std::collections::BTreeSet;
use std::path::Path;

use tanist_config::{Files, LoadOptions, Loaded, MemoryFiles, Part, RealFiles, Severity, load};

const PLACE: &str = "/etc/keepalived/keepalived.conf";

fn read(files: &MemoryFiles, options: &LoadOptions) -> Loaded {
    load(Path::new(PLACE), files, options)
}

/// The codes of everything that is at least a warning.
fn codes(loaded: &Loaded) -> Vec<&'static str> {
    let found = loaded.report.diagnostics().iter();
    found.filter(|one| one.severity != Severity::Hint).map(|one| one.code).collect()
}

fn errors(loaded: &Loaded) -> Vec<String> {
    let found = loaded.report.diagnostics().iter();
    found.filter(|one| one.severity == Severity::Error).map(|one| one.message.clone()).collect()
}

// Shows: global_defs.include_check
#[test]
fn include_is_as_strict_as_is_said_before_it() {
    let check = |lines: &str, expected: &[&str]| {
        let files = MemoryFiles::single(PLACE, lines).with("/etc/keepalived/there.conf", "");
        assert_eq!(errors(&read(&files, &LoadOptions::default())), expected, "{lines}");
    };
    let with = |check: &str, include: &str| format!("global_defs {{\n include_check {check}\n}}\ninclude {include}\n");
    check("include gone.conf\ninclude gone/*.conf\n", &[]);
    check(&with("", "gone.conf"), &["no file matches `gone.conf`"]);
    check(&with("", "gone/*.conf"), &["no file matches `gone/*.conf`"]);
    check(&with("", "{there,gone}.conf"), &["no file matches `gone.conf`"]);
    check(&with("match", "gone.conf"), &["no file matches `gone.conf`"]);
    check(&with("match", "gone/*.conf"), &[]);
    check(&with("wildcard_match", "gone/*.conf"), &["no file matches `gone/*.conf`"]);
    check(&with("brace_match", "{there,gone}.conf"), &["no file matches `gone.conf`"]);
    check(&with("match\n include_check -match", "gone.conf"), &[]);
    check(&with("match\n include_check +wildcard_match", "gone.conf"), &["no file matches `gone.conf`"]);
    check(&with("match\n include_check readable", "gone.conf"), &[]);
    check("global_defs { include_check match }\ninclude gone.conf\n", &["no file matches `gone.conf`"]);
    check(&with("matches", "gone.conf"), &["`matches` is nothing that can be checked"]);
}

#[test]
fn what_a_file_says_of_strictness_holds_to_its_end_and_in_what_it_includes() {
    let main = "include first.conf\ninclude gone.conf\n";
    let first = "global_defs {\n include_check match\n}\ninclude second.conf\n";
    let files = MemoryFiles::single(PLACE, main)
        .with("/etc/keepalived/first.conf", first)
        .with("/etc/keepalived/second.conf", "include lost.conf\n");
    assert_eq!(errors(&read(&files, &LoadOptions::default())), ["no file matches `lost.conf`"]);
}

#[test]
fn the_command_line_can_ask_for_every_file() {
    let files = MemoryFiles::single(PLACE, "include gone/*.conf\n");
    assert_eq!(errors(&read(&files, &LoadOptions::default())), [""; 0]);
    let strict = LoadOptions { all_files: true, ..LoadOptions::default() };
    assert_eq!(errors(&read(&files, &strict)), ["no file matches `gone/*.conf`"]);
}

#[test]
fn a_pattern_may_stand_for_the_configuration() {
    let files = MemoryFiles::single("/etc/k/a.conf", "global_defs {\n router_id a\n}\n")
        .with("/etc/k/b.conf", "instance b\n")
        .with("/etc/k/c.txt", "rubbish\n");
    let loaded = load(Path::new("/etc/k/*.conf"), &files, &LoadOptions::default());
    let told = loaded.report.diagnostics().iter().find(|one| one.code == "several-files");
    let place = told.and_then(|one| one.place.as_ref()).unwrap_or_else(|| panic!("{}", loaded.report.render(false)));
    assert_eq!(place.file, Path::new("/etc/k/a.conf"));
    let settings = loaded.settings.expect("it is good");
    assert_eq!((settings.global.router_id.as_deref(), settings.process.instance.as_deref()), (Some("a"), Some("b")));
    let one = load(Path::new("/etc/k/a*"), &files, &LoadOptions::default());
    assert!(!codes(&one).contains(&"several-files"));
    let none = load(Path::new("/etc/k/*.cfg"), &files, &LoadOptions::default());
    assert_eq!(none.report.exit_status(), 6);
}

#[test]
fn a_finding_has_its_line_and_its_column_in_characters() {
    let loaded =
        read(&MemoryFiles::single(PLACE, "global_defs {\n router_id é\n}\n é nonsense\n"), &LoadOptions::default());
    let places: Vec<_> = loaded.report.diagnostics().iter().filter_map(|one| one.place.as_ref()).collect();
    assert_eq!(places.iter().map(|place| (place.line, place.column)).collect::<Vec<_>>(), [(1, 1), (4, 2)]);
}

/// What is said in `router_id`, or the code of the error.
fn router_id(before: &str, text: &str) -> Result<String, &'static str> {
    let loaded = read(
        &MemoryFiles::single(PLACE, format!("{before}\nglobal_defs {{\nrouter_id {text}\n}}\n")),
        &LoadOptions::default(),
    );
    let error = loaded.report.diagnostics().iter().find(|one| one.severity == Severity::Error);
    error.map_or_else(
        || Ok(loaded.settings.and_then(|settings| settings.global.router_id).unwrap_or_default()),
        |one| Err(one.code),
    )
}

#[test]
fn names_are_replaced_as_long_as_there_is_an_end() {
    let endless = Err("endless-definition");
    assert_eq!(router_id("$A=$A", "$A"), endless);
    assert_eq!(router_id("$A=$B\n$B=$A", "$A"), endless);
    assert_eq!(router_id("$A=a", &"$A".repeat(1000)), Ok("a".repeat(1000)));
    assert_eq!(router_id("$A=a", &"$A".repeat(1001)), endless);
    let longest = "x".repeat(65_536 - "router_id $A".len());
    assert_eq!(router_id("$A=a", &format!("{longest}$A")), Ok(format!("{longest}a")));
    assert_eq!(router_id("$A=a", &format!("{longest}x$A")), endless);
}

#[test]
fn words_end_at_quotes_and_braces_unless_these_belong_to_them() {
    assert_eq!(router_id("", r#""a \" b""#), Ok(r#"a \" b"#.to_owned()));
    assert_eq!(router_id("", "\""), Err("unterminated-quote"));
    // A backslash keeps the quote after it from ending the word, whatever is before it, as for keepalived.
    assert_eq!(router_id("", r#""a \\""#), Err("unterminated-quote"));
    // What is no name begins a block.
    assert_eq!(router_id("", "a${b c}"), Err("unexpected-block"));
}

#[test]
fn a_name_that_has_counted_is_what_it_was() {
    assert_eq!(router_id("$i=9\n~SEQ(i, 1, 2) @nobody $i", "$i"), Ok("9".to_owned()));
    assert_eq!(router_id("~SEQ(i, 1, 2) @nobody $i", "$i"), Ok("$i".to_owned()));
}

#[test]
fn what_is_far_too_large_is_refused() {
    let loaded = read(&MemoryFiles::single(PLACE, vec![0; (64 << 20) + 1]), &LoadOptions::default());
    assert_eq!(errors(&loaded), [format!("read {PLACE}: 64 MiB are too much for a configuration")]);
}

/// As the daemon writes it into the journal.
#[test]
fn a_finding_fits_on_one_line() {
    let check = |files: &MemoryFiles, expected: &str| {
        let loaded = read(files, &LoadOptions::default());
        assert_eq!(loaded.report.diagnostics().last().map(ToString::to_string).as_deref(), Some(expected));
    };
    check(
        &MemoryFiles::single(PLACE, "global_defs {\n nonsense\n}\n"),
        "/etc/keepalived/keepalived.conf:2:2: warning: `nonsense` is no keyword of global_defs and is ignored. [unknown-keyword]",
    );
    check(
        &MemoryFiles::default(),
        "error: read /etc/keepalived/keepalived.conf: entity not found [no-configuration-file]",
    );
}

#[test]
fn a_name_that_nobody_defined_stays_in_its_word() {
    let loaded =
        read(&MemoryFiles::single(PLACE, "global_defs {\n router_id a${NOBODY}b\n}\n"), &LoadOptions::default());
    assert_eq!(loaded.settings.expect("a hint is no error").global.router_id.as_deref(), Some("a${NOBODY}b"));
}

#[test]
fn the_environment_is_that_of_the_process() {
    assert!(RealFiles.environment("PATH").is_some());
    assert_eq!(RealFiles.environment("PATH"), std::env::var("PATH").ok());
    assert_eq!(RealFiles.environment("NOT A NAME THAT ANYBODY HAS"), None);
}

#[test]
fn what_is_in_a_directory_and_how_the_machine_is_called_is_known() {
    let mut names = RealFiles.list(Path::new("tests/cases/parts")).expect("it is there");
    names.sort();
    assert_eq!(names, ["global.conf", "instance.conf", "vrid.more"]);
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("every Linux has it");
    assert_eq!(RealFiles.host_name(), name.trim());
}

#[test]
fn chance_is_another_each_time() {
    assert_ne!(RealFiles.random(), RealFiles.random());
}

// Shows: global_defs.random_seed
#[test]
fn chance_is_the_same_again_if_that_is_wanted() {
    let draw = |seed: &str, random: u64| {
        let text = format!("global_defs {{\n{seed}\n router_id r${{_RANDOM}}-${{_RANDOM}}\n}}\n");
        let files = MemoryFiles { random, ..MemoryFiles::single(PLACE, text) };
        read(&files, &LoadOptions::default()).settings.expect("it is good").global.router_id.expect("it is said")
    };
    assert_ne!(draw("", 1), draw("", 2));
    assert_eq!(draw(" random_seed 42", 1), draw(" random_seed 42", 2));
    assert_ne!(draw(" random_seed 42", 1), draw(" random_seed 43", 1));
    // And in the next version.
    assert_eq!(draw(" random_seed 42", 1), "r30242-28309");
    let text = "global_defs {\n router_id ${_RANDOM 5 5}\n}\n";
    let settings = read(&MemoryFiles::single(PLACE, text), &LoadOptions::default()).settings;
    assert_eq!(settings.expect("it is good").global.router_id.as_deref(), Some("5"));
}

#[test]
fn what_it_came_to_can_be_read_again() {
    let text = "$P=15\n$NOTHING=\n$NOTHING $NOTHING\n@edge-a global_defs { # us\n router_id \"a # b\"\n script_user \"a\" bb${_HASH}c\n}\n@other rubbish\n~SEQ(i, 1, 2) include $i.conf\ninclude more.conf\n";
    let mut files = MemoryFiles::single(PLACE, text).with("/etc/keepalived/more.conf", "instance $P\n");
    files.host_name = "edge-a".to_owned();
    let loaded = read(&files, &LoadOptions::default());
    let expected = "# /etc/keepalived/keepalived.conf\nglobal_defs {\nrouter_id \"a # b\"\nscript_user \"a\" bb${_HASH}c\n}\n# /etc/keepalived/more.conf\ninstance 15\n";
    assert_eq!(loaded.expanded.text(), expected);
    let again = read(&MemoryFiles::single(PLACE, expected), &LoadOptions::default());
    let (before, after) = (loaded.settings.expect("good"), again.settings.expect("good"));
    assert_eq!((before.global, before.process), (after.global, after.process));
}

const WITH_PARTS: &str = "
global_defs {
    lvs_flush
    enable_snmp_vrrp
    enable_dbus
    checker_priority 5
    router_id a
}
vrrp_instance V {
    interface eth0
    virtual_router_id 9
    lvs_sync_daemon_interface eth0
    virtual_ipaddress { 192.0.2.9 }
}
virtual_server 192.0.2.1 80 {
    nonsense
    real_server 192.0.2.2 80 { TCP_CHECK { } }
}
virtual_server 192.0.2.1 443 {
}
bfd_instance peer { neighbor_ip 192.0.2.2 }
";

#[test]
fn parts_that_are_not_wanted_are_left_out_and_named_once() {
    let files = MemoryFiles::single(PLACE, WITH_PARTS);
    let refused = read(&files, &LoadOptions::default());
    assert_eq!(codes(&refused), ["not-built"; 7]);
    let some = LoadOptions { without: BTreeSet::from([Part::VirtualServers]), ..LoadOptions::default() };
    assert_eq!(codes(&read(&files, &some)), ["left-out", "not-built", "not-built", "not-built"]);
    let without = BTreeSet::from([Part::VirtualServers, Part::Bfd, Part::Snmp, Part::Dbus]);
    let loaded = read(&files, &LoadOptions { without, ..LoadOptions::default() });
    assert_eq!(codes(&loaded), ["left-out"]);
    let told = loaded.report.render(false);
    let line = "virtual servers and BFD and SNMP and D-Bus left out, as asked: `bfd_instance`, `enable_dbus`, \
                `enable_snmp_vrrp`, `lvs_flush`, `lvs_sync_daemon_interface`, `virtual_server` (2 times)";
    assert!(told.contains(line), "{told}");
    assert_eq!(loaded.settings.expect("the rest is good").global.router_id.as_deref(), Some("a"));
}

#[test]
fn the_directory_of_a_file_is_told_from_the_root_however_the_file_is_named() {
    let here = std::env::current_dir().expect("tests run somewhere");
    assert_eq!(RealFiles.rooted(Path::new("")), here);
    assert_eq!(RealFiles.rooted(Path::new("tests/cases")), here.join("tests/cases"));
    assert_eq!(RealFiles.rooted(Path::new("/etc/keepalived")), Path::new("/etc/keepalived"));
}
