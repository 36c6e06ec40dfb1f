//! Who may connect: so many connections from one address, and so many for each worker.
//!
//! Some slots of each worker are reserved: on a connection that finds all others taken, requests are answered 503, except
//! those for the server's health. So an orchestrator learns that the server is alive, and clients that they should try
//! again, instead of waiting in the kernel's queue.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use engineio::ip_prefix;

use super::super::descriptors::Slots;
use crate::client_ip::TrustedProxies;
use crate::config::ServerSettings;
use crate::telemetry::Refused;

/// The connections of the server. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_per_address: usize,
    proxies: TrustedProxies,
    /// Number of connections by [`ip_prefix`].
    of_addresses: DashMap<IpAddr, usize>,
}

/// The connections of one worker. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct WorkerConnections {
    all: Connections,
    slots: Slots,
    open: Rc<Cell<usize>>,
}

/// Counts a connection until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    open: Rc<Cell<usize>>,
    is_reserved: bool,
    _of_address: Option<OfAddress>,
}

/// Counts a connection of an address until it is dropped.
#[derive(Debug)]
struct OfAddress {
    all: Connections,
    prefix: IpAddr,
}

impl Connections {
    pub(super) fn new(settings: &ServerSettings, proxies: TrustedProxies) -> Self {
        let max_per_address = settings.max_connections_per_address;
        Self(Arc::new(Shared { max_per_address, proxies, of_addresses: DashMap::new() }))
    }

    pub(super) fn for_worker(&self, slots: Slots) -> WorkerConnections {
        WorkerConnections { all: self.clone(), slots, open: Rc::default() }
    }

    /// Counts a connection of this address, if it may have one more.
    fn count(&self, address: IpAddr) -> Option<OfAddress> {
        let prefix = ip_prefix(address);
        let mut number = self.0.of_addresses.entry(prefix).or_insert(0);
        if *number >= self.0.max_per_address {
            return None;
        }
        *number += 1;
        Some(OfAddress { all: self.clone(), prefix })
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        if let Entry::Occupied(mut number) = self.all.0.of_addresses.entry(self.prefix) {
            *number.get_mut() -= 1;
            if *number.get() == 0 {
                number.remove();
            }
        }
    }
}

impl WorkerConnections {
    /// Admits a connection from this address, unless the address has too many. Connections of trusted proxies are those of
    /// many clients, and not limited.
    pub(super) fn admit(&self, address: Option<IpAddr>) -> Option<Slot> {
        let is_limited = |address: &IpAddr| !self.all.0.proxies.trusts(address.to_canonical());
        let of_address = match address.filter(is_limited) {
            Some(address) => Some(self.all.count(address).or_else(|| {
                Refused::Connection.record("server.max_connections_per_address");
                None
            })?),
            None => None,
        };
        let is_reserved = self.open.get() >= self.slots.connections;
        if is_reserved {
            Refused::Connection.record("server.max_connections");
        }
        self.open.update(|open| open + 1);
        Some(Slot { open: Rc::clone(&self.open), is_reserved, _of_address: of_address })
    }
}

impl Slot {
    /// Whether only the server's health is served on the connection.
    pub(super) fn is_reserved(&self) -> bool {
        self.is_reserved
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.open.update(|open| open - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: Slots = Slots { connections: 3, reserved: 1 };

    fn worker(max_per_address: usize, proxies: &[&str]) -> WorkerConnections {
        let networks: Vec<_> = proxies.iter().map(|proxy| (*proxy).to_owned().try_into().expect("a network")).collect();
        let shared = Shared { max_per_address, proxies: TrustedProxies::new(&networks), of_addresses: DashMap::new() };
        Connections(Arc::new(shared)).for_worker(SLOTS)
    }

    fn admit(worker: &WorkerConnections, address: &str) -> Option<Slot> {
        worker.admit(Some(address.parse().expect("an address")))
    }

    #[test]
    fn an_address_has_so_many_connections_whichever_worker_they_are_on() {
        let first = worker(2, &[]);
        let second = first.all.for_worker(SLOTS);
        for (same, other) in [
            (["203.0.113.9", "203.0.113.9", "::ffff:203.0.113.9"], "203.0.113.10"),
            (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1"], "2001:db8:0:1::1"),
        ] {
            let kept = admit(&first, same[0]).expect("the first");
            let last = admit(&second, same[1]).expect("the last");
            assert!(admit(&first, same[2]).is_none() && admit(&second, same[2]).is_none());
            assert!(admit(&first, other).is_some());
            drop(last);
            assert!(admit(&first, same[2]).is_some());
            drop(kept);
        }
        assert!(first.all.0.of_addresses.is_empty());
        assert_eq!((first.open.get(), second.open.get()), (0, 0));
    }

    #[test]
    fn connections_of_trusted_proxies_are_not_limited() {
        let worker = worker(1, &["10.0.0.0/8"]);
        let slots: Vec<_> = ["10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1"].map(|proxy| admit(&worker, proxy)).into();
        assert!(slots.iter().all(Option::is_some));
        assert!(
            admit(&worker, "11.0.0.1").is_some_and(|first| admit(&worker, "11.0.0.1").is_none() && first.is_reserved)
        );
    }

    #[test]
    fn connections_beyond_the_workers_have_a_reserved_slot() {
        let worker = worker(10, &[]);
        let mut slots: Vec<_> = (0..4).map_while(|_| admit(&worker, "203.0.113.9")).collect();
        assert_eq!(slots.iter().map(Slot::is_reserved).collect::<Vec<_>>(), [false, false, false, true]);
        slots.remove(0);
        assert!(worker.admit(None).is_some_and(|slot| slot.is_reserved()), "a reserved slot becomes no other one");
        slots.clear();
        assert!(worker.admit(None).is_some_and(|slot| !slot.is_reserved()));
    }
}
