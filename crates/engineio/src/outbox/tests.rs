use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn push(outbox: &Outbox, text: &str) -> bool {
    outbox.push(std::iter::once(&SharedPacket::text(text)), Delivery::Reliable)
}

/// What the waiting poll gets.
fn polled(outbox: &Outbox) -> Option<String> {
    match outbox.poll_payload(1000, &mut context()) {
        Poll::Ready(body) => Some(String::from_utf8(body).unwrap()),
        Poll::Pending => None,
    }
}

/// The packets in all frames that can leave now, and whether it is the end.
fn drained(outbox: &mut Arc<Outbox>, limit: usize) -> (Vec<String>, bool) {
    let mut packets = Vec::new();
    loop {
        match outbox.poll_frames(limit, &mut context()) {
            Poll::Ready(Drained::Frames(frames)) => {
                let mut rest = &frames[..];
                while let [first, length, behind @ ..] = rest {
                    let (data, behind) = behind.split_at(usize::from(*length));
                    if *first == 0x81 {
                        packets.push(String::from_utf8(data.to_vec()).unwrap());
                    }
                    rest = behind;
                }
            }
            Poll::Ready(Drained::Successor(next)) => *outbox = next,
            Poll::Ready(Drained::End) => return (packets, true),
            Poll::Pending => return (packets, false),
        }
    }
}

fn ended(outbox: &Outbox) -> Option<CloseReason> {
    match outbox.poll_ended(&mut context()) {
        Poll::Ready(reason) => Some(reason),
        Poll::Pending => None,
    }
}

#[test]
fn a_poll_waits_until_there_is_something_to_say() {
    let outbox = Outbox::polling(1000);
    assert_eq!(outbox.begin_poll(), Ok(()));
    assert_eq!(polled(&outbox), None);
    assert!(push(&outbox, "4a"));
    assert!(push(&outbox, "4b"));
    assert_eq!(polled(&outbox).as_deref(), Some("4a\x1e4b"));
    assert_eq!(outbox.begin_poll(), Ok(()));
    assert_eq!(polled(&outbox), None);
}

#[test]
fn every_way_to_end_answers_the_poll_and_is_told_once() {
    type End = fn(&Outbox);
    let table: [(End, bool, &str, CloseReason); 6] = [
        (|outbox| outbox.end(CloseReason::ForcedClose), true, "1", CloseReason::ForcedClose),
        (|outbox| outbox.end(CloseReason::ForcedClose), false, "6\x1e1", CloseReason::ForcedClose),
        (|outbox| outbox.abort(CloseReason::PingTimeout), true, "1", CloseReason::PingTimeout),
        (Outbox::closed_by_client, true, "6", CloseReason::TransportClose),
        (Outbox::closed_by_client, false, "6", CloseReason::TransportClose),
        (|outbox| assert_eq!(outbox.begin_poll(), Err(PollRefusal::Overlap)), true, "1", CloseReason::TransportError),
    ];
    for (end, waiting, answer, reason) in table {
        let outbox = Outbox::polling(1000);
        if waiting {
            outbox.begin_poll().unwrap();
        }
        end(&outbox);
        assert!(!outbox.is_open());
        assert!(!push(&outbox, "4late"));
        if !waiting {
            outbox.begin_poll().unwrap();
        }
        assert_eq!(polled(&outbox).as_deref(), Some(answer));
        assert!(outbox.is_over());
        assert_eq!(ended(&outbox), Some(reason));
        assert_eq!(ended(&outbox), None);
        assert_eq!(outbox.begin_poll(), Err(PollRefusal::Over));
    }
}

#[test]
fn the_first_reason_stands() {
    let outbox = Outbox::websocket(1000);
    outbox.end(CloseReason::ServerShuttingDown);
    outbox.abort(CloseReason::TransportClose);
    assert_eq!(ended(&outbox), Some(CloseReason::ServerShuttingDown));
}

#[test]
fn an_end_lets_what_waits_leave_and_a_break_does_not() {
    let mut outbox = Arc::new(Outbox::websocket(1000));
    push(&outbox, "4a");
    outbox.end(CloseReason::ForcedClose);
    assert!(!outbox.is_over());
    assert_eq!(drained(&mut outbox, 100), (vec!["4a".to_owned()], true));
    assert!(outbox.is_over());

    let mut outbox = Arc::new(Outbox::websocket(1000));
    push(&outbox, "4a");
    outbox.abort(CloseReason::ForcedClose);
    assert_eq!(drained(&mut outbox, 100), (vec![], true));
}

#[test]
fn over_budget_volatile_packets_go_and_then_the_session() {
    let packet = SharedPacket::text("4volatile");
    let outbox = Outbox::websocket(3 * packet.cost());
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
    assert_eq!(ended(&outbox), Some(CloseReason::ForcedClose));
}

#[test]
fn one_websocket_at_a_time_may_take_over() {
    let outbox = Arc::new(Outbox::polling(1000));
    let first = Arc::new(Outbox::websocket(1000));
    let second = Arc::new(Outbox::websocket(1000));
    assert!(outbox.begin_upgrade(&first));
    assert!(!outbox.begin_upgrade(&second));
    outbox.abandon_upgrade();
    assert!(outbox.begin_upgrade(&second));
    assert!(outbox.complete_upgrade());
    assert!(!outbox.begin_upgrade(&first));
    assert_eq!(outbox.begin_poll(), Err(PollRefusal::Upgraded));
    // A poll that was given up in this moment does no harm.
    outbox.abandon_poll();
    assert!(outbox.is_open());
}

#[test]
fn a_session_that_ends_takes_the_probing_websocket_along() {
    let outbox = Arc::new(Outbox::polling(1000));
    let mut probe = Arc::new(Outbox::websocket(1000));
    outbox.begin_upgrade(&probe);
    outbox.abort(CloseReason::PingTimeout);
    assert_eq!(drained(&mut probe, 100), (vec![], true));
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
    fn packets_leave_once_and_in_order_whatever_the_transport(steps in prop::collection::vec(any_step(), 0..60)) {
        let outbox = Arc::new(Outbox::polling(1 << 20));
        let mut body = Arc::new(Outbox::websocket(1 << 20));
        let mut sent: Vec<String> = Vec::new();
        let mut heard: Vec<String> = Vec::new();
        let mut waiting = false;
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
                Step::Poll => waiting = waiting || outbox.begin_poll().is_ok(),
                Step::Probe => {
                    if outbox.begin_upgrade(&body) {
                        outbox.probe_seen();
                    }
                }
                Step::Complete => {
                    outbox.complete_upgrade();
                }
                Step::Drain(limit) => heard.extend(drained(&mut body, limit).0),
            }
            if waiting && let Some(payload) = polled(&outbox) {
                waiting = false;
                heard.extend(payload.split('\x1e').filter(|packet| *packet != "6").map(str::to_owned));
            }
        }
        outbox.begin_upgrade(&body);
        outbox.complete_upgrade();
        heard.extend(drained(&mut body, 100).0);
        prop_assert_eq!(heard, sent);
    }
}

#[test]
fn a_websocket_that_is_lost_while_it_takes_over_ends_the_session() {
    for lost_before in [true, false] {
        let session = Arc::new(Outbox::polling(1000));
        let websocket = Arc::new(Outbox::websocket(1000));
        assert!(session.begin_upgrade(&websocket));
        if lost_before {
            websocket.lose_connection();
        }
        session.complete_upgrade();
        if !lost_before {
            websocket.lose_connection();
        }
        assert_eq!(ended(&session), Some(CloseReason::TransportClose));
    }
}
