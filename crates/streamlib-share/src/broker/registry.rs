//! Which surfaces there are: the broker's knowledge, without its sockets.

use std::collections::BTreeMap;
use std::ops::Bound;

use streamlib_linux::peer::Peer;

use crate::access::Access;
use crate::name::SurfaceName;
use crate::page::{Feed, SurfaceView};
use crate::wire::{Entry, MAX_ENTRIES, Refusal};

/// Names a connection to the broker.
pub(super) type ClientId = u64;

/// A surface, and whom to ask for it.
#[derive(Debug)]
pub(super) struct Surface {
    pub(super) client: ClientId,
    pub(super) owner: Peer,
    pub(super) access: Access,
    pub(super) page: SurfaceView,
}

/// Somebody who wants to know, or to open.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) peer: Peer,
    pub(super) groups: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    surfaces: BTreeMap<SurfaceName, Surface>,
}

impl Registry {
    /// Who has `name`.
    pub(super) fn owner(&self, name: &SurfaceName) -> Option<(ClientId, Peer)> {
        self.surfaces.get(name).map(|surface| (surface.client, surface.owner))
    }

    /// Adds a surface under a name that nobody has.
    pub(super) fn add(&mut self, name: SurfaceName, surface: Surface) {
        self.surfaces.insert(name, surface);
    }

    /// Forgets the surface of a client that is gone.
    pub(super) fn remove(&mut self, name: &SurfaceName) {
        self.surfaces.remove(name);
    }

    /// The client that publishes `name`, if `asker` may open it.
    pub(super) fn find(&self, name: &SurfaceName, asker: &Asker) -> Result<(ClientId, Peer), Refusal> {
        let surface = self.surfaces.get(name).ok_or(Refusal::NoSuchSurface)?;
        if !surface.permits(asker) {
            return Err(Refusal::NotPermitted);
        }
        Ok((surface.client, surface.owner))
    }

    /// The first surfaces after `after` that `asker` may open, and whether there may be more.
    pub(super) fn list(&self, after: Option<&SurfaceName>, asker: &Asker) -> (Vec<Entry>, bool) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.surfaces.range::<SurfaceName, _>((start, Bound::Unbounded));
        let mut visible = rest.filter(|(_, surface)| surface.permits(asker));
        let entries: Vec<Entry> =
            visible.by_ref().take(MAX_ENTRIES).map(|(name, surface)| surface.entry(name)).collect();
        (entries, visible.next().is_some())
    }
}

impl Surface {
    fn permits(&self, asker: &Asker) -> bool {
        self.access.permits(self.owner.uid, &asker.peer, &asker.groups)
    }

    /// What its page says now. No lease protects the newest frame's slot here; numbers of two frames may be mixed.
    fn entry(&self, name: &SurfaceName) -> Entry {
        let (counters, newest) = (self.page.counters(), self.page.slot(self.page.newest(Feed::Done)));
        Entry {
            name: name.clone(),
            publisher: self.owner,
            width: newest.map_or(0, |slot| slot.size.width),
            height: newest.map_or(0, |slot| slot.size.height),
            format: newest.map_or(0, |slot| slot.format.0),
            rate_mhz: counters.rate_mhz,
            readers: counters.readers,
            published: counters.published,
            dropped: counters.dropped,
            newest_ns: newest.map_or(0, |slot| slot.published.0.max(0) as u64),
        }
    }
}
