use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use engineioxide::Socket;
use engineioxide::socket::Sid;

/// Who is connected, and how many of each address have not said yet who they are.
pub struct Lobby<D: Default + Send + Sync + 'static> {
    state: Mutex<State<D>>,
}

struct State<D: Default + Send + Sync + 'static> {
    clients: HashMap<Sid, Entry<D>>,
    waiting: HashMap<IpAddr, usize>,
}

struct Entry<D: Default + Send + Sync + 'static> {
    socket: Weak<Socket<D>>,
    /// Where it counts as not known yet.
    waits_at: Option<IpAddr>,
}

impl<D: Default + Send + Sync + 'static> Default for Lobby<D> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                clients: HashMap::new(),
                waiting: HashMap::new(),
            }),
        }
    }
}

impl<D: Default + Send + Sync + 'static> std::fmt::Debug for Lobby<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lobby(…)")
    }
}

impl<D: Default + Send + Sync + 'static> Lobby<D> {
    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are connected.
    pub(crate) fn count(&self) -> usize {
        self.state().clients.len()
    }

    /// How many of an address are not known yet.
    pub(crate) fn waiting(&self, address: IpAddr) -> usize {
        self.state().waiting.get(&address).copied().unwrap_or_default()
    }

    pub(crate) fn client(&self, id: &str) -> Option<Arc<Socket<D>>> {
        let id = id.parse().ok()?;
        self.state().clients.get(&id)?.socket.upgrade()
    }

    /// A connection was opened; nobody knows whose.
    pub(crate) fn opened(&self, client: &Arc<Socket<D>>, address: Option<IpAddr>) {
        let mut state = self.state();
        let entry = Entry {
            socket: Arc::downgrade(client),
            waits_at: address,
        };
        state.clients.insert(client.id, entry);
        if let Some(address) = address {
            *state.waiting.entry(address).or_default() += 1;
        }
    }

    /// It is known now whose it is.
    pub(crate) fn known(&self, id: Sid) {
        let mut state = self.state();
        let waited_at = state.clients.get_mut(&id).and_then(|entry| entry.waits_at.take());
        state.stops_waiting(waited_at);
    }

    /// It is gone.
    pub(crate) fn closed(&self, id: Sid) {
        let mut state = self.state();
        let waited_at = state.clients.remove(&id).and_then(|entry| entry.waits_at);
        state.stops_waiting(waited_at);
    }
}

impl<D: Default + Send + Sync + 'static> State<D> {
    fn stops_waiting(&mut self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        if let Some(count) = self.waiting.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.waiting.remove(&address);
            }
        }
    }
}
