//! See [`crate::foreign`].

use zbus::{ObjectPath, Variant};

use super::bus;
use super::message::{decode, first_length};
use super::properties::{Map, Properties};

/// How long the first message is, and what it says in words of ours, as all that we ever wait for; `None` if there is
/// none, or not wholly.
#[must_use]
pub fn dbus(octets: &[u8]) -> Option<(usize, String)> {
    let length = first_length(octets).ok()??;
    let message = decode(octets.get(..length)?).ok()?;
    let mut unit = Properties::default();
    if let Some(map) = message.body::<Map<'_>>() {
        unit.update(&map);
    }
    if let Some((_, map, _)) = message.body::<(&str, Map<'_>, Vec<&str>)>() {
        unit.update(&map);
    }
    let said = (
        message.body::<(u32, ObjectPath<'_>, &str)>().map(|(id, path, unit)| (id, path.to_string(), unit.to_owned())),
        message.body::<(u32, ObjectPath<'_>, &str, &str)>().map(|(id, .., result)| (id, result.to_owned())),
        message.body::<Variant<'_>>().map(|value| format!("{value:?}")),
        message.body::<ObjectPath<'_>>().map(|path| path.to_string()),
        message.body::<bool>(),
    );
    let unit = (unit.ending(), unit.restarts_itself(), unit.awaits_restart(), unit);
    Some((length, format!("{:?} {:?} {said:?} {unit:?}", message.kind, message.text())))
}

/// How long the answer of a bus to who we are is, once it is there; an error if it does not let us in.
pub fn welcome(octets: &[u8]) -> Result<Option<usize>, String> {
    bus::welcome(octets).map_err(|error| error.to_string())
}
