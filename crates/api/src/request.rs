//! What a client can ask for.

use serde::{Deserialize, Serialize};

/// A line from a client: `{"number":1,"ask":"status"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Comes back with the reply.
    pub number: u64,
    /// What.
    pub ask: Ask,
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// How everything is now.
    Status,
    /// The latest events and, with `follow`, every one from now on.
    Events {
        /// Tell the next ones, too.
        follow: bool,
    },
    /// Where the configuration came from.
    Configuration,
    /// A human has seen to it: clear every latch.
    Ack,
    /// Stand back: neither keep nor take a role that somebody else can have.
    Hold {
        /// Which instance; `None`: all.
        instance: Option<String>,
    },
    /// No longer stand back.
    Release {
        /// Which instance; `None`: all.
        instance: Option<String>,
    },
    /// Move the role in order.
    Switch(Switch),
    /// Let nothing happen by itself, or let it happen again.
    Maintenance(Maintenance),
}

/// Where a role is to move.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Which instance; `None`: all.
    #[serde(default)]
    pub instance: Option<String>,
    /// `here`, `peer`, or the name of a node; `None`: to the node that is not active now.
    #[serde(default)]
    pub to: Option<String>,
    /// Only say whether it would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Maintenance on the whole pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Maintenance {
    /// Nothing happens by itself.
    On {
        /// For so many seconds; `None`: until told otherwise.
        for_s: Option<u64>,
    },
    /// It is over.
    Off,
}

impl Ask {
    /// Whether somebody who may only read may ask this.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Status | Self::Events { .. } => true,
            Self::Configuration
            | Self::Ack
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Switch(_)
            | Self::Maintenance(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, ask: Ask) {
        let request: Request = serde_json::from_str(text).expect(text);
        assert_eq!(request, Request { number: 7, ask });
        let again: Request = serde_json::from_str(&serde_json::to_string(&request).expect("JSON")).expect("the same");
        assert_eq!(again, request);
    }

    #[test]
    fn requests_read_as_documented() {
        check(r#"{"number":7,"ask":"status"}"#, Ask::Status);
        check(r#"{"number":7,"ask":{"events":{"follow":true}}}"#, Ask::Events { follow: true });
        check(r#"{"number":7,"ask":"ack"}"#, Ask::Ack);
        check(r#"{"number":7,"ask":{"hold":{"instance":"VI_1"}}}"#, Ask::Hold { instance: Some("VI_1".into()) });
        check(r#"{"number":7,"ask":{"release":{}}}"#, Ask::Release { instance: None });
        check(
            r#"{"number":7,"ask":{"switch":{"to":"b","dry_run":true}}}"#,
            Ask::Switch(Switch { instance: None, to: Some("b".into()), dry_run: true }),
        );
        check(
            r#"{"number":7,"ask":{"maintenance":{"on":{"for_s":7200}}}}"#,
            Ask::Maintenance(Maintenance::On { for_s: Some(7200) }),
        );
        check(r#"{"number":7,"ask":{"maintenance":"off"}}"#, Ask::Maintenance(Maintenance::Off));
    }

    #[test]
    fn a_misspelt_request_is_no_request() {
        for text in [
            r#"{"number":7,"ask":{"switch":{"to":"b","dryrun":true}}}"#,
            r#"{"number":7,"ask":"status","more":1}"#,
            r#"{"number":7,"ask":{"hold":{"instnace":"VI_1"}}}"#,
            r#"{"number":7,"ask":"reboot"}"#,
            r#"{"number":-1,"ask":"status"}"#,
            r#"{"ask":"status"}"#,
        ] {
            assert!(serde_json::from_str::<Request>(text).is_err(), "{text}");
        }
    }
}
