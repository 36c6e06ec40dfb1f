//! A TCP proxy in which things go wrong: between clients and server, or between server and PostgreSQL.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::fault::Fault;
use super::run_state::World;

/// What happens to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// Each piece takes up to so many milliseconds.
    Slow(u64),
    /// Nothing passes, and nobody is told. What was held back passes when this is over.
    HalfOpen,
    /// What is asked arrives; of the answer nothing comes, and the connection is reset.
    AnswersLost,
    /// Of what is asked a part arrives, or all of it, and the connection is reset at that moment.
    Torn,
}

impl Weather {
    /// Whether it does something to what goes this way.
    fn befalls(self, way: Way) -> bool {
        match self {
            Self::Fair => false,
            Self::Slow(_) | Self::HalfOpen => true,
            Self::AnswersLost => way == Way::Back,
            Self::Torn => way == Way::There,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// See the module. Connections to an address that is not there are closed at once.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) target: Rc<Cell<SocketAddr>>,
    /// And which fault makes it.
    weather: watch::Sender<(Weather, Option<Fault>)>,
    /// By which fault, last.
    cuts: watch::Sender<Option<Fault>>,
}

impl Proxy {
    pub(crate) async fn start(world: &Rc<World>, target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Rc::new(Cell::new(target));
        let (weather, cuts) = (watch::Sender::new((Weather::Fair, None)), watch::Sender::new(None));
        let (world, towards) = (Rc::clone(world), Rc::clone(&target));
        let (weather_seen, cuts_seen) = (weather.subscribe(), cuts.subscribe());
        tokio::task::spawn_local(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let (world, target) = (Rc::clone(&world), towards.get());
                let (weather, cuts) = (weather_seen.clone(), cuts_seen.clone());
                tokio::task::spawn_local(async move {
                    if let Ok(server) = TcpStream::connect(target).await {
                        pass(&world, client, server, weather, cuts).await;
                    }
                });
            }
        });
        Self { address, target, weather, cuts }
    }

    /// From now on it is so, by this fault.
    pub(crate) fn turn(&self, weather: Weather, by: Fault) {
        self.weather.send_replace((weather, Some(by)));
    }

    pub(crate) fn clear(&self) {
        self.weather.send_replace((Weather::Fair, None));
    }

    /// Resets every connection.
    pub(crate) fn cut(&self, by: Fault) {
        self.cuts.send_replace(Some(by));
    }
}

async fn pass(
    world: &World,
    mut client: TcpStream,
    mut server: TcpStream,
    weather: watch::Receiver<(Weather, Option<Fault>)>,
    mut cuts: watch::Receiver<Option<Fault>>,
) {
    cuts.mark_unchanged();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
        // Dropped, it is reset and not closed.
        SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let there = carry(world, from_client, to_server, weather.clone(), Way::There);
    let back = carry(world, from_server, to_client, weather, Way::Back);
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = cuts.changed() => cuts.borrow().iter().for_each(|by| world.strikes(*by)),
    }
}

/// Until one side ends, or the weather ends it.
async fn carry(
    world: &World,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<(Weather, Option<Fault>)>,
    way: Way,
) {
    let mut piece = vec![0; 64 << 10];
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        let mut length = length;
        let mut is_last = false;
        let (now, by) = *weather.borrow_and_update();
        if let Some(by) = by
            && now.befalls(way)
        {
            world.strikes(by);
        }
        match now {
            Weather::Fair => {}
            Weather::Slow(most) => world.pause(0..most).await,
            Weather::HalfOpen => {
                let _ = weather.wait_for(|(now, _)| *now != Weather::HalfOpen).await;
            }
            Weather::AnswersLost if now.befalls(way) => return,
            Weather::AnswersLost => {}
            Weather::Torn => {
                is_last = now.befalls(way);
                if is_last && world.dice(0..2) == 0 {
                    length = length.div_ceil(2);
                }
            }
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
        if is_last {
            // Long enough, mostly, that the other side has begun with it.
            world.pause(0..4).await;
            return;
        }
    }
}
