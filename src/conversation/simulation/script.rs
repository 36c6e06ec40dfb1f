//! What happens from outside in a simulated run: who does what and when, and which faults there are.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// A fault that a run may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A commit takes effect and is reported failed.
    LostAnswers,
    /// A commit fails.
    FailedCommits,
    /// A commit is reported failed and takes effect later.
    LateCommits,
    /// A read fails.
    FailedReads,
    /// Reads, commits and the network are slow at times.
    Slowness,
    /// The journal's queue is full.
    FullQueues,
    /// Callers give up early.
    ImpatientCallers,
    /// Servers crash and start again.
    Crashes,
    /// A server without actor and subscribers forgets its watermark.
    Evictions,
}

impl Fault {
    pub(super) const ALL: [Self; 9] = [
        Self::LostAnswers,
        Self::FailedCommits,
        Self::LateCommits,
        Self::FailedReads,
        Self::Slowness,
        Self::FullQueues,
        Self::ImpatientCallers,
        Self::Crashes,
        Self::Evictions,
    ];
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The customer's first message.
    Open,
    /// The customer's further message; twice at the same time, on two servers, if `is_doubled`.
    Send {
        /// See above.
        is_doubled: bool,
    },
    /// By this agent.
    Reply(usize),
    /// By this agent.
    Note(usize),
    /// By this agent.
    Claim(usize),
    /// By this agent.
    Close(usize),
    /// By the customer.
    Rate,
    /// From one agent to another.
    RequestHandover(usize, usize),
    /// The agent who was asked last accepts or rejects.
    AnswerHandover {
        /// Accepts.
        accepts: bool,
    },
    /// This listener joins or reconnects.
    Subscribe(usize),
    /// This listener's connection is cut.
    Disconnect(usize),
    /// The server stops at once and starts again.
    Crash,
    /// The server forgets its watermark, if it may.
    Evict,
    /// The server needs the machine's place for another conversation.
    MakeRoom,
}

/// One thing that happens from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Microseconds since the step before.
    pub(super) pause: u64,
    /// Where it happens.
    pub(super) server: usize,
    pub(super) action: Action,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// Decides everything that the script leaves open: delays, and where a fault strikes.
    pub(super) seed: u64,
    pub(super) servers: usize,
    pub(super) agents: usize,
    /// The even ones are the customer's, the others agents'.
    pub(super) listeners: usize,
    pub(super) faults: Vec<Fault>,
    /// Unused for so many microseconds, a machine stops.
    pub(super) passivate_after: u64,
    /// With [`Fault::Slowness`], one in so many reads, commits and requests is slow.
    pub(super) slow_one_in: u32,
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// The script of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (servers, agents, listeners) = (rng.random_range(1..4), rng.random_range(2..4), rng.random_range(1..5));
        let faults = Fault::ALL.into_iter().filter(|_| rng.random_ratio(2, 5)).collect();
        let length = rng.random_range(8..60);
        // In a storm agents claim and answer within microseconds of each other.
        let is_storm = rng.random_ratio(1, 4);
        let mut script = Self {
            seed,
            servers,
            agents,
            listeners,
            faults,
            passivate_after: *pick(rng, &[3_000, 30_000, 300_000, 60_000_000]),
            slow_one_in: *pick(rng, &[2, 4, 10]),
            steps: vec![Step { pause: 0, server: 0, action: Action::Open }],
        };
        for _ in 0..length {
            // Mostly at nearly the same time; now and then there is a long pause.
            let pause = match (rng.random_ratio(1, 12), is_storm) {
                (true, _) => rng.random_range(0..400_000),
                (false, true) => rng.random_range(0..300),
                (false, false) => rng.random_range(0..2_500),
            };
            let action = if is_storm && rng.random_ratio(1, 2) { script.contest(rng) } else { script.action(rng) };
            let server = rng.random_range(0..servers);
            script.steps.push(Step { pause, server, action });
        }
        script.add_pressure();
        script
    }

    /// In one of eight runs, other conversations need the machines' places, mostly right after they were used. Decided by
    /// a generator of its own: the other steps of a seed stay as they are.
    fn add_pressure(&mut self) {
        let rng = &mut StdRng::seed_from_u64(self.seed ^ 0x524f_4f4d);
        if !rng.random_ratio(1, 8) {
            return;
        }
        for at in (1..=self.steps.len()).rev() {
            if rng.random_ratio(1, 3) {
                let (pause, server) = (rng.random_range(0..3_000), rng.random_range(0..self.servers));
                self.steps.insert(at, Step { pause, server, action: Action::MakeRoom });
            }
        }
    }

    /// Something that the state often forbids.
    fn contest(&self, rng: &mut StdRng) -> Action {
        let agent = rng.random_range(0..self.agents);
        match rng.random_range(0..10) {
            0..4 => Action::Claim(agent),
            4 => Action::Reply(agent),
            5..8 => Action::Rate,
            8 => Action::RequestHandover(agent, (agent + 1) % self.agents),
            _ => Action::AnswerHandover { accepts: true },
        }
    }

    fn action(&self, rng: &mut StdRng) -> Action {
        let agent = rng.random_range(0..self.agents);
        let other = (agent + rng.random_range(1..self.agents)) % self.agents;
        let listener = rng.random_range(0..self.listeners);
        match rng.random_range(0..100) {
            0..26 => Action::Send { is_doubled: rng.random_ratio(1, 5) },
            26..40 => Action::Reply(agent),
            40..46 => Action::Note(agent),
            46..60 => Action::Claim(agent),
            60..63 => Action::Close(agent),
            63..70 => Action::Rate,
            70..75 => Action::RequestHandover(agent, other),
            75..80 => Action::AnswerHandover { accepts: rng.random_ratio(1, 2) },
            80..92 => Action::Subscribe(listener),
            92..95 => Action::Disconnect(listener),
            95..98 => Action::Crash,
            _ => Action::Evict,
        }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

fn pick<'a, T>(rng: &mut StdRng, of: &'a [T]) -> &'a T {
    &of[rng.random_range(0..of.len())]
}
