//! The way from a buffer through a card to a screen, and how it is set.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;

use drm::control::atomic::AtomicModeReq;
use drm::control::{
    AtomicCommitFlags, Device as _, Mode, PageFlipFlags, PlaneType, ResourceHandle, connector, crtc,
    framebuffer, plane, property,
};

use super::card::Card;
use super::formats::PlaneFormats;

/// A connector, what drives it, and what stood there before.
#[derive(Debug)]
pub(super) struct Way {
    connector: connector::Handle,
    crtc: crtc::Handle,
    mode: Mode,
    former: crtc::Info,
    /// How all of it is changed in one step, where the driver can.
    atomic: Option<Atomic>,
    /// What can be shown where it lies.
    formats: PlaneFormats,
    card: Arc<Card>,
}

/// What is set in one step: the words for it differ from driver to driver.
#[derive(Debug)]
struct Atomic {
    plane: plane::Handle,
    /// The mode, as the kernel keeps it.
    blob: u64,
    connector_crtc: property::Handle,
    crtc_mode: property::Handle,
    crtc_active: property::Handle,
    plane_fb: property::Handle,
    plane_crtc: property::Handle,
    /// What the plane waits for before it shows a buffer.
    plane_fence: Option<property::Handle>,
    /// Position and size in the buffer (in 1/65536 pixel), then on the screen.
    plane_areas: [property::Handle; 8],
}

const PLANE_AREAS: [&str; 8] = ["SRC_X", "SRC_Y", "SRC_W", "SRC_H", "CRTC_X", "CRTC_Y", "CRTC_W", "CRTC_H"];

impl Way {
    /// A free way to a connector; `None` where there is none. Changes nothing yet.
    pub(super) fn find(
        card: &Arc<Card>,
        connector: &connector::Info,
        mode: Mode,
    ) -> io::Result<Option<Self>> {
        let Some((index, crtc)) = free_crtc(card, connector)? else { return Ok(None) };
        let former = card.get_crtc(crtc)?;
        let (connector, is_atomic) = (connector.handle(), card.use_atomic());
        let plane = primary_plane(card, index, crtc)?;
        let atomic = match plane {
            Some(plane) if is_atomic => Atomic::find(card, connector, crtc, (plane, &mode))?,
            _ => None,
        };
        let formats = plane.map_or(Ok(PlaneFormats::default()), |plane| PlaneFormats::of(card, plane))?;
        Ok(Some(Self { connector, crtc, mode, former, atomic, formats, card: Arc::clone(card) }))
    }

    pub(super) fn crtc(&self) -> crtc::Handle {
        self.crtc
    }

    /// What can be shown where it lies.
    pub(super) fn formats(&self) -> &PlaneFormats {
        &self.formats
    }

    /// Whether a screen is still there, as the kernel knows it: it is not asked to look.
    pub(super) fn is_connected(&self) -> io::Result<bool> {
        let found = self.card.get_connector(self.connector, false)?;
        Ok(found.state() != connector::State::Disconnected)
    }

    /// Whether all is changed in one step.
    pub(super) fn is_atomic(&self) -> bool {
        self.atomic.is_some()
    }

    /// Whether the screen waits for fences by itself when it [flips](Self::flip).
    pub(super) fn takes_fences(&self) -> bool {
        self.atomic.as_ref().is_some_and(|atomic| atomic.plane_fence.is_some())
    }

    /// Sets the mode and shows a buffer; when this returns, it is on the screen.
    pub(super) fn set(&self, buffer: framebuffer::Handle) -> io::Result<()> {
        let Some(atomic) = &self.atomic else {
            return self.card.set_crtc(self.crtc, Some(buffer), (0, 0), &[self.connector], Some(self.mode));
        };
        let mut request = AtomicModeReq::new();
        request.add_raw_property(self.connector.into(), atomic.connector_crtc, raw(self.crtc));
        request.add_raw_property(self.crtc.into(), atomic.crtc_mode, atomic.blob);
        request.add_raw_property(self.crtc.into(), atomic.crtc_active, 1);
        request.add_raw_property(atomic.plane.into(), atomic.plane_fb, raw(buffer));
        request.add_raw_property(atomic.plane.into(), atomic.plane_crtc, raw(self.crtc));
        let (width, height) = self.mode.size();
        let (width, height) = (u64::from(width), u64::from(height));
        let areas = [0, 0, width << 16, height << 16, 0, 0, width, height];
        for (property, value) in atomic.plane_areas.into_iter().zip(areas) {
            request.add_raw_property(atomic.plane.into(), property, value);
        }
        self.card.atomic_commit(AtomicCommitFlags::ALLOW_MODESET, request)
    }

    /// Lets the screen show a buffer from its next picture on, or from the first one after a fence, if it takes those; an event tells
    /// when.
    pub(super) fn flip(&self, buffer: framebuffer::Handle, after: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let Some(atomic) = &self.atomic else {
            return self.card.page_flip(self.crtc, buffer, PageFlipFlags::EVENT, None);
        };
        let mut request = AtomicModeReq::new();
        request.add_raw_property(atomic.plane.into(), atomic.plane_fb, raw(buffer));
        if let (Some(property), Some(fence)) = (atomic.plane_fence, after) {
            let descriptor = fence.as_raw_fd().cast_unsigned().into();
            request.add_raw_property(atomic.plane.into(), property, descriptor);
        }
        let flags = AtomicCommitFlags::NONBLOCK | AtomicCommitFlags::PAGE_FLIP_EVENT;
        self.card.atomic_commit(flags, request)
    }

    /// Lets the screen show what it showed before.
    pub(super) fn restore(&self) -> io::Result<()> {
        let former = &self.former;
        match (former.mode(), former.framebuffer()) {
            (Some(mode), Some(buffer)) => {
                let at = former.position();
                self.card.set_crtc(self.crtc, Some(buffer), at, &[self.connector], Some(mode))
            }
            _ => self.card.set_crtc(self.crtc, None, (0, 0), &[], None),
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Some(atomic) = &self.atomic {
            // What was set keeps a copy.
            let _gone = self.card.destroy_property_blob(atomic.blob);
        }
    }
}

impl Atomic {
    /// `None` where the driver lacks one of the words.
    fn find(
        card: &Card,
        connector: connector::Handle,
        crtc: crtc::Handle,
        (plane, mode): (plane::Handle, &Mode),
    ) -> io::Result<Option<Self>> {
        let of_connector = |name| word(card, connector, name);
        let of_crtc = |name| word(card, crtc, name);
        let of_plane = |name| word(card, plane, name);
        let found = (of_connector("CRTC_ID")?, of_crtc("MODE_ID")?, of_crtc("ACTIVE")?);
        let (Some(connector_crtc), Some(crtc_mode), Some(crtc_active)) = found else { return Ok(None) };
        let (Some(plane_fb), Some(plane_crtc)) = (of_plane("FB_ID")?, of_plane("CRTC_ID")?) else {
            return Ok(None);
        };
        let plane_fence = of_plane("IN_FENCE_FD")?;
        let areas = PLANE_AREAS.into_iter().map(of_plane).collect::<io::Result<Option<Vec<_>>>>()?;
        let Some(Ok(plane_areas)) = areas.map(TryInto::try_into) else { return Ok(None) };
        let property::Value::Blob(blob) = card.create_property_blob(mode)? else { return Ok(None) };
        Ok(Some(Self {
            plane,
            blob,
            connector_crtc,
            crtc_mode,
            crtc_active,
            plane_fb,
            plane_crtc,
            plane_fence,
            plane_areas,
        }))
    }
}

/// What drives a connector, or can and drives no other: its place in the card's list, and its handle.
fn free_crtc(card: &Card, connector: &connector::Info) -> io::Result<Option<(usize, crtc::Handle)>> {
    let resources = card.resource_handles()?;
    let place = |crtc: crtc::Handle| resources.crtcs().iter().position(|other| *other == crtc);
    let driving = |connector: &connector::Info| {
        let encoder = card.get_encoder(connector.current_encoder()?).ok()?;
        encoder.crtc()
    };
    if let Some(crtc) = driving(connector) {
        return Ok(place(crtc).map(|index| (index, crtc)));
    }
    let others = resources.connectors().iter().filter(|other| **other != connector.handle());
    let taken: Vec<_> =
        others.filter_map(|other| driving(&card.get_connector(*other, false).ok()?)).collect();
    for encoder in connector.encoders() {
        let possible = resources.filter_crtcs(card.get_encoder(*encoder)?.possible_crtcs());
        let free = possible.into_iter().find(|crtc| !taken.contains(crtc));
        if let Some(crtc) = free {
            return Ok(place(crtc).map(|index| (index, crtc)));
        }
    }
    Ok(None)
}

/// The plane that fills the screen.
fn primary_plane(card: &Card, index: usize, crtc: crtc::Handle) -> io::Result<Option<plane::Handle>> {
    let resources = card.resource_handles()?;
    for handle in card.plane_handles()? {
        let plane = card.get_plane(handle)?;
        let fits = resources.filter_crtcs(plane.possible_crtcs()).contains(&crtc);
        // A plane that another screen uses now could not be had without disturbing that.
        let is_taken = plane.crtc().is_some_and(|other| other != crtc);
        if fits && !is_taken && value(card, handle, "type")? == Some(PlaneType::Primary as u64) {
            return Ok(Some(handle));
        }
    }
    tracing::debug!("no primary plane for display controller {index}: modes are set the old way");
    Ok(None)
}

/// Value of a plane's property of that name.
pub(super) fn value(card: &Card, plane: plane::Handle, name: &str) -> io::Result<Option<u64>> {
    let Some(wanted) = word(card, plane, name)? else { return Ok(None) };
    let all = card.get_properties(plane)?;
    let found = all.iter().find(|(property, _)| **property == wanted);
    Ok(found.map(|(_, value)| *value))
}

/// The handle of a property of that name.
fn word<T: ResourceHandle>(card: &Card, of: T, name: &str) -> io::Result<Option<property::Handle>> {
    for (property, _) in &card.get_properties(of)? {
        if card.get_property(*property)?.name().to_bytes() == name.as_bytes() {
            return Ok(Some(*property));
        }
    }
    Ok(None)
}

fn raw(handle: impl Into<u32>) -> u64 {
    handle.into().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drm::control::Event;
    use streamlib_core::format::Size;

    use super::super::buffer::Framebuffer;
    use super::super::card::nodes;
    use super::super::list::{connectors, modes};
    use super::*;
    use crate::sys::{Readiness, wait_readable};

    #[test]
    fn drivers_that_change_one_thing_at_a_time_are_driven_too() {
        let cards = nodes().into_iter().filter_map(|path| Card::open(&path).ok());
        let mut free = cards.filter(|card| card.become_master().is_ok());
        let found = free.find_map(|card| {
            let connected = |found: &connector::Info| found.state() == connector::State::Connected;
            let connector = connectors(&card).into_iter().find(connected)?;
            Some((Arc::new(card), connector))
        });
        let Some((card, connector)) = found else {
            println!("SKIPPED: no screen that nobody shows on");
            return;
        };
        let mode = modes(&connector)[0];
        let mut way = Way::find(&card, &connector, mode).unwrap().unwrap();
        if let Some(atomic) = way.atomic.take() {
            card.destroy_property_blob(atomic.blob).unwrap();
        }
        let (width, height) = mode.size();
        let size = Size::new(width.into(), height.into());
        let buffers = [(); 2].map(|()| Framebuffer::create(&card, size).unwrap());
        way.set(buffers[0].id()).unwrap();
        for buffer in [&buffers[1], &buffers[0]] {
            way.flip(buffer.id(), None).unwrap();
            assert_eq!(wait_readable(&*card, Duration::from_secs(20)).unwrap(), Readiness::Ready);
            let shown = card
                .receive_events()
                .unwrap()
                .any(|event| matches!(event, Event::PageFlip(flip) if flip.crtc == way.crtc()));
            assert!(shown);
        }
        way.restore().unwrap();
    }
}
