// Who uses the page, and how it asks the API.
//
// Of an operator both tokens are kept in memory alone. A reload asks for the password again, and that is meant: what a tab
// stores is copied when the tab is duplicated, and a refresh token that is used by two ends the session and raises an alarm.
// An API key is kept in the tab, as long as the tab is open.
import { language, t } from "./texts.js";

// What the page does that scopes of a key can give. Whether this one has them the API says.
const POINTS_OF_KEYS = [
  "jobs:read", "jobs:redrive", "jobs:drop", "findings:read", "findings:resolve", "actions:read", "events:read", "payouts:review",
  "payouts:approve",
];
const TIMEOUT_MS = 30000;
// An access token is renewed so long before its end.
const LEAD_MS = 30000;

// { key }, or { access, refresh, renewAt, me }.
let user = null;
let refreshing = null;
let quietUntil = 0;
let serverTime = NaN;
let left = () => {};
let stream = null;

// An answer that says no: `message` is for people.
export class Refused extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const words = (error) => (error instanceof Refused ? error.message : t("offline"));
export const signedIn = () => user !== null;
export const byKey = () => Boolean(user?.key);
export const me = () => user?.me;
// For so many milliseconds the API wants to be left alone.
export const quiet = () => Math.max(0, quietUntil - performance.now());

export function may(point) {
  if (byKey()) return POINTS_OF_KEYS.includes(point);
  return Boolean(user?.me?.permissions.includes(point));
}

// `act` is told when the session is over or the key is refused.
export function whenLeft(act) {
  left = act;
  const key = sessionStorage.getItem("key");
  if (key) user = { key };
}

export function useKey(key) {
  user = { key };
}

function leave(why) {
  user = null;
  stream?.abort();
  sessionStorage.removeItem("key");
  left(why);
}

function mark() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function refused(response, answer) {
  if (!answer?.code) return new Refused(t("broken")(response.status), response.status, "");
  const title = language === "zh" ? answer.title_zh : answer.title;
  const wait = Number(response.headers.get("Retry-After"));
  if (response.status === 429 && wait > 0) {
    quietUntil = performance.now() + wait * 1000;
    return new Refused(t("wait")(title, wait), 429, answer.code);
  }
  const more = answer.detail?.toLowerCase() === answer.title?.toLowerCase() ? null : answer.detail;
  const details = [more, ...(answer.errors || []).map((error) => error.detail)].filter(Boolean);
  return new Refused([title, ...details].join(" — "), response.status, answer.code);
}

function open(path, { method = "GET", body, token, mark, signal = AbortSignal.timeout(TIMEOUT_MS) }) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (mark) headers["Idempotency-Key"] = mark;
  return fetch(`../api/${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", credentials: "omit", signal,
  });
}

async function send(path, options) {
  const response = await open(path, options);
  serverTime = Date.parse(response.headers.get("Date") || "");
  if (response.status === 204) return null;
  const text = await response.text();
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // a proxy's page, not the API's answer
  }
  if (!response.ok || answer === null) throw refused(response, answer);
  return answer;
}

// How long it is good is reckoned by the API's clock: that of this machine may be wrong.
function take(whose, tokens) {
  const life = Date.parse(tokens.access_expires_at) - (serverTime || Date.now());
  whose.access = tokens.access_token;
  whose.refresh = tokens.refresh_token;
  whose.renewAt = performance.now() + Math.max(life - LEAD_MS, life / 2);
}

// One at a time, since a refresh token is good once. The same again within a minute gets the same answer, so one whose answer
// was lost is simply used again.
function refresh() {
  refreshing ??= renew(user).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function renew(mine) {
  try {
    const tokens = await send("auth/refresh", { method: "POST", body: { refresh_token: mine.refresh } });
    take(mine, tokens);
  } catch (error) {
    if (error.status === 401 && user === mine) leave(t("over"));
    throw error;
  }
}

async function token() {
  if (!user) throw new Refused(t("over"), 401, "");
  if (user.key) return user.key;
  if (performance.now() >= user.renewAt) await refresh();
  if (!user) throw new Refused(t("over"), 401, "");
  return user.access;
}

// Asks as whoever uses the page. A command whose answer was lost is sent once more under the same mark, which keeps it from
// having its effect twice.
export async function ask(path, options = {}) {
  const request = { ...options, mark: ["POST", "PUT"].includes(options.method) ? mark() : undefined };
  const mine = user;
  const used = await token();
  try {
    const answer = await send(path, { ...request, token: used });
    if (mine.key && user === mine) sessionStorage.setItem("key", mine.key);
    return answer;
  } catch (error) {
    if (user !== mine) throw error;
    if (!(error instanceof Refused)) {
      if (path.startsWith("auth/") || !options.method) throw error;
      await new Promise((wake) => setTimeout(wake, 1000));
      return send(path, { ...request, token: await token() });
    }
    if (error.status !== 401) throw error;
    if (!mine.key) return askAnew(path, request, used);
    leave(error.message);
    throw error;
  }
}

// The token was refused before its time: the session is over, or a clock was moved.
async function askAnew(path, request, used) {
  if (user?.access === used) await refresh();
  try {
    return await send(path, { ...request, token: await token() });
  } catch (error) {
    if (error.status === 401 && user) leave(t("over"));
    throw error;
  }
}

export async function signIn(email, password, code) {
  const body = { email, password, totp_code: code || undefined };
  const tokens = await send("auth/sign-in", { method: "POST", body });
  user = {};
  take(user, tokens);
}

// Calls `told` when something happens, as long as the API keeps the line. Nothing depends on it: who hears nothing looks by himself.
export async function listen(told) {
  const mine = user;
  if (!mine || mine.deaf || stream || !may("events:read")) return;
  const line = new AbortController();
  stream = line;
  try {
    const response = await open("events", { token: await token(), signal: line.signal });
    mine.deaf = response.status === 403;
    const reader = response.ok ? response.body.pipeThrough(new TextDecoderStream()).getReader() : null;
    for (let heard = await reader?.read(); heard && !heard.done; heard = await reader.read()) {
      if (/^data:/m.test(heard.value)) told();
    }
  } catch {
    // the line broke, or somebody left
  } finally {
    if (stream === line) stream = null;
  }
}

// Who it is, and what he may do by now.
export async function learn() {
  const mine = user;
  if (!mine || mine.key) return;
  mine.me = await ask("auth/me");
}

// What is missing before an operator may do anything else.
export const missing = () => user?.me?.next ?? [];

// Here at once, and then where the session is kept. Throws where that did not hear of it.
export async function signOut() {
  if (byKey()) return leave("");
  const mine = user;
  const renewed = performance.now() >= mine.renewAt ? refresh() : null;
  leave("");
  try {
    await renewed;
    await send("auth/sign-out", { method: "POST", token: mine.access });
  } catch (error) {
    if (error.status !== 401) throw error;
  }
}

export async function signOutEverywhere() {
  await ask("auth/sign-out-everywhere", { method: "POST" });
  if (user) leave("");
}
