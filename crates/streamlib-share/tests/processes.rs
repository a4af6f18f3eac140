//! Surfaces between processes that are stopped and killed. Each process is this test program, started again in a role.
#![allow(clippy::unwrap_used, reason = "what helps a test may fail like one")]
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

mod support;

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::{Signal, set_parent_process_death_signal};
use streamlib_core::format::Size;
use streamlib_share::{Access, BrokerError, PublisherOptions, Reader, SurfaceError, broker, list};

use support::actor::{Actor, PROGRESS, ROLE, SURFACE, command};
use support::{
    LONG, Painter, Viewer, eventually, open_files, patient, pause, place, publisher_options, reader_options,
};

const SIZE: Size = Size::new(64, 64);
/// Buffers of each publisher.
const BUFFERS: usize = 8;

const REFUSED: i32 = 10;
const UNTRUSTED: i32 = 11;
const NO_BROKER: i32 = 12;

/// The part of a process: does nothing, unless the test has given it one.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    let surface = std::env::var(SURFACE).unwrap();
    let broker = broker::socket_path().unwrap();
    let progress = std::env::var_os(PROGRESS).map(|path| File::options().write(true).open(path).unwrap());
    match role.as_str() {
        "broker" => {
            // A publisher may have become it, when the one before was killed.
            let listener = loop {
                match broker::Listener::inherited()
                    .unwrap()
                    .map_or_else(|| broker::Listener::bind(&broker), Ok)
                {
                    Err(BrokerError::AlreadyRunning { .. }) => pause(Duration::from_millis(5)),
                    listener => break listener.unwrap(),
                }
            };
            broker::serve(listener, &broker::Stop::new().unwrap()).unwrap();
        }
        "publisher" => publish(&surface, &broker, &progress.unwrap()),
        "reader" => read(&surface, &broker, &progress.unwrap()),
        "brief" => {
            assert_eq!(
                Painter::new(&surface, &publisher_options(&broker), 1, SIZE).unwrap().paint(),
                Some(1)
            );
        }
        "upstart" => match Painter::new(&surface, &publisher_options(&broker), 1, SIZE) {
            Err(SurfaceError::Broker(BrokerError::NotPermitted { .. })) => std::process::exit(NO_BROKER),
            other => panic!("{:?}", other.err()),
        },
        "visitor" => std::process::exit(visit(&surface, &broker)),
        other => panic!("there is no role {other}"),
    }
}

fn report(progress: &File, count: u64) {
    progress.write_all_at(&[count.to_le_bytes(), (open_files() as u64).to_le_bytes()].concat(), 0).unwrap();
}

fn publish(surface: &str, broker: &Path, progress: &File) {
    let mut painter = loop {
        match Painter::new(surface, &publisher_options(broker), BUFFERS, SIZE) {
            Ok(painter) => break painter,
            // The one before has been killed, and its broker with it.
            Err(error) => {
                assert!(error.is_temporary() || matches!(error, SurfaceError::NameTaken { .. }), "{error}");
            }
        }
    };
    loop {
        painter.paint();
        report(progress, painter.painted);
        pause(Duration::from_millis(1));
    }
}

fn read(surface: &str, broker: &Path, progress: &File) {
    let mut viewer = Viewer::open(surface, &patient(broker)).unwrap();
    loop {
        match viewer.look(LONG) {
            Ok(frame) => assert!(frame.is_some(), "no frame came, and the publisher lives"),
            Err(error) if error.is_temporary() => {
                while let Err(error) = viewer.reopen() {
                    assert!(error.is_temporary(), "{error}");
                    pause(Duration::from_millis(2));
                }
            }
            Err(error) => panic!("{error}"),
        }
        report(progress, viewer.seen);
    }
}

fn visit(surface: &str, broker: &Path) -> i32 {
    match Reader::open(surface, &reader_options(broker)) {
        Ok(_) => 0,
        Err(SurfaceError::NotPermitted { .. }) => REFUSED,
        Err(SurfaceError::UntrustedBroker { .. }) => UNTRUSTED,
        Err(error) => panic!("{error}"),
    }
}

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn kills() -> usize {
    std::env::var("STREAMLIB_SHARE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

/// Kills processes at random moments and starts them again. Two that are spared, and all that live at the end, must go on.
fn havoc(with_daemon: bool) {
    let (directory, broker) = place();
    let mut actors = Vec::new();
    if with_daemon {
        actors.push(Actor::start("broker", "-", &broker));
        eventually("the broker is there", || list(Some(&broker)).is_ok());
    }
    let mut spared =
        [Actor::start("publisher", "spared", &broker), Actor::start("reader", "spared", &broker)];
    spared.iter_mut().for_each(Actor::gets_on);
    let files_before = spared[0].progress().1;
    for surface in ["a", "b"] {
        actors.push(Actor::start("publisher", surface, &broker));
        actors.push(Actor::start("reader", surface, &broker));
        actors.push(Actor::start("reader", surface, &broker));
    }
    // Readers of the publisher that is spared come and go.
    actors.push(Actor::start("reader", "spared", &broker));
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for round in 0..kills() {
        pause(Duration::from_micros(dice.below(30_000) as u64));
        let victim = dice.below(actors.len());
        actors[victim].replace();
        if round % 20 == 0 {
            spared.iter_mut().for_each(Actor::gets_on);
        }
    }
    // A reader that waits for a buffer that its publisher's successor has not made yet gets there in time.
    actors.iter_mut().filter(|actor| actor.role != "broker").for_each(Actor::gets_on);
    spared.iter_mut().for_each(Actor::gets_on);
    eventually("the broker knows them all, and no reader that was killed counts", || {
        let found = list(Some(&broker)).unwrap_or_default();
        let found: Vec<_> = found.iter().map(|info| (info.name.as_str(), info.readers)).collect();
        found == [("a", 2), ("b", 2), ("spared", 2)]
    });
    actors.iter_mut().for_each(Actor::kill);
    // What is left is the publisher with its first reader, and a broker in it, with one connection, if it had to become one.
    let mut files = 0;
    eventually("the files of those who were killed are closed", || {
        files = spared[0].progress().1;
        files <= files_before + 4
    });
    spared.iter_mut().for_each(Actor::gets_on);
    spared.iter_mut().for_each(Actor::kill);
    let left: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    let known = ["broker.sock", "broker.lock", "progress"];
    assert!(left.iter().all(|name| known.iter().any(|known| *known == name)), "{left:?}");
}

#[test]
fn survivors_go_on_when_publishers_readers_and_the_broker_are_killed() {
    havoc(true);
}

#[test]
fn survivors_go_on_when_the_broker_lives_in_a_publisher_that_is_killed() {
    havoc(false);
}

#[test]
fn a_reader_that_is_stopped_costs_a_buffer_and_nobody_a_frame() {
    let (_directory, broker) = place();
    let mut painter = Painter::new("a", &publisher_options(&broker), 20, SIZE).unwrap();
    let mut readers: Vec<Actor> = (0..16).map(|_| Actor::start("reader", "a", &broker)).collect();
    eventually("all readers are here", || {
        painter.paint();
        pause(Duration::from_millis(1));
        readers.iter().all(|reader| reader.progress().0 > 0)
    });
    readers[5].signal(Signal::STOP);
    let dropped = painter.publisher.stats().dropped;
    let before: Vec<u64> = readers.iter().map(|reader| reader.progress().0).collect();
    for _ in 0..500 {
        assert!(painter.paint().is_some(), "a frame was dropped");
    }
    eventually("the others see frames", || {
        assert!(painter.paint().is_some(), "a frame was dropped");
        pause(Duration::from_millis(1));
        let others = readers.iter().zip(&before).enumerate().filter(|(index, _)| *index != 5);
        others.into_iter().all(|(_, (reader, before))| reader.progress().0 > *before)
    });
    assert_eq!(painter.publisher.stats().dropped, dropped);
    for (index, reader) in readers.iter_mut().enumerate() {
        if index != 5 {
            reader.kill();
        }
    }
    eventually("only the one that is stopped holds anything", || {
        painter.publisher.reclaim();
        painter.publisher.readers() == 1 && painter.publisher.kept() <= 2
    });
    readers[5].signal(Signal::CONT);
    let before = readers[5].progress().0;
    eventually("it goes on", || {
        painter.paint();
        pause(Duration::from_millis(1));
        readers[5].progress().0 > before
    });
}

#[test]
fn a_publisher_that_is_stopped_is_silent_and_not_gone() {
    let (_directory, broker) = place();
    // A broker that is not stopped with it.
    let _first = Painter::new("first", &publisher_options(&broker), 1, SIZE).unwrap();
    let publisher = Actor::start("publisher", "a", &broker);
    let mut viewer = Viewer::open("a", &patient(&broker)).unwrap();
    assert!(viewer.look(LONG).unwrap().is_some());
    publisher.signal(Signal::STOP);
    loop {
        match viewer.look(Duration::from_millis(20)) {
            Ok(Some(_)) => {}
            // Its last frame may lie in a buffer that it can give nobody now.
            Ok(None) | Err(SurfaceError::PublisherSilent { .. }) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(viewer.reader.is_publisher_alive());
    assert!(matches!(Reader::open("a", &reader_options(&broker)), Err(SurfaceError::PublisherSilent { .. })));
    publisher.signal(Signal::CONT);
    assert!(viewer.look(LONG).unwrap().is_some());
}

#[test]
fn a_broker_that_is_stopped_disturbs_nobody_who_is_connected() {
    let (_directory, path) = place();
    let broker = Actor::start("broker", "-", &path);
    eventually("the broker is there", || list(Some(&path)).is_ok());
    let mut painter = Painter::new("a", &publisher_options(&path), 3, SIZE).unwrap();
    let mut viewer = Viewer::open("a", &reader_options(&path)).unwrap();
    broker.signal(Signal::STOP);
    for number in 1..=100 {
        assert_eq!(painter.paint(), Some(number));
        assert_eq!(viewer.look(LONG).unwrap(), Some(number));
    }
    assert!(matches!(list(Some(&path)), Err(SurfaceError::BrokerSilent { .. })));
    broker.signal(Signal::CONT);
    eventually("it answers again", || list(Some(&path)).is_ok_and(|found| found.len() == 1));
}

#[test]
fn a_program_that_ends_in_order_leaves_no_file() {
    let (directory, broker) = place();
    let program = std::env::current_exe().unwrap();
    for _ in 0..5 {
        assert!(command(&program, "brief", "a", &broker).status().unwrap().success());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

/// A copy of this program that every user may start.
fn program_for_all(directory: &Path) -> PathBuf {
    let program = directory.join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Starts a program that was written just now. A process that another test starts at this moment may have it open for writing.
fn start(command: &mut Command) -> Child {
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => pause(Duration::from_millis(1)),
            child => return child.unwrap(),
        }
    }
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("SKIPPED: only root can be several users");
    }
    is_root
}

#[test]
fn a_surface_opens_for_those_whom_its_publisher_lets_in() {
    if !is_root() {
        return;
    }
    let (directory, broker) = place();
    let program = program_for_all(directory.path());
    let open = |name: &str, access| {
        let options = PublisherOptions { access, broker: Some(broker.clone()) };
        Painter::new(name, &options, 1, SIZE).unwrap()
    };
    let _painters =
        [open("own", Access::SameUser), open("group", Access::Group(4_242)), open("all", Access::Everyone)];
    for (surface, user, group, expected) in [
        ("own", 65_534, 65_534, REFUSED),
        ("group", 65_534, 65_534, REFUSED),
        ("group", 65_534, 4_242, 0),
        ("all", 65_534, 65_534, 0),
        ("own", 0, 0, 0),
    ] {
        let mut visitor = command(&program, "visitor", surface, &broker);
        let status = start(visitor.uid(user).gid(group)).wait().unwrap();
        assert_eq!(status.code(), Some(expected), "{surface} for user {user} of group {group}");
    }
}

#[test]
fn nobody_becomes_the_broker_in_a_directory_of_another_user() {
    if !is_root() {
        return;
    }
    let (directory, broker) = place();
    let program = program_for_all(directory.path());
    let status = start(command(&program, "upstart", "a", &broker).uid(65_534).gid(65_534)).wait().unwrap();
    assert_eq!(status.code(), Some(NO_BROKER));
}

#[test]
fn a_broker_of_another_user_is_not_believed() {
    if !is_root() {
        return;
    }
    let (directory, broker) = place();
    let program = program_for_all(directory.path());
    std::os::unix::fs::chown(directory.path(), Some(65_534), Some(65_534)).unwrap();
    let child = start(command(&program, "broker", "-", &broker).uid(65_534).gid(65_534));
    let (role, surface) = ("broker", "-".to_owned());
    let mut actor = Actor { child, role, surface, progress: PathBuf::new(), broker: broker.clone() };
    eventually("it listens", || !matches!(list(Some(&broker)), Err(SurfaceError::NoBroker { .. })));
    for found in [list(Some(&broker)).err(), Painter::new("a", &publisher_options(&broker), 1, SIZE).err()] {
        assert!(matches!(found, Some(SurfaceError::UntrustedBroker { uid: 65_534, .. })), "{found:?}");
    }
    actor.kill();
}

#[test]
fn a_broker_takes_over_the_socket_that_it_is_started_with() {
    let (_directory, broker) = place();
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(&broker).unwrap()).unwrap();
    listen(&socket, 10).unwrap();
    let this = std::env::current_exe().unwrap();
    let started = command(&this, "broker", "-", &broker);
    // As a service manager does it: the socket is descriptor 3, and the process knows that it is meant.
    let mut shell = Command::new("sh");
    shell.args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"]).arg(&this);
    shell.args(started.get_args()).envs(started.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let child = shell.stdin(socket).stdout(Stdio::null()).spawn().unwrap();
    let (role, surface) = ("broker", "-".to_owned());
    let mut actor = Actor { child, role, surface, progress: PathBuf::new(), broker: broker.clone() };
    let mut painter = Painter::new("a", &publisher_options(&broker), 2, SIZE).unwrap();
    painter.paint();
    assert_eq!(list(Some(&broker)).unwrap().len(), 1);
    assert_eq!(Viewer::open("a", &reader_options(&broker)).unwrap().look(LONG).unwrap(), Some(1));
    actor.kill();
}
