//! The load test recognises every refusal of the server by its code.

use switchboard::api_error::ApiError;
use switchboard::domain::{Refusal, TicketNumber};
use switchboard_loadtest::history::{Action, Call, Person, RefusalKind};

const HANDOVER: Action = Action::Handover(Person(0));
const RESPOND: Action = Action::Respond { handover: Call(0), accept: true };
const AGENT_WRITES: [Action; 2] = [Action::Reply, Action::Note];

/// What the load test must take a refusal for, and the actions that can meet it. The match has no catch-all arm, so that
/// a new refusal has to be considered here.
fn intended(refusal: &Refusal) -> (RefusalKind, Vec<Action>) {
    use RefusalKind::{AlreadyRated, Closed, HandoverPending, HandoverResolved, HeldByAnother, NotClosed, Other};
    match refusal {
        Refusal::SendToClosed => (Closed, vec![Action::Send]),
        Refusal::ClaimClosed => (Closed, vec![Action::Claim]),
        Refusal::ReplyToClosed => (Closed, AGENT_WRITES.to_vec()),
        Refusal::AlreadyClosed => (Closed, vec![Action::Close]),
        Refusal::TransferClosed => (Closed, vec![HANDOVER]),
        Refusal::ClaimedByAnother => (HeldByAnother, vec![Action::Claim]),
        Refusal::AssignedToAnother => (HeldByAnother, AGENT_WRITES.to_vec()),
        Refusal::TransferNotAssignee => (HeldByAnother, vec![HANDOVER]),
        Refusal::RateOpen => (NotClosed, vec![Action::Rate]),
        Refusal::AlreadyRated => (AlreadyRated, vec![Action::Rate]),
        Refusal::TransferPending => (HandoverPending, vec![HANDOVER]),
        Refusal::HandoverResolved => (HandoverResolved, vec![RESPOND]),
        Refusal::HandoverNotTarget | Refusal::HandoverNotFound => (Other, vec![RESPOND]),
        Refusal::TransferToSelf | Refusal::TransferTargetUnknown => (Other, vec![HANDOVER]),
        Refusal::NotFound => (Other, vec![Action::Send, Action::Reply, Action::Claim, HANDOVER, Action::Rate]),
        Refusal::AccessDenied | Refusal::EmailMismatch | Refusal::ClientMessageIdReused => (Other, vec![Action::Send]),
        Refusal::RateNotOwn => (Other, vec![Action::Rate]),
        // The load test does not ask for these.
        Refusal::GuestTokenInvalid
        | Refusal::HandoverNotRequester
        | Refusal::ReleaseNotAssignee
        | Refusal::ReleaseClosed
        | Refusal::TakeOverClosed
        | Refusal::HolderPresent
        | Refusal::AssignClosed
        | Refusal::NotClosed => (Other, vec![]),
        // The load test asks nothing of tickets.
        Refusal::TicketExists(_)
        | Refusal::TicketHeldByAnother
        | Refusal::TicketOfClosed
        | Refusal::TicketNotFound
        | Refusal::AssigneeUnknown
        | Refusal::TicketEmailMismatch
        | Refusal::TicketDone
        | Refusal::TicketRateNotOwn
        | Refusal::TicketAlreadyRated
        | Refusal::TicketRateOpen => (Other, vec![]),
    }
}

#[test]
fn the_load_test_recognises_every_refusal_by_its_code() {
    let all = [
        Refusal::NotFound,
        Refusal::AccessDenied,
        Refusal::EmailMismatch,
        Refusal::SendToClosed,
        Refusal::ClaimedByAnother,
        Refusal::ClaimClosed,
        Refusal::AssignedToAnother,
        Refusal::ReplyToClosed,
        Refusal::AlreadyClosed,
        Refusal::RateNotOwn,
        Refusal::AlreadyRated,
        Refusal::RateOpen,
        Refusal::TransferClosed,
        Refusal::TransferNotAssignee,
        Refusal::TransferToSelf,
        Refusal::TransferTargetUnknown,
        Refusal::TransferPending,
        Refusal::HandoverNotFound,
        Refusal::HandoverResolved,
        Refusal::HandoverNotTarget,
        Refusal::HandoverNotRequester,
        Refusal::ReleaseNotAssignee,
        Refusal::ReleaseClosed,
        Refusal::TakeOverClosed,
        Refusal::HolderPresent,
        Refusal::AssignClosed,
        Refusal::NotClosed,
        Refusal::TicketHeldByAnother,
        Refusal::TicketOfClosed,
        Refusal::TicketExists(TicketNumber::pending()),
        Refusal::TicketNotFound,
        Refusal::AssigneeUnknown,
        Refusal::TicketEmailMismatch,
        Refusal::TicketDone,
        Refusal::TicketRateNotOwn,
        Refusal::TicketAlreadyRated,
        Refusal::TicketRateOpen,
        Refusal::ClientMessageIdReused,
    ];
    for refusal in all {
        let (kind, actions) = intended(&refusal);
        let code = ApiError::from(refusal.clone()).code.as_str();
        for action in actions {
            assert_eq!(RefusalKind::from_code(code, action), kind, "{refusal:?} of {action:?} has the code {code}");
        }
    }
}
