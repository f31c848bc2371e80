//! May root run this program? Only if nobody but root can change it or what leads to it.
//!
//! Access control lists and capabilities are not looked at.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::users::Identity;

const GROUP_WRITABLE: u32 = 0o020;
const OTHERS_WRITABLE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// What we found out about a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be run. Start it by this path, which has no symbolic links left unless they are to be kept: a link on the way
    /// may be in somebody else's hands.
    Safe(PathBuf),
    /// It would run as root, and somebody else can replace it.
    Unsafe {
        program: PathBuf,
        weakness: Weakness,
    },
    NotFound,
    /// It exists but is no file that this user may execute.
    NotExecutable(PathBuf),
    /// It could not be looked at.
    Unreadable(Error),
}

/// The first component of a path that somebody other than root can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakness {
    pub component: PathBuf,
    pub owner: u32,
    pub group: u32,
    /// Permission bits.
    pub mode: u32,
}

impl Weakness {
    /// The command that mends it.
    pub fn remedy(&self) -> String {
        let path = self.component.display();
        match (self.owner, self.mode & (GROUP_WRITABLE | OTHERS_WRITABLE)) {
            // A link, which has no mode to speak of.
            (_, 0) if self.mode == 0 => format!("chown -h root {path}"),
            (0, _) => format!("chmod go-w {path}"),
            (_, 0) => format!("chown root {path}"),
            (_, _) => format!("chown root {path} && chmod go-w {path}"),
        }
    }
}

impl fmt::Display for Weakness {
    /// "/opt/checks is owned by user 1000 and writable by its group 1000 (mode 0775)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut faults = Vec::new();
        if self.owner != 0 {
            faults.push(format!("owned by user {}", self.owner));
        }
        if self.group != 0 && self.mode & GROUP_WRITABLE != 0 {
            faults.push(format!("writable by its group {}", self.group));
        }
        if self.mode & OTHERS_WRITABLE != 0 {
            faults.push("writable by everybody".to_owned());
        }
        write!(f, "{} is {} (mode {:04o})", self.component.display(), faults.join(" and "), self.mode)
    }
}

/// Where the program is: itself if it has a slash, otherwise the first executable of that name in `path` ("a:b:c").
pub fn find_program(name: &Path, path: &str) -> Option<PathBuf> {
    if name.as_os_str().as_encoded_bytes().contains(&b'/') {
        return Some(name.to_owned());
    }
    path.split(':')
        .filter(|directory| directory.starts_with('/'))
        .map(|directory| Path::new(directory).join(name))
        .find(|candidate| candidate.metadata().is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0))
}

/// What is to be run where the path leads over symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// What it leads to now, whatever becomes of the links.
    Resolve,
    /// What it leads to when it is run.
    Keep,
}

/// Looks at the program and, if it is to run as root, at every directory that leads to it: where it really is, and with
/// [`Links::Keep`] on the way of each link, too.
pub fn examine(program: &Path, run_as: &Identity, links: Links) -> Verdict {
    examine_with(program, run_as, links, |component| {
        let found = component.symlink_metadata()?;
        // What stands in the mode of a link means nothing.
        let mode = if found.is_symlink() { 0 } else { found.permissions().mode() & 0o7777 };
        Ok(Weakness { component: component.to_owned(), owner: found.uid(), group: found.gid(), mode })
    })
}

/// `look` tells owner and mode of a component; of the program itself they come from the file.
fn examine_with(
    program: &Path,
    run_as: &Identity,
    links: Links,
    look: impl Fn(&Path) -> std::io::Result<Weakness>,
) -> Verdict {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Verdict::NotFound,
        _ => Verdict::Unreadable(Error::from_io(format!("look at {}", program.display()), &error)),
    };
    let resolved = match program.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) => return unreadable(error),
    };
    let is_file = resolved.is_file();
    let file = match look(&resolved) {
        Ok(file) => file,
        Err(error) => return unreadable(error),
    };
    if !is_file || !may_execute(&file, run_as) {
        return Verdict::NotExecutable(resolved);
    }
    let way = match links {
        Links::Resolve => Ok((resolved.clone(), Vec::new())),
        Links::Keep => std::path::absolute(program).and_then(|path| Ok((path.clone(), way_of_links(&path)?))),
    };
    let (path, mut components) = match way {
        Ok(way) => way,
        Err(error) => return unreadable(error),
    };
    if run_as.uid != 0 {
        return Verdict::Safe(path);
    }
    let mut real: Vec<PathBuf> = resolved.ancestors().map(Path::to_owned).collect();
    real.reverse();
    components.append(&mut real);
    for component in components {
        match look(&component) {
            Ok(found) if is_weak(&found, component != resolved) => {
                return Verdict::Unsafe { program: path, weakness: found };
            }
            Ok(_) => {}
            Err(error) => return unreadable(error),
        }
    }
    Verdict::Safe(path)
}

/// The links on the way, and the directories through which each is reached.
fn way_of_links(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    // As many as the kernel follows.
    const MOST_LINKS: usize = 40;
    let mut way = Vec::new();
    let mut ahead: Vec<OsString> = path.components().rev().map(|part| part.as_os_str().to_owned()).collect();
    let (mut here, mut links) = (PathBuf::new(), 0);
    while let Some(part) = ahead.pop() {
        match part.to_str() {
            Some("..") => {
                here.pop();
                continue;
            }
            Some(".") => continue,
            _ => {}
        }
        let next = here.join(&part);
        way.push(next.clone());
        if !next.symlink_metadata()?.is_symlink() {
            here = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(std::io::Error::other("too many symbolic links"));
        }
        let target = next.read_link()?;
        // A full path begins with "/", which replaces what was there.
        ahead.extend(target.components().rev().map(|part| part.as_os_str().to_owned()));
    }
    way.dedup();
    Ok(way)
}

fn is_weak(found: &Weakness, is_directory: bool) -> bool {
    // In a sticky directory others may create but not replace what is root's.
    let sticky = is_directory && found.mode & STICKY != 0;
    let group_writes = found.group != 0 && found.mode & GROUP_WRITABLE != 0;
    let others_write = found.mode & OTHERS_WRITABLE != 0;
    found.owner != 0 || (!sticky && (group_writes || others_write))
}

fn may_execute(file: &Weakness, identity: &Identity) -> bool {
    let bits = if identity.uid == 0 {
        0o111
    } else if identity.uid == file.owner {
        0o100
    } else if identity.gid == file.group || identity.groups.contains(&file.group) {
        0o010
    } else {
        0o001
    };
    file.mode & bits != 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ROOT: Identity = Identity { uid: 0, gid: 0, groups: Vec::new() };

    /// A real tree, so that links resolve, in which owners and modes are as the test says (root, 0755 otherwise).
    struct Tree {
        top: PathBuf,
        said: BTreeMap<PathBuf, (u32, u32, u32)>,
    }

    impl Tree {
        fn new(name: &str) -> Tree {
            let top = std::env::temp_dir().join(format!("tanist-security-{name}-{}", std::process::id()));
            std::fs::create_dir_all(top.join("usr/bin")).unwrap();
            std::fs::write(top.join("usr/bin/check"), "").unwrap();
            std::os::unix::fs::symlink("usr/bin", top.join("bin")).unwrap();
            let top = top.canonicalize().unwrap();
            Tree { top, said: BTreeMap::new() }
        }

        fn say(mut self, path: &str, owner: u32, group: u32, mode: u32) -> Tree {
            self.said.insert(self.top.join(path), (owner, group, mode));
            self
        }

        fn examine(&self, path: &str, identity: &Identity) -> Verdict {
            self.examine_as(path, identity, Links::Resolve)
        }

        fn examine_as(&self, path: &str, identity: &Identity, links: Links) -> Verdict {
            examine_with(&self.top.join(path), identity, links, |component| {
                // What is not there is not looked at.
                component.symlink_metadata()?;
                let (owner, group, mode) = self.said.get(component).copied().unwrap_or((0, 0, 0o755));
                Ok(Weakness { component: component.to_owned(), owner, group, mode })
            })
        }

        fn weakness(&self, path: &str) -> String {
            match self.examine(path, &ROOT) {
                Verdict::Unsafe { weakness, .. } => {
                    format!("{weakness}: {}", weakness.remedy()).replace(&format!("{}/", self.top.display()), "")
                }
                other => format!("{other:?}"),
            }
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.top);
        }
    }

    #[test]
    fn a_linked_directory_is_fine_and_resolved() {
        let tree = Tree::new("linked");
        assert_eq!(tree.examine("bin/check", &ROOT), Verdict::Safe(tree.top.join("usr/bin/check")));
    }

    #[test]
    fn a_link_that_is_kept_must_be_in_good_hands_all_the_way() {
        let tree = |name: &str| {
            let tree = Tree::new(name);
            for (target, link) in [("../bin/check", "etc/now"), ("now", "etc/check"), ("round", "etc/round")] {
                std::fs::create_dir_all(tree.top.join("etc")).unwrap();
                std::os::unix::fs::symlink(target, tree.top.join(link)).unwrap();
            }
            tree
        };
        let kept = |tree: &Tree| tree.examine_as("etc/check", &ROOT, Links::Keep);
        let good = tree("kept");
        assert_eq!(kept(&good), Verdict::Safe(good.top.join("etc/check")));
        assert_eq!(good.examine("etc/check", &ROOT), Verdict::Safe(good.top.join("usr/bin/check")));
        assert_eq!(good.examine_as("etc/nothing", &ROOT, Links::Keep), Verdict::NotFound);
        assert!(matches!(good.examine_as("etc/round", &ROOT, Links::Keep), Verdict::Unreadable(_)));
        for (weak, owner, mode, remedy) in [
            ("etc", 0, 0o777, "chmod go-w"),
            ("etc/now", 1000, 0, "chown -h root"),
            ("bin", 1000, 0, "chown -h root"),
            ("usr", 1000, 0o755, "chown root"),
            ("usr/bin/check", 0, 0o757, "chmod go-w"),
        ] {
            let tree = tree("kept-weak").say(weak, owner, 0, mode);
            let Verdict::Unsafe { program, weakness } = kept(&tree) else { panic!("{weak} is no weakness") };
            let place = tree.top.join(weak);
            assert_eq!((&program, &weakness.component), (&tree.top.join("etc/check"), &place));
            assert_eq!(weakness.remedy(), format!("{remedy} {}", place.display()));
        }
        // Who does not run it as root may keep it where he likes.
        let other = Identity { uid: 1000, gid: 1000, groups: Vec::new() };
        let open = tree("kept-open").say("etc", 1000, 0, 0o777);
        assert!(
            matches!(open.examine_as("etc/check", &other, Links::Keep), Verdict::Safe(path) if path.ends_with("etc/check"))
        );
    }

    #[test]
    fn names_the_component_and_the_remedy() {
        let check = |path, owner, group, mode| Tree::new("weak").say(path, owner, group, mode).weakness("bin/check");
        assert_eq!(
            check("usr", 1000, 1000, 0o775),
            "usr is owned by user 1000 and writable by its group 1000 (mode 0775): chown root usr && chmod go-w usr"
        );
        assert_eq!(
            check("usr/bin/check", 0, 0, 0o757),
            "usr/bin/check is writable by everybody (mode 0757): chmod go-w usr/bin/check"
        );
        assert_eq!(check("usr/bin", 33, 0, 0o755), "usr/bin is owned by user 33 (mode 0755): chown root usr/bin");
    }

    #[test]
    fn roots_group_and_sticky_directories_are_no_weakness() {
        let tree = Tree::new("strong").say("usr", 0, 0, 0o775).say("usr/bin", 0, 50, 0o1777);
        assert!(matches!(tree.examine("usr/bin/check", &ROOT), Verdict::Safe(_)));
        let sticky_file = Tree::new("sticky").say("usr/bin/check", 0, 0, 0o1777);
        assert!(matches!(sticky_file.examine("usr/bin/check", &ROOT), Verdict::Unsafe { .. }));
    }

    #[test]
    fn who_is_not_root_only_needs_to_execute_it() {
        let tree = Tree::new("other").say("usr", 1000, 1000, 0o777).say("usr/bin/check", 1000, 33, 0o710);
        let identity = |uid, gid, groups: &[u32]| Identity { uid, gid, groups: groups.to_vec() };
        for (who, runs) in [
            (identity(1000, 1, &[]), true),
            (identity(7, 33, &[]), true),
            (identity(7, 7, &[7, 33]), true),
            (identity(7, 7, &[]), false),
        ] {
            let verdict = tree.examine("usr/bin/check", &who);
            assert_eq!(matches!(verdict, Verdict::Safe(_)), runs, "{who:?}: {verdict:?}");
        }
    }

    #[test]
    fn absent_and_not_executable_are_told_apart() {
        let tree = Tree::new("absent").say("usr/bin/check", 0, 0, 0o644);
        assert_eq!(tree.examine("usr/bin/chekc", &ROOT), Verdict::NotFound);
        assert_eq!(tree.examine("usr/bin/check/deeper", &ROOT), Verdict::NotFound);
        assert_eq!(tree.examine("bin/check", &ROOT), Verdict::NotExecutable(tree.top.join("usr/bin/check")));
        assert_eq!(tree.examine("bin", &ROOT), Verdict::NotExecutable(tree.top.join("usr/bin")));
    }

    #[test]
    fn finds_programs_as_a_shell_would() {
        let find = |name: &str, path| find_program(Path::new(name), path);
        assert_eq!(find("sh", "/nowhere:relative:/bin:/usr/bin"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("./check", "/bin"), Some(PathBuf::from("./check")));
        assert_eq!(find("no-such-program", "/bin:/usr/bin"), None);
        assert_eq!(examine(Path::new("/no/such/program"), &ROOT, Links::Resolve), Verdict::NotFound);
    }
}
