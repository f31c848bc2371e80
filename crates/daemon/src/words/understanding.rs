//! What is said where two nodes do not understand each other: what is so, why as far as anybody can find out, and where
//! to look.

use config::pair::term_names;
use engine::vrrp::receive::Discard;
use engine::{Name, Unheard};
use linux::system_log::Severity;

use super::pair::peer_name;
use super::{Line, line};

/// Where to look when messages arrive in one direction only.
const LOOK_FOR_ONE_WAY: &str =
    "look for a cable or a switch that carries one direction only, or a packet filter on one of the nodes";

pub(super) fn advertisements_unheard(router: &str, here: bool, why: Unheard) -> Vec<Line> {
    line(Severity::Warning, format!("({router}) {}", unheard(here, why)))
}

/// One node hears the other's messages but not its advertisements; `here` is the one that hears too little.
pub(crate) fn unheard(here: bool, why: Unheard) -> String {
    let what = if here {
        "the peer says that it is active, but its advertisements are not heard here"
    } else {
        "the peer does not hear the advertisements of this node"
    };
    let (sender, listener) = if here { ("there", "this node") } else { ("here", "the peer") };
    let why = match why {
        Unheard::OtherVrid { ours, theirs } => format!("virtual_router_id is {ours} here and {theirs} there"),
        Unheard::Discarded(reason) => format!("they arrive and are not accepted: {}", differing(reason)),
        Unheard::SentElsewhere(to) if to.is_multicast() => {
            format!("they are sent to the group {to}, to which {listener} does not listen")
        }
        Unheard::SentElsewhere(to) => {
            format!("they are sent to {to} and not to {listener}: look at unicast_peer {sender}")
        }
        Unheard::OneWay => {
            format!("they do not arrive, and on a path of the pair it is the same: {LOOK_FOR_ONE_WAY}")
        }
        Unheard::Lost => {
            "they do not arrive: look for a packet filter (IP protocol 112), a switch that keeps multicast \
                          back, or a cable that carries one direction only"
                .to_owned()
        }
    };
    format!("{what}: {why}")
}

/// What is wrong between two nodes if the advertisements of one are not accepted by the other, wherever this is read.
pub(crate) const fn differing(reason: Discard) -> &'static str {
    match reason {
        Discard::UnexpectedAuthenticationHeader | Discard::AuthenticationTypeMismatch => {
            "the kinds of authentication differ"
        }
        Discard::AuthenticationTypeInvalid => "they have a kind of authentication that does not exist",
        Discard::AuthenticationFailure => "the passwords differ",
        Discard::AuthenticationHeaderReplayed => "their AH numbers are not newer than the ones before",
        Discard::TrailerMissing => "they are not signed, and `auth_hmac` wants that there",
        Discard::TrailerMalformed => "what stands behind them is no signature of `auth_hmac`",
        Discard::TrailerKeyUnknown => "they are signed with a key of a number that the other node does not have",
        Discard::TrailerInvalid => "the keys of `auth_hmac` differ",
        Discard::TrailerStale => "the clocks of the nodes differ by more than `time_window` of `auth_hmac`",
        Discard::TrailerReplayed => "they are signed no later than the ones before",
        Discard::UnknownPeer => "their sender is not among the peers in `unicast_peer`",
        Discard::PeerTtl => "their TTL is not in the range of `unicast_peer`",
        Discard::OwnerIgnoresOthers => "the other node owns the addresses and takes no notice (`owner_ignore_adverts`)",
        Discard::Version => "the VRRP versions differ",
        Discard::AdvertisementInterval => "advert_int differs; version 2 needs the same on all nodes",
        Discard::TransportMismatch => "one node sends by unicast and the other one by multicast, or to another group",
        Discard::Ttl => "they have come through a router (TTL is not 255)",
        Discard::Length => "their length is wrong for the addresses that they list",
        Discard::Type => "they are no advertisements",
        Discard::Checksum => "their checksum is wrong",
        Discard::OwnAddress => "both nodes have the same address",
    }
}

pub(super) fn deaf(node: &Name) -> Vec<Line> {
    line(Severity::Warning, peer_is_deaf(node))
}

/// The peer speaks, but what it says shows that it hears nothing.
pub(crate) fn peer_is_deaf(node: &str) -> String {
    let peer = peer_name(node);
    format!(
        "{peer} speaks but does not hear this node, and takes it for dead: what is sent to it does not arrive; \
         {LOOK_FOR_ONE_WAY}"
    )
}

pub(super) fn one_way(path: u32, here: bool) -> Vec<Line> {
    line(Severity::Warning, path_one_way(path, here, "the peer"))
}

/// A path that works in one direction only; `here` is where something is heard.
pub(crate) fn path_one_way(path: u32, here: bool, peer: &str) -> String {
    let path = u64::from(path) + 1;
    let what = if here {
        format!("path {path} works in one direction only: {peer} is heard there, and does not hear this node")
    } else {
        format!("path {path} works in one direction only: {peer} hears this node there, and is not heard")
    };
    format!("{what}; {LOOK_FOR_ONE_WAY}")
}

pub(super) fn configuration_differs(router: &str, service: Option<&Name>, terms: &[u32]) -> Vec<Line> {
    let scope = service.map_or_else(|| format!("({router})"), |service| format!("Service {service}:"));
    match terms {
        [] => line(Severity::Notice, format!("{scope} both nodes are configured alike again")),
        terms => {
            let what = what_differs(service.is_some(), terms, "the peer");
            line(Severity::Warning, format!("{scope} {what}"))
        }
    }
}

/// What the other node is told differently.
pub(crate) fn what_differs(of_service: bool, terms: &[u32], peer: &str) -> String {
    let names = term_names(of_service, terms);
    let differ = if names.len() > 1 { "differ" } else { "differs" };
    let names = if names.is_empty() { "something".to_owned() } else { names.join(", ") };
    let end = if of_service { "; if that is meant so, say `may_differ`" } else { "" };
    format!("{names} {differ} on {peer}: `tanist check` of both files says what follows{end}")
}

#[cfg(test)]
mod tests {
    use engine::{Event, RouterId, Vrid};

    use super::*;
    use crate::words::tests::check;

    #[test]
    fn what_is_not_heard_has_a_reason() {
        let vrid = |number| Vrid::new(number).expect("it is one");
        for (here, why, expected) in [
            (
                true,
                Unheard::OtherVrid { ours: vrid(52), theirs: vrid(51) },
                "(VI_1) the peer says that it is active, but its advertisements are not heard here: virtual_router_id is \
                 52 here and 51 there",
            ),
            (
                false,
                Unheard::Discarded(Discard::AuthenticationFailure),
                "(VI_1) the peer does not hear the advertisements of this node: they arrive and are not accepted: the \
                 passwords differ",
            ),
            (
                false,
                Unheard::SentElsewhere("192.0.2.77".parse().expect("an address")),
                "(VI_1) the peer does not hear the advertisements of this node: they are sent to 192.0.2.77 and not to \
                 the peer: look at unicast_peer here",
            ),
            (
                true,
                Unheard::SentElsewhere("192.0.2.77".parse().expect("an address")),
                "(VI_1) the peer says that it is active, but its advertisements are not heard here: they are sent to \
                 192.0.2.77 and not to this node: look at unicast_peer there",
            ),
        ] {
            check(&Event::AdvertisementsUnheard { router: RouterId(0), here, why }, &[expected]);
        }
    }

    #[test]
    fn one_direction_says_which() {
        check(
            &Event::PathOneWay { path: 1, here: true },
            &[
                "path 2 works in one direction only: the peer is heard there, and does not hear this node; look for a cable \
               or a switch that carries one direction only, or a packet filter on one of the nodes",
            ],
        );
        check(
            &Event::PeerDeaf { node: Name::from("b") },
            &[
                "b speaks but does not hear this node, and takes it for dead: what is sent to it does not arrive; look for a \
               cable or a switch that carries one direction only, or a packet filter on one of the nodes",
            ],
        );
    }

    #[test]
    fn differences_are_named() {
        let differs = |service: Option<&str>, terms: &[u32]| Event::ConfigurationDiffers {
            router: RouterId(0),
            service: service.map(Name::from),
            terms: terms.to_vec(),
        };
        check(
            &differs(Some("web"), &[0, 2]),
            &[
                "Service web: what runs, start_timeout differ on the peer: `tanist check` of both files says what follows; \
               if that is meant so, say `may_differ`",
            ],
        );
        check(
            &differs(None, &[5]),
            &["(VI_1) the list of addresses differs on the peer: `tanist check` of both files says what follows"],
        );
        check(&differs(Some("web"), &[]), &["Service web: both nodes are configured alike again"]);
    }
}
