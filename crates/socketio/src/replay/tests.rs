use engineio::Delivery;
use proptest::prelude::*;

use super::*;
use crate::config::RecoveryConfig;

const TIMEOUT: Duration = Duration::from_secs(20);
const PACE: ReplayPace = ReplayPace { ping_timeout: TIMEOUT, max_waiting_cost: 1000 };

fn event(sequence: u64, length: usize, delivery: Delivery) -> Arc<OutboundEvent> {
    let message = SharedPacket::text(&format!("{sequence:0length$}")).into();
    Arc::new(OutboundEvent::new(message, Some(sequence), delivery, &Arc::default()))
}

fn limits() -> RecoveryConfig {
    RecoveryConfig::default()
}

/// A buffer of events of `length` bytes, numbered from 0.
fn buffer(count: u64, length: usize) -> ReplayBuffer {
    let mut buffer = ReplayBuffer::new(0);
    (0..count).for_each(|sequence| buffer.push(event(sequence, length, Delivery::Reliable), &limits()));
    buffer
}

/// The numbers of the events that are sent now, and what comes after them.
fn portion(replay: &mut Replay, buffer: &ReplayBuffer) -> (Vec<u64>, Step) {
    let mut sequences = Vec::new();
    loop {
        match replay.step(buffer) {
            Step::Event(event) => sequences.extend(event.sequence),
            other => return (sequences, other),
        }
    }
}

/// Confirms what was sent; it takes `time` to arrive.
fn confirm(replay: &mut Replay, time: Duration) {
    let now = Instant::now();
    replay.ping_sent(now);
    replay.ping_answered(now + time);
}

#[test]
fn the_next_portion_waits_until_the_last_one_is_confirmed() {
    let buffer = buffer(20, 3000);
    let mut replay = Replay::new(0, PACE);
    for expected in [vec![0, 1], vec![2, 3], vec![4, 5]] {
        let (sent, step) = portion(&mut replay, &buffer);
        assert_eq!(sent, expected);
        assert!(matches!(step, Step::Wait));
        assert!(matches!(replay.step(&buffer), Step::Wait));
        confirm(&mut replay, TIMEOUT / 6);
    }
}

#[test]
fn the_window_adapts_to_the_line() {
    let buffer = buffer(200, 1000);
    let mut replay = Replay::new(0, PACE);
    let mut portions = |time| {
        let (sent, _) = portion(&mut replay, &buffer);
        confirm(&mut replay, time);
        sent.len()
    };
    let fast = Duration::from_millis(50);
    assert_eq!([fast, fast, fast].map(&mut portions), [7, 15, 30]);
    let slow = Duration::from_secs(6);
    assert_eq!([slow; 8].map(&mut portions), [61, 30, 15, 7, 3, 1, 1, 1]);
    assert_eq!([fast, fast, fast].map(&mut portions), [1, 1, 3]);
}

#[test]
fn an_event_longer_than_the_window_is_sent_alone() {
    let buffer = buffer(2, 60_000);
    let mut replay = Replay::new(0, PACE);
    assert_eq!(portion(&mut replay, &buffer).0, [0]);
    confirm(&mut replay, TIMEOUT / 6);
    let (sent, step) = portion(&mut replay, &buffer);
    assert_eq!(sent, [1]);
    assert!(matches!(step, Step::Done));
}

#[test]
fn what_a_pong_confirms_is_what_was_sent_before_its_ping() {
    let buffer = buffer(4, 6000);
    let mut replay = Replay::new(0, PACE);
    // A pong without a ping since the replay began, and a ping before the first portion.
    replay.ping_answered(Instant::now());
    replay.ping_sent(Instant::now());
    assert_eq!(portion(&mut replay, &buffer).0, [0]);
    replay.ping_answered(Instant::now());
    assert!(matches!(replay.step(&buffer), Step::Wait));
    confirm(&mut replay, TIMEOUT / 6);
    assert_eq!(portion(&mut replay, &buffer).0, [1]);
}

#[test]
fn other_packets_keep_their_place_among_the_events_and_are_limited() {
    let mut buffer = buffer(2, 6000);
    let mut replay = Replay::new(0, PACE);
    assert_eq!(portion(&mut replay, &buffer).0, [0]);
    let ack = EncodedMessage::from(SharedPacket::text("431[]"));
    assert!(replay.push(&ack, &buffer));
    buffer.push(event(2, 10, Delivery::Reliable), &limits());
    confirm(&mut replay, TIMEOUT / 6);
    let (sent, step) = portion(&mut replay, &buffer);
    assert_eq!(sent, [1]);
    assert!(matches!(step, Step::Packets(packets) if packets[0].data() == b"431[]"));
    let (sent, step) = portion(&mut replay, &buffer);
    assert_eq!(sent, [2]);
    assert!(matches!(step, Step::Done));
    let count = (0..100).take_while(|_| replay.push(&ack, &buffer)).count();
    assert_eq!(count, PACE.max_waiting_cost / ack.cost());
}

#[test]
fn an_event_that_is_evicted_before_it_is_sent_ends_the_replay() {
    let limits = RecoveryConfig { max_packets: 2, ..limits() };
    let mut buffer = buffer(2, 6000);
    let mut replay = Replay::new(0, PACE);
    assert_eq!(portion(&mut replay, &buffer).0, [0]);
    buffer.push(event(2, 10, Delivery::Reliable), &limits);
    assert!(!replay.is_lost(&buffer));
    buffer.push(event(3, 10, Delivery::Reliable), &limits);
    assert!(replay.is_lost(&buffer));
    assert!(matches!(replay.step(&buffer), Step::Lost));
}

#[derive(Debug, Clone)]
enum Action {
    Emit(usize, bool),
    Answer,
    Ping,
    Pong(u64),
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (1_usize..5000, any::<bool>()).prop_map(|(length, volatile)| Action::Emit(length, volatile)),
        1 => Just(Action::Answer),
        2 => Just(Action::Ping),
        2 => (0_u64..20).prop_map(Action::Pong),
    ]
}

proptest! {
    #[test]
    fn everything_is_sent_once_in_order_and_within_the_window(
        backlog in 0_u64..60,
        actions in prop::collection::vec(any_action(), 0..60),
    ) {
        let mut buffer = buffer(backlog, 700);
        let mut expected: Vec<Option<u64>> = (0..backlog).map(Some).collect();
        let (mut sent, mut unconfirmed, mut before_ping) = (Vec::new(), 0, 0);
        let mut replay = Replay::new(0, ReplayPace { max_waiting_cost: usize::MAX, ..PACE });
        let mut next = backlog;
        let start = Instant::now();
        for action in actions {
            match action {
                Action::Emit(length, is_volatile) => {
                    let delivery = if is_volatile { Delivery::Volatile } else { Delivery::Reliable };
                    buffer.push(event(next, length, delivery), &limits());
                    expected.extend((!is_volatile).then_some(Some(next)));
                    next += 1;
                }
                Action::Answer => {
                    replay.push(&EncodedMessage::from(SharedPacket::text("431[]")), &buffer);
                    expected.push(None);
                }
                Action::Ping => {
                    buffer.ping_sent(replay.next_index());
                    replay.ping_sent(start);
                    before_ping = unconfirmed;
                }
                Action::Pong(seconds) => {
                    buffer.ping_answered();
                    replay.ping_answered(start + Duration::from_secs(seconds));
                    unconfirmed -= std::mem::take(&mut before_ping);
                }
            }
            loop {
                match replay.step(&buffer) {
                    Step::Event(event) => {
                        prop_assert!(unconfirmed == 0 || unconfirmed + event.cost <= MAX_WINDOW);
                        unconfirmed += event.cost;
                        sent.push(event.sequence);
                    }
                    Step::Packets(_) => sent.push(None),
                    Step::Wait => break prop_assert!(unconfirmed > 0),
                    Step::Done => break prop_assert_eq!(&sent, &expected),
                    Step::Lost => prop_assert!(false, "nothing is lost"),
                }
            }
            prop_assert!(expected.starts_with(&sent));
        }
    }
}
