//! Mail through TLS with a login, to a server that takes it no other way: what is in its way, one thing after the other, and
//! that nothing gets lost or out meanwhile.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use linux::signals::Signal;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::story::run;
use crate::support::{ADDRESS, Host, Moment, Node, QUICK, Scene, configuration, slow_test, tanist, with_variable};

const PORT: u16 = 587;
/// base64 of "\0tanist\0open sesame".
const LOGIN: &str = "AUTH PLAIN AHRhbmlzdABvcGVuIHNlc2FtZQ==";

/// Takes mail through TLS from who has logged in.
struct SecureServer {
    /// The certificate of the authority that vouches for it.
    authority: String,
    heard: Arc<Mutex<Heard>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Heard {
    in_clear: Vec<String>,
    logins: u32,
    subjects: Vec<String>,
}

impl SecureServer {
    fn start(host: &Host) -> Self {
        let listener = host.run(|| TcpListener::bind(("127.0.0.1", PORT))).expect("ask the host").expect("listen");
        listener.set_nonblocking(true).expect("do not wait");
        let (authority, tls) = certificates();
        let (heard, ends): (Arc<Mutex<Heard>>, Arc<AtomicBool>) = (Arc::default(), Arc::default());
        let (writes, end) = (Arc::clone(&heard), Arc::clone(&ends));
        let thread = thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        // Who does not trust it hangs up.
                        let _ = take(stream, &tls, &writes);
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(5)),
                    Err(error) => panic!("accept: {error}"),
                }
            }
        });
        Self { authority, heard, ends, thread: Some(thread) }
    }

    fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().expect("nobody panics while writing"))
    }
}

impl Drop for SecureServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An authority's certificate as a file, and a server with one that it vouches for.
fn certificates() -> (String, Arc<ServerConfig>) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Authority of a test");
    let authority = params.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let tls = tls.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).expect("they fit");
    (authority, Arc::new(tls))
}

/// One session; `None` if it is broken off.
fn take(mut stream: TcpStream, tls: &Arc<ServerConfig>, heard: &Mutex<Heard>) -> Option<()> {
    let patience = Some(Duration::from_secs(20));
    stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(patience)).ok()?;
    stream.write_all(b"220 edge ready\r\n").ok()?;
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let line = lines.next()?.ok()?;
        let answer: &[u8] = match line.as_str() {
            "STARTTLS" => b"220 go on\r\n",
            _ if line.starts_with("EHLO") => b"250-edge\r\n250 STARTTLS\r\n",
            _ => b"530 not in clear\r\n",
        };
        heard.lock().expect("nobody panics while writing").in_clear.push(line.clone());
        stream.write_all(answer).ok()?;
        if line == "STARTTLS" {
            break;
        }
    }
    let mut sealed = StreamOwned::new(ServerConnection::new(Arc::clone(tls)).ok()?, stream);
    let (mut is_known, mut is_content, mut subject) = (false, false, None);
    loop {
        let line = line(&mut sealed)?;
        let answer = match (is_content, line.as_str()) {
            (true, ".") => {
                is_content = false;
                heard.lock().expect("nobody panics while writing").subjects.extend(subject.take());
                "250 taken"
            }
            (true, _) => {
                subject = line.strip_prefix("Subject: ").map(str::to_owned).or(subject);
                continue;
            }
            (false, LOGIN) => {
                is_known = true;
                heard.lock().expect("nobody panics while writing").logins += 1;
                "235 welcome"
            }
            (false, "QUIT") => "221 bye",
            (false, other) if other.starts_with("EHLO") => "250-edge\r\n250 AUTH PLAIN",
            (false, other) if other.starts_with("AUTH") => "535 wrong name or password",
            (false, _) if !is_known => "530 log in first",
            (false, "DATA") => {
                is_content = true;
                "354 go on"
            }
            (false, _) => "250 ok",
        };
        write!(sealed, "{answer}\r\n").and_then(|()| sealed.flush()).ok()?;
        if line == "QUIT" {
            return Some(());
        }
    }
}

fn line(stream: &mut impl Read) -> Option<String> {
    let (mut line, mut octet) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut octet).ok()?;
        line.push(octet[0]);
    }
    String::from_utf8(line).ok().map(|line| line.trim_end().to_owned())
}

// Shows: global_defs.smtp_tls, global_defs.smtp_ca_file, global_defs.smtp_user, global_defs.smtp_password_file
#[test]
fn mail_waits_until_the_server_is_trusted_and_the_password_right() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let server = SecureServer::start(host);
        let secret = |name: &str, text: &str| run(host, &format!("umask 077; echo '{text}' > /run/rehearse/{name}"));
        secret("ca.pem", &certificates().0);
        let mail = "global_defs {\n    router_id edge\n    notification_email {\n        ops@example.com\n    }\n    \
                    smtp_server 127.0.0.1 587\n    smtp_tls\n    smtp_ca_file /run/rehearse/ca.pem\n    smtp_user tanist\n    \
                    smtp_password_file /run/rehearse/password\n    smtp_alert\n}\n";
        let text = configuration(mail, 150, QUICK);
        let begin = Moment::now();
        let node = Node::start(host, tanist(), &text);
        scene.line("a", begin, "there is no password in /run/rehearse/password; until then mail waits");
        scene.only("a", ADDRESS);
        let by = "mail cannot be sent by way of 127.0.0.1:587: ";
        scene.line("a", begin, &format!("{by}nobody whom we trust vouches for its certificate"));

        // Who reloads has mended something, so it is tried at once.
        secret("ca.pem", &server.authority);
        node.reload(&text);
        scene.line("a", begin, &format!("{by}there is no password in /run/rehearse/password"));
        secret("password", "open barley");
        node.reload(&text);
        scene.line("a", begin, &format!("{by}tanist may not log in: 535 wrong name or password"));
        assert_eq!(server.heard(|heard| heard.subjects.len()), 0);
        secret("password", "open sesame");
        node.reload(&text);
        scene.line("a", begin, "mail is sent again by way of 127.0.0.1:587");
        scene.until("everything has come", || server.heard(|heard| heard.subjects.len()) == 2);
        assert_eq!(server.heard(|heard| heard.logins), 1, "what has waited together is sent together");
        node.signal(Signal::USER_1);
        let data = || run(host, "cat /tmp/keepalived.data");
        scene.line("a", begin, "Writing /tmp/keepalived.data");
        scene.until("it is written", || data().contains(" Smtp TLS = starttls"));
        assert!(data().contains("\n Smtp user = tanist\n Smtp password = ********\n"), "{}", data());
        node.stop();
        assert_eq!(
            server.heard(|heard| heard.subjects.clone()),
            ["BACKUP state", "MASTER state", "Stopping"].map(|news| {
                let entering = if news == "Stopping" { "" } else { "Entering " };
                format!("[edge] VRRP Instance VI_1 - {entering}{news}")
            })
        );
        let in_clear = server.heard(|heard| heard.in_clear.clone());
        assert!(in_clear.iter().all(|line| line == "STARTTLS" || line.starts_with("EHLO ")), "{in_clear:?}");
        for secret in ["sesame", "barley", "AHRhbmlzdAB"] {
            assert_eq!(scene.count_lines("a", begin, secret), 0, "{}", scene.story());
        }
    });
}

#[test]
fn without_a_file_of_its_own_it_trusts_whom_the_system_trusts() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        let server = SecureServer::start(host);
        for (name, text) in [("system.pem", server.authority.as_str()), ("password", "open sesame")] {
            run(host, &format!("umask 077; echo '{text}' > /run/rehearse/{name}"));
        }
        let daemon = with_variable(tanist(), "SSL_CERT_FILE", "/run/rehearse/system.pem");
        let mail = "global_defs {\n    notification_email {\n        ops@example.com\n    }\n    smtp_server 127.0.0.1 587\n    \
                    smtp_tls starttls\n    smtp_user tanist\n    smtp_password_file /run/rehearse/password\n    smtp_alert\n}\n";
        let begin = Moment::now();
        let node = Node::start(host, daemon, &configuration(mail, 150, QUICK));
        scene.until("both have come", || server.heard(|heard| heard.subjects.len()) == 2);
        node.stop();
        assert_eq!(server.heard(|heard| heard.subjects.len()), 3);
        assert_eq!(scene.count_lines("a", begin, "mail"), 0, "{}", scene.story());
    });
}
