//! What a `real_server` is checked with.

use super::{Block, COMMAND, Form, Keyword, OPTIONAL_BOOL, not_built, seconds, whole, words};

const ANY: i64 = 2_147_483_647;

pub(super) const CONNECTION: &[Keyword] = &[
    not_built("connect_ip", Form::Address, "Another address to check.", "connect_ip 192.0.2.21"),
    not_built("connect_port", whole("", 1, 65535), "Another port to check.", "connect_port 8080"),
    not_built("bindto", Form::Address, "The address to connect from.", "bindto 192.0.2.11"),
    not_built("bind_port", whole("", 1, 65535), "The port to connect from.", "bind_port 40000"),
    not_built("bind_if", Form::Word("the name of an interface"), "The interface to connect from.", "bind_if eth0"),
    not_built("connect_timeout", seconds(1, 4_294_967), "How long a connection may take.", "connect_timeout 5")
        .default("that of the virtual server"),
    not_built("fwmark", whole("", 0, 4_294_967_295), "Firewall mark of the packets.", "fwmark 1"),
];

pub(super) const RETRY: &[Keyword] = &[
    not_built("retry", whole("", 0, ANY), "Failures in a row that are forgiven.", "retry 3")
        .default("1; 3 for DNS_CHECK; 0 for MISC_CHECK"),
    not_built("delay_before_retry", seconds(1, 4_294_967), "Time between tries.", "delay_before_retry 3")
        .default("1; 3 for HTTP_GET; delay_loop for DNS_CHECK"),
    not_built("warmup", seconds(0, 4_294_967), "Random delay of the first check.", "warmup 1").default("delay_loop"),
    not_built("delay_loop", seconds(1, 4_294_967), "Time between checks.", "delay_loop 6")
        .default("that of the virtual server"),
    not_built("alpha", OPTIONAL_BOOL, "Down until checked.", "alpha").default("off"),
    not_built("log_all_failures", OPTIONAL_BOOL, "Report each failed try.", "log_all_failures").default("off"),
];

pub(super) const HTTP_GET: &[Keyword] = &[
    not_built("url", Form::Block(Block::Url), "A page to ask for.", "url {\n    path /\n    status_code 200\n}"),
    not_built("virtualhost", Form::Word("a host name"), "The host to ask for.", "virtualhost www.example.com"),
    not_built("http_protocol", Form::Choice(&["1.0", "1.0C", "1.1"]), "The version of HTTP.", "http_protocol 1.1")
        .default("1.0"),
    not_built("enable_sni", OPTIONAL_BOOL, "Send the host name with TLS.", "enable_sni").default("off"),
    not_built("sni_name", Form::Word("a host name"), "Another name to send with TLS.", "sni_name www.example.com")
        .since("after 2.4.3"),
    not_built("fast_recovery", OPTIONAL_BOOL, "Up at the first good answer.", "fast_recovery").default("off"),
    not_built("tls_compliant", OPTIONAL_BOOL, "Insist on a proper end of TLS.", "tls_compliant").default("off"),
    not_built("nb_get_retry", whole("", 0, ANY), "The old name of retry.", "nb_get_retry 3"),
];

pub(super) const URL: &[Keyword] = &[
    not_built("path", Form::Word("a path"), "The page.", "path /health").default("/"),
    not_built(
        "digest",
        Form::Word("an MD5 sum"),
        "What the page must add up to.",
        "digest 9b3a0c85a887a256d6939da88aabd8cd",
    ),
    not_built("status_code", words(1, usize::MAX, "numbers or ranges"), "Good status codes.", "status_code 200-299")
        .default("200-299"),
    not_built("virtualhost", Form::Word("a host name"), "The host to ask for.", "virtualhost www.example.com"),
    not_built("regex", Form::Word("a pattern"), "What the page must match.", "regex \"ok\""),
    not_built("regex_no_match", OPTIONAL_BOOL, "The page must not match.", "regex_no_match"),
    not_built("regex_options", words(1, usize::MAX, "options"), "Options of the pattern.", "regex_options caseless"),
    not_built("regex_min_offset", whole("", 0, ANY), "Where to start matching.", "regex_min_offset 0"),
    not_built("regex_max_offset", whole("", 0, ANY), "Where to stop matching.", "regex_max_offset 1000"),
    not_built("regex_stack", words(1, 2, "two numbers of bytes"), "Memory for matching.", "regex_stack 32768 1048576"),
    not_built("tls_compliant", OPTIONAL_BOOL, "Insist on a proper end of TLS.", "tls_compliant").default("off"),
];

pub(super) const MISC_CHECK: &[Keyword] = &[
    not_built("misc_path", COMMAND, "The script.", "misc_path \"/etc/keepalived/check.sh\""),
    not_built("misc_timeout", whole("seconds", 1, ANY), "How long it may run.", "misc_timeout 5").default("delay_loop"),
    not_built("misc_dynamic", OPTIONAL_BOOL, "Exit status 2 to 255 sets the weight.", "misc_dynamic").default("off"),
    not_built("user", words(1, 2, "a user and perhaps a group"), "Who runs it.", "user nobody").default("script_user"),
];

pub(super) const SMTP_CHECK: &[Keyword] = &[
    not_built("helo_name", Form::Word("a name"), "The name to greet with.", "helo_name check.example.com")
        .default("smtpchecker.keepalived.org"),
    not_built("host", Form::Block(Block::TcpCheck), "An old way to give addresses.", "host { connect_port 25 }"),
];

pub(super) const DNS_CHECK: &[Keyword] = &[
    not_built("type", Form::Word("a record type"), "What to ask for.", "type SOA").default("SOA"),
    not_built("name", Form::Word("a name"), "The name to ask for.", "name example.com").default("."),
];

pub(super) const UDP_CHECK: &[Keyword] = &[
    not_built("payload", Form::Word("hexadecimal digits"), "What to send.", "payload 0011"),
    not_built("require_reply", words(0, 1, "hexadecimal digits"), "What must come back.", "require_reply 0011"),
    not_built("min_reply_length", whole("bytes", 0, 65535), "Least length of the answer.", "min_reply_length 0")
        .default("0"),
    not_built("max_reply_length", whole("bytes", 0, 65535), "Greatest length of the answer.", "max_reply_length 255")
        .default("255"),
];

pub(super) const FILE_CHECK: &[Keyword] = &[
    not_built("track_file", Form::Word("a name"), "The track_file to follow.", "track_file load"),
    not_built(
        "weight",
        words(1, 2, "a number, and perhaps `reverse`"),
        "What to multiply its number with.",
        "weight 1",
    ),
];

pub(super) const BFD_CHECK: &[Keyword] = &[
    not_built("name", Form::Word("a name"), "The bfd_instance to follow.", "name peer"),
    not_built("alpha", OPTIONAL_BOOL, "Down until the session is up.", "alpha").default("off"),
];
