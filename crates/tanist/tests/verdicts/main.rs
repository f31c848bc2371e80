//! The same configurations given to the distribution's keepalived and to us: what both say about them, and what both
//! understand. Every difference is mended or stands in `differences.txt` with its reason.
//!
//! * `corpus/*.conf` are the configurations, a section each: `=== NAME`, perhaps `-i ID`, then the text; `--- FILE`
//!   begins a further file of the section. [`mutations`] makes many more of them, by damaging some of them and by
//!   trying the limits of every keyword that works.
//! * `messages.txt` says how we call what keepalived says.
//! * `differences.txt` lists the differences. One that is no longer met fails the test, so that the list stays true.
//!   `VERDICTS=text` shows what both say about the configurations with this text in their names.
//!
//! What is not built yet, or is newer than the keepalived here, is known from the table of keywords.

#[path = "../support/mod.rs"]
mod support;

mod corpus;
mod differences;
mod judge;
mod messages;
mod mutations;
mod ours;
mod pattern;
mod random;
mod run;
mod theirs;
mod understood;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use config::keywords::Block;
use config::{LoadOptions, MemoryFiles, Settings};

use corpus::Configuration;
use differences::{Difference, Differences};
use judge::{Judge, Judgement};
use messages::Messages;
use support::{Host, HostPlan, Lab, slow_test_with_scripts_of_keepalived, test_name};

/// The keepalived whose messages and habits are written down here.
const WRITTEN_FOR: &str = "2.2.7";

/// How the machine is called on which both run.
const HOST: &str = "edge-a";

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts").join(name)
}

fn read(name: &str) -> String {
    let path = beside(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

/// A host on which the interfaces of the corpus exist. It has power as long as its lab.
fn host() -> (Lab, Host) {
    let lab = Lab::new(&test_name()).expect("a lab");
    let plan = HostPlan::new(HOST)
        .interface("eth0", &["192.0.2.10/24", "2001:db8::10/64"])
        .interface("eth1", &["198.51.100.10/24"])
        .interface("eth2", &["203.0.113.10/24"]);
    let host = lab.add_host(&plan).expect("a host");
    (lab, host)
}

/// As [`slow_test_with_scripts_of_keepalived`], where keepalived is the one that this was written for, and the machine says
/// nothing that changes its mind.
fn with_known_keepalived(test: impl FnOnce()) {
    slow_test_with_scripts_of_keepalived(|| {
        let version = theirs::version();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        if version != WRITTEN_FOR {
            let why = format!("keepalived is {version}; messages and differences are those of {WRITTEN_FOR}");
            rehearse::lab::skip(&test_name(), &why);
        } else if users.lines().any(|user| user.starts_with("keepalived_script:")) {
            rehearse::lab::skip(
                &test_name(),
                &"there is a user keepalived_script, who would run what root runs elsewhere",
            );
        } else {
            test();
        }
    });
}

#[test]
fn verdicts_agree_or_the_difference_is_listed() {
    with_known_keepalived(|| {
        let corpus = corpus::all();
        let mutants = mutations::all(&corpus);
        let messages = Messages::parse(&read("messages.txt"));
        let mut differences = Differences::parse(&read("differences.txt"));
        let everything: Vec<Configuration> = corpus.iter().chain(&mutants).cloned().collect();

        let (_lab, host) = host();
        let answers = run::both(&host, &everything);
        let judge = Judge { messages: &messages };
        let mut judgements = Vec::new();
        for (configuration, (theirs, ours)) in everything.iter().zip(&answers) {
            let judgement = judge.compare(configuration, theirs, ours, &mut differences);
            show(configuration, theirs, ours, &judgement);
            judgements.push(judgement);
        }
        println!("{}", summary(corpus.len(), mutants.len(), &judgements, &differences));
        let mut complaints: Vec<String> = judgements.into_iter().flat_map(|judgement| judgement.unexplained).collect();
        complaints.extend(differences.stale(false));
        complaints.extend(messages.stale());
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    });
}

#[test]
fn what_is_understood_agrees_or_the_difference_is_listed() {
    with_known_keepalived(|| {
        let corpus = corpus::all();
        let mutants = mutations::all(&corpus);
        let mut differences = Differences::parse(&read("differences.txt"));
        // What we do not accept has no meaning here; where keywords are lost or braces are wrong, little is left to compare.
        let is_told_apart = |one: &Configuration| {
            ["value~", "~twice@", "~with-junk@", "~left-out@"].iter().any(|kind| one.name.contains(kind))
        };
        let accepted: Vec<(Configuration, Settings)> = corpus
            .into_iter()
            .chain(mutants.into_iter().filter(is_told_apart))
            .filter_map(|one| understood_by_us(&one).map(|settings| (one, settings)))
            .collect();

        let (_lab, host) = host();
        let logs = run::settings_of_keepalived(&host, accepted.iter().map(|(one, _)| one));
        let mut complaints = Vec::new();
        let (mut compared, mut fields, mut listed) = (0, 0, 0);
        for ((configuration, settings), log) in accepted.iter().zip(&logs) {
            let Some(theirs) = understood::theirs(log) else { continue };
            let ours = understood::ours(settings);
            compared += 1;
            for field in theirs.keys().chain(ours.keys().filter(|field| !theirs.contains_key(*field))) {
                fields += 1;
                let (they, we) = (theirs.get(field), ours.get(field));
                if they == we {
                    continue;
                }
                match differences.explain(&configuration.name, Difference::Understood(field)) {
                    Some(_) => listed += 1,
                    None => complaints.push(format!("{}: {field}: keepalived {they:?}, we {we:?}", configuration.name)),
                }
            }
        }
        println!(
            "{compared} of {} accepted configurations compared in {fields} fields, {listed} of them listed as different",
            accepted.len()
        );
        complaints.extend(differences.stale(true));
        assert!(compared > 200, "keepalived has told its settings only {compared} times");
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    });
}

/// `None` if we refuse it, or nothing is in it.
fn understood_by_us(configuration: &Configuration) -> Option<Settings> {
    let files =
        configuration.files.iter().map(|(name, text)| (PathBuf::from("/v").join(name), text.clone().into_bytes()));
    let mut memory = MemoryFiles::single("/v/none", "");
    memory.files = files.collect();
    memory.host_name = HOST.to_owned();
    let options = LoadOptions { config_id: Some(configuration.id.clone()), ..LoadOptions::default() };
    config::load(&Path::new("/v").join(corpus::MAIN), &memory, &options)
        .settings
        .filter(|settings| !settings.instances.is_empty())
}

/// What both said, for whoever asks by `VERDICTS=text`.
fn show(configuration: &Configuration, theirs: &theirs::Answer, ours: &ours::Answer, judgement: &Judgement) {
    let Some(wanted) = std::env::var_os("VERDICTS") else { return };
    if !configuration.name.contains(&*wanted.to_string_lossy()) {
        return;
    }
    println!("=== {}: keepalived {:?}, we {}", configuration.name, theirs.verdict, ours.status);
    for (file, text) in &configuration.files {
        println!("--- {file}\n{text}");
    }
    for said in &theirs.said {
        println!("keepalived: {said}");
    }
    for finding in &ours.findings {
        println!("we: {finding}");
    }
    for explained in &judgement.explained {
        println!("listed: {explained}");
    }
}

/// How much was compared, and how often each difference was met.
fn summary(corpus: usize, mutants: usize, judgements: &[Judgement], differences: &Differences) -> String {
    let same = judgements.iter().filter(|judgement| judgement.same_verdict).count();
    let mut text = format!(
        "{corpus} configurations and {mutants} made from them: {same} with the same verdict, {} with another one\n",
        judgements.len() - same
    );
    let mut generated: BTreeMap<&str, usize> = BTreeMap::new();
    for explained in judgements.iter().flat_map(|judgement| &judgement.explained) {
        *generated.entry(explained.as_str()).or_default() += 1;
    }
    for (name, count) in generated {
        writeln!(text, "{count:6}  {name}").expect("writing to a string cannot fail");
    }
    write!(text, "{} differences are listed", differences.len()).expect("writing to a string cannot fail");
    text
}

/// Keywords of virtual servers and their checkers have their own suite when they are built; of these a sample will do.
const NOT_YET: [Block; 17] = [
    Block::BfdInstance,
    Block::VirtualServerGroup,
    Block::VirtualServer,
    Block::RealServer,
    Block::TcpCheck,
    Block::HttpGet,
    Block::Url,
    Block::MiscCheck,
    Block::SmtpCheck,
    Block::DnsCheck,
    Block::UdpCheck,
    Block::PingCheck,
    Block::FileCheck,
    Block::BfdCheck,
    // What only we understand has nobody to be compared with.
    Block::Service,
    Block::WhileActive,
    Block::Pair,
];

#[test]
fn the_corpus_has_every_keyword() {
    let texts: String = corpus::all().iter().flat_map(|one| &one.files).map(|(_, text)| text.as_str()).collect();
    let words: std::collections::BTreeSet<&str> =
        texts.split(|c: char| c.is_whitespace() || matches!(c, '{' | '}')).collect();
    let mut missing = Vec::new();
    for &place in Block::ALL.iter().filter(|place| !place.is_ours() && !NOT_YET.contains(place)) {
        for keyword in place.keywords().filter(|keyword| !keyword.ours) {
            let names = std::iter::once(&keyword.name).chain(keyword.synonyms);
            missing.extend(
                names.filter(|name| !words.contains(*name)).map(|name| format!("{} of {}", name, place.title())),
            );
        }
    }
    assert!(missing.is_empty(), "no configuration in corpus/ has {}", missing.join(", "));
}
