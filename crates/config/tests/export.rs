//! A configuration without what only Tanist knows: everything else stays as it was written.

use std::path::Path;

use crate::support::{expect_file, load_text};
use tanist_config::{ExportError, LoadOptions, MemoryFiles, RealFiles, export_for_keepalived};

fn options() -> LoadOptions {
    LoadOptions { config_id: Some("edge-a".to_owned()), ..LoadOptions::default() }
}

fn exported(files: &MemoryFiles) -> String {
    let text =
        export_for_keepalived(Path::new("/k/main.conf"), files, &options()).unwrap_or_else(|why| panic!("{why}"));
    String::from_utf8(text.text).expect("the tests are in UTF-8")
}

fn check(text: &str, expected: &str) {
    assert_eq!(exported(&MemoryFiles::single("/k/main.conf", text)), expected);
}

const SERVICE: &str = "service web {\n    systemd web\n}\n";
const INSTANCE: &str = "vrrp_instance V {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        \
                        192.0.2.100\n    }\n    service web\n}\n";
const WITHOUT: &str = "vrrp_instance V {\n    interface eth0\n    virtual_router_id 51\n    virtual_ipaddress {\n        \
                       192.0.2.100\n    }\n    # tanist export left out: service web\n}\n";

#[test]
fn files_for_keepalived_come_out_as_they_are() {
    let plain = ["edge-gateway/a", "nginx-pair/a", "nginx-active-active/b", "job-scheduler/a", "arm-board/a"];
    for path in plain.map(|name| format!("../../examples/{name}.conf")).iter().map(Path::new) {
        let exported = export_for_keepalived(path, &RealFiles, &options()).expect("the examples work");
        assert!(exported.left_out.is_empty(), "{:?}", exported.left_out);
        assert_eq!(exported.text, std::fs::read(path).expect("it is there"), "{}", path.display());
    }
    // Also where it is no UTF-8.
    let path = Path::new("tests/cases/latin.conf");
    let text = export_for_keepalived(path, &RealFiles, &options()).expect("it works").text;
    assert_eq!(text, std::fs::read(path).expect("it is there"));
}

#[test]
fn examples_with_services() {
    let mut failures = Vec::new();
    for name in ["edge-gateway/a", "nginx/b", "scheduler/a", "board/b", "shadow/tanist"] {
        let path = format!("../../examples/service/{name}.conf");
        let text = export_for_keepalived(Path::new(&path), &RealFiles, &options()).expect("the examples work").text;
        let text = String::from_utf8(text).expect("the examples are in UTF-8");
        let expectation = format!("tests/exported/{}.conf", name.replace('/', "-"));
        failures.extend(expect_file(Path::new(&expectation), &text).err());
        assert!(load_text(text.as_str()).settings.is_some());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_stands_around_stays() {
    let text = format!("! a\n{SERVICE}# b\n{INSTANCE}pair {{ peer 192.0.2.2 }} # the other one\n");
    let expected = format!(
        "! a\n# tanist export left out: service web\n# b\n{WITHOUT}# tanist export left out: pair # the other one\n"
    );
    check(&text, &expected);
    check(&text.replace("systemd web", "systemd web\n failback manual"), &expected);
    check(
        &format!("service web {{ systemd web }}pair {{ peer 192.0.2.2 }}\n{INSTANCE}"),
        &format!("# tanist export left out: service web\n# tanist export left out: pair\n{WITHOUT}"),
    );
    check(
        &format!("global_defs {{ address_lifetime 5\n router_id a\n}}\n{SERVICE}{INSTANCE}"),
        &format!(
            "# tanist export left out: address_lifetime 5\nglobal_defs {{ \n router_id a\n}}\n\
             # tanist export left out: service web\n{WITHOUT}"
        ),
    );
}

#[test]
fn what_is_lost_is_told() {
    let bare = "vrrp_instance W {\n    interface eth0\n    virtual_router_id 52\n    service mail\n}\n";
    let text = format!("{SERVICE}{INSTANCE}{bare}service mail {{ docker mail }}\npair {{ peer 192.0.2.2 }}\n");
    let files = MemoryFiles::single("/k/main.conf", text);
    let exported = export_for_keepalived(Path::new("/k/main.conf"), &files, &options()).expect("it works");
    assert_eq!(exported.left_out, ["pair", "service mail", "service web"]);
    assert_eq!(exported.empty_instances, ["W"]);
}

#[test]
fn conditions_and_definitions() {
    let text =
        format!("$UNIT=web\n@edge-a pair {{ peer 192.0.2.2 }}\n@edge-b pair {{ peer 192.0.2.1 }}\n{SERVICE}{INSTANCE}")
            .replace("systemd web", "systemd $UNIT");
    let expected = format!(
        "$UNIT=web\n# tanist export left out: pair\n@edge-b pair {{ peer 192.0.2.1 }}\n\
         # tanist export left out: service web\n{WITHOUT}"
    );
    check(&text, &expected);

    let text = "$I= \\\nservice s$N { \\\n systemd s$N \\\n} \\\nvrrp_instance i$N { \\\n interface eth0 \\\n \
                        virtual_router_id $N \\\n service s$N \\\n no_virtual_ipaddress \\\n}\n~SEQ(N, 1, 2) $I\n";
    let expected = "$I= \\\n \\\nvrrp_instance i$N { \\\n interface eth0 \\\n virtual_router_id $N \\\n  \\\n \
                    no_virtual_ipaddress \\\n}\n~SEQ(N, 1, 2) $I\n";
    let found = exported(&MemoryFiles::single("/k/main.conf", text));
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn only_files_that_change_take_the_place_of_their_line() {
    let files = MemoryFiles::single("/k/main.conf", "include instance.conf\n  include d/*.conf\ninclude plain.conf\n")
        .with("/k/instance.conf", format!("# of the pair\n{INSTANCE}"))
        .with("/k/d/1.conf", SERVICE)
        .with("/k/d/2.conf", "include 3.inc\n# no line end")
        .with("/k/d/3.inc", "global_defs {\n router_id a\n}\n")
        .with("/k/plain.conf", "global_defs {\n enable_script_security\n}\n");
    let expected = format!(
        "# /k/instance.conf, put here by tanist export:\n# of the pair\n{WITHOUT}# end of /k/instance.conf\n\
         # /k/d/1.conf, put here by tanist export:\n# tanist export left out: service web\n# end of /k/d/1.conf\n\
         # /k/d/2.conf, put here by tanist export:\n# /k/d/3.inc, put here by tanist export:\nglobal_defs {{\n router_id \
         a\n}}\n# end of /k/d/3.inc\n# no line end\n# end of /k/d/2.conf\ninclude plain.conf\n"
    );
    assert_eq!(exported(&files), expected);

    // What a service includes goes with it.
    let service = "service web {\n    include web.inc\n}\n";
    let files = MemoryFiles::single("/k/main.conf", format!("{service}{INSTANCE}")).with("/k/web.inc", "systemd web\n");
    assert_eq!(exported(&files), format!("# tanist export left out: service web\n{WITHOUT}"));
    let files = MemoryFiles::single("/k/main.conf", format!("include service.conf\n{INSTANCE}"))
        .with("/k/service.conf", service)
        .with("/k/web.inc", "systemd web\n");
    let expected = format!(
        "# /k/service.conf, put here by tanist export:\n# tanist export left out: service web\n# end of /k/service.conf\n{WITHOUT}"
    );
    assert_eq!(exported(&files), expected);
}

/// What is left out is said as it was understood.
#[test]
fn the_machine_has_its_say() {
    let text = format!(
        "@edge-a pair {{ peer 192.0.2.2 }}\n@edge-b pair {{ peer 192.0.2.1 }}\nservice ${{_ENV NAME}} {{ systemd a }}\n\
         {SERVICE}{INSTANCE}service w${{_RANDOM}} {{ systemd a }}\n"
    );
    let mut files = MemoryFiles { random: 7, ..MemoryFiles::single("/k/main.conf", text) };
    files.host_name = "edge-a".to_owned();
    files.environment.insert("NAME".to_owned(), "mail".to_owned());
    let exported = export_for_keepalived(Path::new("/k/main.conf"), &files, &LoadOptions::default());
    let exported = exported.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(exported.left_out, ["pair", "service mail", "service w24340", "service web"]);
    assert!(String::from_utf8_lossy(&exported.text).contains("\n@edge-b pair"));
}

#[test]
fn what_cannot_be_used_or_taken_apart_is_an_error() {
    let export = |text: &str| {
        export_for_keepalived(Path::new("/k/main.conf"), &MemoryFiles::single("/k/main.conf", text), &options())
    };
    let unusable = export("service web {\n}\n");
    assert!(matches!(&unusable, Err(ExportError::Unusable(_))), "{unusable:?}");
    assert!(unusable.is_err_and(|error| error.to_string().contains("error[")));
    // One word makes two services and an instance: the line that uses it cannot be kept and left out.
    let text = "$BOTH=service web { systemd web } vrrp_instance V { interface eth0\n$BOTH\n virtual_router_id 51\n service web\n}\n";
    let entangled = export(text);
    let Err(ExportError::Entangled(why)) = &entangled else { panic!("{entangled:?}") };
    assert_eq!(entangled.as_ref().err().map(ToString::to_string).as_ref(), Some(why));
    let entangled = |text: &str, expected: &str| {
        let why = export(&format!("{text}{INSTANCE}")).expect_err("it cannot be taken apart").to_string();
        assert!(why.contains(expected), "{why}");
    };
    // The one line is a service here and a priority there.
    let instance = " \\\n interface eth0 \\\n virtual_router_id $N \\\n $WHAT 9 \\\n no_virtual_ipaddress \\\n}\n";
    let uses = "$WHAT=service\n~LST(N, 1) $I\n$WHAT=priority\n~LST(N, 2) $I\nservice 9 {\n systemd web\n}\n";
    entangled(
        &format!("{SERVICE}$I= \\\nvrrp_instance i$N {{{instance}{uses}"),
        "cannot be taken out without changing the rest",
    );
    // One begins within the other and ends behind it.
    entangled(
        "service web {\n$MAIL= \\\nservice mail { \\\n systemd mail\n systemd web\n}\n$MAIL\n}\n",
        "several things to leave out are one word here",
    );
}
