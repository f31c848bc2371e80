//! Logs in to a mail server (RFC 4954), which is done through TLS only.

use std::str;

use base64ct::{Base64, Encoding};
use config::MailLogin;
use zeroize::Zeroizing;

use super::smtp::{Failure, Talk};
use crate::secret_file;

/// Some are tokens.
const LONGEST_PASSWORD: u64 = 4096;
/// It goes on.
const GO_ON: u16 = 334;

/// Read for each session: so it is never out of date, and nowhere in between.
pub(super) fn log_in(talk: &mut Talk, login: &MailLogin, offers: &[String]) -> Result<(), Failure> {
    let password = password(login).map_err(Failure::Now)?;
    let encode = |octets: &[u8]| Zeroizing::new(Base64::encode_string(octets));
    let mut secrets = vec![encode(password.as_bytes())];
    let answer = if is_offered(offers, "PLAIN") {
        let both = Zeroizing::new(format!("\0{}\0{}", login.user, &*password));
        secrets.push(encode(both.as_bytes()));
        talk.ask(&Zeroizing::new(format!("AUTH PLAIN {}", &*secrets[1])))?
    } else if is_offered(offers, "LOGIN") {
        let mut answer = talk.ask("AUTH LOGIN")?;
        for word in [&encode(login.user.as_bytes()), &secrets[0]] {
            if answer.code == GO_ON {
                answer = talk.ask(word)?;
            }
        }
        answer
    } else {
        return Err(Failure::Now("it offers no way to log in that we know (PLAIN, LOGIN)".to_owned()));
    };
    if answer.code / 100 == 2 {
        return Ok(());
    }
    // Whoever answers with what was said to it shall not bring it into the log.
    let text = secrets.iter().chain([&password]).fold(answer.text, |text, secret| text.replace(&***secret, "********"));
    let reason = format!("{} may not log in: {text}", login.user);
    Err(if answer.code / 100 == 4 { Failure::Now(reason) } else { Failure::Barred(reason) })
}

/// `AUTH PLAIN LOGIN`, or `AUTH=LOGIN` as servers wrote it before there was a standard.
pub(super) fn is_offered(offers: &[String], way: &str) -> bool {
    offers.iter().any(|offer| {
        let mut words = offer.split([' ', '=']);
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
            && words.any(|word| word.eq_ignore_ascii_case(way))
    })
}

/// The first line of its file.
pub(super) fn password(login: &MailLogin) -> Result<Zeroizing<String>, String> {
    let path = &login.password_file;
    let content = secret_file::read(path, "password", LONGEST_PASSWORD).map_err(|error| error.to_string())?;
    let content = Zeroizing::new(content);
    let line = content.split(|octet| matches!(octet, b'\n' | b'\r')).next().unwrap_or_default();
    match str::from_utf8(line) {
        Ok("") => Err(format!("the first line of {} is empty, and should be the password", path.display())),
        Ok(line) if line.contains('\0') => Err(format!("the password in {} has an octet 0", path.display())),
        Ok(line) => Ok(Zeroizing::new(line.to_owned())),
        Err(_) => Err(format!("the password in {} is not in UTF-8", path.display())),
    }
}
