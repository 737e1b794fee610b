// The operators' page. It holds no data of its own: everything comes from the API with the key that was given, and is
// shown as text. The key stays in this tab.
"use strict";

const TEXTS = {
  en: {
    other: "中文", leave: "Forget the key", enter: "API key with operations:read", open: "Open",
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
    other: "English", leave: "清除密钥", enter: "具有 operations:read 权限的 API 密钥", open: "打开",
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

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${key}` };
  if (body) {
    const random = crypto.getRandomValues(new Uint8Array(16));
    headers["Content-Type"] = "application/json";
    headers["Idempotency-Key"] = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const request = { headers, method: body ? "POST" : "GET", body: body && JSON.stringify(body), cache: "no-store", credentials: "omit" };
  const response = await fetch(`../api/operations/${path}`, request);
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status === 401) forget();
  const title = language === "zh" ? answer.title_zh : answer.title;
  const details = [answer.detail, ...(answer.errors || []).map((error) => error.detail)].filter(Boolean);
  throw new Error([title, ...details].join(" — "));
}

function forget() {
  key = "";
  data = null;
  sessionStorage.removeItem("key");
  show();
}

// A later round must not be overtaken by an earlier one that was slow.
async function load() {
  const mine = ++round;
  if (!key) return;
  const of = kind ? `&kind=${encodeURIComponent(kind)}` : "";
  try {
    const [queues, jobs, stuck, findings, actions] = await Promise.all([
      ask("queues"), ask(`jobs?state=dead&limit=50${of}`), ask("stuck?limit=50"), ask("findings?limit=50"), ask("actions?limit=10"),
    ]);
    if (mine !== round || !key) return;
    data = { queues, jobs, stuck, findings, actions };
    sessionStorage.setItem("key", key);
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
  const kinds = data.queues.queues.flatMap((queue) => queue.kinds.map((row) => ({ ...row, queue: queue.queue })));
  return section("queues", table([
    ["queue", (row) => row.queue], ["kind", (row) => row.kind], ["due", (row) => row.due || null],
    ["oldest", (row) => (row.due ? `${row.oldest_due_s} s` : null)], ["running", (row) => row.running || null],
    ["later", (row) => row.later || null], ["deadCount", (row) => row.dead || null, "dead"],
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
  $("enter").querySelector("label").textContent = t("enter");
  $("enter").querySelector("button").textContent = t("open");
  $("leave").hidden = !key;
  $("enter").hidden = Boolean(key);
  $("main").hidden = !data;
  $("main").replaceChildren(...(data ? [queues(), deadJobs(), stuck(), findings(), actions()] : []));
}

$("language").onclick = () => { language = language === "zh" ? "en" : "zh"; say(""); show(); };
$("leave").onclick = () => { say(""); forget(); };
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
