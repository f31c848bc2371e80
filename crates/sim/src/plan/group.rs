//! A sync group of a pretend node: routers that are Active together or not at all.

use std::fmt;

use engine::{GroupConfig, Name, Vrid};

use super::cursor::Cursor;
use super::mistake::Mistake;

/// `group a  G  51,52`; the first one speaks for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSpec {
    /// Its name.
    pub name: Name,
    /// The VRIDs of its routers.
    pub members: Vec<Vrid>,
}

impl GroupSpec {
    pub(crate) fn parse(name: Name, cursor: &mut Cursor<'_>) -> Result<Self, Mistake> {
        let word = cursor.take("VRIDs such as `51,52`")?;
        let members: Option<Vec<Vrid>> =
            word.split(',').map(|number| number.parse().ok().and_then(Vrid::new)).collect();
        let members = members.ok_or_else(|| cursor.before(format!("`{word}` is no list of VRIDs such as `51,52`")))?;
        Ok(Self { name, members })
    }

    /// What the engine is told; a router is named by its VRID.
    pub(crate) fn config(&self) -> GroupConfig {
        let name = |vrid: &Vrid| vrid.to_string().as_str().into();
        GroupConfig { name: self.name.clone(), members: self.members.iter().map(name).collect() }
    }
}

impl fmt::Display for GroupSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> = self.members.iter().map(Vrid::to_string).collect();
        f.write_str(&members.join(","))
    }
}
