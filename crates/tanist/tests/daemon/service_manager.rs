//! What a service manager is told.

use std::os::unix::net::UnixDatagram;
use std::thread;

use crate::support::{
    ADDRESS, Host, Moment, Node, QUICK, Scene, Seen, configuration, in_host, slow_test, tanist, with_variable, word,
};

/// Writes everything that is told into the journal, as if a recorder had been run.
fn listen(scene: &Scene, host: &Host) {
    let socket = host.run(|| UnixDatagram::bind(in_host("manager"))).expect("the host is on").expect("a socket");
    let (journal, name) = (scene.lab.journal().clone(), host.name().into());
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        // Ends with the test's process: nobody closes the other end.
        while let Ok(length) = socket.recv(&mut buffer) {
            let arguments = String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned).collect();
            journal.add(Moment::now(), &name, Seen::ScriptRun { name: "told".to_owned(), arguments });
        }
    });
}

#[test]
fn it_hears_of_readiness_reload_and_stop_in_this_order() {
    slow_test(|| {
        let scene = Scene::new(&["a"]);
        let host = &scene.hosts[0];
        listen(&scene, host);
        let daemon = with_variable(tanist(), "NOTIFY_SOCKET", word(&in_host("manager")));
        let begin = Moment::now();
        let text = configuration("", 150, QUICK);
        let node = Node::start(host, daemon, &text);
        let told = |since: Moment, word: &str| {
            scene.wait(since, word, |record| {
                crate::support::run_words(record).is_some_and(|words| words.iter().any(|told| told.starts_with(word)))
            })
        };
        told(begin, "READY=1");
        scene.only("a", ADDRESS);
        let asked = Moment::now();
        node.reload(&text);
        let reloading = told(asked, "RELOADING=1");
        // systemd wants the moment, on the clock that it uses (sd_notify(3)).
        assert!(reloading.to_string().contains("MONOTONIC_USEC="), "{reloading}");
        let ready = told(asked, "READY=1");
        assert!(reloading.at < ready.at);
        let asked = Moment::now();
        node.stop();
        told(asked, "STOPPING=1");
        // What it says of its status in between is for people.
        let words = scene.runs("a", begin).into_iter().map(|words| words[1].clone());
        let words: Vec<String> = words.filter(|word| !word.starts_with("STATUS=")).collect();
        assert_eq!(words, ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    });
}
