//! Somebody who reads the lines of a notify FIFO.

use super::story::run;
use super::{PATIENCE, Program, Scene};

/// What came out of a pipe.
pub(crate) struct Reader {
    program: Program,
    file: String,
}

impl Reader {
    /// Reads from the moment at which the pipe is there until it ends.
    pub(crate) fn start(scene: &Scene, fifo: &str) -> Self {
        let file = format!("{fifo}.lines");
        let script = format!("until [ -p {fifo} ]; do sleep 0.01; done; cat {fifo} > {file}");
        run(&scene.hosts[0], &format!(": > {file}"));
        let program = scene.hosts[0].start("reader", &["sh", "-c", &script]).expect("start a reader");
        Self { program, file }
    }

    /// Reads what comes out of it and of all that follow it under its name, until the host has a file of this name with
    /// `.end` behind it. keepalived makes another pipe at each reload.
    pub(crate) fn start_again_and_again(scene: &Scene, fifo: &str) -> Self {
        let file = format!("{fifo}.lines");
        let script = format!("until [ -e {fifo}.end ]; do [ -p {fifo} ] && cat {fifo} >> {file} || sleep 0.01; done");
        run(&scene.hosts[0], &format!(": > {file}"));
        let program = scene.hosts[0].start("reader", &["sh", "-c", &script]).expect("start a reader");
        Self { program, file }
    }

    pub(crate) fn lines(&self, scene: &Scene) -> Vec<String> {
        run(&scene.hosts[0], &format!("cat {}", self.file)).lines().map(str::to_owned).collect()
    }

    /// Waits until so many lines are there in all.
    pub(crate) fn until(&self, scene: &Scene, line: &str, count: usize) {
        scene.until(&format!("{count} × {line}"), || {
            self.lines(scene).iter().filter(|one| *one == line).count() >= count
        });
    }

    /// Everything, once the pipe has ended.
    pub(crate) fn finish(self, scene: &Scene) -> Vec<String> {
        assert!(self.program.wait(PATIENCE), "the pipe does not end");
        self.lines(scene)
    }
}
