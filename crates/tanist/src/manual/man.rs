//! The man pages: tanist(8) from the command line, tanist.conf(5) from the tables of keywords.

use clap::{Arg, Command, CommandFactory};
use config::keywords::{Block, Keyword, Status};
use roff::{Inline, Roff, bold, italic, roman};

use super::pages::{keywords, title};
use super::{markup, read};

fn begin(name: &str, section: &str, about: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control(
        "\\\"",
        ["Written", "by", "`cargo", "xtask", "manual`;", "what", "is", "changed", "here", "is", "lost."],
    );
    // No date: the page is that of a version, and must come out the same every day.
    let version = concat!("Tanist ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [name.to_uppercase().as_str(), section, "\"\"", version]);
    // Words stay whole, and lines are as long as they are.
    roff.control("nh", []).control("ad", ["l"]);
    markup::section(&mut roff, "Name");
    roff.text([roman(format!("{name} - {about}"))]);
    roff
}

/// tanist(8).
pub(super) fn commands() -> String {
    let mut tanist = crate::CommandLine::command();
    tanist.build();
    let mut keepalived = crate::keepalived::CommandLine::command();
    keepalived.build();

    let mut roff = begin("tanist", "8", "hot standby for Linux, in the place of keepalived");
    markup::section(&mut roff, "Synopsis");
    roff.text([bold("tanist"), roman(" "), italic("COMMAND"), roman(" ["), italic("OPTIONS"), roman("]")]);
    roff.control("br", []);
    roff.text([bold("keepalived"), roman(" ["), italic("OPTIONS"), roman("]")]);
    markup::section(&mut roff, "Description");
    markup::say(
        &mut roff,
        "Tanist lets two machines share a service address, and if wanted the service behind it: one has it, the other one takes \
         over when the first one fails. It speaks VRRP versions 2 and 3 and reads the configuration of keepalived, see \
         `tanist.conf`(5). Started under the name `keepalived` it takes that program's options, files and signals.",
    );
    markup::section(&mut roff, "Commands");
    for command in tanist.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()) {
        subcommand(&mut roff, command, "tanist");
    }
    markup::section(&mut roff, "In keepalived's place");
    markup::say(&mut roff, "The options under the name `keepalived`:");
    arguments(&mut roff, &keepalived);
    // What stands before the first section is about the page.
    let running = read("docs/manual/running.md");
    let sections = running.find("\n## ").expect("it has sections");
    markup::page(&mut roff, &running[sections..]);
    markup::section(&mut roff, "See also");
    roff.text([bold("tanist.conf"), roman("(5), "), bold("ip-address"), roman("(8), "), bold("nft"), roman("(8)")]);
    roff.render()
}

/// A command, or the commands that it has in its turn.
fn subcommand(roff: &mut Roff, command: &Command, before: &str) {
    let name = format!("{before} {}", command.get_name());
    if command.has_subcommands() {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            subcommand(roff, inner, &name);
        }
        return;
    }
    let positional = |argument: &Arg| {
        let values = values(argument);
        if argument.is_required_set() { format!(" {values}") } else { format!(" [{values}]") }
    };
    let positional: String = command.get_positionals().map(positional).collect();
    let options = if command.get_opts().next().is_some() { " [OPTIONS]" } else { "" };
    markup::subsection(roff, &format!("{name}{options}{positional}"));
    if let Some(about) = command.get_about() {
        markup::say(roff, &sentence(&about.to_string()));
    }
    arguments(roff, command);
    if let Some(more) = command.get_after_help() {
        roff.control("PP", []);
        markup::say(roff, &sentence(&more.to_string()));
    }
}

fn arguments(roff: &mut Roff, command: &Command) {
    let told = |argument: &&Arg| !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version");
    // Under the name keepalived, `--version` is ours.
    let own_version = command.get_name() == "keepalived";
    let own = |argument: &&Arg| own_version && argument.get_id() == "version";
    for argument in command.get_arguments().filter(|argument| told(argument) || own(argument)) {
        let mut text = argument.get_help().map(|help| sentence(&help.to_string())).unwrap_or_default();
        let choices = argument.get_possible_values();
        if argument.get_action().takes_values() && !choices.is_empty() {
            let choice = |choice: &clap::builder::PossibleValue| match choice.get_help() {
                Some(help) => format!("`{}` ({help})", choice.get_name()),
                None => format!("`{}`", choice.get_name()),
            };
            let choices: Vec<String> = choices.iter().filter(|one| !one.is_hide_set()).map(choice).collect();
            text.push_str(&format!(" One of {}.", choices.join(", ")));
        }
        let defaults: Vec<String> =
            argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
        if argument.get_action().takes_values() && !defaults.is_empty() {
            text.push_str(&format!(" Default: {}.", defaults.join(", ")));
        }
        markup::tagged(roff, term(argument), &text);
    }
}

/// `-f, --file FILE`.
fn term(argument: &Arg) -> Vec<Inline> {
    let mut names: Vec<String> = argument.get_short().map(|short| format!("-{short}")).into_iter().collect();
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let mut term: Vec<Inline> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            term.push(roman(", "));
        }
        term.push(bold(name.as_str()));
    }
    if names.is_empty() {
        term.push(italic(values(argument)));
    } else if argument.get_action().takes_values() {
        let optional = argument.get_num_args().is_some_and(|count| count.min_values() == 0);
        let (open, close) = match (optional, argument.is_require_equals_set()) {
            (true, true) => ("[=", "]"),
            (true, false) => (" [", "]"),
            (false, true) => ("=", ""),
            (false, false) => (" ", ""),
        };
        term.extend([roman(open), italic(values(argument))]);
        if !close.is_empty() {
            term.push(roman(close));
        }
    }
    term
}

fn values(argument: &Arg) -> String {
    let names: Vec<&str> = argument.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    let many = argument.is_positional() && matches!(argument.get_action(), clap::ArgAction::Append) && names.len() == 1;
    format!("{}{}", names.join(" "), if many { "..." } else { "" })
}

/// clap's help has no full stop at its end, and our own lines begin small now and then.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', ':', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// tanist.conf(5).
pub(super) fn configuration() -> String {
    let mut roff = begin("tanist.conf", "5", "the configuration of tanist and of keepalived");
    markup::section(&mut roff, "Description");
    markup::page(&mut roff, &read("docs/manual/language.md"));
    for block in Block::ALL {
        let built: Vec<&Keyword> = keywords(*block).filter(|keyword| keyword.status != Status::NotBuilt).collect();
        if built.is_empty() {
            continue;
        }
        markup::section(&mut roff, &title(*block));
        for keyword in built {
            self::keyword(&mut roff, keyword);
        }
    }
    markup::section(&mut roff, "Not built yet");
    markup::say(&mut roff, "Keywords of keepalived's that are known and whose use is an error that says so:");
    for block in Block::ALL {
        let names: Vec<String> = keywords(*block)
            .filter(|keyword| keyword.status == Status::NotBuilt)
            .map(|keyword| format!("`{}`", keyword.name))
            .collect();
        if names.is_empty() {
            continue;
        }
        let names = if names.len() == keywords(*block).count() { "all".to_owned() } else { names.join(", ") };
        markup::tagged(&mut roff, markup::inline(&title(*block)), &names);
    }
    markup::section(&mut roff, "Files");
    for file in ["/etc/tanist/tanist.conf", "/etc/keepalived/keepalived.conf"] {
        roff.control("TP", []).text([bold(file)]);
        markup::say(&mut roff, if file.contains("tanist") { "read first" } else { "read if that does not exist" });
    }
    markup::section(&mut roff, "See also");
    roff.text([bold("tanist"), roman("(8)")]);
    roff.render()
}

fn keyword(roff: &mut Roff, keyword: &Keyword) {
    let Keyword { name, form, words, default, difference, .. } = keyword;
    roff.control("TP", []);
    let form = form.to_string();
    roff.text(if form == "nothing" {
        vec![bold(*name)]
    } else {
        [vec![bold(*name), roman("  ")], markup::inline(&form)].concat()
    });
    markup::say(roff, words);
    if !default.is_empty() {
        markup::say(roff, &format!("Default: {default}."));
    }
    if let Status::IgnoredBecause(reason) = keyword.status {
        markup::say(roff, &format!("It has no effect: {reason}."));
    }
    if !difference.is_empty() {
        markup::say(roff, &format!("Otherwise than in keepalived: {difference}"));
    }
    if keyword.example.trim() != *name {
        roff.control("IP", []);
        markup::lines(roff, keyword.example);
    }
}

/// As readers of man pages read them; skipped where there is none.
#[test]
fn man_pages_are_well_formed() {
    for (name, text) in [("tanist.8", commands()), ("tanist.conf.5", configuration())] {
        assert!(text.is_ascii(), "{name}: {:?}", text.chars().find(|character| !character.is_ascii()));
        let file = std::env::temp_dir().join(format!("tanist-manual-{}-{name}", std::process::id()));
        std::fs::write(&file, text).expect("write");
        let read = std::process::Command::new("groff").args(["-ww", "-z", "-man", "-Tutf8"]).arg(&file).output();
        let _ = std::fs::remove_file(&file);
        if let Ok(read) = read {
            let said = String::from_utf8_lossy(&read.stderr);
            assert!(read.status.success() && said.is_empty(), "{name}: {said}");
        }
    }
}
