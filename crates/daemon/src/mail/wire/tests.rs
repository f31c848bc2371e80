//! Sessions through TLS with a pretend server whose certificates are made here: what is said before and after, and all that
//! keeps mail from being sent.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread::JoinHandle;

use config::{MailLogin, MailTls};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use super::super::post::Post;
use super::super::smtp::{Delivered, Failure};
use super::super::tests::{deliver, letter, route, until};
use super::super::{Route, obstacles};
use super::*;
use crate::background::{Job, Voice};

/// Where a session goes over to TLS.
const TLS: &str = "(TLS)";
/// What is said without having been asked.
const HELLO: &str = "220 hello";
/// base64 of "\0tanist\0open sesame", of "tanist", of "open sesame".
const PLAIN: &str = "AHRhbmlzdABvcGVuIHNlc2FtZQ==";
const USER: &str = "dGFuaXN0";
const PASSWORD: &str = "b3BlbiBzZXNhbWU=";

/// Files of one test, gone with it.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("tanist-mail-{test}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn write(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An authority, and what it vouches for.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server's certificate for this name, and its key.
    fn server(&self, name: &str, until_year: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// Answers as it is told, and writes down what is said to it.
struct Server {
    port: u16,
    thread: JoinHandle<Vec<String>>,
}

enum Side {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Side {
    fn stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Clear(stream) => stream,
            Self::Tls(stream) => stream,
        }
    }

    /// `None` at the end, however it comes.
    fn line(&mut self) -> Option<String> {
        let (mut line, mut octet) = (Vec::new(), [0]);
        while !line.ends_with(b"\r\n") {
            self.stream().read_exact(&mut octet).ok()?;
            line.push(octet[0]);
        }
        Some(String::from_utf8(line).unwrap().trim_end().to_owned())
    }
}

trait ReadWrite: Read + Write {}
impl<S: Read + Write> ReadWrite for S {}

impl Server {
    fn start(tls: Arc<ServerConfig>, sessions: &[&[&str]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sessions: Vec<Vec<String>> =
            sessions.iter().map(|answers| answers.iter().map(|one| (*one).to_owned()).collect()).collect();
        let thread = std::thread::spawn(move || {
            let mut heard = Vec::new();
            for answers in sessions {
                let (stream, _) = listener.accept().unwrap();
                // Who is refused hangs up, and that is the end of that session.
                let _ = session(stream, &tls, &answers, &mut heard);
            }
            heard
        });
        Self { port, thread }
    }

    fn heard(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn session(stream: TcpStream, tls: &Arc<ServerConfig>, answers: &[String], heard: &mut Vec<String>) -> Option<()> {
    let mut side = Side::Clear(stream);
    let mut is_content = false;
    for answer in answers {
        if answer == TLS {
            let Side::Clear(stream) = side else { panic!("it is TLS already") };
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(tls)).unwrap(), stream);
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock).ok()?;
            }
            heard.push(TLS.to_owned());
            side = Side::Tls(Box::new(stream));
            continue;
        }
        if !answer.starts_with(HELLO) {
            loop {
                let line = side.line()?;
                let ends = !is_content || line == ".";
                heard.push(line);
                if ends {
                    break;
                }
            }
        }
        is_content = answer.starts_with("354");
        write!(side.stream(), "{answer}\r\n").ok()?;
        side.stream().flush().ok()?;
    }
    // So that it is seen who says more.
    while let Some(line) = side.line() {
        heard.push(line);
    }
    Some(())
}

fn through(tls: MailTls, port: u16, authorities: &Path, password_file: Option<&Path>) -> Route {
    let login = password_file.map(|path| MailLogin { user: "tanist".to_owned(), password_file: path.to_owned() });
    Route { tls, authorities: Some(authorities.to_owned()), login, ..route(port, &["ops@example.com"]) }
}

/// The answers about a mail.
const REST: [&str; 5] = ["250 ok", "250 ok", "354 go", "250 queued", "221 bye"];

fn with_rest<'a>(answers: &[&'a str]) -> Vec<&'a str> {
    answers.iter().copied().chain(REST).collect()
}

/// The answers about a mail after which the session goes on.
const NEXT: [&str; 4] = ["250 ok", "250 ok", "354 go", "250 queued"];

/// What is said about a mail, from its sender to the end.
fn about_mail(heard: &[String]) -> &[String] {
    let begin = heard.iter().position(|line| line.starts_with("MAIL FROM"));
    begin.map_or(&[], |begin| &heard[begin..])
}

// Shows: global_defs.smtp_tls, global_defs.smtp_ca_file, global_defs.smtp_user, global_defs.smtp_password_file
#[test]
fn with_starttls_nothing_is_said_before_it_and_the_login_comes_after_it() {
    let (files, authority) = (Files::new("starttls"), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let password = files.write("password", "open sesame\nand notes\n", 0o600);
    let answers = with_rest(&[
        HELLO,
        "250-edge\r\n250-AUTH CRAM-MD5\r\n250 STARTTLS",
        "220 go on",
        TLS,
        "250-edge\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN",
        "235 welcome",
    ]);
    let server = Server::start(authority.server("127.0.0.1", 2120), &[&answers]);
    let route = through(MailTls::StartTls, server.port, &ca, Some(&password));
    assert_eq!(deliver(&route, &letter("x")), Ok(Delivered::default()));
    let heard = server.heard();
    let login = format!("AUTH PLAIN {PLAIN}");
    let before = ["EHLO edge.example.net", "STARTTLS", TLS, "EHLO edge.example.net", &login];
    assert_eq!(heard[..5], before);
    assert_eq!(about_mail(&heard), &heard[5..]);
    assert!(heard.contains(&"Subject: x".to_owned()) && heard.last().is_some_and(|line| line == "QUIT"), "{heard:?}");
}

#[test]
fn implicit_tls_comes_before_everything_and_old_servers_are_told_name_and_password_one_by_one() {
    let (files, authority) = (Files::new("implicit"), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let password = files.write("password", "open sesame", 0o400);
    let answers =
        with_rest(&[TLS, HELLO, "250-edge\r\n250 AUTH=LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome"]);
    let server = Server::start(authority.server("localhost", 2120), &[&answers]);
    let route = through(MailTls::Implicit, server.port, &ca, Some(&password));
    let route = Route { server: ("localhost".to_owned(), server.port), ..route };
    assert_eq!(deliver(&route, &letter("x")), Ok(Delivered::default()));
    let heard = server.heard();
    assert_eq!(heard[..5], [TLS, "EHLO edge.example.net", "AUTH LOGIN", USER, PASSWORD]);
    assert_eq!(about_mail(&heard), &heard[5..]);
    assert!(heard.contains(&"Subject: x".to_owned()), "{heard:?}");
}

/// Delivers one mail, which fails; the reason, and what was heard before.
fn refused(server: Server, route: &Route) -> (Failure, Vec<String>) {
    let failed = deliver(&Route { timeout: Duration::from_secs(20), ..route.clone() }, &letter("x")).unwrap_err();
    let heard = server.heard();
    assert!(about_mail(&heard).is_empty(), "nothing is said about a mail: {heard:?}");
    (failed, heard)
}

#[test]
fn without_starttls_nothing_is_sent_in_clear() {
    let (files, authority) = (Files::new("clear"), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let password = files.write("password", "open sesame", 0o600);
    let check = |answers: &[&str], expected: &str, said: &[&str]| {
        // It would take the mail, if it were only given to it.
        let server = Server::start(authority.server("127.0.0.1", 2120), &[&with_rest(answers)]);
        let route = through(MailTls::StartTls, server.port, &ca, Some(&password));
        let (failed, heard) = refused(server, &route);
        assert_eq!(failed, Failure::Now(expected.to_owned()));
        assert_eq!(heard, said);
    };
    let ehlo = "EHLO edge.example.net";
    let none = "it does not offer STARTTLS, and nothing is sent in clear";
    check(&[HELLO, "250-edge\r\n250 AUTH PLAIN"], none, &[ehlo]);
    check(&[HELLO, "250 edge"], none, &[ehlo]);
    check(&[HELLO, "502 what is EHLO"], "502 what is EHLO", &[ehlo]);
    check(&[HELLO, "250-edge\r\n250 STARTTLS", "454 not now"], "454 not now", &[ehlo, "STARTTLS"]);
    // Somebody on the way says what we are to believe later.
    let early = "it says more before TLS than it was asked";
    check(&[HELLO, "250-edge\r\n250 STARTTLS", "220 go on\r\n250 AUTH PLAIN"], early, &[ehlo, "STARTTLS"]);
    let no_tls = "what it answers is no TLS";
    let server = Server::start(authority.server("127.0.0.1", 2120), &[&[HELLO]]);
    let route = through(MailTls::Implicit, server.port, &ca, None);
    assert_eq!(deliver(&route, &letter("x")), Err(Failure::Now(no_tls.to_owned())));
}

#[test]
fn only_whom_we_trust_gets_mail() {
    let (files, authority, stranger) = (Files::new("trust"), Authority::new("One"), Authority::new("Another"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let check = |tls: Arc<ServerConfig>, authorities: Option<&Path>, expected: &[&str]| {
        let server = Server::start(tls, &[&with_rest(&[TLS, HELLO, "250 edge"])]);
        let route = through(MailTls::Implicit, server.port, &ca, None);
        let (failed, heard) = refused(server, &Route { authorities: authorities.map(Path::to_owned), ..route });
        let Failure::Now(reason) = failed else { panic!("it may be mended: {failed:?}") };
        let reason = reason.replace(&files.0.display().to_string(), "DIR");
        assert!(expected.contains(&reason.as_str()), "{reason}");
        assert!(!heard.iter().any(|line| line != TLS), "{heard:?}");
    };
    let good = authority.server("127.0.0.1", 2120);
    let nobody = "nobody whom we trust vouches for its certificate; `smtp_ca_file` names others to trust";
    check(stranger.server("127.0.0.1", 2120), Some(&ca), &[nobody]);
    check(Authority::new("One").server("127.0.0.1", 2120), Some(&ca), &[nobody]);
    // What this system trusts does not include an authority that was made a moment ago.
    let none = "this system trusts nobody: install its certificates of authorities, or name some in `smtp_ca_file`";
    check(Arc::clone(&good), None, &[nobody, none]);
    let other = "its certificate is not for 127.0.0.1, the name in `smtp_server`; it is for: mail.example.com";
    check(
        authority.server("mail.example.com", 2120),
        Some(&ca),
        &[&other.replace("mail.example.com", "DnsName(\"mail.example.com\")")],
    );
    let old = "its certificate is no longer valid, or the clock of this machine is wrong";
    check(authority.server("127.0.0.1", 2021), Some(&ca), &[old]);
    let empty = files.write("empty.pem", "no certificate\n", 0o644);
    check(Arc::clone(&good), Some(&empty), &["smtp_ca_file DIR/empty.pem: it holds no certificate"]);
    let gone = files.0.join("gone.pem");
    check(good, Some(&gone), &["smtp_ca_file DIR/gone.pem: no such file or directory"]);
}

#[test]
fn who_may_not_log_in_sends_nothing_and_shows_no_password() {
    let (files, authority) = (Files::new("login"), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let password = files.write("password", "open sesame", 0o600);
    let check = |answers: &[&str], expected: Failure| {
        let answers: Vec<&str> = [TLS, HELLO].iter().chain(answers).copied().collect();
        let server = Server::start(authority.server("127.0.0.1", 2120), &[&with_rest(&answers)]);
        let route = through(MailTls::Implicit, server.port, &ca, Some(&password));
        assert_eq!(refused(server, &route).0, expected, "{answers:?}");
    };
    let barred = |text: &str| Failure::Barred(format!("tanist may not log in: {text}"));
    let plain = "250-edge\r\n250 AUTH PLAIN LOGIN";
    let login = "250-edge\r\n250 AUTH LOGIN";
    check(&[plain, "535 wrong password"], barred("535 wrong password"));
    check(&[plain, &format!("535 {PLAIN} open sesame")], barred("535 ******** ********"));
    check(&[plain, "454 later"], Failure::Now("tanist may not log in: 454 later".to_owned()));
    check(&[login, "334 name", "334 password", &format!("535 {PASSWORD}")], barred("535 ********"));
    check(&[login, "504 no such way"], barred("504 no such way"));
    let no_way = "it offers no way to log in that we know (PLAIN, LOGIN)";
    check(&["250-edge\r\n250 AUTH GSSAPI"], Failure::Now(no_way.to_owned()));
    check(&["250-edge\r\n250-XAUTH PLAIN\r\n250 PLAIN"], Failure::Now(no_way.to_owned()));
}

#[test]
fn a_password_is_a_secret_file_and_mail_waits_for_a_good_one() {
    let (files, authority) = (Files::new("password"), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let check = |name: &str, content: &str, mode, expected: &str| {
        let path = files.write(name, content, mode);
        let server = Server::start(
            authority.server("127.0.0.1", 2120),
            &[&[TLS, HELLO, "250-edge\r\n250 AUTH PLAIN", "235 ok"]],
        );
        let route = through(MailTls::Implicit, server.port, &ca, Some(&path));
        let (failed, heard) = refused(server, &route);
        let directory = files.0.display().to_string();
        assert_eq!(failed, Failure::Now(expected.replace("DIR", &directory)));
        assert!(!heard.iter().any(|line| line.starts_with("AUTH")), "{heard:?}");
        // The same is found when the configuration is read.
        let mail = config::Mail { tls: MailTls::Implicit, login: route.login, ..config::Mail::default() };
        let expected = format!("smtp_password_file: {}; until then mail waits", expected.replace("DIR", &directory));
        assert_eq!(obstacles(&mail), [expected]);
    };
    let open = "the password in DIR/open is a secret, but others than its owner have access to it (mode 0640): chmod 600 DIR/open";
    check("open", "open sesame\n", 0o640, open);
    check("empty", "\nopen sesame\n", 0o600, "the first line of DIR/empty is empty, and should be the password");
    check("long", &"x".repeat(5000), 0o600, "DIR/long holds no password: it has more than 4096 octets");
    let gone = MailLogin { user: "tanist".to_owned(), password_file: files.0.join("gone") };
    let mail = config::Mail {
        tls: MailTls::StartTls,
        authorities: Some(files.0.join("gone.pem")),
        login: Some(gone),
        ..config::Mail::default()
    };
    let found = obstacles(&mail).join("\n").replace(&files.0.display().to_string(), "DIR");
    assert_eq!(
        found,
        "smtp_password_file: there is no password in DIR/gone; until then mail waits\n\
         smtp_ca_file DIR/gone.pem: no such file or directory; until then mail waits"
    );
}

#[test]
fn a_refused_login_is_not_repeated_soon_but_at_once_when_the_configuration_is_read_again() {
    let (files, authority) = (Files::new("barred"), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let password = files.write("password", "open sesame", 0o600);
    let refusing = [TLS, HELLO, "250-edge\r\n250 AUTH PLAIN", "535 wrong password"];
    let willing = with_rest(&[TLS, HELLO, "250-edge\r\n250 AUTH PLAIN", "235 welcome"]);
    let server = Server::start(authority.server("127.0.0.1", 2120), &[&refusing, &willing]);
    let route = through(MailTls::Implicit, server.port, &ca, Some(&password));
    let (voice, heard) = Voice::heard();
    let mut post = Post::new(voice);
    post.configure(Some(route.clone()));
    post.send(letter("x"));
    let Ok(Job::Line(line)) = heard.recv_timeout(Duration::from_secs(30)) else { panic!("nothing is told") };
    assert!(line.text.contains("tanist may not log in: 535 wrong password; 1 waiting"), "{}", line.text);
    // After any other failure it is tried again after a second.
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!server.thread.is_finished(), "it came again so soon");
    post.configure(Some(route));
    let Ok(Job::Line(line)) = heard.recv_timeout(Duration::from_secs(30)) else { panic!("it never came again") };
    assert!(line.text.starts_with("mail is sent again by way of 127.0.0.1:"), "{}", line.text);
    post.finish();
    assert!(server.heard().contains(&"Subject: x".to_owned()));
}

/// Three mails that wait for a way, and what a server hears of them that answers like this. Nothing is said to the operator.
fn sent_together(test: &str, sessions: &[&[&str]]) -> Vec<String> {
    let (files, authority) = (Files::new(test), Authority::new("One"));
    let ca = files.write("ca.pem", &authority.pem, 0o644);
    let password = files.write("password", "open sesame", 0o600);
    let server = Server::start(authority.server("127.0.0.1", 2120), sessions);
    let (voice, told) = Voice::heard();
    let mut post = Post::new(voice);
    ["one", "two", "three"].into_iter().for_each(|subject| post.send(letter(subject)));
    post.configure(Some(through(MailTls::Implicit, server.port, &ca, Some(&password))));
    until("all is sent", || server.thread.is_finished());
    post.finish();
    assert_eq!(told.try_iter().count(), 0);
    let about = |line: &String| ["AUTH", "Subject", "QUIT"].iter().any(|word| line.starts_with(word));
    server.heard().into_iter().filter(about).collect()
}

#[test]
fn mails_that_wait_together_share_a_login() {
    let begin = [TLS, HELLO, "250-edge\r\n250 AUTH PLAIN", "235 welcome"];
    let answers: Vec<&str> = begin.into_iter().chain(NEXT).chain(NEXT).chain(REST).collect();
    let login = format!("AUTH PLAIN {PLAIN}");
    assert_eq!(
        sent_together("together", &[&answers]),
        [&*login, "Subject: one", "Subject: two", "Subject: three", "QUIT"]
    );
}

#[test]
fn a_server_that_takes_no_more_in_a_session_gets_the_next_one_in_another() {
    let begin = [TLS, HELLO, "250-edge\r\n250 AUTH PLAIN", "235 welcome"];
    let check = |test: &str, end: &str| {
        let first: Vec<&str> = begin.into_iter().chain(NEXT).chain([end]).collect();
        let second: Vec<&str> = begin.into_iter().chain(NEXT).chain(REST).collect();
        let login = format!("AUTH PLAIN {PLAIN}");
        let expected = [&*login, "Subject: one", &*login, "Subject: two", "Subject: three", "QUIT"];
        assert_eq!(sent_together(test, &[&first, &second]), expected);
    };
    check("enough", "421 enough");
    check("never", "554 one mail in a session");
}
