//! Properties that hold for any sequence of commands and any movement of the clock.

use proptest::prelude::*;

use super::*;
use crate::testing::{
    InMemoryConversation, agent, answer_handover, ask_handover, assign, assign_ticket, claim, close, create_ticket,
    customer, enter, expire_handover, guest, note, open, release, reopen, reply, send, set_ticket_status, take_over,
    withdraw_handover, write,
};

#[derive(Clone, Debug)]
struct Step {
    request: Request,
    /// Milliseconds that the clock moves before the command; negative moves it back.
    clock: i64,
}

/// Possible owners of the conversation. Ada's account and the guest with her address are different owners.
fn customers() -> impl Strategy<Value = Customer> {
    prop::sample::select(vec![customer("ada"), customer("bob"), guest("carol@example.com"), guest("ada@example.com")])
}

fn agents() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["grace", "edsger", "barbara"])
}

fn policies() -> impl Strategy<Value = AutoReplyPolicy> {
    prop::sample::select(vec![AutoReplyPolicy::Unassigned, AutoReplyPolicy::First, AutoReplyPolicy::Never])
}

/// Ada and Bob write in the help center.
fn writes() -> impl Strategy<Value = Command> {
    let accounts = prop::sample::select(vec![customer("ada"), customer("bob")]);
    (accounts, texts(), policies()).prop_map(|(customer, text, policy)| write(customer, &text, policy))
}

fn texts() -> impl Strategy<Value = String> {
    // The letters at both ends make trimming a no-op.
    "x\\PC{0,140}y"
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => (customers(), texts()).prop_map(|(customer, text)| open(customer, &text, "")),
        8 => (customers(), texts()).prop_map(|(customer, text)| send(customer, &text)),
        8 => writes(),
        3 => agents().prop_map(claim),
        6 => (agents(), texts()).prop_map(|(id, text)| reply(id, &text)),
        4 => (agents(), texts()).prop_map(|(id, text)| note(id, &text)),
        // Rare, so that most histories are long.
        1 => prop::bool::weighted(0.3).prop_flat_map(|is_close| agents().prop_map(move |id| match is_close {
            true => close(id),
            false => claim(id),
        })),
    ]
}

/// A request that becomes a command when it is executed: an answer addresses the pending handover, or an unknown one, and
/// a take-over the present holder, who is absent.
#[derive(Clone, Debug)]
enum Request {
    Command(Command),
    AnswerHandover { by: &'static str, accept: bool },
    WithdrawHandover { by: &'static str },
    ExpireHandover,
    TakeOver { by: &'static str, is_holder_absent: bool },
}

impl Request {
    fn command(&self, chat: &InMemoryConversation) -> Command {
        let pending = || {
            let pending = chat.state.as_ref().and_then(|state| state.pending_handover.as_ref());
            pending.map_or_else(|| HandoverId(uuid::Uuid::nil()), |handover| handover.id)
        };
        match self {
            Self::Command(command) => command.clone(),
            Self::AnswerHandover { by, accept } => answer_handover(by, pending(), *accept),
            Self::WithdrawHandover { by } => withdraw_handover(by, pending()),
            Self::ExpireHandover => expire_handover(pending()),
            Self::TakeOver { by, is_holder_absent } => {
                let holder = chat.state.as_ref().and_then(|state| state.assignee.as_ref());
                let absent = holder.filter(|_| *is_holder_absent).map(|holder| (holder.id.as_str(), holder.since));
                take_over(by, absent)
            }
        }
    }
}

fn requests() -> impl Strategy<Value = Request> {
    let statuses = prop::sample::select(TicketStatus::ALL);
    prop_oneof![
        20 => commands().prop_map(Request::Command),
        5 => (agents(), agents()).prop_map(|(from, to)| Request::Command(ask_handover(from, to))),
        5 => (agents(), any::<bool>()).prop_map(|(by, accept)| Request::AnswerHandover { by, accept }),
        1 => agents().prop_map(|by| Request::Command(create_ticket(by))),
        1 => prop_oneof![
            agents().prop_map(release),
            agents().prop_map(reopen),
            (agents(), agents()).prop_map(|(by, to)| assign(by, to)),
            (agents(), agents()).prop_map(|(by, to)| assign_ticket(by, to).into()),
        ].prop_map(Request::Command),
        1 => agents().prop_map(|by| Request::WithdrawHandover { by }),
        1 => Just(Request::ExpireHandover),
        2 => (agents(), any::<bool>()).prop_map(|(by, is_holder_absent)| Request::TakeOver { by, is_holder_absent }),
        2 => (agents(), statuses).prop_map(|(by, status)| Request::Command(set_ticket_status(by, status))),
    ]
}

/// A customer opens the conversation in either app; arbitrary requests follow.
fn histories() -> impl Strategy<Value = Vec<Step>> {
    let opening = prop_oneof![
        (customers(), texts()).prop_map(|(customer, text)| open(customer, &text, "")),
        Just(enter(customer("ada"))),
        writes(),
    ];
    let step = (requests(), -5_000..10_000_i64).prop_map(|(request, clock)| Step { request, clock });
    (opening, prop::collection::vec(step, 0..60)).prop_map(|(opening, mut steps)| {
        steps.insert(0, Step { request: Request::Command(opening), clock: 0 });
        steps
    })
}

/// Executes the steps; `check` gets the conversation before and after each step that is not refused.
fn run(
    steps: &[Step],
    mut check: impl FnMut(&Step, &InMemoryConversation, &InMemoryConversation, &[Event]) -> Result<(), TestCaseError>,
) -> Result<InMemoryConversation, TestCaseError> {
    let mut chat = InMemoryConversation::empty();
    for step in steps {
        chat.move_clock(step.clock);
        let before = chat.clone();
        match chat.execute(&step.request.command(&before)) {
            Ok(events) => check(step, &before, &chat, &events)?,
            Err(_) => prop_assert_eq!((&chat.state, &chat.log), (&before.state, &before.log)),
        }
    }
    Ok(chat)
}

/// The part of a conversation that any response or list could show to a customer.
fn visible(chat: &InMemoryConversation) -> (Option<Conversation>, Vec<Event>) {
    let hidden =
        |state: Conversation| Conversation { version: 0, message_count: 0, last_event_at: state.updated_at, ..state };
    let is_note = |event: &Event| event.posted().is_some_and(|posted| posted.message.is_note());
    (chat.state.clone().map(hidden), chat.log.iter().filter(|event| !is_note(event)).cloned().collect())
}

proptest! {
    #[test]
    fn the_assignee_changes_only_by_a_claim_a_handover_a_reopening_or_what_moves_it(steps in histories()) {
        run(&steps, |_, before, after, events| {
            let assignee = |chat: &InMemoryConversation| chat.state.as_ref().and_then(|state| state.assignee.clone());
            let claims: Vec<_> = events.iter().filter(|event| matches!(event.change, Change::Claimed(_))).collect();
            let moves = ["taken_over", "assigned", "ticket_assigned", "reopened"];
            let moved = events.iter().find(|event| moves.contains(&event.change.kind()));
            match (assignee(before), assignee(after), moved) {
                (_, Some(new), Some(moved)) => {
                    prop_assert!(claims.is_empty());
                    prop_assert_eq!(moved.at, new.since);
                }
                (None, Some(new), None) => {
                    prop_assert_eq!(claims.len(), 1);
                    prop_assert_eq!(&claims[0].change, &Change::Claimed(agent(new.id.as_str())));
                    prop_assert_eq!(claims[0].at, new.since);
                }
                // Otherwise only the target of the pending handover replaces an assignee, without a claim.
                (Some(old), Some(new), None) if old != new => {
                    prop_assert!(claims.is_empty());
                    let handover = before.conversation().pending_handover.clone().unwrap();
                    prop_assert_eq!((&handover.from.id, &handover.to.id), (&old.id, &new.id));
                    prop_assert_eq!(events[0].change.kind(), "handover_accepted");
                }
                (Some(_), None, _) => {
                    prop_assert!(events.iter().any(|event| ["reopened", "released"].contains(&event.change.kind())));
                }
                (old, new, _) => prop_assert!(old == new && claims.is_empty()),
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_ticket_of_a_conversation_has_its_assignee(steps in histories()) {
        run(&steps, |_, _, after, _| {
            let state = after.conversation();
            if let Some(ticket) = &state.ticket {
                prop_assert_eq!(&ticket.assignee, &state.assignee.as_ref().map(Party::from));
            }
            Ok(())
        })?;
    }

    #[test]
    fn every_visible_message_of_an_agent_is_from_the_assignee(steps in histories()) {
        run(&steps, |_, _, after, events| {
            for message in events.iter().filter_map(Event::posted).map(|posted| posted.message) {
                if let (Author::Agent(author), false) = (&message.author, message.is_note()) {
                    prop_assert!(after.conversation().is_assigned_to(&author.id));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_time_of_a_handover_is_known_while_it_is_pending(steps in histories()) {
        run(&steps, |_, _, after, _| {
            let state = after.conversation();
            prop_assert_eq!(state.pending_since.is_some(), state.pending_handover.is_some());
            Ok(())
        })?;
    }

    #[test]
    fn a_pending_handover_belongs_to_the_assignee_of_an_open_conversation(steps in histories()) {
        run(&steps, |_, _, after, _| {
            if let Some(handover) = &after.conversation().pending_handover {
                prop_assert!(after.conversation().status != Status::Closed);
                prop_assert!(after.conversation().is_assigned_to(&handover.from.id));
                prop_assert!(handover.from.id != handover.to.id);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_closed_conversation_takes_nothing_rests_customer_opens_it_again_in_the_help_center(steps in histories()) {
        let chat = run(&steps, |step, before, _, events| {
            let was_closed = before.state.as_ref().is_some_and(|state| state.status == Status::Closed);
            let kinds: Vec<_> = events.iter().map(|event| event.change.kind()).collect();
            if matches!(step.request, Request::Command(Command::WriteToHelpCenter(_) | Command::Reopen(_))) {
                prop_assert_eq!(kinds[0] == "reopened", was_closed);
            } else {
                // A claim by the assignee succeeds without events; the ticket may still change.
                prop_assert!(!was_closed || kinds.iter().all(|kind| kind.starts_with("ticket_")));
            }
            Ok(())
        })?;
        let mut is_closed = false;
        for kind in chat.log.iter().map(|event| event.change.kind()) {
            prop_assert!(!is_closed || kind == "reopened" || kind.starts_with("ticket_"));
            is_closed = kind == "closed" || is_closed && kind != "reopened";
        }
    }

    #[test]
    fn an_auto_reply_follows_exactly_the_customer_messages_that_the_policy_covers(steps in histories()) {
        run(&steps, |step, _, after, events| {
            let is_auto = |event: &Event| {
                event.posted().is_some_and(|posted| matches!(posted.message.author, Author::AutoReply { .. }))
            };
            let Request::Command(Command::WriteToHelpCenter(post)) = &step.request else {
                prop_assert!(!events.iter().any(is_auto));
                return Ok(());
            };
            let (last, rest) = events.split_last().unwrap();
            prop_assert!(!rest.iter().any(is_auto));
            prop_assert_eq!(after.conversation().last_message.as_ref().map(|message| message.is_from_user), Some(true));
            let is_assigned = after.conversation().assignee.is_some();
            let is_first = after.conversation().last_seq <= 2 && events.iter().filter_map(Event::posted).any(|posted| posted.message.is_opening());
            prop_assert_eq!(is_auto(last), match post.auto_reply.policy {
                AutoReplyPolicy::Unassigned => !is_assigned,
                AutoReplyPolicy::First => is_first,
                AutoReplyPolicy::Never => false,
            });
            Ok(())
        })?;
    }

    #[test]
    fn position_and_seq_have_no_gap(steps in histories()) {
        let chat = run(&steps, |_, _, _, _| Ok(()))?;
        let positions: Vec<i64> = chat.log.iter().map(|event| event.position).collect();
        prop_assert_eq!(&positions, &(1..=chat.log.len() as i64).collect::<Vec<_>>());
        let messages: Vec<_> = chat.log.iter().filter_map(Event::posted).collect();
        let seqs: Vec<i64> = messages.iter().filter_map(|posted| posted.message.seq).collect();
        prop_assert_eq!(&seqs, &(1..=seqs.len() as i64).collect::<Vec<_>>());
        let state = chat.conversation();
        let counts = (state.version, state.last_seq, state.message_count);
        prop_assert_eq!(counts, (positions.len() as i64, seqs.len() as i64, messages.len() as i64));
    }

    #[test]
    fn a_replayed_event_log_gives_the_same_state(steps in histories()) {
        let chat = run(&steps, |_, _, _, _| Ok(()))?;
        prop_assert_eq!(chat.log.iter().fold(None, Conversation::apply), chat.state);
    }

    #[test]
    fn a_note_changes_nothing_that_a_customer_can_see(steps in histories()) {
        run(&steps, |step, before, after, _| {
            if matches!(step.request, Request::Command(Command::Note(_))) {
                prop_assert_eq!(visible(before), visible(after));
                prop_assert_eq!(before.log.len() + 1, after.log.len());
            }
            Ok(())
        })?;
    }

    /// Stronger: without the notes, customers would have seen exactly the same. The clock must not move back here,
    /// because later events never precede the time of a note.
    #[test]
    fn a_customer_cannot_detect_that_notes_were_written(steps in histories()) {
        let mut steps = steps;
        steps.iter_mut().for_each(|step| step.clock = step.clock.abs());
        let visible_to_customer = |chat: &InMemoryConversation| {
            let (state, events) = visible(chat);
            // Ids differ between runs, and positions, which count notes, are visible to agents only.
            let state = state.map(|state| Conversation { id: ConversationId(uuid::Uuid::nil()), ..state });
            (state, events.into_iter().map(|event| (event.at, event.change)).collect::<Vec<_>>())
        };
        let with = run(&steps, |_, _, _, _| Ok(()))?;
        steps.iter_mut().fold(0, |clock, step| {
            let is_note = matches!(step.request, Request::Command(Command::Note(_)));
            step.clock += clock;
            if is_note { step.clock } else { 0 }
        });
        steps.retain(|step| !matches!(step.request, Request::Command(Command::Note(_))));
        let without = run(&steps, |_, _, _, _| Ok(()))?;
        prop_assert_eq!(visible_to_customer(&with), visible_to_customer(&without));
    }

    #[test]
    fn timestamps_never_decrease_in_a_history(steps in histories()) {
        let chat = run(&steps, |_, _, after, events| {
            prop_assert!(events.iter().all(|event| event.at >= after.now));
            Ok(())
        })?;
        prop_assert!(chat.log.is_sorted_by_key(|event| event.at));
        let state = chat.conversation();
        prop_assert!(state.created_at <= state.last_message_at && state.last_message_at <= state.updated_at);
        prop_assert_eq!(state.last_event_at, chat.log.last().unwrap().at);
    }

    #[test]
    fn only_the_owner_writes_as_the_customer(steps in histories()) {
        let chat = run(&steps, |_, _, _, _| Ok(()))?;
        for posted in chat.log.iter().filter_map(Event::posted) {
            if let Author::Customer(author) = posted.message.author {
                prop_assert_eq!(&author.owner, &chat.conversation().owner);
            }
        }
    }
}
