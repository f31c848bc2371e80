//! keepalived.stats: the counters.

use std::fmt::{Result, Write};
use std::net::Ipv4Addr;

use engine::vrrp::receive::{Discard, Oddity};
use engine::{RouterView, View};

pub(crate) fn data(view: &View) -> String {
    let mut text = String::new();
    for router in &view.routers {
        // Writing to a string cannot fail.
        let _ = write_router(&mut text, router);
    }
    text
}

fn write_router(text: &mut String, router: &RouterView) -> Result {
    let counters = &router.statistics;
    let discarded = |reason: Discard| counters.discarded[reason.index()];
    let odd = |oddity: Oddity| counters.odd[oddity.index()];
    let address_list = odd(Oddity::AddressCount { received: 0, expected: 0 })
        + odd(Oddity::AddressMissing(Ipv4Addr::UNSPECIFIED.into()));
    let interval = discarded(Discard::AdvertisementInterval) + odd(Oddity::AdvertisementInterval);
    writeln!(text, "VRRP Instance: {}", router.name)?;
    writeln!(text, "  Advertisements:")?;
    writeln!(text, "    Received: {}", counters.advertisements_received)?;
    writeln!(text, "    Sent: {}", counters.advertisements_sent)?;
    writeln!(text, "  Became master: {}", counters.became_active)?;
    writeln!(text, "  Released master: {}", counters.released_active)?;
    writeln!(text, "  Packet Errors:")?;
    writeln!(text, "    Length: {}", discarded(Discard::Length))?;
    writeln!(text, "    TTL: {}", discarded(Discard::Ttl) + discarded(Discard::PeerTtl))?;
    writeln!(text, "    Invalid Type: {}", discarded(Discard::Type))?;
    writeln!(text, "    Advertisement Interval: {interval}")?;
    writeln!(text, "    Address List: {address_list}")?;
    writeln!(text, "    Version: {}", discarded(Discard::Version))?;
    writeln!(text, "    Checksum: {}", discarded(Discard::Checksum))?;
    writeln!(text, "    Transport: {}", discarded(Discard::TransportMismatch))?;
    writeln!(text, "    Own Address: {}", discarded(Discard::OwnAddress))?;
    writeln!(text, "    Unknown Peer: {}", discarded(Discard::UnknownPeer))?;
    writeln!(text, "    Ignored By Owner: {}", discarded(Discard::OwnerIgnoresOthers))?;
    writeln!(text, "    Not Sent: {}", counters.send_failures)?;
    writeln!(text, "  Authentication Errors:")?;
    writeln!(text, "    Invalid Type: {}", discarded(Discard::AuthenticationTypeInvalid))?;
    let mismatch = discarded(Discard::AuthenticationTypeMismatch) + discarded(Discard::UnexpectedAuthenticationHeader);
    writeln!(text, "    Type Mismatch: {mismatch}")?;
    let failure = discarded(Discard::AuthenticationFailure) + discarded(Discard::AuthenticationHeaderReplayed);
    writeln!(text, "    Failure: {failure}")?;
    writeln!(text, "  Authentication Extension Errors:")?;
    writeln!(text, "    Missing: {}", discarded(Discard::TrailerMissing))?;
    writeln!(text, "    Malformed: {}", discarded(Discard::TrailerMalformed))?;
    writeln!(text, "    Unknown Key: {}", discarded(Discard::TrailerKeyUnknown))?;
    writeln!(text, "    Invalid HMAC: {}", discarded(Discard::TrailerInvalid))?;
    writeln!(text, "    Stale: {}", discarded(Discard::TrailerStale))?;
    writeln!(text, "    Replay: {}", discarded(Discard::TrailerReplayed))?;
    writeln!(text, "  Priority Zero:")?;
    writeln!(text, "    Received: {}", counters.priority_zero_received)?;
    writeln!(text, "    Sent: {}", counters.priority_zero_sent)
}
