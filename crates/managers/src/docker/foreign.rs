//! See [`crate::foreign`].

use super::http::Answer;
use super::words::{Description, Event, refusal, stop_signal};

/// An answer over HTTP: its status, its body, and whether that is all of it.
pub type Said = (Option<u16>, Vec<u8>, bool);

/// An answer that comes in these pieces, after which nothing comes; `None` for nonsense.
#[must_use]
pub fn http_answer(pieces: &[&[u8]]) -> Option<Said> {
    let mut answer = Answer::default();
    let mut received = Vec::new();
    let mut whole = false;
    for (piece, number) in pieces.iter().zip(1..) {
        received.extend_from_slice(piece);
        whole = answer.read(&mut received, number == pieces.len()).ok()?;
        if whole {
            break;
        }
    }
    Some((answer.status, answer.body, whole))
}

/// What docker says of a container or an event, or why it refuses, in words of ours.
#[must_use]
pub fn words(body: &[u8]) -> [String; 3] {
    let description = serde_json::from_slice::<Description>(body).map(|description| {
        let signal = stop_signal(&description.config.stop_signal);
        format!("{description:?} {signal} {}", description.host_config.restart_policy.restarts())
    });
    let event = serde_json::from_slice::<Event>(body).map(|event| {
        let concerns = event.concerns("0123456789ab", Some("0123456789ab"));
        format!("{event:?} {concerns}")
    });
    [description.unwrap_or_default(), event.unwrap_or_default(), refusal(body, 500)]
}
