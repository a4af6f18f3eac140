//! How many files a broker keeps open. Alone in its process, where it can count them.
#![allow(clippy::unwrap_used, reason = "what helps a test may fail like one")]

mod support;

use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use streamlib_core::format::Size;
use streamlib_share::{Reader, SurfaceError, broker, list};

use support::{Painter, eventually, open_files, pause, place, publisher_options, reader_options};

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let (directory, path) = place();
    let (listener, stop) = (broker::Listener::bind(&path).unwrap(), broker::Stop::new().unwrap());
    let daemon = {
        let stop = stop.clone();
        thread::spawn(move || broker::serve(listener, &stop))
    };
    let mut painter = Painter::new("a", &publisher_options(&path), 3, Size::new(8, 8)).unwrap();
    // A connection of the beginning may take a moment to be closed.
    let looks = (0..50).map(|_| {
        pause(Duration::from_millis(2));
        open_files()
    });
    let before = looks.min().unwrap();
    let address = SocketAddrUnix::new(&path).unwrap();
    for number in 0..10_000 {
        match number % 4 {
            0 => {
                let flags = SocketFlags::CLOEXEC;
                let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
                connect(&socket, &address).unwrap();
            }
            1 => assert_eq!(list(Some(&path)).unwrap().len(), 1),
            2 => {
                let missing = Reader::open("b", &reader_options(&path)).unwrap_err();
                assert!(matches!(missing, SurfaceError::NoSuchSurface { .. }), "{missing}");
            }
            _ => drop(Reader::open("a", &reader_options(&path)).unwrap()),
        }
        painter.paint().unwrap();
    }
    eventually("all files are closed", || open_files() == before);
    assert!(painter.publisher.is_registered());
    drop(painter);
    stop.stop();
    daemon.join().unwrap().unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "files were left behind");
}
