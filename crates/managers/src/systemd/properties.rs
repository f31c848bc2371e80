//! What systemd says of a unit: the properties that matter here, and what they mean.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;

use engine::Ending;
use zbus::Variant;

/// `ActiveState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// `active`, and `reloading` or `refreshing`, which are the same with something going on.
    Active,
    /// `activating`.
    Activating,
    /// `deactivating`; also `maintenance`, in which nobody can say.
    Deactivating,
    /// `inactive` or `failed`.
    #[default]
    Inactive,
}

/// Properties as they come: of one interface or of all.
pub(crate) type Map<'a> = HashMap<&'a str, Variant<'a>>;

/// A unit at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    /// Its proper name.
    pub(crate) id: String,
    pub(crate) activity: Activity,
    pub(crate) sub_state: String,
    /// Id of the job that is queued for it; 0 if there is none.
    pub(crate) job: u32,
    pub(crate) condition_met: bool,
    pub(crate) control_group: String,
    pub(crate) slice: String,
    /// `Restart`.
    pub(crate) restart: String,
    /// How often it did.
    pub(crate) restarts: u32,
    /// `enabled`, `disabled`, …
    pub(crate) file_state: String,
    pub(crate) needs_reload: bool,
    load_state: String,
    load_error: String,
    refuses_start: bool,
    result: String,
    main_code: i32,
    main_status: i32,
    /// The programs that it starts, unless they are in a file system of its own.
    programs: Vec<String>,
    own_root: bool,
}

impl Properties {
    /// Takes over what is there; what is not there has not changed.
    pub(crate) fn update(&mut self, map: &Map<'_>) {
        if let Some(state) = text(map, "ActiveState") {
            self.activity = match state {
                "active" | "reloading" | "refreshing" => Activity::Active,
                "activating" => Activity::Activating,
                "inactive" | "failed" => Activity::Inactive,
                _ => Activity::Deactivating,
            };
        }
        for (name, place) in [
            ("Id", &mut self.id),
            ("SubState", &mut self.sub_state),
            ("ControlGroup", &mut self.control_group),
            ("Slice", &mut self.slice),
            ("Restart", &mut self.restart),
            ("UnitFileState", &mut self.file_state),
            ("LoadState", &mut self.load_state),
            ("Result", &mut self.result),
        ] {
            if let Some(value) = text(map, name) {
                value.clone_into(place);
            }
        }
        for (name, place) in [
            ("ConditionResult", &mut self.condition_met),
            ("NeedDaemonReload", &mut self.needs_reload),
            ("RefuseManualStart", &mut self.refuses_start),
        ] {
            if let Some(Variant::Bool(value)) = map.get(name) {
                *place = *value;
            }
        }
        for (name, place) in [("ExecMainCode", &mut self.main_code), ("ExecMainStatus", &mut self.main_status)] {
            if let Some(Variant::I32(value)) = map.get(name) {
                *place = *value;
            }
        }
        if let Some(Variant::U32(value)) = map.get("NRestarts") {
            self.restarts = *value;
        }
        if let Some(Variant::Structure(job)) = map.get("Job")
            && let Some(Variant::U32(id)) = job.fields().first()
        {
            self.job = *id;
        }
        if let Some(Variant::Structure(error)) = map.get("LoadError")
            && let Some(Variant::Str(words)) = error.fields().get(1)
        {
            words.as_str().clone_into(&mut self.load_error);
        }
        if let Some(Variant::Array(commands)) = map.get("ExecStart") {
            self.programs = commands.iter().filter_map(program).collect();
        }
        if ["RootDirectory", "RootImage"].iter().any(|name| text(map, name).is_some_and(|path| !path.is_empty())) {
            self.own_root = true;
        }
    }

    /// systemd would start it again by itself.
    pub(crate) fn restarts_itself(&self) -> bool {
        !matches!(self.restart.as_str(), "" | "no")
    }

    /// systemd is about to start it again by itself. Newer versions have several such states.
    pub(crate) fn awaits_restart(&self) -> bool {
        self.sub_state.contains("auto-restart")
    }

    /// How it ended.
    pub(crate) fn ending(&self) -> Ending {
        /// `CLD_EXITED`; the others are by a signal.
        const EXITED: i32 = 1;
        match (self.result.as_str(), self.main_code, u8::try_from(self.main_status)) {
            ("" | "success", 0, _) => Ending::NotRunning,
            ("" | "success" | "exit-code", EXITED, Ok(status)) => Ending::Exited(status),
            ("" | "success" | "signal" | "core-dump", 2.., Ok(signal)) => Ending::Signalled(signal),
            ("" | "success", _, _) => Ending::NotRunning,
            (result, _, _) => Ending::Said(engine::Name::from(result)),
        }
    }

    /// Whether it could be started, or why not.
    pub(crate) fn readiness(&self, unit: &str) -> Result<(), String> {
        match self.load_state.as_str() {
            "loaded" => {}
            "not-found" => return Err(format!("there is no unit {unit}")),
            "masked" => return Err(format!("{unit} is masked")),
            state if self.load_error.is_empty() => return Err(format!("systemd can't load {unit} ({state})")),
            _ => return Err(format!("systemd can't load {unit}: {}", self.load_error)),
        }
        if self.refuses_start {
            return Err(format!("{unit} has RefuseManualStart=yes"));
        }
        match self.programs.iter().find(|program| !self.own_root && !is_program(program)) {
            Some(program) => Err(format!("{program}, which {unit} starts, is not there or can't be executed")),
            None => Ok(()),
        }
    }
}

fn text<'a>(map: &'a Map<'_>, name: &str) -> Option<&'a str> {
    match map.get(name) {
        Some(Variant::Str(text)) => Some(text.as_str()),
        Some(Variant::ObjectPath(path)) => Some(path.as_str()),
        _ => None,
    }
}

/// The path in one entry of `ExecStart`.
fn program(command: &Variant<'_>) -> Option<String> {
    let Variant::Structure(command) = command else { return None };
    match command.fields().first() {
        // systemd itself finds programs without a path only when it starts them.
        Some(Variant::Str(path)) if path.as_str().starts_with('/') => Some(path.as_str().to_owned()),
        _ => None,
    }
}

fn is_program(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&'static str, Variant<'static>)]) -> Properties {
        let mut properties = Properties::default();
        let map: Map<'_> = pairs.iter().map(|(name, value)| (*name, value.try_clone().unwrap())).collect();
        properties.update(&map);
        properties
    }

    #[test]
    fn tells_how_a_unit_ended() {
        for (result, code, status, expected) in [
            ("success", 0, 0, Ending::NotRunning),
            ("success", 1, 0, Ending::Exited(0)),
            ("success", 2, 15, Ending::Signalled(15)),
            ("exit-code", 1, 203, Ending::Exited(203)),
            ("signal", 2, 9, Ending::Signalled(9)),
            ("core-dump", 3, 11, Ending::Signalled(11)),
            ("watchdog", 3, 6, Ending::Said("watchdog".into())),
            ("start-limit-hit", 1, 1, Ending::Said("start-limit-hit".into())),
            ("resources", 0, 0, Ending::Said("resources".into())),
        ] {
            let properties = properties(&[
                ("Result", Variant::from(result)),
                ("ExecMainCode", Variant::I32(code)),
                ("ExecMainStatus", Variant::I32(status)),
            ]);
            assert_eq!(properties.ending(), expected, "{result} {code} {status}");
        }
    }

    #[test]
    fn says_why_a_unit_could_not_start() {
        let loaded = ("LoadState", Variant::from("loaded"));
        assert_eq!(properties(&[loaded]).readiness("a.service"), Ok(()));
        for (pairs, expected) in [
            (vec![("LoadState", Variant::from("not-found"))], "there is no unit a.service"),
            (vec![("LoadState", Variant::from("masked"))], "a.service is masked"),
            (
                vec![
                    ("LoadState", Variant::from("bad-setting")),
                    ("LoadError", Variant::from(("org.freedesktop.x", "Unit has a bad unit file setting."))),
                ],
                "systemd can't load a.service: Unit has a bad unit file setting.",
            ),
            (
                vec![
                    ("LoadState", Variant::from("loaded")),
                    ("ExecStart", Variant::from(vec![("/nowhere/at/all", vec!["x"], true)])),
                ],
                "/nowhere/at/all, which a.service starts, is not there or can't be executed",
            ),
        ] {
            assert_eq!(properties(&pairs).readiness("a.service"), Err(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_not_mentioned_stays() {
        let mut properties = properties(&[
            ("ActiveState", Variant::from("reloading")),
            ("SubState", Variant::from("auto-restart")),
            ("Job", Variant::from((17_u32, "/org/freedesktop/systemd1/job/17"))),
        ]);
        properties.update(&Map::from([("NRestarts", Variant::U32(3))]));
        assert_eq!((properties.activity, properties.job, properties.restarts), (Activity::Active, 17, 3));
        assert!(properties.awaits_restart());
    }
}
