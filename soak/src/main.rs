//! The soak: faults at random for as long as one likes, on pairs with and without a service and on a trio with keepalived;
//! or six of them side by side with keepalived.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use rehearse::lab::{self, Daemon};
use tanist_soak::{
    Cast, Dice, FAULTS, Failure, Fault, Flood, Ground, Held, Kind, Limits, Lives, Manner, Plan, Report, Result, Victim,
    play,
};

/// Break running daemons on purpose, at random, and look on
#[derive(Debug, Parser)]
struct CommandLine {
    /// The program that is tried
    #[arg(long, value_name = "PATH", default_value = "target/release/tanist")]
    tanist: PathBuf,
    /// The other daemon of the trio, and the one that it is compared with
    #[arg(long, value_name = "PATH", default_value = "keepalived")]
    keepalived: String,
    /// The library by which clocks are set; where Debian has it, if nothing is said
    #[arg(long, value_name = "PATH")]
    faketime: Option<PathBuf>,
    /// Go on for so many hours
    #[arg(long, value_name = "N", conflicts_with_all = ["minutes", "rounds"])]
    hours: Option<f64>,
    /// Go on for so many minutes; ten, if nothing else is said
    #[arg(long, value_name = "N", conflicts_with = "rounds")]
    minutes: Option<f64>,
    /// Play each fault so many times and end
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// What chance begins with; without it a new one, which is told
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only this fault; may be given several times
    #[arg(long, value_name = "FAULT", value_parser = known)]
    only: Vec<&'static Fault>,
    /// Not this fault; may be given several times. Without kill, disk-full and read-only daemons live as long as the soak
    #[arg(long, value_name = "FAULT", value_parser = known, conflicts_with = "only")]
    except: Vec<&'static Fault>,
    /// Print what all daemons have written
    #[arg(long)]
    log: bool,
    /// Who stands there; all of them, if nothing is said
    #[arg(long, value_enum, value_name = "WHO")]
    cast: Vec<Who>,
    /// Side by side with a pair of this, for the faults that can be done to both
    #[arg(long, value_enum, value_name = "WHOM", conflicts_with = "cast")]
    with: Option<Other>,
    /// Advertisement interval in seconds, 0.01 to 40.95
    #[arg(long, value_name = "SECONDS", default_value = "0.2", value_parser = centiseconds)]
    advert: u16,
    /// A fault that lasts does so for at most so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 6.0)]
    longest: f64,
    /// Packets a second in a flood
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    flood: u32,
    /// For a machine that others work on: no load on all processors, floods of 2000 packets a second, faults of two
    /// seconds
    #[arg(long)]
    gentle: bool,
    /// Write the report to this file, too, again after each ten rounds
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Only list the faults
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// Two of ours
    Pair,
    /// Ours, keepalived, ours
    Trio,
    /// Two of ours with a service
    Services,
    /// The same, with clocks that can be set
    Clocks,
}

impl Who {
    const ALL: [Self; 4] = [Self::Pair, Self::Trio, Self::Services, Self::Clocks];

    const fn cast(self) -> Cast {
        match self {
            Self::Pair => Cast::Pair,
            Self::Trio => Cast::Trio,
            Self::Services => Cast::Services,
            Self::Clocks => Cast::Clocks,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Other {
    Keepalived,
}

fn known(name: &str) -> std::result::Result<&'static Fault, String> {
    let names = || FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", ");
    Fault::named(name).ok_or_else(|| format!("one of {}", names()))
}

fn centiseconds(text: &str) -> std::result::Result<u16, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds".to_owned())?;
    let centiseconds = (seconds * 100.0).round();
    if (1.0..=4095.0).contains(&centiseconds) { Ok(centiseconds as u16) } else { Err("0.01 to 40.95".to_owned()) }
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    if arguments.list {
        print!("{}", list(&arguments));
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// With what is promised to a pair with a service on a machine that does nothing else, for the longest faults.
fn list(arguments: &CommandLine) -> String {
    let mut text = String::from(
        "| Fault | What is done | How it is undone | Each other node takes the role | Two have the address | Nobody has it | \
         The service runs twice | nowhere | In order after |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    let held = Held { fault: manner(arguments).longest, ..Held::default() };
    for fault in FAULTS {
        let cast = if fault.victim == Victim::Clock { Cast::Clocks } else { Cast::Services };
        let Limits { changes, overlap, gap, twice, rest, recovery, .. } =
            fault.promise.limits(&plan(arguments, cast), &held);
        let changes = changes.map_or("any".to_owned(), |changes| changes.to_string());
        let limits = [overlap, gap, twice, rest, recovery].map(|limit| format!("{} ms", limit.as_millis())).join(" | ");
        let _ = writeln!(text, "| {} | {} | {} | {changes} | {limits} |", fault.name, fault.done, fault.undone);
    }
    text
}

fn plan(arguments: &CommandLine, cast: Cast) -> Plan {
    Plan {
        cast,
        advert: arguments.advert,
        tanist: arguments.tanist.clone(),
        keepalived: arguments.keepalived.clone(),
        faketime: arguments.faketime.clone(),
    }
}

/// A ground with all that was seen on it.
struct Field {
    plan: Plan,
    ground: Ground,
    report: Report,
    lives: Lives,
}

/// False if a promise was not kept by ours.
fn run(arguments: &CommandLine) -> Result<bool> {
    lab::permission()?;
    let tanist = arguments.tanist.canonicalize();
    let tanist =
        tanist.map_err(Failure::during(format!("find {} (cargo build --release)", arguments.tanist.display())))?;
    let mut faults = chosen(arguments);
    faults.retain(|fault| match fault.obstacle() {
        Some(why) => {
            println!("Without {}: {why}.", fault.name);
            false
        }
        None => true,
    });
    let faketime = arguments.faketime.clone().or_else(find_faketime);
    let casts = casts(arguments, &faults, faketime.is_some());
    let has_keepalived = casts.iter().any(|cast| matches!(cast, Cast::Trio | Cast::Keepalived));
    if has_keepalived && !Daemon::new("", &[&arguments.keepalived]).is_installed() {
        return Err(Failure::during("find keepalived")(format!("{} is not installed", arguments.keepalived)));
    }
    let seed = arguments.seed.unwrap_or_else(|| lab::Moment::now().as_nanos() % 1_000_000_000);
    let mut fields = Vec::new();
    for cast in casts {
        let plan = Plan { tanist: tanist.clone(), faketime: faketime.clone(), ..plan(arguments, cast) };
        fields.push(Field { ground: Ground::build(&plan)?, plan, report: Report::default(), lives: Lives::default() });
    }
    let head = head(arguments, seed);
    println!("{head}");
    let began = Instant::now();
    let mut soak = Soak {
        dice: Dice::new(seed),
        manner: manner(arguments),
        number: 0,
        tells_log: arguments.log,
        is_comparison: arguments.with.is_some(),
    };
    match arguments.with {
        Some(Other::Keepalived) => soak.side_by_side(&mut fields, &faults, arguments)?,
        None => soak.at_random(&mut fields, &faults, arguments, &head)?,
    }
    let report = render(&head, &fields, began.elapsed());
    println!("\n{report}");
    write(arguments, &report)?;
    Ok(fields
        .iter()
        .all(|field| field.plan.cast == Cast::Keepalived || (field.report.is_good() && field.lives.are_flat())))
}

fn manner(arguments: &CommandLine) -> Manner {
    let longest = Duration::from_secs_f64(arguments.longest);
    let usual = Manner { longest, is_exact: arguments.with.is_some(), flood: arguments.flood };
    if arguments.gentle {
        Manner { longest: longest.min(Duration::from_secs(2)), flood: arguments.flood.min(2000), ..usual }
    } else {
        usual
    }
}

struct Soak {
    dice: Dice,
    manner: Manner,
    number: usize,
    tells_log: bool,
    is_comparison: bool,
}

impl Soak {
    /// Faults, nodes and grounds by chance, until the time is over or each fault has had its rounds.
    fn at_random(
        &mut self,
        fields: &mut [Field],
        faults: &[&'static Fault],
        arguments: &CommandLine,
        head: &str,
    ) -> Result<()> {
        // On whom a fault can be done.
        let fitting = |fault: &Fault| -> Vec<usize> {
            let cast = |place: &usize| fields[*place].plan.cast;
            (0..fields.len()).filter(|place| fault.fits(tried(cast(place)), cast(place))).collect()
        };
        let faults: Vec<(&'static Fault, Vec<usize>)> =
            faults.iter().map(|&fault| (fault, fitting(fault))).filter(|(_, places)| !places.is_empty()).collect();
        if faults.is_empty() {
            return Err(Failure::during("begin")("none of these faults can be done to any of these"));
        }
        let hours = arguments.hours.or(arguments.minutes.map(|minutes| minutes / 60.0)).unwrap_or(1.0 / 6.0);
        let began = Instant::now();
        let mut to_do: Vec<(&'static Fault, usize)> = Vec::new();
        if let Some(rounds) = arguments.rounds {
            let in_turn =
                |round: usize| faults.iter().map(move |(fault, places)| (*fault, places[round % places.len()]));
            to_do = (0..rounds).flat_map(in_turn).collect();
        }
        loop {
            let (fault, field) = match arguments.rounds {
                Some(_) if to_do.is_empty() => return Ok(()),
                Some(_) => to_do.swap_remove(self.dice.below(to_do.len())),
                None if began.elapsed().as_secs_f64() >= hours * 3600.0 => return Ok(()),
                None => {
                    let (fault, places) = &faults[self.dice.below(faults.len())];
                    (*fault, places[self.dice.below(places.len())])
                }
            };
            self.once(&mut fields[field], fault)?;
            if self.number.is_multiple_of(10) {
                write(arguments, &render(head, fields, began.elapsed()))?;
            }
        }
    }

    /// The same faults to both, in turn.
    fn side_by_side(&mut self, fields: &mut [Field], faults: &[&'static Fault], arguments: &CommandLine) -> Result<()> {
        for _ in 0..arguments.rounds.unwrap_or(3) {
            for fault in faults {
                // The same chance for both.
                let dice = self.dice.clone();
                for field in &mut *fields {
                    self.dice = dice.clone();
                    self.once(field, fault)?;
                }
            }
        }
        Ok(())
    }

    fn once(&mut self, field: &mut Field, fault: &'static Fault) -> Result<()> {
        let (kinds, wanted) = (field.ground.kinds(), tried(field.plan.cast));
        if !fault.fits(wanted, field.plan.cast) {
            return Ok(());
        }
        self.number += 1;
        let nodes: Vec<usize> = (0..kinds.len()).filter(|&node| kinds[node] == wanted).collect();
        // Side by side it is always the one with the role: that shows more. A service is there, too.
        let is_first = self.is_comparison || fault.victim == Victim::Service;
        let node = if is_first { 0 } else { nodes[self.dice.below(nodes.len())] };
        let round = play(&mut field.ground, fault, node, self.manner, &mut self.dice)?;
        let recovery = round.recovery.map_or("never".to_owned(), |span| format!("{} ms", span.as_millis()));
        let work = round.work.map_or_else(String::new, |work| {
            let [rest, twice] = [work.rest, work.twice].map(|span| span.as_millis());
            format!("; the service ran nowhere for {rest} ms, twice for {twice} ms")
        });
        let flood = round.flooded.map_or_else(String::new, |Flood { per_second, lost }| {
            format!("; {per_second} packets a second, {lost} had no room")
        });
        println!(
            "{:>5}  {:<16} {} of {}: in order after {recovery}{work}{flood}",
            self.number, fault.name, round.node, field.plan.cast
        );
        let verdict = match round.held.stall.as_millis() {
            stall if round.may_be_the_machine() => format!("perhaps the machine, which let nobody run for {stall} ms"),
            _ => "NOT AS PROMISED".to_owned(),
        };
        round.broken.iter().for_each(|breach| println!("       {verdict}: {}", breach.what));
        if self.tells_log {
            round.log.iter().for_each(|line| println!("       | {line}"));
        }
        field.report.add(self.number, &round);
        for node in (0..kinds.len()).filter(|&node| kinds[node] == wanted) {
            if let Some((pid, footprint)) = field.ground.footprint(node) {
                field.lives.look(node, pid, footprint);
            }
        }
        if round.recovery.is_none() {
            // What is broken for good would spoil all that follows.
            field.ground = Ground::build(&field.plan)?;
        }
        Ok(())
    }
}

/// Who stands there.
fn casts(arguments: &CommandLine, faults: &[&'static Fault], clocks_can_be_set: bool) -> Vec<Cast> {
    let mut casts: Vec<Cast> = match (arguments.with, &arguments.cast[..]) {
        (Some(Other::Keepalived), _) => vec![Cast::Pair, Cast::Keepalived],
        (None, []) => Who::ALL.map(Who::cast).to_vec(),
        (None, who) => who.iter().map(|who| who.cast()).collect(),
    };
    // Nobody stands there for nothing.
    casts.retain(|&cast| faults.iter().any(|fault| fault.fits(tried(cast), cast)));
    if !clocks_can_be_set && casts.contains(&Cast::Clocks) {
        println!("No clock is set: there is no libfaketime (apt-get install faketime, or --faketime PATH).");
        casts.retain(|cast| *cast != Cast::Clocks);
    }
    casts
}

/// Whose daemon is tried. In a mixed trio keepalived is there to be heard.
fn tried(cast: Cast) -> Kind {
    if cast == Cast::Keepalived { Kind::Keepalived } else { Kind::Tanist }
}

/// Where Debian and its kin put it, and others.
fn find_faketime() -> Option<PathBuf> {
    let machine = std::env::consts::ARCH;
    let directories = [format!("/usr/lib/{machine}-linux-gnu"), "/usr/lib64".to_owned(), "/usr/lib".to_owned()];
    let libraries = directories.iter().map(|directory| PathBuf::from(directory).join("faketime/libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.exists())
}

/// What can be done to keepalived, too, and tells them apart.
fn compared() -> Vec<&'static Fault> {
    let names = ["freeze", "kill", "bad-reload", "delete-address", "netlink-flood", "blocked-log"];
    names.iter().filter_map(|name| Fault::named(name)).collect()
}

fn chosen(arguments: &CommandLine) -> Vec<&'static Fault> {
    if arguments.only.is_empty() && arguments.with.is_some() {
        return compared();
    }
    if arguments.only.is_empty() {
        let excluded = |fault: &Fault| arguments.except.iter().any(|except| except.name == fault.name);
        let too_much = |fault: &Fault| arguments.gentle && fault.name == "load";
        return FAULTS.iter().filter(|fault| !excluded(fault) && !too_much(fault)).collect();
    }
    arguments.only.clone()
}

fn head(arguments: &CommandLine, seed: u64) -> String {
    let line = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok();
        let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown").to_owned()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let Manner { longest, flood, .. } = manner(arguments);
    format!(
        "{}, {}; Linux {}, {processors} processors; {}; seed {seed}; an advertisement each {} ms; faults of up to {} ms; \
         floods of {flood} packets a second.",
        line(&arguments.tanist.display().to_string(), &["--version"]),
        line(&arguments.keepalived, &["--version"]),
        line("uname", &["-r"]),
        line("date", &["--utc", "+%Y-%m-%d"]),
        u32::from(arguments.advert) * 10,
        longest.as_millis(),
    )
}

fn render(head: &str, fields: &[Field], took: Duration) -> String {
    let mut text = format!("{head}\n");
    for Field { plan, report, lives, .. } in fields {
        let (rounds, table, lives) = (report.rounds(), report.render(), lives.render());
        let _ = write!(text, "\n## On {}: {rounds} rounds\n\n{table}\n{lives}", plan.cast);
    }
    let _ = writeln!(text, "\nIn {} minutes.", took.as_secs() / 60);
    text
}

fn write(arguments: &CommandLine, report: &str) -> Result<()> {
    let Some(file) = &arguments.write else { return Ok(()) };
    std::fs::write(file, report).map_err(Failure::during(format!("write {}", file.display())))
}
