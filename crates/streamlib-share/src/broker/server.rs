//! Serving programs. Nothing here waits for any of them.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use streamlib_linux::peer::Peer;
use tracing::{debug, info, warn};

use super::listener::Listener;
use super::registry::{Asker, ClientId, Registry, Surface};
use super::stop::Stop;
use crate::access::Access;
use crate::error::BrokerError;
use crate::name::SurfaceName;
use crate::page::SurfaceView;
use crate::socket::{Connection, Received, Sent, SocketError, pair, wait};
use crate::wire::{Message, Refusal, VERSION, WireError};

/// Connections of one user.
const MAX_PER_USER: u32 = 1024;
/// Connections of all users.
const MAX_CLIENTS: usize = 4096;
/// How long somebody may stay connected who publishes nothing.
const VISIT: Duration = Duration::from_secs(10);
/// How long to accept nobody when the process has no descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);
/// How long a broker inside a program waits for its first client.
const FIRST_CLIENT: Duration = Duration::from_secs(2);

/// Serves programs at `listener` until `stop`.
///
/// # Errors
/// When the system refuses to wait for programs. What a program does wrong is logged, and costs it its connection.
pub fn serve(listener: Listener, stop: &Stop) -> Result<(), BrokerError> {
    Server::new(listener, Arc::default()).run(Some(stop))
}

/// Serves programs at `listener` as long as there are any. `serves_others` is whether this one is not the only one.
pub(super) fn serve_while_needed(
    listener: Listener,
    serves_others: Arc<AtomicBool>,
) -> Result<(), BrokerError> {
    Server::new(listener, serves_others).run(None)
}

#[derive(Debug)]
struct Client {
    connection: Connection,
    asker: Asker,
    since: Instant,
    surface: Option<SurfaceName>,
}

#[derive(Debug)]
struct Server {
    listener: Listener,
    clients: BTreeMap<ClientId, Client>,
    registry: Registry,
    per_user: BTreeMap<u32, u32>,
    last_id: ClientId,
    started: Instant,
    /// Nobody is accepted before this moment.
    accept_from: Option<Instant>,
    serves_others: Arc<AtomicBool>,
}

/// Whether a client stays.
type Stays = bool;

impl Server {
    fn new(listener: Listener, serves_others: Arc<AtomicBool>) -> Self {
        Self {
            listener,
            clients: BTreeMap::new(),
            registry: Registry::default(),
            per_user: BTreeMap::new(),
            last_id: 0,
            started: Instant::now(),
            accept_from: None,
            serves_others,
        }
    }

    fn run(mut self, stop: Option<&Stop>) -> Result<(), BrokerError> {
        loop {
            let (accepts, calling) = self.listen(stop)?;
            if stop.is_some_and(Stop::is_stopped) {
                return Ok(());
            }
            // Those who are gone first, so that nobody is refused for what they had.
            for id in calling {
                self.attend(id);
            }
            self.end_visits();
            if accepts {
                self.accept();
            }
            let this = std::process::id();
            let serves_others = self.clients.values().any(|client| client.asker.peer.pid != this);
            self.serves_others.store(serves_others, Ordering::Relaxed);
            let has_begun = self.last_id > 0 || self.started.elapsed() >= FIRST_CLIENT;
            if stop.is_none() && self.clients.is_empty() && has_begun && !self.has_caller() {
                return Ok(());
            }
        }
    }

    /// Whether somebody waits to be accepted.
    fn has_caller(&self) -> bool {
        let mut polled = [PollFd::new(&self.listener, PollFlags::IN)];
        wait(&mut polled, Some(Duration::ZERO)).is_ok() && !polled[0].revents().is_empty()
    }

    /// Waits for something to do: whether somebody wants to be accepted, and who has sent something.
    fn listen(&mut self, stop: Option<&Stop>) -> Result<(bool, Vec<ClientId>), BrokerError> {
        let now = Instant::now();
        self.accept_from = self.accept_from.filter(|moment| *moment > now);
        let first = (self.last_id == 0 && stop.is_none()).then(|| self.started + FIRST_CLIENT);
        let visits = self.clients.values().filter(|client| client.surface.is_none());
        let due = visits.map(|client| client.since + VISIT).chain(self.accept_from).chain(first).min();
        let mut polled: Vec<PollFd<'_>> =
            self.clients.values().map(|client| PollFd::new(&client.connection, PollFlags::IN)).collect();
        let accepting = if self.accept_from.is_none() { PollFlags::IN } else { PollFlags::empty() };
        polled.push(PollFd::new(&self.listener, accepting));
        polled.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
        wait(&mut polled, due.map(|due| due.saturating_duration_since(now))).map_err(|source| {
            let path = self.listener.path().unwrap_or("LISTEN_FDS".as_ref()).to_owned();
            BrokerError::System { path, action: "wait for programs", source }
        })?;
        let calls = |polled: &PollFd<'_>| !polled.revents().is_empty();
        let accepts = calls(&polled[self.clients.len()]);
        let calling = self.clients.keys().zip(&polled).filter(|(_, polled)| calls(polled));
        Ok((accepts, calling.map(|(id, _)| *id).collect()))
    }

    fn accept(&mut self) {
        let socket = match accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(socket) => socket,
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return,
            Err(error) => {
                warn!("no program can be accepted for a moment: {error}");
                self.accept_from = Some(Instant::now() + EXHAUSTED_PAUSE);
                return;
            }
        };
        let (peer, groups) = match (Peer::of(&socket), Peer::groups(&socket)) {
            (Ok(peer), groups) => (peer, groups.unwrap_or_default()),
            (Err(error), _) => return warn!("a program without a user is turned away: {error}"),
        };
        let connection = Connection::from(socket);
        let of_user = self.per_user.entry(peer.uid).or_default();
        if *of_user >= MAX_PER_USER || self.clients.len() >= MAX_CLIENTS {
            warn!("process {} of user {} is turned away: there are too many connections", peer.pid, peer.uid);
            let refusal = Refusal::TooMany { limit: MAX_PER_USER };
            let _told = connection.send(&Message::Refused(refusal), &[]);
            return;
        }
        *of_user += 1;
        self.last_id += 1;
        let asker = Asker { peer, groups };
        let client = Client { connection, asker, since: Instant::now(), surface: None };
        self.clients.insert(self.last_id, client);
    }

    /// Lets those go who have stayed too long for nothing.
    fn end_visits(&mut self) {
        let now = Instant::now();
        let is_over = |client: &Client| client.surface.is_none() && now >= client.since + VISIT;
        let over: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| is_over(client)).map(|(id, _)| *id).collect();
        for id in over {
            self.drop_client(id);
        }
    }

    fn drop_client(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else { return };
        if let Some(name) = client.surface {
            info!("surface {name}: its publisher is gone");
            self.registry.remove(&name);
        }
        if let Some(count) = self.per_user.get_mut(&client.asker.peer.uid) {
            *count -= 1;
            if *count == 0 {
                self.per_user.remove(&client.asker.peer.uid);
            }
        }
    }

    /// Reads one message of a client, and does what it says.
    fn attend(&mut self, id: ClientId) {
        // It may have been dropped meanwhile, for another's sake.
        let Some(client) = self.clients.get(&id) else { return };
        let pid = client.asker.peer.pid;
        let stays = match client.connection.receive() {
            Ok(Received::Message(message, files)) => self.obey(id, message, &files),
            Ok(Received::Nothing) => true,
            Ok(Received::Closed) => false,
            Err(error) => {
                warn!("process {pid} sent {error}");
                let refusal = match error {
                    SocketError::Wire(WireError::Version { .. }) => Refusal::Version { known: VERSION },
                    _ => Refusal::Malformed,
                };
                self.reply(id, &Message::Refused(refusal), &[]);
                false
            }
        };
        if !stays {
            self.drop_client(id);
        }
    }

    fn obey(&mut self, id: ClientId, message: Message, files: &[OwnedFd]) -> Stays {
        match message {
            Message::Register { name, access } => {
                let Some(page) = files.first() else { return false };
                let answer = match self.register(id, name, access, page) {
                    Ok(()) => Message::Registered,
                    Err(refusal) => Message::Refused(refusal),
                };
                self.reply(id, &answer, &[]) && answer == Message::Registered
            }
            Message::Open { name } => match self.open(id, &name) {
                Ok((publisher, socket)) => self.reply(id, &Message::Opened { publisher }, &[&socket]),
                Err(refusal) => self.reply(id, &Message::Refused(refusal), &[]),
            },
            Message::List { after } => {
                let Some(client) = self.clients.get(&id) else { return false };
                let (entries, more) = self.registry.list(after.as_ref(), &client.asker);
                self.reply(id, &Message::Surfaces { entries, more }, &[])
            }
            other => {
                warn!("client {id} sent what only others send: {other:?}");
                self.reply(id, &Message::Refused(Refusal::Malformed), &[]);
                false
            }
        }
    }

    fn register(
        &mut self,
        id: ClientId,
        name: SurfaceName,
        access: Access,
        page: &OwnedFd,
    ) -> Result<(), Refusal> {
        let page = SurfaceView::open(page).map_err(|error| {
            warn!("surface {name}: {error}");
            Refusal::BadPage
        })?;
        if let Some((holder, owner)) = self.registry.owner(&name) {
            let is_gone = self.clients.get(&holder).is_none_or(|client| client.connection.is_hung_up());
            if !is_gone {
                return Err(Refusal::NameTaken { owner });
            }
            self.drop_client(holder);
        }
        let client = self.clients.get_mut(&id).ok_or(Refusal::Malformed)?;
        if client.surface.is_some() {
            return Err(Refusal::Malformed);
        }
        client.surface = Some(name.clone());
        let owner = client.asker.peer;
        info!("surface {name}: published by process {} of user {}", owner.pid, owner.uid);
        self.registry.add(name, Surface { client: id, owner, access, page });
        Ok(())
    }

    /// Connects the client with the publisher of `name`: the client's end, and who is at the other.
    fn open(&mut self, id: ClientId, name: &SurfaceName) -> Result<(Peer, OwnedFd), Refusal> {
        let asker = &self.clients.get(&id).ok_or(Refusal::Malformed)?.asker;
        let reader = asker.peer;
        let (publisher_id, publisher) = self.registry.find(name, asker).inspect_err(|refusal| {
            if *refusal == Refusal::NotPermitted {
                warn!("surface {name}: process {} of user {} may not open it", reader.pid, reader.uid);
            }
        })?;
        let (theirs, ours) = pair().map_err(|error| {
            warn!("surface {name}: no sockets for process {}: {error}", reader.pid);
            Refusal::PublisherSilent
        })?;
        match self.send(publisher_id, &Message::Incoming { reader }, &[&theirs]) {
            Some(Sent::Yes) => {}
            Some(Sent::NoRoom | Sent::Closed) => {
                self.drop_client(publisher_id);
                return Err(Refusal::PublisherSilent);
            }
            None => return Err(Refusal::PublisherSilent),
        }
        debug!("surface {name}: process {} of user {} opens it", reader.pid, reader.uid);
        Ok((publisher, ours))
    }

    /// Whether the client has taken the message. One that has not is of no more use.
    fn reply(&self, id: ClientId, message: &Message, files: &[&OwnedFd]) -> Stays {
        self.send(id, message, files) == Some(Sent::Yes)
    }

    /// What became of a message to a client; none if the system could not send it, which is not the client's fault.
    fn send(&self, id: ClientId, message: &Message, files: &[&OwnedFd]) -> Option<Sent> {
        let client = self.clients.get(&id)?;
        let files: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
        let sent = client.connection.send(message, &files);
        match &sent {
            Ok(Sent::NoRoom) => {
                warn!("process {} does not read what it is sent, and is let go", client.asker.peer.pid);
            }
            Err(error) => warn!("process {} could not be answered: {error}", client.asker.peer.pid),
            Ok(Sent::Yes | Sent::Closed) => {}
        }
        sent.ok()
    }
}
