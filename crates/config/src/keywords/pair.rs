//! `pair`: the other Tanist and the way to it.

use super::{Form, Keyword, PATH, span, whole, words, works};

const ADDRESSES: Form = words(1, 8, "one or more IP addresses");

pub(super) const KEYWORDS: &[Keyword] = &[
    works(
        "peer",
        ADDRESSES,
        "The other node's addresses, one for each way to it. Several ways make a cut cable less likely to look like a \
         dead node.",
        "peer 192.0.2.2 198.51.100.2",
    )
    .repeats(),
    works("source", ADDRESSES, "This node's addresses, in the order of `peer`.", "source 192.0.2.1")
        .default("the kernel's choice")
        .repeats(),
    works("port", whole("", 1, 65535), "The UDP port, on both nodes the same.", "port 20112").default("20112"),
    works("key_file", PATH, "The key that both nodes share; `tanist pair` makes it.", "key_file /etc/tanist/pair.key")
        .default("/etc/tanist/pair.key"),
    works("node", Form::Word("a name"), "How this node is called.", "node edge-a")
        .default("router_id, or the host name"),
    works(
        "profile",
        Form::Choice(&["default", "fast"]),
        "Times that go together: `default` is `heartbeat 0.1` and `dead_after 0.8`, `fast` is 0.025 and 0.3.",
        "profile fast",
    )
    .default("default"),
    works("heartbeat", span(10, 10_000), "From one message to the other node to the next.", "heartbeat 0.1")
        .default("as `profile` says"),
    works(
        "dead_after",
        span(30, 60_000),
        "Silence after which the other node is taken for dead: at least three heartbeats.",
        "dead_after 0.8",
    )
    .default("as `profile` says"),
];
