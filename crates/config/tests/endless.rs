//! Whatever a file says, reading it ends, panics never, and reports places that exist.

use std::path::Path;

use crate::support::load_text;
use proptest::prelude::*;
use tanist_config::{ExportError, LoadOptions, Loaded, MemoryFiles, Severity, explain, export_for_keepalived, load};

/// What must hold for any text.
fn check(loaded: &Loaded, files: &MemoryFiles) {
    let report = &loaded.report;
    assert_eq!(loaded.settings.is_none(), report.has_errors(), "{}", report.render(false));
    assert_eq!(report.exit_status() == 0, !report.has_errors());
    for place in report.diagnostics().iter().filter_map(|diagnostic| diagnostic.place.as_ref()) {
        let text = String::from_utf8_lossy(&files.files[&place.file]);
        assert!(text.get(place.span.clone()).is_some(), "{place:?} is no place in {text:?}");
        assert!(place.line >= 1 && place.column >= 1);
    }
    for styled in [false, true] {
        assert!(report.render(styled).ends_with('\n'));
    }
    if let Some(settings) = &loaded.settings {
        assert_eq!(settings.engine_config().routers.len(), settings.instances.len());
    }
}

fn check_text(text: &[u8]) {
    let files = MemoryFiles::single("/k/main.conf", text)
        .with("/k/other.conf", "include main.conf\nvrrp_instance I {\n")
        .with("/k/value", "router_id $A\n");
    let (path, options) = (Path::new("/k/main.conf"), LoadOptions::default());
    let loaded = load(path, &files, &options);
    check(&loaded, &files);
    match export_for_keepalived(path, &files, &options) {
        // It vouches for its result itself; here it is enough that it comes to one.
        Ok(_) | Err(ExportError::Entangled(_)) => assert!(loaded.settings.is_some()),
        Err(ExportError::Unusable(_)) => assert!(loaded.settings.is_none()),
    }
    if let Some(settings) = &loaded.settings {
        assert!(explain(settings).ends_with('\n'));
    }
}

/// Pieces that make the reader work harder than noise does.
fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "\n",
        "\n",
        "\n",
        " ",
        " ",
        "{",
        "}",
        "\"",
        "'",
        "\\",
        "\\\n",
        "#",
        "!",
        "@",
        "@x ",
        "@^x ",
        "$A",
        "${A}",
        "$A=",
        "$B=",
        "$B",
        "${_RANDOM 1 5}",
        "${_ENV HOME}",
        "${_PWD}",
        "${",
        "~SEQ(A, 1, 3) ",
        "~SEQx(B,-1,-9)",
        "~LST({A,B},{1,2}) ",
        "~SEQ(",
        "include ",
        "includea ",
        "*.conf",
        "{value,other.conf}",
        "value",
        "global_defs",
        "vrrp_instance ",
        "vrrp_script ",
        "V ",
        "interface ",
        "eth0 ",
        "virtual_router_id ",
        "51 ",
        "priority ",
        "-5",
        "0.5 ",
        "advert_int ",
        "virtual_ipaddress ",
        "192.0.2.1/24 ",
        "dev ",
        "brd ",
        "+ ",
        "track_script ",
        "track_interface ",
        "weight ",
        "reverse ",
        "unicast_peer ",
        "2001:db8::1 ",
        "authentication ",
        "auth_type PASS\n",
        "auth_pass ",
        "script ",
        "notify ",
        "\\x41",
        "use_vmac ",
        "virtual_server ",
        "\u{feff}",
        "\r",
        "\0",
        "注",
        "\t",
        "state MASTER\n",
        "version 3\n",
        "nopreempt ",
        "no_virtual_ipaddress ",
        "<",
        "&& ",
        "service ",
        "pair ",
        "check ",
        "http http://127.0.0.1/ ",
        "tcp [::1]:80 ",
        "notify\n",
        "systemd w\n",
        "command ",
        "every 1h ",
        "while_active ",
        "restart 3 within ",
        "peer 192.0.2.2\n",
        "address_lifetime ",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_text(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check_text(text.as_bytes());
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(piece(), 0..80)) {
        check_text(pieces.concat().as_bytes());
    }
}

fn has(text: &str, code: &str) -> bool {
    let loaded = load_text(text);
    assert!(loaded.settings.is_none(), "{code}");
    loaded.report.diagnostics().iter().any(|diagnostic| diagnostic.code == code && diagnostic.place.is_some())
}

#[test]
fn a_definition_that_doubles_itself() {
    let mut text = "$A0= \\\n\\\n\n".to_owned();
    for level in 1..=30 {
        text += &format!("$A{level}= \\\n$A{} \\\n$A{}\n", level - 1, level - 1);
    }
    assert!(has(&(text + "$A30\n"), "endless-definition"));
}

#[test]
fn a_line_that_doubles_itself() {
    let mut text = "$A0=xxxxxxxx\n".to_owned();
    for level in 1..=30 {
        text += &format!("$A{level}=${{A{}}}${{A{}}}\n", level - 1, level - 1);
    }
    assert!(has(&(text + "router_id $A30\n"), "endless-definition"));
}

#[test]
fn sequences_inside_sequences() {
    assert!(has("~SEQ(a, 1, 1000000) ~SEQ(b, 1, 1000000) $c=$a\n", "endless-definition"));
    assert!(has("~SEQ(a, 1, 1000001) x\n", "bad-repetition"));
}

#[test]
fn conditions_and_repetitions_inside_each_other() {
    for (before, one, most) in [("", "@^x ", 40), ("", "~SEQ(i, 1, 1) ", 40), ("$C=@^x\n", "$C ", 39)] {
        let text = |count: usize| format!("{before}{}router_id a\n", one.repeat(count));
        assert!(!load_text(text(most)).report.has_errors(), "{one}");
        assert!(has(&text(most + 1), "endless-definition"), "{one}");
    }
}

#[test]
fn blocks_inside_blocks() {
    assert!(has(&"a {".repeat(100_000), "too-deep"));
    let closed = format!("{}{}router_id x", "a {".repeat(60), "}".repeat(60));
    let report = load_text(closed).report;
    let errors = report.diagnostics().iter().filter(|one| one.severity == Severity::Error).map(|one| one.code);
    assert_eq!(errors.collect::<Vec<_>>(), ["too-deep"]);
}

#[test]
fn files_inside_files() {
    let mut files = MemoryFiles::default();
    for number in 0..100 {
        files = files.with(format!("/k/{number}"), format!("include {}\n", number + 1));
    }
    let loaded = load(Path::new("/k/0"), &files, &LoadOptions::default());
    assert!(loaded.report.render(false).contains("nested more than 40 deep"), "{}", loaded.report.render(false));
}

#[test]
fn too_many_lines() {
    let loaded = load_text("~SEQ(i, 1, 400001) $A=$i\n".to_owned());
    assert!(
        loaded.report.render(false).contains("expands to more than 400000 lines"),
        "{}",
        loaded.report.render(false)
    );
}

#[test]
fn chance_and_environment() {
    let text = "$A=${_RANDOM 10 19}\nglobal_defs {\n router_id \"$A $A ${_ENV NODE} ${_ENV NONE}\"\n}\n";
    let mut files = MemoryFiles::single("/k/main.conf", text);
    files.environment.insert("NODE".to_owned(), "edge $A # a".to_owned());
    files.random = 42;
    let load = |files: &MemoryFiles| {
        let loaded = load(Path::new("/k/main.conf"), files, &LoadOptions::default());
        assert!(loaded.report.diagnostics().iter().any(|diagnostic| diagnostic.code == "unset-environment"));
        loaded.settings.and_then(|settings| settings.global.router_id).expect("the text is good")
    };
    let first = load(&files);
    let numbers: Vec<u32> = first.split(' ').map_while(|word| word.parse().ok()).collect();
    assert_eq!(numbers.len(), 2, "{first}");
    assert!(numbers.iter().all(|number| (10..=19).contains(number)), "{first}");
    // What the environment says is taken as it is.
    assert!(first.ends_with(" edge $A # a "), "{first}");
    assert_eq!(first, load(&files), "the same chance gives the same text");
    files.random = 43;
    assert_ne!(first, load(&files), "another chance gives another");
}

#[test]
fn no_file_at_all() {
    let loaded = load(Path::new("/nowhere.conf"), &MemoryFiles::default(), &LoadOptions::default());
    assert!(loaded.settings.is_none());
    assert_eq!(loaded.report.exit_status(), 6);
    let told = loaded.report.render(false);
    assert!(told.contains("read /nowhere.conf: entity not found"), "{told}");
}
