//! What docker says: descriptions of containers, events, errors.

use serde::Deserialize;

/// `GET /containers/NAME/json`, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Description {
    pub(crate) id: String,
    /// With a slash before it.
    pub(crate) name: String,
    /// Id of the image.
    pub(crate) image: String,
    pub(crate) state: State,
    pub(crate) config: Config,
    pub(crate) host_config: HostConfig,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct State {
    /// Also true while docker waits to start it again.
    pub(crate) running: bool,
    pub(crate) paused: bool,
    pub(crate) restarting: bool,
    /// Being removed, and can't be.
    pub(crate) dead: bool,
    pub(crate) exit_code: i64,
    /// Why it could not be started last.
    pub(crate) error: String,
    /// `created`, `running`, `exited`, …
    pub(crate) status: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Config {
    /// `SIGTERM`, `TERM` or `15`; empty means SIGTERM.
    pub(crate) stop_signal: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct HostConfig {
    pub(crate) restart_policy: RestartPolicy,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RestartPolicy {
    pub(crate) name: String,
}

impl Description {
    /// What it is called now, if it isn't known by this name or id any more.
    pub(crate) fn other_name(&self, container: &str) -> Option<&str> {
        let name = self.name.strip_prefix('/').unwrap_or(&self.name);
        let container = container.strip_prefix('/').unwrap_or(container);
        (!name.is_empty() && name != container && !self.id.starts_with(container)).then_some(name)
    }
}

impl RestartPolicy {
    /// docker would start it again by itself.
    pub(crate) fn restarts(&self) -> bool {
        !matches!(self.name.as_str(), "" | "no")
    }
}

/// One line of `GET /events`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Event {
    pub(crate) action: String,
    pub(crate) actor: Actor,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Actor {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    #[serde(rename = "Attributes")]
    pub(crate) attributes: Attributes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Attributes {
    pub(crate) name: String,
    /// Of a `die`.
    pub(crate) exit_code: String,
    /// Of a `kill`: its number.
    pub(crate) signal: String,
}

impl Event {
    /// Whether it is about the container of this name or id.
    pub(crate) fn concerns(&self, container: &str, id: Option<&str>) -> bool {
        let long_enough = container.len() >= 12;
        self.actor.attributes.name == container
            || id == Some(self.actor.id.as_str())
            || (long_enough && self.actor.id.starts_with(container))
    }
}

/// What docker says when it refuses.
pub(crate) fn refusal(body: &[u8], status: u16) -> String {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    match serde_json::from_slice::<Said>(body) {
        Ok(said) => said.message,
        Err(_) => format!("docker answered with status {status}"),
    }
}

/// The number of the signal by which docker asks a container to end.
pub(crate) fn stop_signal(name: &str) -> String {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    // Of all signals, those by which programs are asked to end; an event names the number only.
    let number = match name {
        "" | "TERM" => "15",
        "HUP" => "1",
        "INT" => "2",
        "QUIT" => "3",
        "KILL" => "9",
        "USR1" => "10",
        "USR2" => "12",
        "WINCH" => "28",
        "PWR" => "30",
        other => other,
    };
    // systemd in a container is asked by SIGRTMIN+3, which is 37 on Linux.
    if number == "RTMIN+3" { "37".to_owned() } else { number.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shortened from what docker 20.10 says.
    #[test]
    fn reads_what_docker_says() {
        let description: Description = serde_json::from_str(
            r#"{"Id":"4c01db0b339c","Created":"2026-01-01T00:00:00Z","Image":"sha256:ab","Name":"/svc",
                "State":{"Status":"exited","Running":false,"Paused":false,"Restarting":false,"OOMKilled":false,
                         "Dead":false,"Pid":0,"ExitCode":137,"Error":""},
                "HostConfig":{"RestartPolicy":{"Name":"unless-stopped","MaximumRetryCount":0}},
                "Config":{"StopSignal":"SIGINT","Image":"t:1"}}"#,
        )
        .unwrap();
        assert_eq!(description.id, "4c01db0b339c");
        assert_eq!((description.state.exit_code, description.state.running), (137, false));
        assert!(description.host_config.restart_policy.restarts());
        assert_eq!(stop_signal(&description.config.stop_signal), "2");
        for (container, expected) in [("svc", None), ("4c01db", None), ("former", Some("svc"))] {
            assert_eq!(description.other_name(container), expected, "{container}");
        }

        let event: Event = serde_json::from_str(
            r#"{"status":"die","id":"4c01db0b339c","from":"t:1","Type":"container","Action":"die",
                "Actor":{"ID":"4c01db0b339c77","Attributes":{"exitCode":"137","image":"t:1","name":"svc"}},
                "scope":"local","time":1,"timeNano":1}"#,
        )
        .unwrap();
        assert_eq!((event.action.as_str(), event.actor.attributes.exit_code.as_str()), ("die", "137"));
        for (container, id, expected) in [
            ("svc", None, true),
            ("other", None, false),
            ("other", Some("4c01db0b339c77"), true),
            ("4c01db0b339c", None, true),
            ("4c", None, false),
        ] {
            assert_eq!(event.concerns(container, id), expected, "{container}");
        }
        assert_eq!(refusal(br#"{"message":"No such container: x"}"#, 404), "No such container: x");
        assert_eq!(refusal(b"<html>", 502), "docker answered with status 502");
    }
}
