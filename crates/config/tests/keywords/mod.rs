//! The tables of keywords keep their promises: each has words and an example, and each example does what the
//! table says.

mod effects;
mod ranges;
mod shown;

use std::collections::BTreeSet;

use crate::support::load_text;
use tanist_config::Severity;
use tanist_config::keywords::{Block, Form, Keyword, Status};

/// An example in a configuration where it can stand.
fn around(place: Block, keyword: &Keyword) -> String {
    let example = keyword.example;
    let instance = |inner: &str| {
        format!(
            "vrrp_instance V {{\n interface eth9\n virtual_router_id 9\n virtual_ipaddress {{\n 192.0.2.99\n }}\n {inner}\n}}\n"
        )
    };
    let server =
        |inner: &str| format!("virtual_server 192.0.2.1 80 {{\n real_server 192.0.2.2 80 {{\n{inner}\n}}\n}}\n");
    match place {
        Block::Root => format!("{example}\n"),
        Block::VrrpInstance if keyword.name == "service" => {
            format!("service web {{\n systemd nginx\n}}\n{}", instance(example))
        }
        Block::GlobalDefs if keyword.name == "smtp_user" => {
            format!("global_defs {{\n smtp_tls\n smtp_password_file /etc/tanist/password\n {example}\n}}\n")
        }
        Block::GlobalDefs if keyword.name == "smtp_password_file" => {
            format!("global_defs {{\n smtp_tls\n smtp_user tanist\n {example}\n}}\n")
        }
        Block::GlobalDefs => format!("global_defs {{\n {example}\n}}\n"),
        Block::VrrpInstance => instance(example),
        Block::Authentication => instance(&format!("authentication {{\n {example}\n }}")),
        Block::AuthHmac if keyword.name == "key" => instance(&format!("auth_hmac {{\n {example}\n }}")),
        Block::AuthHmac => {
            let key = "key 1 \"a key of at least thirty-two octets\"";
            instance(&format!("auth_hmac {{\n {key}\n {example}\n }}"))
        }
        Block::VrrpScript if keyword.name == "script" => format!("vrrp_script S {{\n {example}\n}}\n"),
        Block::VrrpScript => format!("vrrp_script S {{\n script \"/bin/true\"\n {example}\n}}\n"),
        Block::TrackProcess if keyword.name == "process" => format!("vrrp_track_process P {{\n {example}\n}}\n"),
        Block::TrackProcess if keyword.name == "param_match" => {
            format!("vrrp_track_process P {{\n process nginx worker\n {example}\n}}\n")
        }
        Block::TrackProcess => format!("vrrp_track_process P {{\n process nginx\n {example}\n}}\n"),
        Block::TrackFile if keyword.name == "file" => format!("track_file F {{\n {example}\n}}\n"),
        Block::TrackFile => format!("track_file F {{\n file /run/F\n {example}\n}}\n"),
        Block::SyncGroup if keyword.name == "service" => {
            format!(
                "service web {{\n systemd nginx\n}}\nvrrp_sync_group G {{\n group {{ V }}\n {example}\n}}\n{}",
                instance("")
            )
        }
        Block::SyncGroup => format!("vrrp_sync_group G {{\n {example}\n}}\n"),
        Block::TrackGroup => format!("track_group G {{\n {example}\n}}\n"),
        Block::GarpGroup => format!("garp_group {{\n {example}\n}}\n"),
        Block::Ssl => format!("SSL {{\n {example}\n}}\n"),
        Block::BfdInstance => format!("bfd_instance B {{\n {example}\n}}\n"),
        Block::VirtualServerGroup => format!("virtual_server_group G {{\n {example}\n}}\n"),
        Block::VirtualServer => format!("virtual_server 192.0.2.1 80 {{\n {example}\n}}\n"),
        Block::RealServer => server(example),
        Block::TcpCheck => server(&format!("TCP_CHECK {{\n {example}\n}}")),
        Block::HttpGet => server(&format!("HTTP_GET {{\n {example}\n}}")),
        Block::Url => server(&format!("HTTP_GET {{\n url {{\n {example}\n}}\n}}")),
        Block::MiscCheck => server(&format!("MISC_CHECK {{\n {example}\n}}")),
        Block::SmtpCheck => server(&format!("SMTP_CHECK {{\n {example}\n}}")),
        Block::DnsCheck => server(&format!("DNS_CHECK {{\n {example}\n}}")),
        Block::UdpCheck => server(&format!("UDP_CHECK {{\n {example}\n}}")),
        Block::PingCheck => server(&format!("PING_CHECK {{\n {example}\n}}")),
        Block::FileCheck => server(&format!("FILE_CHECK {{\n {example}\n}}")),
        Block::BfdCheck => server(&format!("BFD_CHECK {{\n {example}\n}}")),
        Block::Service => service(keyword),
        Block::WhileActive => format!("service W {{\n systemd w\n while_active {{\n {example}\n }}\n}}\n"),
        Block::Pair if keyword.name == "peer" => format!("pair {{\n {example}\n}}\n"),
        Block::Pair => format!("pair {{\n peer 192.0.2.2\n {example}\n}}\n"),
        Block::Check => format!("service W {{\n command \"/bin/w\"\n check {example}\n}}\n"),
        Block::CheckOptions => format!("service W {{\n systemd w\n check tcp 127.0.0.1:80 {{ {example} }}\n}}\n"),
        Block::ScriptOptions => {
            format!("service W {{\n systemd w\n check script \"/bin/w\" {{ {example} }}\n}}\n")
        }
        Block::HttpOptions => format!("service W {{\n systemd w\n check http http://127.0.0.1/ {{ {example} }}\n}}\n"),
        Block::FileOptions => format!("service W {{\n systemd w\n check file /run/w {{ {example} }}\n}}\n"),
        // What only something static can have.
        Block::AddressOptions if keyword.name == "track_group" => format!("static_ipaddress {{\n {example}\n}}\n"),
        Block::RouteOptions if keyword.name == "track_group" => format!("static_routes {{\n {example}\n}}\n"),
        Block::RuleOptions if keyword.name == "track_group" => format!("static_rules {{\n {example}\n}}\n"),
        // Of the other family than the instance.
        Block::AddressOptions if keyword.example.contains("2001:") => {
            instance(&format!("virtual_ipaddress_excluded {{\n {example}\n }}"))
        }
        Block::AddressOptions => instance(&format!("virtual_ipaddress {{\n {example}\n }}")),
        Block::PeerOptions => instance(&format!("unicast_peer {{\n {example}\n }}")),
        Block::TrackOptions if keyword.name == "noreverse" => instance(&format!("track_script {{\n {example}\n }}")),
        Block::TrackOptions => instance(&format!("track_interface {{\n {example}\n }}")),
        Block::RouteOptions => instance(&format!("virtual_routes {{\n {example}\n }}")),
        Block::RuleOptions => instance(&format!("virtual_rules {{\n {example}\n }}")),
    }
}

/// A service needs something that runs, and only one.
fn service(keyword: &Keyword) -> String {
    let example = keyword.example;
    let runs = match keyword.name {
        "systemd" | "docker" | "command" => "",
        "start" => "stop \"/bin/a\"\n status \"/bin/b\"",
        "stop" => "start \"/bin/a\"\n status \"/bin/b\"",
        "status" => "start \"/bin/a\"\n stop \"/bin/b\"",
        _ => "systemd w",
    };
    format!("service W {{\n {runs}\n {example}\n}}\n")
}

fn all() -> impl Iterator<Item = (Block, &'static Keyword)> {
    Block::ALL.iter().flat_map(|place| place.keywords().map(move |keyword| (*place, keyword)))
}

#[test]
fn each_has_words_and_an_example() {
    for (place, keyword) in all() {
        assert!(keyword.words.ends_with('.'), "{}: {} is not explained", place.title(), keyword.name);
        assert!(keyword.example.contains(keyword.name), "{}: {} has no example", place.title(), keyword.name);
    }
}

#[test]
fn each_name_stands_once_in_its_block() {
    for place in Block::ALL {
        let mut names = BTreeSet::new();
        for keyword in place.keywords() {
            for name in std::iter::once(&keyword.name).chain(keyword.synonyms) {
                assert!(names.insert(*name), "{}: {name} stands twice", place.title());
            }
        }
    }
}

#[test]
fn each_block_is_opened_by_a_keyword() {
    let opened: BTreeSet<Block> = all()
        .flat_map(|(_, keyword)| match keyword.form {
            Form::Block(block) | Form::NamedBlock { block, .. } | Form::OneOf(block) => [Some(block), keyword.options],
            _ => [None, keyword.options],
        })
        .flatten()
        .collect();
    // The root is open from the start, virtual servers have a form of their own, options stand in lists.
    let elsewhere = [
        Block::Root,
        Block::VirtualServer,
        Block::RealServer,
        Block::AddressOptions,
        Block::PeerOptions,
        Block::TrackOptions,
        Block::RouteOptions,
        Block::RuleOptions,
    ];
    for place in Block::ALL.iter().filter(|place| !elsewhere.contains(place)) {
        let shared = *place == Block::PingCheck;
        assert!(opened.contains(place) || shared, "nothing opens {}", place.title());
    }
}

#[test]
fn each_example_does_what_the_table_says() {
    for (place, keyword) in all() {
        let text = around(place, keyword);
        let report = load_text(text.as_str()).report;
        let codes: Vec<&str> = report
            .diagnostics()
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| diagnostic.code)
            .collect();
        let told = report.render(false);
        match keyword.status {
            Status::Works => assert!(codes.is_empty(), "{text}\n{told}"),
            Status::NotBuilt => assert_eq!(codes, ["not-built"], "{text}\n{told}"),
            Status::IgnoredBecause(reason) => {
                assert!(codes.is_empty(), "{text}\n{told}");
                assert!(told.contains(reason), "{text}\n{told}");
            }
        }
    }
}

/// Each once, however often it stands there and whatever else has the same reason.
#[test]
fn each_word_without_effect_is_told_once() {
    let ignored = |place| {
        let keywords = all().filter(move |(at, _)| *at == place).map(|(_, keyword)| keyword);
        keywords.filter(|keyword| matches!(keyword.status, Status::IgnoredBecause(_))).collect::<Vec<_>>()
    };
    let words = ignored(Block::GlobalDefs);
    assert!(words.len() > 10);
    let lines: String = words.iter().map(|keyword| format!(" {}\n", keyword.example)).collect();
    let text =
        format!("global_defs {{\n{lines}{lines}}}\n{}", around(Block::VrrpInstance, ignored(Block::VrrpInstance)[0]));
    let report = load_text(text.as_str()).report;
    let told = |name: &str| {
        let is_it = |message: &str| message.starts_with(&format!("`{name}` has no effect: "));
        let findings = report.diagnostics().iter().filter(|found| found.code == "no-effect" && is_it(&found.message));
        findings.count()
    };
    for keyword in words {
        assert_eq!(told(keyword.name), 1, "{}\n{}", keyword.name, report.render(false));
    }
}

#[test]
fn each_older_name_is_understood_and_reported() {
    for (place, keyword) in all() {
        for synonym in keyword.synonyms {
            assert_eq!(place.find(synonym).map(|found| found.name), Some(keyword.name), "{synonym}");
        }
    }
    let told = load_text("vrrp_track_file load {\n file /run/load\n}\n").report.render(false);
    assert!(told.contains("`vrrp_track_file` is the old name of `track_file`"), "{told}");
}
