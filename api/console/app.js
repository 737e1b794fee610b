// The operators' page. It holds no data of its own: everything comes from the API with the key that was given, or in the name
// of the operator who signed in, and is shown as text. A key stays in this tab; of a sign-in only the token that refreshes it, which
// is good once.
"use strict";

const TEXTS = {
  en: {
    other: "中文", leave: "Sign out", enter: "or an API key with operations:read", open: "Open",
    email: "E-mail", password: "Password", code: "Code of the second factor", signIn: "Sign in",
    first: "First choose a password of your own and set up a second factor (docs/API.md).",
    approvals: "Waiting for a second operator", asked: "Asked by", request: "What", approve: "Approve", reject: "Reject",
    pause: "Pause", resume: "Resume", paused: "Paused",
    queues: "Queues", dead: "Dead jobs", stuck: "Stuck objects", findings: "Open findings", actions: "Done by hand",
    queue: "Queue", kind: "Kind", due: "Due", oldest: "Oldest", running: "Running", later: "Later", deadCount: "Dead",
    object: "Object", since: "Since", runs: "Runs", why: "Why", state: "State", job: "Its job", todo: "What to do",
    severity: "Severity", subject: "About", seen: "Seen", detail: "Detail", who: "Who", action: "Action",
    changed: "Changed", reason: "Reason", none: "None.", all: "all kinds", more: "There are more; these come first.",
    redrive: "Re-drive", drop: "Drop", resolve: "Resolve", redriveAll: "Re-drive all", dropAll: "Drop all",
    askAll: (what, n) => `${what}: ${n}?`, askReason: (what) => `${what}: why?`, nothing: "Nothing fits.",
    did: (what, n) => `${what}: ${n}`, updated: (time) => `As of ${time}`, offline: "The API does not answer.",
  },
  zh: {
    other: "English", leave: "退出", enter: "或使用具有 operations:read 权限的 API 密钥", open: "打开",
    email: "邮箱", password: "密码", code: "二次验证码", signIn: "登录",
    first: "请先设置自己的密码并启用二次验证（见 docs/API.md）。",
    approvals: "等待复核", asked: "申请人", request: "内容", approve: "批准", reject: "拒绝",
    pause: "暂停", resume: "恢复", paused: "已暂停",
    queues: "队列", dead: "死信任务", stuck: "卡住的对象", findings: "未解决的异常", actions: "人工操作记录",
    queue: "队列", kind: "类型", due: "待执行", oldest: "最久等待", running: "执行中", later: "稍后", deadCount: "死信",
    object: "对象", since: "已持续", runs: "次数", why: "原因", state: "状态", job: "对应任务", todo: "处理办法",
    severity: "级别", subject: "对象", seen: "次数", detail: "详情", who: "操作人", action: "操作",
    changed: "数量", reason: "理由", none: "没有。", all: "所有类型", more: "还有更多，先显示这些。",
    redrive: "重新执行", drop: "丢弃", resolve: "标记已解决", redriveAll: "全部重新执行", dropAll: "全部丢弃",
    askAll: (what, n) => `${what}：${n} 个？`, askReason: (what) => `${what}：请填写理由`, nothing: "没有符合的对象。",
    did: (what, n) => `${what}：${n}`, updated: (time) => `更新于 ${time}`, offline: "接口没有响应。",
  },
};

const $ = (id) => document.getElementById(id);
const POLL_MS = 10000;
let language = (navigator.language || "en").startsWith("zh") ? "zh" : "en";
let key = sessionStorage.getItem("key") || "";
let refresh = sessionStorage.getItem("refresh") || "";
let refreshing = null;
let kind = "";
let data = null;
let round = 0;
const t = (name) => TEXTS[language][name];

function element(tag, text, properties) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function say(text, bad) {
  $("said").textContent = text;
  $("said").className = bad ? "bad" : "";
}

// What came of a request: the answer, or why not.
async function send(path, method, headers, body) {
  const request = { headers, method, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit" };
  const response = await fetch(`../api/${path}`, request);
  const answer = response.status === 204 ? {} : await response.json();
  return { response, answer };
}

function refused({ response, answer }) {
  const title = language === "zh" ? answer.title_zh : answer.title;
  const details = [answer.detail, ...(answer.errors || []).map((error) => error.detail)].filter(Boolean);
  return Object.assign(new Error([title, ...details].join(" — ")), { code: answer.code, status: response.status });
}

// Of many requests that find the token over, one asks for the next.
function renewed() {
  refreshing ||= send("auth/refresh", "POST", { "Content-Type": "application/json" }, { refresh_token: refresh })
    .then((sent) => { if (!sent.response.ok) throw refused(sent); signedIn(sent.answer); })
    .finally(() => { refreshing = null; });
  return refreshing;
}

function signedIn(answer) {
  key = answer.access_token;
  refresh = answer.refresh_token;
  sessionStorage.setItem("refresh", refresh);
}

async function ask(path, body, method = body ? "POST" : "GET", again = false) {
  if (!key && refresh) {
    await renewed().catch((error) => { if (error.status === 401) forget(); throw error; });
  }
  const headers = { Authorization: `Bearer ${key}` };
  if (body) {
    const random = crypto.getRandomValues(new Uint8Array(16));
    headers["Content-Type"] = "application/json";
    headers["Idempotency-Key"] = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const used = key;
  const sent = await send(`operations/${path}`, method, headers, body);
  if (sent.response.ok) return sent.answer;
  if (sent.response.status === 401 && refresh && !again) {
    if (key === used) key = ""; // it is over: the next one is asked for
    return ask(path, body, method, true);
  }
  if (sent.response.status === 401) forget();
  throw refused(sent);
}

// What may not be seen is left out.
const seen = (asked) => asked.catch((error) => { if (error.status === 403) return null; throw error; });

function forget() {
  key = refresh = "";
  data = null;
  sessionStorage.removeItem("key");
  sessionStorage.removeItem("refresh");
  show();
}

// A later round must not be overtaken by an earlier one that was slow.
async function load() {
  const mine = ++round;
  if (!key && !refresh) return;
  const of = kind ? `&kind=${encodeURIComponent(kind)}` : "";
  try {
    const [queues, jobs, stuck, findings, actions, approvals] = await Promise.all([
      ask("queues"), ask(`jobs?state=dead&limit=50${of}`), ask("stuck?limit=50"), seen(ask("findings?limit=50")),
      seen(ask("actions?limit=10")), seen(ask("../approvals?state=open&limit=50")),
    ]);
    if (mine !== round || !key) return;
    data = { queues, jobs, stuck, findings, actions, approvals };
    if (!refresh) sessionStorage.setItem("key", key);
    say(t("updated")(new Date(queues.at).toLocaleTimeString()));
    if (document.activeElement?.tagName !== "SELECT") show(); // somebody is choosing
  } catch (error) {
    if (mine === round) say(error instanceof TypeError ? t("offline") : error.message, true);
  }
}

// Goes on until everything that fitted at first is done.
async function act(path, body, what, wantsReason) {
  let question = what;
  try {
    if (body.all) {
      const { matched } = await ask(path, { ...body, reason: wantsReason ? "count" : undefined, dry_run: true });
      if (!matched) return say(t("nothing"));
      if (!wantsReason && !confirm(t("askAll")(what, matched))) return;
      question = t("did")(what, matched);
    }
    const reason = wantsReason ? (prompt(t("askReason")(question)) || "").trim() : undefined;
    if (wantsReason && !reason) return;
    let answer = await ask(path, { ...body, reason });
    const { matched } = answer;
    let affected = answer.affected ?? 1;
    while (answer.remaining > 0 && answer.affected > 0 && affected < matched) {
      answer = await ask(path, { ...body, reason });
      affected += answer.affected;
    }
    await load();
    say(t("did")(what, affected));
  } catch (error) {
    say(error instanceof TypeError ? t("offline") : error.message, true);
  }
}

// One thing, for a reason.
async function decide(path, body, what, method) {
  const reason = (prompt(t("askReason")(what)) || "").trim();
  if (!reason) return;
  try {
    await ask(path, { ...body, reason }, method);
    await load();
    say(what);
  } catch (error) {
    say(error instanceof TypeError ? t("offline") : error.message, true);
  }
}

function age(at) {
  const seconds = Math.max(0, (Date.parse(data.queues.at) - Date.parse(at)) / 1000);
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => seconds >= size) || [1, "s"];
  return element("time", `${Math.floor(seconds / size)} ${unit}`, { dateTime: at, title: at });
}

function button(name, act) {
  return element("button", t(name), { type: "button", onclick: act });
}

function table(columns, rows, more) {
  if (!rows.length) return element("p", t("none"), { className: "none" });
  const made = element("table");
  const head = made.createTHead().insertRow();
  for (const [name] of columns) head.append(element("th", name && t(name)));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const [name, cell, style] of columns) {
      const value = cell(row);
      const made = element("td", undefined, { className: typeof style === "function" ? style(row) : style || "" });
      made.dataset.label = name && t(name);
      made.append(...(Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]));
      line.append(made);
    }
  }
  const wrapped = document.createDocumentFragment();
  wrapped.append(made, more ? element("p", t("more"), { className: "none" }) : "");
  return wrapped;
}

function section(name, content, ...tools) {
  const made = element("section");
  const bar = element("div");
  bar.append(element("h2", t(name)), ...tools);
  made.append(bar, content);
  return made;
}

function queues() {
  const kinds = data.queues.queues.flatMap((queue) => queue.kinds.map((row, n) => ({ ...row, queue: queue.queue, of: n ? null : queue })));
  const name = ({ of }) => (of?.paused ? [of.queue, " · ", t("paused"), ": ", of.paused_reason].join("") : of?.queue);
  const turn = ({ of }) => {
    const [what, paused] = of.paused ? ["resume", false] : ["pause", true];
    return button(what, () => decide(`queues/${of.queue}`, { paused }, t(what), "PUT"));
  };
  return section("queues", table([
    ["queue", name, (row) => (row.of?.paused ? "warning" : "")], ["kind", (row) => row.kind], ["due", (row) => row.due || null],
    ["oldest", (row) => (row.due ? `${row.oldest_due_s} s` : null)], ["running", (row) => row.running || null],
    ["later", (row) => row.later || null], ["deadCount", (row) => row.dead || null, "dead"], ["", (row) => row.of && turn(row)],
  ], kinds));
}

function deadJobs() {
  const some = { all: true, kind: kind || undefined };
  const choice = element("select", undefined, { onchange: (event) => { kind = event.target.value; event.target.blur(); load(); } });
  const kinds = data.queues.queues.flatMap((queue) => queue.kinds).filter((row) => row.dead || row.kind === kind);
  choice.append(new Option(t("all"), ""), ...kinds.map((row) => new Option(`${row.kind} (${row.dead})`, row.kind, false, row.kind === kind)));
  const one = (job) => ({ kind: job.kind, object_id: job.object_id });
  return section("dead", table([
    ["kind", (job) => job.kind], ["object", (job) => job.object_id, "id"], ["since", (job) => age(job.since)],
    ["runs", (job) => job.runs], ["why", (job) => [job.code, job.error].filter(Boolean).join(": ")],
    ["", (job) => [
      button("redrive", () => act("jobs/redrive", one(job), t("redrive"))),
      button("drop", () => act("jobs/drop", one(job), t("drop"), true)),
    ]],
  ], data.jobs.items, data.jobs.next_cursor), choice,
  button("redriveAll", () => act("jobs/redrive", some, t("redriveAll"))),
  button("dropAll", () => act("jobs/drop", some, t("dropAll"), true)));
}

function stuck() {
  return section("stuck", table([
    ["kind", (row) => row.kind], ["object", (row) => row.object_id, "id"], ["state", (row) => row.state],
    ["since", (row) => age(row.since)], ["why", (row) => row.reason],
    ["job", (row) => row.job && [row.job, row.job_state, row.job_code].filter(Boolean).join(" "), (row) => row.job_state || ""],
    ["todo", (row) => (language === "zh" ? row.action_zh : row.action)],
    ["", (row) => row.job && button("redrive", () => act("stuck/redrive", { kind: row.kind, object_id: row.object_id }, t("redrive")))],
  ], data.stuck.items, data.stuck.next_cursor), button("redriveAll", () => act("stuck/redrive", { all: true }, t("redriveAll"))));
}

function findings() {
  const resolve = (finding) => act(`findings/${encodeURIComponent(finding.id)}/resolve`, {}, t("resolve"), true);
  return section("findings", table([
    ["severity", (row) => row.severity, (row) => row.severity], ["kind", (row) => row.kind], ["subject", (row) => row.subject, "id"],
    ["since", (row) => age(row.first_seen_at)], ["seen", (row) => row.times_seen], ["detail", (row) => JSON.stringify(row.detail), "id"],
    ["todo", (row) => row.action], ["", (row) => button("resolve", () => resolve(row))],
  ], data.findings.items, data.findings.next_cursor));
}

function approvals() {
  const decided = (row, word) => decide(`../approvals/${encodeURIComponent(row.id)}/${word}`, {}, t(word));
  return section("approvals", table([
    ["kind", (row) => row.kind], ["subject", (row) => row.subject, "id"], ["request", (row) => JSON.stringify(row.request), "id"],
    ["reason", (row) => row.reason], ["asked", (row) => row.requested_name], ["since", (row) => age(row.requested_at)],
    ["", (row) => [button("approve", () => decided(row, "approve")), button("reject", () => decided(row, "reject"))]],
  ], data.approvals.items, data.approvals.next_cursor));
}

function actions() {
  return section("actions", table([
    ["since", (row) => age(row.at)], ["who", (row) => row.actor_name], ["action", (row) => row.action],
    ["changed", (row) => `${row.affected} / ${row.matched}`], ["object", (row) => row.objects.slice(0, 3).map((o) => o.object_id).join(" "), "id"],
    ["reason", (row) => row.reason],
  ], data.actions.items));
}

function show() {
  document.documentElement.lang = language;
  $("language").textContent = t("other");
  $("leave").textContent = t("leave");
  for (const [form, button] of [["sign", "signIn"], ["enter", "open"]]) {
    for (const label of $(form).querySelectorAll("label")) label.textContent = t(label.dataset.text);
    $(form).querySelector("button").textContent = t(button);
    $(form).hidden = Boolean(key || refresh);
  }
  $("leave").hidden = !key && !refresh;
  $("main").hidden = !data;
  const parts = data ? [queues(), deadJobs(), stuck()] : [];
  if (data?.approvals) parts.unshift(approvals());
  if (data?.findings) parts.push(findings());
  if (data?.actions) parts.push(actions());
  $("main").replaceChildren(...parts);
}

$("language").onclick = () => { language = language === "zh" ? "en" : "zh"; say(""); show(); };
$("leave").onclick = () => {
  say("");
  const headers = { Authorization: `Bearer ${key}` };
  if (refresh && key) send("auth/sign-out", "POST", headers).catch(() => undefined); // it ends by itself soon
  forget();
};
$("sign").onsubmit = async (event) => {
  event.preventDefault();
  const body = { email: $("email").value.trim(), password: $("password").value, totp_code: $("code").value.trim() || undefined };
  $("password").value = $("code").value = "";
  try {
    const sent = await send("auth/sign-in", "POST", { "Content-Type": "application/json" }, body);
    if (!sent.response.ok) throw refused(sent);
    if (sent.answer.next.length) return say(t("first"), true);
    signedIn(sent.answer);
    say("");
    show();
    await load();
  } catch (error) {
    say(error instanceof TypeError ? t("offline") : error.message, true);
  }
};
$("enter").onsubmit = (event) => {
  event.preventDefault();
  key = $("key").value.trim();
  $("key").value = "";
  show();
  load();
};
setInterval(() => { if (!document.hidden) load(); }, POLL_MS);
show();
load();
