//! Messages there and back, and packets from anybody.

use std::num::NonZeroU64;

use proptest::prelude::*;
use streamlib_core::format::Size;

use super::*;
use crate::buffer::{BufferKind, FormatCode, TimelineDescription};

fn peer() -> impl Strategy<Value = Peer> {
    (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(pid, uid, gid)| Peer { pid, uid, gid })
}

fn name() -> impl Strategy<Value = SurfaceName> {
    "[a-zA-Zäß0-9._/:-]{1,32}".prop_map(|text| text.parse().unwrap())
}

fn id() -> impl Strategy<Value = BufferId> {
    (1..=u64::MAX).prop_map(|id| BufferId(NonZeroU64::new(id).unwrap()))
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![Just(Access::SameUser), any::<u32>().prop_map(Access::Group), Just(Access::Everyone)]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        peer().prop_map(|owner| Refusal::NameTaken { owner }),
        Just(Refusal::NoSuchSurface),
        Just(Refusal::NotPermitted),
        any::<u32>().prop_map(|limit| Refusal::TooMany { limit }),
        Just(Refusal::BadPage),
        Just(Refusal::PublisherSilent),
        any::<u16>().prop_map(|known| Refusal::Version { known }),
        Just(Refusal::Malformed),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    (name(), peer(), any::<[u32; 3]>(), any::<[u64; 5]>()).prop_map(|(name, publisher, small, large)| Entry {
        name,
        publisher,
        width: small[0],
        height: small[1],
        format: small[2],
        rate_mhz: large[0],
        readers: large[1],
        published: large[2],
        dropped: large[3],
        newest_ns: large[4],
    })
}

fn description() -> impl Strategy<Value = BufferDescription> {
    let kind = prop_oneof![Just(BufferKind::Opaque), Just(BufferKind::DmaBuf), Just(BufferKind::Memory)];
    (kind, any::<[u32; 3]>(), any::<[u64; 4]>(), any::<[[u8; 16]; 2]>()).prop_map(
        |(kind, small, large, devices)| BufferDescription {
            kind,
            size: Size::new(small[0], small[1]),
            format: FormatCode(small[2]),
            allocation: large[0],
            tiling: large[1],
            offset: large[2],
            pitch: large[3],
            device: devices[0],
            driver: devices[1],
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        (name(), access()).prop_map(|(name, access)| Message::Register { name, access }),
        Just(Message::Registered),
        Just(Message::GetTimeline),
        Just(Message::NoTimeline),
        any::<[[u8; 16]; 2]>().prop_map(|[device, driver]| {
            let description = TimelineDescription { device, driver };
            Message::Timeline { description }
        }),
        name().prop_map(|name| Message::Open { name }),
        peer().prop_map(|publisher| Message::Opened { publisher }),
        peer().prop_map(|reader| Message::Incoming { reader }),
        proptest::option::of(name()).prop_map(|after| Message::List { after }),
        (proptest::collection::vec(entry(), 0..=MAX_ENTRIES), any::<bool>())
            .prop_map(|(entries, more)| Message::Surfaces { entries, more }),
        refusal().prop_map(Message::Refused),
        Just(Message::Welcome),
        id().prop_map(|id| Message::GetBuffer { id }),
        (id(), description()).prop_map(|(id, description)| Message::Buffer { id, description }),
        id().prop_map(|id| Message::NoBuffer { id }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_read_as_it_was_written(message in message()) {
        let packet = message.encode();
        prop_assert!(packet.len() <= MAX_MESSAGE);
        prop_assert_eq!(Message::decode(&packet), Ok(message));
    }

    #[test]
    fn a_message_that_is_cut_off_or_goes_on_is_none(message in message(), more in proptest::collection::vec(any::<u8>(), 1..9)) {
        let packet = message.encode();
        for length in 0..packet.len() {
            prop_assert!(Message::decode(&packet[..length]).is_err());
        }
        prop_assert!(Message::decode(&[&packet[..], &more].concat()).is_err());
    }

    #[test]
    fn whatever_is_changed_in_a_message_is_refused_or_a_message(
        message in message(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut packet = message.encode();
        for (place, value) in changes {
            let place = place.index(packet.len());
            packet[place] = value;
        }
        if let Ok(message) = Message::decode(&packet) {
            // One way to write each: what was read is written as it was.
            prop_assert_eq!(message.encode(), packet);
        }
    }

    #[test]
    fn no_bytes_whatever_do_harm(
        head in any::<bool>(),
        kind in 0..16_u8,
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let start: &[u8] = if head { &[b's', b'l', b's', b'h', 1, 0, kind, 0] } else { &[] };
        let packet = [start, &bytes].concat();
        if let Ok(message) = Message::decode(&packet) {
            prop_assert_eq!(message.encode(), packet);
        }
    }
}

#[test]
fn a_longest_list_fits_into_a_message() {
    let entry = Entry {
        name: "n".repeat(crate::name::MAX_NAME_BYTES).parse().unwrap(),
        publisher: Peer { pid: 1, uid: 2, gid: 3 },
        width: 1,
        height: 1,
        format: 1,
        rate_mhz: 1,
        readers: 1,
        published: 1,
        dropped: 1,
        newest_ns: 1,
    };
    let packet = Message::Surfaces { entries: vec![entry; MAX_ENTRIES], more: true }.encode();
    assert!(packet.len() <= MAX_MESSAGE);
    assert!(Message::decode(&packet).is_ok());
}

#[test]
fn another_version_is_told_from_nonsense() {
    let mut packet = Message::Registered.encode();
    packet[4] = 9;
    assert_eq!(Message::decode(&packet), Err(WireError::Version { found: 9 }));
    packet[0] = b'S';
    assert_eq!(Message::decode(&packet), Err(WireError::NoHead));
}
