//! What an operator sees in each situation: constructed views, the judgement on them, and the screen that `tanist
//! status` draws. `UPDATE_EXPECT=1` writes the pictures anew.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use config::{Global, Instance, Manager, Pair, PairPath, Service};
use engine::vrrp::receive::Discard;
use engine::{
    Budget, Ending, Engine, Failback, HeldBy, Interval, LatchReason, LatchRecord, MaintenanceView, OnManualStop,
    Priority, RouterId, ScriptConfig, ScriptOutcome, ServiceConfig, ServiceFailure, Unheard,
};

use super::*;
use crate::words::tests::engine;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const OTHER_PATH: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
/// Three hours after the start.
const NOW: Instant = Instant::from_millis(10_800_000);

fn ago(milliseconds: u64) -> Instant {
    NOW - Duration::from_millis(milliseconds)
}

/// Settings for an engine's configuration, without services and pair.
pub(crate) fn settings(config: &engine::Config) -> Settings {
    let instance = |router: &RouterConfig| Instance {
        router: router.clone(),
        stated: None,
        accept_mode: true,
        strict: false,
        receive_buffer: None,
        promote_secondaries: false,
        in_vrf: false,
        polls_link: false,
        virtual_mac: None,
        ipvlan: None,
        notify: config::Notify::default(),
        mails: false,
        tells_priority: false,
        key_files: Vec::new(),
    };
    Settings {
        global: Global { router_id: Some("a".to_owned()), ..Global::default() },
        instances: config.routers.iter().map(instance).collect(),
        files: vec!["tanist.conf".into()],
        ..Settings::default()
    }
}

/// A node a that is active with nginx, and a node b that is ready to take over.
struct Case {
    settings: Settings,
    view: View,
    strangers: BTreeSet<IpAddr>,
    dropped: Option<Dropped>,
}

fn service_config(name: &str) -> ServiceConfig {
    ServiceConfig {
        name: Name::from(name),
        checks: vec![ScriptConfig {
            name: Name::from("nginx/http 192.0.2.100:80"),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            rise: 1,
            fall: 3,
            init_fail: false,
            when: engine::When::Both,
        }],
        start_grace: Duration::from_secs(20),
        start_timeout: Duration::from_secs(30),
        stop_timeout: Duration::from_secs(10),
        restart: Budget { limit: 3, within: Duration::from_secs(60) },
        max_moves: Budget { limit: 3, within: Duration::from_secs(600) },
        on_manual_stop: OnManualStop::Failover,
        failback: Failback::Never,
        readiness_interval: Duration::from_secs(5),
        readiness_rise: 2,
        while_active: Vec::new(),
    }
}

fn settled() -> Case {
    let mut settings = settings(engine().config());
    let router = &mut settings.instances[0].router;
    router.services = vec![Name::from("nginx")];
    router.addresses = vec![VirtualAddress::new(Ipv4Addr::new(192, 0, 2, 100).into(), 24)];
    settings.services = vec![Service {
        service: service_config("nginx"),
        manager: Manager::Systemd { unit: "nginx.service".to_owned() },
        checks: Vec::new(),
        could_start: None,
        on_role: None,
        post_takeover: None,
        while_active: Vec::new(),
        down_file: None,
        needs_ports: Vec::new(),
        needs_disks: Vec::new(),
        standby_checks: Vec::new(),
        may_differ: false,
    }];
    settings.pair = Some(Pair {
        node: Some("a".to_owned()),
        paths: vec![PairPath { source: None, peer: PEER }, PairPath { source: None, peer: OTHER_PATH }],
        port: 20_112,
        key_file: "/etc/tanist/pair.key".into(),
        heartbeat: Duration::from_millis(100),
        dead_after: Duration::from_millis(800),
    });
    // An engine knows how a router begins; what it has become since is filled in.
    let mut view = Engine::new(
        engine::Config { routers: vec![settings.instances[0].router.clone()], ..engine::Config::default() },
        0,
    )
    .view();
    let router = &mut view.routers[0];
    router.state = StateName::Active;
    router.since = ago(10_800_000);
    router.holds_addresses = true;
    router.epoch = 7;
    router.faults = Vec::new();
    view.services = vec![ServiceView {
        name: Name::from("nginx"),
        router: Some(RouterId(0)),
        state: ServiceStateName::Running,
        since: ago(10_790_000),
        wanted: true,
        healthy: Some(true),
        readiness: None,
        restarts: 0,
        moves: 0,
        last_failure: None,
        checks: vec![ScriptView {
            name: Name::from("nginx/http 192.0.2.100:80"),
            good: Some(true),
            counter: 1,
            last_outcome: Some(ScriptOutcome::Exited(0)),
            running_since: None,
            rests: false,
        }],
        differs: Vec::new(),
    }];
    view.peer = Some(PeerView {
        node: Name::from("b"),
        alive: true,
        heard_at: Some(ago(60)),
        paths: vec![Some(ago(60)), Some(ago(90))],
        round_trip: Some(Duration::from_micros(340)),
        discarded: 0,
        last_discard: None,
        deaf_at: None,
        one_way: vec![None, None],
        routers: vec![PeerRouterView {
            name: Name::from("VI_1"),
            state: StateName::Backup,
            priority: Priority::new(100),
            epoch: 7,
            held: false,
            services: vec![PeerServiceView {
                name: Name::from("nginx"),
                state: ServiceStateName::Stopped,
                healthy: None,
                readiness: Some(Ok(())),
                failed: false,
            }],
        }],
    });
    Case { settings, view, strangers: BTreeSet::new(), dropped: None }
}

/// The same with the roles exchanged.
fn on_b() -> Case {
    let mut case = settled();
    case.here().state = StateName::Backup;
    case.here().holds_addresses = false;
    case.here().active_router = Some((PEER, Priority::new(100)));
    let service = case.service();
    (service.state, service.wanted, service.healthy) = (ServiceStateName::Stopped, false, None);
    service.readiness = Some(Ok(()));
    case.there().state = StateName::Active;
    let service = case.service_there();
    (service.state, service.healthy, service.readiness) = (ServiceStateName::Running, Some(true), None);
    case
}

impl Case {
    fn here(&mut self) -> &mut RouterView {
        &mut self.view.routers[0]
    }

    fn service(&mut self) -> &mut ServiceView {
        &mut self.view.services[0]
    }

    fn peer(&mut self) -> &mut PeerView {
        self.view.peer.as_mut().expect("every case begins as a pair")
    }

    fn there(&mut self) -> &mut PeerRouterView {
        &mut self.peer().routers[0]
    }

    fn service_there(&mut self) -> &mut PeerServiceView {
        &mut self.there().services[0]
    }

    /// b has not been heard for so long.
    fn lose_the_peer(&mut self, milliseconds: u64) {
        let peer = self.peer();
        peer.alive = false;
        peer.heard_at = Some(ago(milliseconds));
        peer.paths = vec![Some(ago(milliseconds)), Some(ago(milliseconds + 10))];
    }

    fn status(&self) -> api::Status {
        let links = [Name::from("eth0")];
        let (node, calendar) = ("a", Duration::from_secs(1_795_000_000));
        let Self { settings, view, strangers, dropped } = self;
        let (links, dropped) = (&links[..], *dropped);
        let confinement = None;
        status(&Snapshot { view, settings, links, strangers, node, dropped, confinement, now: NOW, calendar })
    }
}

/// Compares the screen with the picture of that name.
fn check(name: &str, case: &Case) {
    check_after(name, case, Duration::ZERO);
}

fn check_after(name: &str, case: &Case, silence: Duration) {
    let drawn = ctl::screen(&case.status(), silence);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/status/golden/{name}.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &drawn).expect("written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(drawn, expected, "\n{name} is drawn like this:\n{drawn}");
}

#[test]
fn all_is_well() {
    check("protected", &settled());
    check("protected_active_there", &on_b());
}

#[test]
fn nobody_could_take_over() {
    let mut case = settled();
    case.lose_the_peer(12_345);
    check("peer_silent", &case);
    let mut case = settled();
    case.peer().alive = false;
    case.peer().node = Name::from("");
    case.peer().heard_at = None;
    case.peer().paths = vec![None, None];
    case.peer().round_trip = None;
    case.peer().routers = Vec::new();
    check("peer_never_heard", &case);
    let mut case = settled();
    case.service_there().readiness = Some(Err(Name::from("port 80 is taken by apache2")));
    check("standby_not_ready", &case);
    let mut case = settled();
    case.there().state = StateName::Initialize;
    case.service_there().failed = true;
    check("standby_failed", &case);
    let mut case = settled();
    case.peer().routers = Vec::new();
    check("no_counterpart", &case);
    let mut case = on_b();
    case.here().state = StateName::Initialize;
    case.here().faults = vec![FaultReason::LinkDown(LinkId(0)), FaultReason::ServiceFailed(Name::from("nginx"))];
    case.service().last_failure = Some((ago(125_000), ServiceFailure::Ended(Ending::Exited(139))));
    case.service().restarts = 3;
    case.service().moves = 1;
    check("fault_here", &case);
}

#[test]
fn it_is_said_that_nobody_can_know() {
    // Both say that they are active: the pair was cut.
    let mut case = settled();
    case.there().state = StateName::Active;
    check("both_active", &case);
    let mut case = on_b();
    case.lose_the_peer(900);
    check("nobody_active", &case);
}

#[test]
fn it_works_but_not_as_it_should() {
    let mut case = settled();
    case.peer().paths[1] = Some(ago(45_000));
    check("path_silent", &case);
    let mut case = settled();
    case.service().healthy = Some(false);
    case.service().checks[0].good = Some(false);
    case.service().checks[0].last_outcome = Some(ScriptOutcome::Exited(7));
    check("not_well", &case);
    let mut case = settled();
    case.service().state = ServiceStateName::Starting;
    case.service().since = ago(400);
    case.service().restarts = 1;
    case.service().last_failure = Some((ago(410), ServiceFailure::Ended(Ending::Signalled(9))));
    check("restarting", &case);
    let mut case = settled();
    case.here().letting_go = true;
    case.service().state = ServiceStateName::Stopping;
    case.service().since = ago(1_200);
    check("letting_go", &case);
    let mut case = on_b();
    case.here().held_by = vec![HeldBy::DownFile];
    check("held", &case);
    let mut case = on_b();
    case.settings.services[0].service.failback = Failback::Manual;
    check("failback_manual", &case);
    let mut case = settled();
    case.service_there().readiness = None;
    check("readiness_not_known", &case);
}

#[test]
fn they_do_not_understand_each_other() {
    let mut case = settled();
    case.here().unheard = Some((false, Unheard::Discarded(Discard::AuthenticationFailure)));
    check("unheard_there", &case);
    let mut case = on_b();
    case.here().unheard = Some((true, Unheard::SentElsewhere([192, 0, 2, 77].into())));
    check("unheard_here", &case);
    let mut case = settled();
    case.peer().one_way = vec![None, Some(true)];
    check("one_way_heard_here", &case);
    case.peer().one_way = vec![None, Some(false)];
    case.peer().paths = vec![Some(ago(60)), Some(ago(9_000))];
    check("one_way_heard_there", &case);
    let mut case = settled();
    case.lose_the_peer(9_000);
    case.peer().deaf_at = Some(ago(90));
    check("peer_deaf", &case);
    case.peer().deaf_at = Some(ago(90_000));
    case.peer().last_discard = Some(engine::BatonDiscard::BadSeal);
    check("another_key", &case);
    let mut case = settled();
    case.peer().alive = false;
    case.peer().heard_at = None;
    case.peer().node = Name::from("");
    case.peer().paths = vec![None, None];
    case.strangers.insert([192, 0, 2, 7].into());
    check("another_address", &case);
}

#[test]
fn they_are_told_differently() {
    let mut case = settled();
    case.here().differs = vec![4];
    case.service().differs = vec![0, 2];
    check("configuration_differs", &case);
    // Who is dead may be told anything.
    case.lose_the_peer(9_000);
    let reasons = case.status().protection.reasons;
    assert!(!reasons.iter().any(|reason| reason.contains("differs")), "{reasons:?}");
}

#[test]
fn an_operator_has_said_or_must_say_something() {
    let mut case = settled();
    case.view.maintenance = Some(MaintenanceView { until: Some(NOW + Duration::from_secs(7_080)) });
    check("maintenance", &case);
    let mut case = settled();
    case.view.latch =
        Some(LatchRecord { service: Name::from("nginx"), reason: LatchReason::BothFailed, node: Name::from("b") });
    case.there().state = StateName::Initialize;
    case.service_there().failed = true;
    check("latched", &case);
}

#[test]
fn vrrp_alone_sees_only_half_and_says_so() {
    let mut case = settled();
    case.view.peer = None;
    case.settings.pair = None;
    check("vrrp_master", &case);
    case.dropped = Some(Dropped { incoming: 12, outgoing: 0 });
    check("packets_dropped", &case);
    case.dropped = None;
    let mut case = on_b();
    case.view.peer = None;
    case.settings.pair = None;
    check("vrrp_backup", &case);
    case.here().active_router = None;
    check("vrrp_backup_alone", &case);
}

/// T12: nothing that is older than two seconds is shown as if it were so now.
/// Without a peer that talks, what is not accepted is all that there is to go by.
#[test]
fn what_is_not_accepted_is_shown_while_it_comes() {
    let mut case = settled();
    case.view.peer = None;
    case.settings.pair = None;
    case.here().refused = Some((ago(900), PEER, Discard::Version));
    check("vrrp_refused", &case);
    case.here().refused = Some((ago(9_000), PEER, Discard::Version));
    check("vrrp_master", &case);
}

#[test]
fn a_check_may_rest() {
    let mut case = on_b();
    let script = |name, good, rests| {
        let name = Name::from(name);
        ScriptView { name, good, counter: 0, last_outcome: None, running_since: None, rests }
    };
    case.view.scripts = vec![script("ping_gateway", Some(true), false), script("ask_vip", None, true)];
    check("check_rests", &case);
}

#[test]
fn what_is_older_than_two_seconds_is_stale() {
    let at = |milliseconds| {
        let mut case = settled();
        case.peer().heard_at = Some(ago(milliseconds));
        let peer = case.status().peer.expect("a pair");
        (peer.age_ms, peer.stale)
    };
    assert_eq!(at(0), (Some(0), false));
    assert_eq!(at(2_000), (Some(2_000), false));
    assert_eq!(at(2_001), (Some(2_001), true));
    // The peer is still heard in VRRP, but has said nothing for long.
    let mut case = settled();
    case.peer().heard_at = Some(ago(5_200));
    case.peer().paths = vec![Some(ago(5_200)), Some(ago(5_300))];
    check("stale_peer", &case);
    // The daemon itself has not answered.
    check_after("stale_daemon", &settled(), Duration::from_millis(3_100));
    assert_eq!(
        ctl::screen(&settled().status(), Duration::from_millis(1_900)).lines().next(),
        Some("PROTECTED"),
        "not yet"
    );
}

#[test]
fn two_instances_are_told_apart() {
    let mut case = settled();
    let mut second = case.settings.instances[0].clone();
    second.router.name = Name::from("VI_2");
    second.router.services = Vec::new();
    case.settings.instances.push(second);
    let mut router = case.view.routers[0].clone();
    router.name = Name::from("VI_2");
    router.router = RouterId(1);
    router.state = StateName::Backup;
    router.active_adver_interval = Interval::SECOND;
    router.effective_priority = Priority::new(90);
    router.holds_addresses = false;
    case.view.routers.push(router);
    check("two_instances", &case);
}

#[test]
fn a_node_has_a_name() {
    let mut settings = settings(engine().config());
    assert_eq!(node_name(&settings), "a");
    settings.pair = settled().settings.pair.map(|pair| Pair { node: Some("left".to_owned()), ..pair });
    assert_eq!(node_name(&settings), "left");
    (settings.pair, settings.global.router_id) = (None, None);
    assert_eq!(node_name(&settings), std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name").trim());
}
