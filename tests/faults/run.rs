//! One run from beginning to end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use switchboard_loadtest::checker::{self, Verdict};
use switchboard_testkit::{Backend, PostgresCluster};
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::deployment::Deployment;
use super::fault::Fault;
use super::final_read;
use super::listeners::Listeners;
use super::participants::{self, Participant};
use super::rest_client::RestClient;
use super::run_state::RunState;
use super::server::RestartableServer;

/// A run that takes longer hangs.
const RUN_TIMEOUT: Duration = Duration::from_secs(180);

/// Acknowledged messages that a run needs: one with hardly any proves nothing.
const MIN_MESSAGES: u64 = 8;

/// How long a run is extended at most until each of its faults has affected something.
const EXTENSION: Duration = Duration::from_secs(30);

/// Makes actors of a server built with its mutants panic sometimes.
pub(crate) const PANICKING: (&str, &str) = ("SWITCHBOARD_MUTANT", "panic");

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct FaultPlan {
    pub(crate) seed: u64,
    pub(crate) backend: Backend,
    pub(crate) faults: Vec<Fault>,
    /// How long participants act at least.
    pub(crate) milliseconds: u64,
    pub(crate) binary: PathBuf,
    /// Environment variables of the servers.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

impl FaultPlan {
    /// A plan for `SWITCHBOARD_BIN`, or else the binary built with the tests.
    pub(crate) fn new(backend: Backend, faults: &[Fault], seed: u64) -> Self {
        let binary = std::env::var_os("SWITCHBOARD_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_switchboard").into());
        let binary = PathBuf::from(binary);
        Self { seed, backend, faults: faults.to_vec(), milliseconds: 2500, binary, variables: Vec::new() }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// The result of a run.
pub(crate) struct RunReport {
    pub(crate) plan: FaultPlan,
    pub(crate) verdict: Verdict,
    pub(crate) anomalies: Vec<String>,
    /// Planned faults that have affected nothing.
    pub(crate) inactive_faults: Vec<Fault>,
    counts: BTreeMap<String, u32>,
    stages: String,
    logs: String,
}

impl RunReport {
    pub(crate) fn is_clean(&self) -> bool {
        self.verdict.is_clean() && self.anomalies.is_empty()
    }

    /// How often this outcome occurred.
    pub(crate) fn count(&self, outcome: &str) -> u32 {
        self.counts.get(outcome).copied().unwrap_or(0)
    }

    pub(crate) fn summary(&self) -> String {
        let FaultPlan { seed, backend, faults, .. } = &self.plan;
        let Verdict { calls, shown, stored, undecided, broken, .. } = self.verdict;
        format!(
            "FAULT_SEED={seed} {backend:?} {faults:?}: {calls} calls, {stored} messages stored, {shown} received, \
             {undecided} undecided, {broken} violations, {} anomalies, inactive faults {:?}; {};{}",
            self.anomalies.len(),
            self.inactive_faults,
            self.counts.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect::<Vec<_>>().join(", "),
            self.stages
        )
    }

    /// The summary, what was found, and the servers' logs.
    pub(crate) fn details(&self) -> String {
        let violations: String = self.verdict.violations.iter().take(5).map(ToString::to_string).collect();
        let anomalies = self.anomalies.iter().take(10).collect::<Vec<_>>();
        format!("{}\n{violations}{anomalies:#?}\n{}", self.summary(), self.logs)
    }

    /// Panics unless the run found nothing, enough was done, and every fault affected something.
    pub(crate) fn assert_clean(self) {
        eprintln!("{}", self.summary());
        assert!(self.is_clean(), "{}", self.details());
        assert!(self.inactive_faults.is_empty(), "{:?} affected nothing: {}", self.inactive_faults, self.details());
        assert!(self.verdict.stored >= MIN_MESSAGES, "hardly anything was done: {}", self.details());
    }
}

/// Runs a plan on the current thread.
pub(crate) fn run(plan: &FaultPlan, cluster: Option<&PostgresCluster>) -> RunReport {
    run_prepared(plan, cluster, async |_: &Deployment<'_>| {})
}

/// As [`run`]; `prepare` may change the database before participants act.
pub(crate) fn run_prepared(
    plan: &FaultPlan,
    cluster: Option<&PostgresCluster>,
    prepare: impl AsyncFn(&Deployment<'_>),
) -> RunReport {
    eprintln!("FAULT_SEED={} {:?} {:?} …", plan.seed, plan.backend, plan.faults);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Tasks that are still running at the end are dropped with it.
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let state = RunState::new(plan.seed, plan.variables.contains(&PANICKING));
        let run = async {
            let deployment = Deployment::start(&state, plan, cluster).await;
            prepare(&deployment).await;
            execute(deployment).await
        };
        // Pinned here, so that on a timeout the servers' logs are read before they are removed.
        let mut run = pin!(run);
        let report = tokio::time::timeout(RUN_TIMEOUT, &mut run).await;
        report.unwrap_or_else(|_| panic!("FAULT_SEED={} hangs:{}\n{}", plan.seed, state.stages(), state.logs()))
    })
}

async fn execute(deployment: Deployment<'_>) -> RunReport {
    let deployment = Rc::new(deployment);
    let state = Rc::clone(&deployment.state);
    let mut listeners = Listeners::default();
    act_under_faults(&deployment, &mut listeners).await;
    state.reach("acted");
    deployment.heal().await;
    state.reach("healed");
    listeners.follow_new(&deployment);
    deployment.synchronise_servers().await;
    final_read::settle(&state).await;
    state.reach("settled");
    let first = &deployment.servers[0];
    let readers: Vec<RestClient> =
        deployment.participants.iter().map(|participant| deployment.direct_client(participant, first)).collect();
    final_read::read_all(&state, &readers, readers.last().unwrap()).await;
    final_read::check_lists(&state, &readers).await;
    state.reach("read");
    // Sockets stay open until here, so that a late event is recorded.
    listeners.close();
    report(&deployment)
}

/// Has participants act while faults strike, until the plan's time is over and enough has happened.
async fn act_under_faults(deployment: &Rc<Deployment<'_>>, listeners: &mut Listeners) {
    let (state, plan) = (&deployment.state, &deployment.plan);
    let participants = deployment.participants.iter().map(|participant| act(deployment, participant));
    let faults = plan.faults.iter().map(|fault| fault.inject(Rc::clone(deployment)));
    let timer = async {
        tokio::time::sleep(Duration::from_millis(plan.milliseconds)).await;
        // On a slow machine hardly a call may succeed between two faults, or a fault may meet no connection: the run is
        // extended. Faults that have affected nothing in the end are reported.
        let deadline = Instant::now() + EXTENSION;
        while state.acknowledged() < MIN_MESSAGES
            || (!state.effects.missing(&plan.faults).is_empty() && Instant::now() < deadline)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        state.end();
    };
    tokio::select! {
        _ = async { tokio::join!(join_all(participants), join_all(faults), timer) } => {}
        () = Rc::clone(deployment).supervise() => {}
        () = listeners.follow(deployment) => {}
    }
}

async fn act(deployment: &Deployment<'_>, participant: &Participant) {
    let client = deployment.client(participant);
    if participant.is_agent {
        let agents =
            deployment.participants.iter().filter(|other| other.is_agent && other.person != participant.person);
        participants::act_as_agent(client, agents.map(|agent| agent.person).collect()).await;
    } else {
        participants::act_as_customer(client).await;
    }
}

fn report(deployment: &Deployment<'_>) -> RunReport {
    let state = &deployment.state;
    let verdict = checker::check(&state.history.borrow());
    // The server reserves the descriptors that it needs itself, however many clients connect.
    if state.logs().contains("Too many open files") {
        state.report_anomaly("the server ran out of descriptors");
    }
    let is_clean = verdict.is_clean() && state.anomalies.borrow().is_empty();
    let logs = if is_clean { String::new() } else { state.logs() };
    // Before their database is dropped, which they would log.
    deployment.servers.iter().for_each(RestartableServer::kill);
    RunReport {
        plan: deployment.plan.clone(),
        verdict,
        inactive_faults: state.effects.missing(&deployment.plan.faults),
        anomalies: state.anomalies.take(),
        counts: state.counts.take(),
        stages: state.stages(),
        logs,
    }
}
