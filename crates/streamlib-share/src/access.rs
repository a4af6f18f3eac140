//! Who may open a surface.

use streamlib_linux::peer::Peer;

/// Who may open a surface. Whoever may, may also hold up to four of its buffers at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Access {
    /// The publisher's user, and root.
    #[default]
    SameUser,
    /// In addition, whoever is in the group of this number.
    Group(u32),
    /// Every user of the machine.
    Everyone,
}

impl Access {
    /// Whether `reader`, who has `groups` besides its own, may open a surface of the user `owner`.
    pub(crate) fn permits(self, owner: u32, reader: &Peer, groups: &[u32]) -> bool {
        let is_owner = reader.uid == owner || reader.uid == 0;
        match self {
            Self::SameUser => is_owner,
            Self::Group(group) => is_owner || reader.gid == group || groups.contains(&group),
            Self::Everyone => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_lets_in_whom_it_names() {
        let reader = |uid, gid| Peer { pid: 9, uid, gid };
        for (access, peer, groups, permitted) in [
            (Access::SameUser, reader(1000, 1), &[][..], true),
            (Access::SameUser, reader(0, 0), &[], true),
            (Access::SameUser, reader(1001, 1), &[1000], false),
            (Access::Group(44), reader(1001, 44), &[], true),
            (Access::Group(44), reader(1001, 1), &[5, 44], true),
            (Access::Group(44), reader(1000, 1), &[], true),
            (Access::Group(44), reader(1001, 1), &[5], false),
            (Access::Everyone, reader(1001, 1), &[], true),
        ] {
            assert_eq!(access.permits(1000, &peer, groups), permitted, "{access:?} {peer:?} {groups:?}");
        }
    }
}
