//! What a daemon asks of its system, and what that can refuse.

use super::cursor::Cursor;
use super::mistake::Mistake;

/// A kind of thing that a daemon asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// That an advertisement is sent.
    Send,
    /// That an address is announced.
    Announce,
    /// That a message is sent to the other node of the pair.
    Message,
    /// That an address is added.
    AddAddress,
    /// That an address is removed.
    RemoveAddress,
    /// That addresses are kept for another lifetime.
    Renew,
    /// To hear what comes to an interface. Refused, it is asked for again, and until then the daemon takes no part there.
    Join,
    /// That a check is run.
    RunCheck,
    /// That a run is ended kindly.
    EndCheck,
    /// That a service is started.
    StartService,
    /// That a service is ended.
    StopService,
    /// That a service is killed.
    KillService,
    /// What becomes of a service.
    WatchService,
    /// Whether a service could be started.
    AssessService,
    /// That a record is kept.
    Save,
}

/// All of them, in order, with their words.
pub const CALLS: [(Call, &str); 15] = [
    (Call::Send, "send"),
    (Call::Announce, "announce"),
    (Call::Message, "message"),
    (Call::AddAddress, "add_address"),
    (Call::RemoveAddress, "remove_address"),
    (Call::Renew, "renew"),
    (Call::Join, "join"),
    (Call::RunCheck, "check"),
    (Call::EndCheck, "end_check"),
    (Call::StartService, "start"),
    (Call::StopService, "stop"),
    (Call::KillService, "kill"),
    (Call::WatchService, "watch"),
    (Call::AssessService, "assess"),
    (Call::Save, "save"),
];

impl Call {
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let word = cursor.take("what is refused")?;
        match CALLS.iter().find(|(_, name)| *name == word) {
            Some((call, _)) => Ok(*call),
            None => {
                let names = CALLS.map(|(_, name)| name);
                Err(cursor.before(format!("`{word}` cannot be refused")).did_you_mean(word, &names))
            }
        }
    }

    /// Its word.
    #[must_use]
    pub fn text(self) -> &'static str {
        CALLS.iter().find(|(call, _)| *call == self).map_or("", |(_, name)| name)
    }
}
