// The operators' page. It holds no data of its own: everything comes from the API, and whoever uses the page may do in it what
// the API lets him do.
import { account, forgetAccount, setUp, signInForms } from "./account.js";
import { ask, byKey, learn, listen, may, me, missing, quiet, signOut, signedIn, whenLeft, words } from "./api.js";
import { $, say, stand } from "./dom.js";
import { changeLanguage, language, t } from "./texts.js";
import { sections } from "./views.js";

const POLL_MS = 10000;
// What somebody may do is held against him anew after so long, everywhere.
const SOON_MS = 6000;
// An operator's page that nobody touches for so long asks no more, so that his session ends as one that nobody uses.
const ALONE_MS = 1800000;
// However much happens, the page is made anew no more often.
const HEARD_MS = 3000;
// What is asked for, and the point that it needs.
const PARTS = {
  approvals: ["approvals:read", () => "approvals?state=open&limit=50"],
  payouts: ["payouts:review", () => "operations/payouts?state=requested&limit=50"],
  queues: ["jobs:read", () => "operations/queues"],
  switches: ["jobs:read", () => "operations/switches"],
  jobs: ["jobs:read", () => `operations/jobs?state=dead&limit=50${kind ? `&kind=${encodeURIComponent(kind)}` : ""}`],
  stuck: ["jobs:read", () => "operations/stuck?limit=50"],
  findings: ["findings:read", () => "operations/findings?limit=50"],
  settings: ["settings:read", () => "settings"],
  versions: ["settings:read", () => "settings/versions?limit=10"],
  actions: ["actions:read", () => "operations/actions?limit=10"],
};

let kind = "";
let data = null;
let now = null;
let round = 0;
let soon = 0;
let atAccount = false;
let formsOf = "";
let usedAt = performance.now();
let hearing = 0;

// A role may have been given or taken away a moment ago: then that part is not shown yet. A key that may not read is told so.
async function part(name, path) {
  try {
    return [name, await ask(path)];
  } catch (error) {
    if (error.status === 403 && !byKey()) return [name, null];
    throw error;
  }
}

// A later round must not be overtaken by an earlier one that was slow.
async function load() {
  const mine = ++round;
  if (!signedIn() || quiet()) return;
  try {
    await learn();
    if (mine !== round || !signedIn()) return;
    if (formsOf !== formsWanted()) showForms();
    if (missing().length) {
      show();
      return;
    }
    const wanted = Object.entries(PARTS).filter(([, [point]]) => may(point));
    const parts = Object.fromEntries(await Promise.all(wanted.map(([name, [, path]]) => part(name, path()))));
    if (mine !== round || !signedIn()) return;
    data = parts;
    now = parts.queues?.at || new Date().toISOString();
    clearTimeout(soon);
    if (Object.values(parts).includes(null)) soon = setTimeout(load, SOON_MS);
    stand(standing(parts));
    if (document.activeElement?.tagName !== "SELECT") show(); // somebody is choosing
  } catch (error) {
    if (mine === round && signedIn()) stand(words(error), true);
  }
}

function standing(parts) {
  const values = Object.values(parts);
  if (!values.length) return t("nobody");
  return values.includes(null) ? t("soon") : t("updated")(new Date(now).toLocaleTimeString());
}

function choose(select) {
  kind = select.value;
  select.blur();
  load();
}

function formsWanted() {
  if (!signedIn()) return "sign-in";
  return missing()[0] || (atAccount ? "account" : "none");
}

// The forms keep what is typed into them: they are made anew only when somebody comes, goes or gets on.
async function showForms() {
  const wanted = formsWanted();
  formsOf = wanted;
  try {
    let forms = [];
    if (wanted === "sign-in") forms = signInForms(gotOn);
    else if (missing().length) forms = setUp(gotOn);
    else if (wanted === "account") forms = await account(showForms);
    if (formsOf === wanted && wanted === formsWanted()) $("forms").replaceChildren(...forms);
  } catch (error) {
    say(words(error), true);
  }
}

async function gotOn() {
  say("");
  await load();
  show();
  await showForms();
  $("forms").querySelector("input")?.focus();
}

function show() {
  document.documentElement.lang = language;
  const operator = me()?.operator;
  const ready = signedIn() && !missing().length;
  $("language").textContent = t("other");
  $("leave").textContent = t("leave");
  $("account").textContent = t("account");
  $("who").textContent = operator ? `${operator.name} · ${operator.roles.join(" ")}` : byKey() ? t("byKey") : "";
  $("leave").hidden = !signedIn();
  $("account").hidden = !ready || byKey();
  $("account").setAttribute("aria-expanded", String(atAccount));
  $("main").hidden = !ready || !data;
  $("main").replaceChildren(...(ready && data ? sections(data, { now, load, kind, choose }) : []));
}

whenLeft((why) => {
  data = null;
  kind = "";
  atAccount = false;
  forgetAccount();
  say(why, Boolean(why));
  stand("");
  show();
  showForms();
});
$("language").onclick = () => {
  changeLanguage();
  say("");
  stand("");
  show();
  showForms();
};
$("account").onclick = () => {
  atAccount = !atAccount;
  forgetAccount();
  show();
  showForms();
};
$("leave").onclick = () => signOut().catch(() => {
  if (!signedIn()) say(t("goesOn"), true);
});

function poll() {
  const alone = !byKey() && performance.now() - usedAt > ALONE_MS;
  if (document.hidden || missing().length || alone) return;
  load();
  listen(heard);
}

// Something happened to an order, a deposit or a wallet.
function heard() {
  hearing ||= setTimeout(() => {
    hearing = 0;
    poll();
  }, HEARD_MS);
}

setInterval(poll, POLL_MS);
document.addEventListener("visibilitychange", poll);
window.addEventListener("online", poll);
for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, () => { usedAt = performance.now(); });
show();
showForms();
load();
