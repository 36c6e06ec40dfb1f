//! Makes a failing script smaller, as long as it fails.

use super::script::{Script, Step};
use super::{Defects, run};

/// A script that fails and from which nothing can be left out without it passing.
pub(super) fn shrink(mut script: Script, defects: Defects) -> Script {
    let fails = |script: &Script| !run(script, defects, false).failures.is_empty();
    loop {
        let smaller = without_steps(&script, &fails)
            .or_else(|| without_faults(&script, &fails))
            .or_else(|| with_one_server_less(&script, &fails));
        match smaller {
            Some(smaller) => script = smaller,
            None => return script,
        }
    }
}

/// Leaves out as many steps in a row as possible; the first one opens the conversation.
fn without_steps(script: &Script, fails: &impl Fn(&Script) -> bool) -> Option<Script> {
    let mut length = script.steps.len() / 2;
    while length > 0 {
        for from in (1..script.steps.len()).step_by(length) {
            let kept = |(number, _): &(usize, &Step)| !(from..from + length).contains(number);
            let steps = script.steps.iter().enumerate().filter(kept).map(|(_, step)| *step).collect();
            let smaller = Script { steps, ..script.clone() };
            if smaller.steps.len() < script.steps.len() && fails(&smaller) {
                return Some(smaller);
            }
        }
        length /= 2;
    }
    None
}

fn without_faults(script: &Script, fails: &impl Fn(&Script) -> bool) -> Option<Script> {
    script.faults.iter().find_map(|left_out| {
        let faults = script.faults.iter().filter(|fault| *fault != left_out).copied().collect();
        let smaller = Script { faults, ..script.clone() };
        fails(&smaller).then_some(smaller)
    })
}

fn with_one_server_less(script: &Script, fails: &impl Fn(&Script) -> bool) -> Option<Script> {
    let servers = script.servers.checked_sub(1).filter(|servers| *servers > 0)?;
    let steps = script.steps.iter().map(|step| Step { server: step.server % servers, ..*step }).collect();
    let smaller = Script { servers, steps, ..script.clone() };
    fails(&smaller).then_some(smaller)
}
