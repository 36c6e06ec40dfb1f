use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

fn budget(bytes: usize) -> EngineConfig {
    EngineConfig { outgoing_budget: bytes, ..EngineConfig::default() }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn push(outbox: &Outbox, text: &str) -> bool {
    outbox.push(std::iter::once(&SharedPacket::text(text)), Delivery::Reliable)
}

/// The body of the waiting poll's answer.
fn polled(outbox: &Outbox) -> Option<String> {
    match outbox.poll_payload(1000, &mut context()) {
        Poll::Ready(body) => Some(String::from_utf8(body).unwrap()),
        Poll::Pending => None,
    }
}

/// The packets in all frames that can be sent now, and whether the WebSocket ends.
fn drained(outbox: &mut Arc<Outbox>, limit: usize) -> (Vec<String>, bool) {
    let mut packets = Vec::new();
    loop {
        match outbox.poll_frames(limit, &mut context()) {
            Poll::Ready(Drained::Frames(frames)) => {
                let mut rest = &frames[..];
                while let [first, length, data_and_rest @ ..] = rest {
                    let (data, following) = data_and_rest.split_at(usize::from(*length));
                    if *first == 0x81 {
                        packets.push(String::from_utf8(data.to_vec()).unwrap());
                    }
                    rest = following;
                }
            }
            Poll::Ready(Drained::Successor(next)) => *outbox = next,
            Poll::Ready(Drained::End) => return (packets, true),
            Poll::Pending => return (packets, false),
        }
    }
}

fn close_reason(outbox: &Outbox) -> Option<CloseReason> {
    match outbox.poll_close_reason(&mut context()) {
        Poll::Ready(reason) => Some(reason),
        Poll::Pending => None,
    }
}

#[test]
fn a_poll_waits_for_a_packet() {
    let outbox = Outbox::polling(&budget(1000));
    assert_eq!(outbox.begin_poll(), Ok(()));
    assert_eq!(polled(&outbox), None);
    assert!(push(&outbox, "4a"));
    assert!(push(&outbox, "4b"));
    assert_eq!(polled(&outbox).as_deref(), Some("4a\x1e4b"));
    assert_eq!(outbox.begin_poll(), Ok(()));
    assert_eq!(polled(&outbox), None);
}

#[test]
fn every_kind_of_close_answers_the_poll_and_gives_its_reason_once() {
    type Close = fn(&Outbox);
    let table: [(Close, bool, &str, CloseReason); 6] = [
        (|outbox| outbox.close(CloseReason::ForcedClose), true, "1", CloseReason::ForcedClose),
        (|outbox| outbox.close(CloseReason::ForcedClose), false, "6\x1e1", CloseReason::ForcedClose),
        (|outbox| outbox.abort(CloseReason::PingTimeout), true, "1", CloseReason::PingTimeout),
        (Outbox::close_by_client, true, "6", CloseReason::TransportClose),
        (Outbox::close_by_client, false, "6", CloseReason::TransportClose),
        (|outbox| assert_eq!(outbox.begin_poll(), Err(PollRefusal::Overlap)), true, "1", CloseReason::TransportError),
    ];
    for (close, waiting, answer, reason) in table {
        let outbox = Outbox::polling(&budget(1000));
        if waiting {
            outbox.begin_poll().unwrap();
        }
        close(&outbox);
        assert!(!outbox.is_open());
        assert!(!push(&outbox, "4late"));
        if !waiting {
            outbox.begin_poll().unwrap();
        }
        assert_eq!(polled(&outbox).as_deref(), Some(answer));
        assert!(outbox.is_closed());
        assert_eq!(close_reason(&outbox), Some(reason));
        assert_eq!(close_reason(&outbox), None);
        assert_eq!(outbox.begin_poll(), Err(PollRefusal::Closed));
    }
}

#[test]
fn the_first_reason_is_kept() {
    let outbox = Outbox::websocket(&budget(1000));
    outbox.close(CloseReason::ServerShuttingDown);
    outbox.abort(CloseReason::TransportClose);
    assert_eq!(close_reason(&outbox), Some(CloseReason::ServerShuttingDown));
}

#[test]
fn a_close_sends_queued_packets_and_an_abort_drops_them() {
    let mut outbox = Arc::new(Outbox::websocket(&budget(1000)));
    push(&outbox, "4a");
    outbox.close(CloseReason::ForcedClose);
    assert!(!outbox.is_closed());
    assert_eq!(drained(&mut outbox, 100), (vec!["4a".to_owned()], true));
    assert!(outbox.is_closed());

    let mut outbox = Arc::new(Outbox::websocket(&budget(1000)));
    push(&outbox, "4a");
    outbox.abort(CloseReason::ForcedClose);
    assert_eq!(drained(&mut outbox, 100), (vec![], true));
}

#[test]
fn over_budget_volatile_packets_are_dropped_and_then_the_session_is_closed() {
    let packet = SharedPacket::text("4volatile");
    let outbox = Outbox::websocket(&budget(3 * packet.cost()));
    assert!(outbox.push(std::iter::once(&packet), Delivery::Volatile));
    assert!(!outbox.push(std::iter::once(&packet), Delivery::Volatile));
    for _ in 0..3 {
        assert!(push(&outbox, "4reliable"));
    }
    assert!(outbox.is_open());
    let mut outbox = Arc::new(outbox);
    assert_eq!(drained(&mut outbox, 10).0, vec!["4reliable"; 3]);
    for _ in 0..3 {
        assert!(push(&outbox, "4reliable"));
    }
    assert!(!push(&outbox, "4reliable"));
    assert_eq!(close_reason(&outbox), Some(CloseReason::ForcedClose));
}

#[test]
fn one_websocket_at_a_time_may_attempt_an_upgrade() {
    let outbox = Arc::new(Outbox::polling(&budget(1000)));
    let first = Arc::new(Outbox::websocket(&budget(1000)));
    let second = Arc::new(Outbox::websocket(&budget(1000)));
    assert!(outbox.begin_upgrade(&first));
    assert!(!outbox.begin_upgrade(&second));
    outbox.abandon_upgrade();
    assert!(outbox.begin_upgrade(&second));
    assert!(outbox.complete_upgrade());
    assert!(!outbox.begin_upgrade(&first));
    assert_eq!(outbox.begin_poll(), Err(PollRefusal::Upgraded));
    // A poll that is abandoned after the upgrade does no harm.
    outbox.abandon_poll();
    assert!(outbox.is_open());
}

#[test]
fn a_closed_session_closes_its_probing_websocket() {
    let outbox = Arc::new(Outbox::polling(&budget(1000)));
    let mut websocket = Arc::new(Outbox::websocket(&budget(1000)));
    outbox.begin_upgrade(&websocket);
    outbox.abort(CloseReason::PingTimeout);
    assert_eq!(drained(&mut websocket, 100), (vec![], true));
    assert!(!outbox.complete_upgrade());
}

#[derive(Debug, Clone)]
enum Step {
    Push,
    PushTwo,
    Poll,
    Probe,
    Complete,
    Drain(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Push),
        2 => Just(Step::PushTwo),
        3 => Just(Step::Poll),
        1 => Just(Step::Probe),
        1 => Just(Step::Complete),
        3 => (1_usize..40).prop_map(Step::Drain),
    ]
}

proptest! {
    #[test]
    fn packets_are_sent_once_and_in_order_on_any_transport(steps in prop::collection::vec(any_step(), 0..60)) {
        let outbox = Arc::new(Outbox::polling(&budget(1 << 20)));
        let mut websocket = Arc::new(Outbox::websocket(&budget(1 << 20)));
        let mut sent: Vec<String> = Vec::new();
        let mut received: Vec<String> = Vec::new();
        let mut is_waiting = false;
        for step in steps {
            let mut send = |outbox: &Outbox, count: usize| {
                let start = sent.len();
                sent.extend((start..start + count).map(|number| format!("4{number}")));
                let packets: Vec<_> = sent[start..].iter().map(|text| SharedPacket::text(text)).collect();
                assert!(outbox.push(packets.iter(), Delivery::Reliable));
            };
            match step {
                Step::Push => send(&outbox, 1),
                Step::PushTwo => send(&outbox, 2),
                Step::Poll => is_waiting = is_waiting || outbox.begin_poll().is_ok(),
                Step::Probe => {
                    if outbox.begin_upgrade(&websocket) {
                        outbox.mark_probed();
                    }
                }
                Step::Complete => {
                    outbox.complete_upgrade();
                }
                Step::Drain(limit) => received.extend(drained(&mut websocket, limit).0),
            }
            if is_waiting && let Some(payload) = polled(&outbox) {
                is_waiting = false;
                received.extend(payload.split('\x1e').filter(|packet| *packet != "6").map(str::to_owned));
            }
        }
        outbox.begin_upgrade(&websocket);
        outbox.complete_upgrade();
        received.extend(drained(&mut websocket, 100).0);
        prop_assert_eq!(received, sent);
    }
}

#[test]
fn a_websocket_lost_during_the_upgrade_closes_the_session() {
    for is_lost_first in [true, false] {
        let session = Arc::new(Outbox::polling(&budget(1000)));
        let websocket = Arc::new(Outbox::websocket(&budget(1000)));
        assert!(session.begin_upgrade(&websocket));
        if is_lost_first {
            websocket.lose_connection();
        }
        session.complete_upgrade();
        if !is_lost_first {
            websocket.lose_connection();
        }
        assert_eq!(close_reason(&session), Some(CloseReason::TransportClose));
    }
}

#[test]
fn a_session_has_one_delayed_close() {
    let outbox = Outbox::websocket(&budget(1000));
    assert_eq!(outbox.take_delayed_close(), None);
    let first = (CloseReason::ForcedClose, Duration::from_secs(1));
    outbox.close_after(first.0, first.1);
    outbox.close_after(CloseReason::TransportError, Duration::from_secs(2));
    assert_eq!(outbox.take_delayed_close(), Some(first));
    outbox.close_after(CloseReason::TransportError, Duration::from_secs(2));
    assert_eq!(outbox.take_delayed_close(), None);
    assert!(outbox.is_open());
}

/// Packets that are pushed together: a binary event, its attachments and its offset.
fn group(number: usize) -> Vec<SharedPacket> {
    let text = |part: &str| SharedPacket::text(&format!("4{part}{number}"));
    vec![text("head"), text("attachment"), text("offset")]
}

#[test]
fn packets_pushed_together_leave_in_one_chunk_and_in_one_body() {
    let length: usize = group(0).iter().map(|packet| packet.frame().len()).sum();
    for limit in [1, 10, length, 2 * length - 1] {
        let outbox = Outbox::websocket(&budget(1 << 20));
        for number in 0..3 {
            outbox.push(group(number).iter(), Delivery::Reliable);
        }
        for number in 0..3 {
            let Poll::Ready(Drained::Frames(frames)) = outbox.poll_frames(limit, &mut context()) else { panic!() };
            let expected: Vec<u8> = group(number).iter().flat_map(SharedPacket::frame).copied().collect();
            assert_eq!(frames, expected, "{limit}");
        }
    }
    for limit in [1, 10, 30] {
        let outbox = Outbox::polling(&budget(1 << 20));
        for number in 0..3 {
            outbox.push(group(number).iter(), Delivery::Reliable);
        }
        for number in 0..3 {
            outbox.begin_poll().unwrap();
            let Poll::Ready(body) = outbox.poll_payload(limit, &mut context()) else { panic!() };
            let expected = format!("4head{number}\x1e4attachment{number}\x1e4offset{number}");
            assert_eq!(String::from_utf8(body).unwrap(), expected, "{limit}");
        }
    }
}

#[test]
fn over_budget_no_part_of_a_volatile_event_is_dropped() {
    let cost: usize = group(0).iter().map(SharedPacket::cost).sum();
    for limit in [1, 10, 1000] {
        let mut outbox = Arc::new(Outbox::websocket(&budget(2 * cost)));
        assert!(outbox.push(group(0).iter(), Delivery::Volatile));
        // The client's connection takes one chunk now.
        let Poll::Ready(Drained::Frames(chunk)) = outbox.poll_frames(limit, &mut context()) else { panic!() };
        for number in 1..3 {
            assert!(outbox.push(group(number).iter(), Delivery::Reliable));
        }
        let complete: Vec<u8> = group(0).iter().flat_map(SharedPacket::frame).copied().collect();
        assert_eq!(chunk, complete, "{limit}");
        assert_eq!(drained(&mut outbox, limit).0.len(), 6, "{limit}");
    }
}
