//! What holds whatever people do, in whatever order, and whatever the clock does meanwhile.

use proptest::prelude::*;

use super::*;
use crate::testing::{
    InMemoryConversation, agent, answer_handover, ask_handover, claim, close, create_ticket, customer, enter, guest,
    note, open, reply, send, set_ticket_status, write,
};

#[derive(Clone, Debug)]
struct Step {
    wish: Wish,
    /// Milliseconds that the clock moves before it, back too.
    clock: i64,
}

/// Those who own the conversation, and those who try; the last two share a name and an address, not the owner.
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
    (accounts, words(), policies()).prop_map(|(customer, words, policy)| write(customer, &words, policy))
}

fn words() -> impl Strategy<Value = String> {
    // A letter in front keeps trimming out of it.
    "x\\PC{0,140}y"
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => (customers(), words()).prop_map(|(customer, words)| open(customer, &words, "")),
        8 => (customers(), words()).prop_map(|(customer, words)| send(customer, &words)),
        8 => writes(),
        3 => agents().prop_map(claim),
        6 => (agents(), words()).prop_map(|(id, words)| reply(id, &words)),
        4 => (agents(), words()).prop_map(|(id, words)| note(id, &words)),
        // Rare, so that most histories are long.
        1 => prop::bool::weighted(0.3).prop_flat_map(|really| agents().prop_map(move |id| match really {
            true => close(id),
            false => claim(id),
        })),
    ]
}

/// What is asked of the state as it is then: handovers name the one that waits, or one that never was.
#[derive(Clone, Debug)]
enum Wish {
    Ask(Command),
    Answer { by: &'static str, accept: bool },
}

impl Wish {
    fn command(&self, story: &InMemoryConversation) -> Command {
        match self {
            Self::Ask(command) => command.clone(),
            Self::Answer { by, accept } => {
                let waiting = story.state.as_ref().and_then(|state| state.pending_handover.as_ref());
                let handover = waiting.map_or_else(|| HandoverId(uuid::Uuid::nil()), |handover| handover.id);
                answer_handover(by, handover, *accept)
            }
        }
    }
}

fn wishes() -> impl Strategy<Value = Wish> {
    let statuses = prop::sample::select(TicketStatus::ALL);
    prop_oneof![
        20 => commands().prop_map(Wish::Ask),
        5 => (agents(), agents()).prop_map(|(from, to)| Wish::Ask(ask_handover(from, to))),
        5 => (agents(), any::<bool>()).prop_map(|(by, accept)| Wish::Answer { by, accept }),
        1 => agents().prop_map(|by| Wish::Ask(create_ticket(by))),
        2 => (agents(), statuses).prop_map(|(by, status)| Wish::Ask(set_ticket_status(by, status))),
    ]
}

/// Someone opens the conversation, by either app; then anybody tries anything.
fn histories() -> impl Strategy<Value = Vec<Step>> {
    let opening = prop_oneof![
        (customers(), words()).prop_map(|(customer, words)| open(customer, &words, "")),
        Just(enter(customer("ada"))),
        writes(),
    ];
    let step = (wishes(), -5_000..10_000_i64).prop_map(|(wish, clock)| Step { wish, clock });
    (opening, prop::collection::vec(step, 0..60)).prop_map(|(opening, mut steps)| {
        steps.insert(0, Step { wish: Wish::Ask(opening), clock: 0 });
        steps
    })
}

/// Tells a history step by step; `look` sees the story before and after each step that was not refused.
fn tell(
    steps: &[Step],
    mut look: impl FnMut(&Step, &InMemoryConversation, &InMemoryConversation, &[Event]) -> Result<(), TestCaseError>,
) -> Result<InMemoryConversation, TestCaseError> {
    let mut story = InMemoryConversation::empty();
    for step in steps {
        story.move_clock(step.clock);
        let before = story.clone();
        match story.execute(&step.wish.command(&before)) {
            Ok(events) => look(step, &before, &story, &events)?,
            Err(_) => prop_assert_eq!((&story.state, &story.log), (&before.state, &before.log)),
        }
    }
    Ok(story)
}

/// What any customer could be shown of a conversation, in whatever answer or list.
fn visible(story: &InMemoryConversation) -> (Option<Conversation>, Vec<Event>) {
    let hidden =
        |state: Conversation| Conversation { version: 0, message_count: 0, last_event_at: state.updated_at, ..state };
    let is_note = |event: &Event| event.posted().is_some_and(|posted| posted.message.is_note());
    (story.state.clone().map(hidden), story.log.iter().filter(|event| !is_note(event)).cloned().collect())
}

proptest! {
    #[test]
    fn a_conversation_has_one_holder_at_most_and_changes_hands_by_a_claim_a_handover_or_being_opened_again_alone(steps in histories()) {
        tell(&steps, |_, before, after, events| {
            let holder = |story: &InMemoryConversation| story.state.as_ref().and_then(|state| state.assignee.clone());
            let claims: Vec<_> = events.iter().filter(|event| matches!(event.change, Change::Claimed(_))).collect();
            match (holder(before), holder(after)) {
                (None, Some(new)) => {
                    prop_assert_eq!(claims.len(), 1);
                    prop_assert_eq!(&claims[0].change, &Change::Claimed(agent(new.id.as_str())));
                    prop_assert_eq!(claims[0].at, new.since);
                }
                // Nobody takes it from them but whom they asked, and they do not take it twice.
                (Some(old), Some(new)) if old != new => {
                    prop_assert!(claims.is_empty());
                    let asked = before.conversation().pending_handover.clone().unwrap();
                    prop_assert_eq!((&asked.from.id, &asked.to.id), (&old.id, &new.id));
                    prop_assert_eq!(events[0].change.kind(), "handover_accepted");
                }
                (Some(_), None) => prop_assert_eq!(events[0].change.kind(), "reopened"),
                (old, new) => prop_assert!(old == new && claims.is_empty()),
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_visible_message_of_support_is_always_the_holders(steps in histories()) {
        tell(&steps, |_, _, after, events| {
            for message in events.iter().filter_map(Event::posted).map(|posted| posted.message) {
                if let (Author::Agent(author), false) = (&message.author, message.is_note()) {
                    prop_assert!(after.conversation().is_held_by(&author.id));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_handover_waits_in_an_open_conversation_that_the_asker_holds(steps in histories()) {
        tell(&steps, |_, _, after, _| {
            if let Some(handover) = &after.conversation().pending_handover {
                prop_assert!(after.conversation().status != Status::Closed);
                prop_assert!(after.conversation().is_held_by(&handover.from.id));
                prop_assert!(handover.from.id != handover.to.id);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_closed_conversation_takes_nothing_before_its_customer_opens_it_again_in_the_help_center(steps in histories()) {
        let story = tell(&steps, |step, before, _, events| {
            let was_closed = before.state.as_ref().is_some_and(|state| state.status == Status::Closed);
            let kinds: Vec<_> = events.iter().map(|event| event.change.kind()).collect();
            if matches!(step.wish, Wish::Ask(Command::WriteToHelpCenter(_))) {
                prop_assert_eq!(kinds[0] == "reopened", was_closed);
            } else {
                // The holder's claim succeeds, and is nothing; its ticket goes on.
                prop_assert!(!was_closed || kinds.iter().all(|kind| kind.starts_with("ticket_")));
            }
            Ok(())
        })?;
        let mut is_closed = false;
        for kind in story.log.iter().map(|event| event.change.kind()) {
            prop_assert!(!is_closed || kind == "reopened" || kind.starts_with("ticket_"));
            is_closed = kind == "closed" || is_closed && kind != "reopened";
        }
    }

    #[test]
    fn an_auto_reply_stands_behind_a_customers_message_that_nobody_holds_and_follows_nothing_else(steps in histories()) {
        tell(&steps, |step, _, after, events| {
            let is_auto = |event: &Event| {
                event.posted().is_some_and(|posted| matches!(posted.message.author, Author::AutoReply { .. }))
            };
            let Wish::Ask(Command::WriteToHelpCenter(post)) = &step.wish else {
                prop_assert!(!events.iter().any(is_auto));
                return Ok(());
            };
            let (last, before_it) = events.split_last().unwrap();
            prop_assert!(!before_it.iter().any(is_auto));
            prop_assert_eq!(after.conversation().last_message.as_ref().map(|message| message.is_from_user), Some(true));
            let is_held = after.conversation().assignee.is_some();
            let is_first = after.conversation().last_seq <= 2 && events.iter().filter_map(Event::posted).any(|it| it.message.is_opening());
            prop_assert_eq!(is_auto(last), match post.auto_reply.policy {
                AutoReplyPolicy::Unassigned => !is_held,
                AutoReplyPolicy::First => is_first,
                AutoReplyPolicy::Never => false,
            });
            Ok(())
        })?;
    }

    #[test]
    fn position_and_seq_have_no_gap(steps in histories()) {
        let story = tell(&steps, |_, _, _, _| Ok(()))?;
        let positions: Vec<i64> = story.log.iter().map(|event| event.position).collect();
        prop_assert_eq!(&positions, &(1..=story.log.len() as i64).collect::<Vec<_>>());
        let messages: Vec<_> = story.log.iter().filter_map(Event::posted).collect();
        let seqs: Vec<i64> = messages.iter().filter_map(|posted| posted.message.seq).collect();
        prop_assert_eq!(&seqs, &(1..=seqs.len() as i64).collect::<Vec<_>>());
        let state = story.conversation();
        let counts = (state.version, state.last_seq, state.message_count);
        prop_assert_eq!(counts, (positions.len() as i64, seqs.len() as i64, messages.len() as i64));
    }

    #[test]
    fn a_replayed_event_log_gives_the_same_state(steps in histories()) {
        let story = tell(&steps, |_, _, _, _| Ok(()))?;
        prop_assert_eq!(story.log.iter().fold(None, Conversation::apply), story.state);
    }

    #[test]
    fn a_note_changes_nothing_that_a_customer_can_see(steps in histories()) {
        tell(&steps, |step, before, after, _| {
            if matches!(step.wish, Wish::Ask(Command::Note(_))) {
                prop_assert_eq!(visible(before), visible(after));
                prop_assert_eq!(before.log.len() + 1, after.log.len());
            }
            Ok(())
        })?;
    }

    /// Stronger: had nobody written notes, the customers would have seen the very same — if the clock runs forwards;
    /// set back, a note's moment holds up what comes behind it.
    #[test]
    fn nobody_can_tell_whether_notes_were_written(steps in histories()) {
        let mut steps = steps;
        steps.iter_mut().for_each(|step| step.clock = step.clock.abs());
        let seen = |story: &InMemoryConversation| {
            let (state, events) = visible(story);
            // Ids are new each time, and a position counts notes: it is for agents.
            let state = state.map(|state| Conversation { id: ConversationId(uuid::Uuid::nil()), ..state });
            (state, events.into_iter().map(|event| (event.at, event.change)).collect::<Vec<_>>())
        };
        let with = tell(&steps, |_, _, _, _| Ok(()))?;
        steps.iter_mut().fold(0, |clock, step| {
            let is_note = matches!(step.wish, Wish::Ask(Command::Note(_)));
            step.clock += clock;
            if is_note { step.clock } else { 0 }
        });
        steps.retain(|step| !matches!(step.wish, Wish::Ask(Command::Note(_))));
        let without = tell(&steps, |_, _, _, _| Ok(()))?;
        prop_assert_eq!(seen(&with), seen(&without));
    }

    #[test]
    fn time_never_runs_backwards_in_a_history(steps in histories()) {
        let story = tell(&steps, |_, _, after, events| {
            prop_assert!(events.iter().all(|event| event.at >= after.now));
            Ok(())
        })?;
        prop_assert!(story.log.is_sorted_by_key(|event| event.at));
        let state = story.conversation();
        prop_assert!(state.created_at <= state.last_message_at && state.last_message_at <= state.updated_at);
        prop_assert_eq!(state.last_event_at, story.log.last().unwrap().at);
    }

    #[test]
    fn only_the_owner_writes_as_the_customer(steps in histories()) {
        let story = tell(&steps, |_, _, _, _| Ok(()))?;
        for posted in story.log.iter().filter_map(Event::posted) {
            if let Author::Customer(author) = posted.message.author {
                prop_assert_eq!(&author.owner, &story.conversation().owner);
            }
        }
    }
}
