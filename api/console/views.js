// What waits, what stopped, and what can be done about it. What somebody may not do has no button.
import { may, me } from "./api.js";
import { act, decide } from "./commands.js";
import { age, button, element, moment, section, table } from "./dom.js";
import { settings, versions } from "./settings.js";
import { language, t } from "./texts.js";

// `now` is the API's time; `load` shows everything anew; `kind` narrows the dead jobs.
export function sections(data, { now, load, kind, choose }) {
  const view = { data, now, load, kind, choose };
  const shown = [
    ["approvals", approvals], ["payouts", payouts], ["queues", queues], ["switches", switches], ["jobs", deadJobs], ["stuck", stuck],
    ["findings", findings], ["settings", settings], ["versions", versions], ["actions", actions],
  ];
  return shown.filter(([part]) => data[part]).map(([, make]) => make(view));
}

// Who may agree to what. Whoever asked does not agree himself, but may take it back.
const DECIDES = {
  "balances.adjust": "balances:approve", "wallets.replace_key": "wallets:approve", "prices.publish": "pricing:approve",
  "settings.change": "settings:approve",
};

function approvals({ data, load }) {
  const path = (row, word) => `approvals/${encodeURIComponent(row.id)}/${word}`;
  const decided = (row, word) => button(word, () => decide(load, path(row, word), "POST", {}, `${t(word)} ${row.kind} ${row.subject}`));
  const own = (row) => row.requested_by === `operator:${me()?.operator.id}`;
  const choices = (row) => {
    if (!may("approvals:decide") || !may(DECIDES[row.kind])) return null;
    return [!own(row) && decided(row, "approve"), decided(row, "reject")].filter(Boolean);
  };
  return section("approvals", table([
    ["kind", (row) => row.kind], ["subject", (row) => row.subject, "id"], ["request", (row) => JSON.stringify(row.request), "id"],
    ["reason", (row) => row.reason], ["asked", (row) => row.requested_name], ["since", (row) => moment(row.requested_at)],
    ["ends", (row) => moment(row.expires_at)], ["", choices],
  ], data.approvals.items, data.approvals.next_cursor));
}

function payouts({ data, now, load }) {
  const path = (row, word) => `operations/payouts/${encodeURIComponent(row.id)}/${word}`;
  const said = (row) => `${row.amount.amount} ${row.amount.asset}`;
  const decided = (row, word) => button(word, () => decide(load, path(row, word), "POST", {}, `${t(word)} ${said(row)} ${row.to}`));
  const own = (row) => row.requested_by === `operator:${me()?.operator.id}`;
  const choices = (row) => may("payouts:approve") && [!own(row) && decided(row, "approve"), decided(row, "reject")].filter(Boolean);
  return section("payouts", table([
    ["value", said], ["to", (row) => row.to, "id"], ["user", (row) => row.user_id], ["asked", (row) => row.requested_by, "id"],
    ["since", (row) => age(row.created_at, now)], ["", choices],
  ], data.payouts.items, data.payouts.next_cursor));
}

function queues({ data, load }) {
  const kinds = data.queues.queues.flatMap((queue) => queue.kinds.map((row, n) => ({ ...row, of: n ? null : queue })));
  const name = ({ of }) => (of?.paused ? `${of.queue} · ${t("paused")}: ${of.paused_reason} (${of.paused_by})` : of?.queue);
  const turn = ({ queue, paused }) => {
    const word = paused ? "resume" : "pause";
    const path = `operations/queues/${encodeURIComponent(queue)}`;
    return button(word, () => decide(load, path, "PUT", { paused: !paused }, `${t(word)} ${queue}`));
  };
  return section("queues", table([
    ["queue", name, (row) => (row.of?.paused ? "warning" : "")], ["kind", (row) => row.kind], ["due", (row) => row.due || null],
    ["oldest", (row) => (row.due ? `${row.oldest_due_s} s` : null)], ["running", (row) => row.running || null],
    ["later", (row) => row.later || null], ["deadCount", (row) => row.dead || null, "dead"],
    ["", (row) => row.of && may("jobs:pause") && turn(row.of)],
  ], kinds));
}

function switches({ data, now, load }) {
  const toggle = ({ name, enabled }) => {
    const word = enabled ? "allow" : "stop";
    const path = `operations/switches/${encodeURIComponent(name)}`;
    return button(word, () => decide(load, path, "PUT", { enabled: !enabled }, `${t(word)} ${name}`));
  };
  return section("switches", table([
    ["name", (row) => row.name], ["state", (row) => (row.enabled ? t("stopped") : t("active")), (row) => (row.enabled ? "warning" : "")],
    ["since", (row) => row.updated_at && age(row.updated_at, now)], ["who", (row) => row.actor, "id"], ["reason", (row) => row.reason],
    ["", (row) => may("maintenance:manage") && toggle(row)],
  ], data.switches.items));
}

function deadJobs({ data, now, load, kind, choose }) {
  const some = { all: true, kind: kind || undefined };
  const choice = element("select", undefined, { onchange: (event) => choose(event.target) });
  choice.setAttribute("aria-label", t("kind"));
  const all = data.queues?.queues ?? [];
  const kinds = all.flatMap((queue) => queue.kinds).filter((row) => row.dead || row.kind === kind);
  choice.append(new Option(t("all"), ""), ...kinds.map((row) => new Option(`${row.kind} (${row.dead})`, row.kind, false, row.kind === kind)));
  const one = (job) => ({ kind: job.kind, object_id: job.object_id });
  const redrive = (body, name) => button(name, () => act(load, "operations/jobs/redrive", body, t(name)));
  const drop = (body, name) => button(name, () => act(load, "operations/jobs/drop", body, t(name), true));
  return section("dead", table([
    ["kind", (job) => job.kind], ["object", (job) => job.object_id, "id"], ["since", (job) => age(job.since, now)],
    ["runs", (job) => job.runs], ["why", (job) => [job.code, job.error].filter(Boolean).join(": ")],
    ["", (job) => [may("jobs:redrive") && redrive(one(job), "redrive"), may("jobs:drop") && drop(one(job), "drop")].filter(Boolean)],
  ], data.jobs.items, data.jobs.next_cursor), choice,
  may("jobs:redrive") && redrive(some, "redriveAll"), may("jobs:drop") && drop(some, "dropAll"));
}

function stuck({ data, now, load }) {
  const redrive = (body, name) => button(name, () => act(load, "operations/stuck/redrive", body, t(name)));
  return section("stuck", table([
    ["kind", (row) => row.kind], ["object", (row) => row.object_id, "id"], ["state", (row) => row.state],
    ["since", (row) => age(row.since, now)], ["why", (row) => row.reason],
    ["job", (row) => row.job && [row.job, row.job_state, row.job_code].filter(Boolean).join(" "), (row) => row.job_state || ""],
    ["todo", (row) => (language === "zh" ? row.action_zh : row.action)],
    ["", (row) => row.job && may("jobs:redrive") && redrive({ kind: row.kind, object_id: row.object_id }, "redrive")],
  ], data.stuck.items, data.stuck.next_cursor), may("jobs:redrive") && redrive({ all: true }, "redriveAll"));
}

function findings({ data, now, load }) {
  const path = (finding) => `operations/findings/${encodeURIComponent(finding.id)}/resolve`;
  const resolve = (finding) => button("resolve", () => act(load, path(finding), {}, t("resolve"), true));
  return section("findings", table([
    ["severity", (row) => row.severity, (row) => row.severity], ["kind", (row) => row.kind], ["subject", (row) => row.subject, "id"],
    ["since", (row) => age(row.first_seen_at, now)], ["seen", (row) => row.times_seen], ["detail", (row) => JSON.stringify(row.detail), "id"],
    ["todo", (row) => (language === "zh" && row.action_zh) || row.action], ["", (row) => may("findings:resolve") && resolve(row)],
  ], data.findings.items, data.findings.next_cursor));
}

function actions({ data, now }) {
  return section("actions", table([
    ["since", (row) => age(row.at, now)], ["who", (row) => row.actor_name], ["action", (row) => row.action],
    ["count", (row) => `${row.affected} / ${row.matched}`], ["object", (row) => row.objects.slice(0, 3).map((o) => o.object_id).join(" "), "id"],
    ["reason", (row) => row.reason],
  ], data.actions.items));
}
