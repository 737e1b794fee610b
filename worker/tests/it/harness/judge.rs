//! Every flow ends before the judge: the same that operators have, over the whole chain, with nothing left open.

use domain::reconcile;
use kernel::{Clock, RandomIds};
use switchyard_worker::audit::{self, AuditScope};

use super::Rig;

impl Rig {
    /// Lets everything come to an end, then judges.
    pub(crate) async fn judge(mut self) {
        self.devnet.clear_faults();
        self.quiesce().await;
        let complaints = self.complaints().await;
        self.judged = true;
        assert!(complaints.is_empty(), "{complaints:#?}\n{}", self.report().await);
    }

    /// Ends a flow that cannot be right, once the test has looked at what is wrong.
    pub(crate) fn condemn(mut self) {
        self.judged = true;
    }

    /// All that is wrong. The proofs that run in production are run before, and what they find is a complaint, too.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let (_, proved) = reconcile::run(&self.owner, &RandomIds, self.clock.now()).await;
        proved.unwrap();
        let node = self.node();
        let report = audit::run(&self.owner, &[&node], &self.scope(), self.clock.now())
            .await
            .unwrap();
        assert_eq!(report.left_out, 0);
        report.complaints.iter().map(ToString::to_string).collect()
    }

    fn scope(&self) -> AuditScope {
        let expected = self.expected_findings.lock().unwrap();
        AuditScope {
            expected_findings: expected.iter().map(ToString::to_string).collect(),
            expected_strangers: self.foreign.lock().unwrap().clone(),
            ..AuditScope::everything()
        }
    }

    /// The test sent this transaction itself.
    pub(crate) fn note_foreign(&self, txid: String) {
        self.foreign.lock().unwrap().insert(txid);
    }
}
