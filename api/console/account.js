// Signing in, what has to be set up first, and an operator's own account.
import { Refused, ask, learn, missing, signIn, signOutEverywhere, useKey, words } from "./api.js";
import { button, element, form, moment, say, section, table } from "./dom.js";
import { t } from "./texts.js";

const told = (error) => say(words(error), true);
const PASSWORD = { type: "password", autocomplete: "current-password" };
// Without a greatest length: a field that cuts off what is pasted into it makes a password that nobody knows.
const NEW_PASSWORD = { type: "password", autocomplete: "new-password", minLength: 12 };
const CODE = { inputMode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{3} ?[0-9]{3}" };
// Apps show them with a gap.
const digits = (code) => code.replace(/\s/g, "");

// A second factor that was made and not confirmed yet.
let made = null;

// `entered` is told when somebody is in.
export function signInForms(entered) {
  const person = form("signIn", [
    ["email", { type: "email", autocomplete: "username" }],
    ["password", PASSWORD],
    ["firstCode", { ...CODE, required: false }],
  ], async (email, password, code) => {
    try {
      await signIn(email.trim(), password, digits(code));
    } catch (error) {
      if (error.code === "code_needed") person.querySelectorAll("input")[2].focus();
      throw error;
    }
    made = null;
    await entered();
  }, told);
  const key = form("withKey", [["key", { type: "password" }]], async (key) => {
    useKey(key.trim());
    await entered();
  }, told);
  return [person, key];
}

// The step that is missing, one after the other.
export function setUp(changed) {
  const [step] = missing();
  if (step === "change_password") return [passwordForm("newPassword", "givenPassword", changed)];
  return factorForms("enrol", changed);
}

function passwordForm(name, old, changed) {
  const fields = [[old, PASSWORD], ["nextPassword", NEW_PASSWORD], ["sameAgain", NEW_PASSWORD]];
  return form(name, fields, async (current_password, new_password, again) => {
    if (new_password !== again) throw new Refused(t("differ"));
    await ask("auth/password", { method: "POST", body: { current_password, new_password } });
    await changed();
    say(t("changed"));
  }, told);
}

function factorForms(name, changed) {
  if (!made) {
    return [form(name, [["ownPassword", PASSWORD]], async (password) => {
      made = await ask("auth/totp", { method: "POST", body: { password } });
      await changed();
    }, told)];
  }
  const anew = button("anew", () => {
    made = null;
    changed().catch(told);
  });
  const shown = document.createDocumentFragment();
  shown.append(
    element("p", t("howEnrol")), element("p", t("untilThen")), element("p", t("noSpare")),
    element("p", t("secret")), element("code", made.secret.replace(/(.{4})(?=.)/g, "$1 ")),
    element("p", t("link")), linked(made.url),
  );
  return [section(name, shown, anew), form("confirm", [["code", CODE]], async (code) => {
    await ask("auth/totp/confirm", { method: "POST", body: { totp_code: digits(code) } });
    made = null;
    await changed();
    say(t("changed"));
  }, told)];
}

// On a telephone the app opens it.
function linked(url) {
  const text = element("code", url);
  if (!url.startsWith("otpauth:")) return text;
  const link = element("a", undefined, { href: url });
  link.append(text);
  return link;
}

// Where one is signed in, and what one can change of oneself. `changed` shows it anew.
export async function account(changed) {
  const { items } = await ask("auth/sessions");
  const end = async (session) => {
    try {
      await ask(`auth/sessions/${encodeURIComponent(session.id)}`, { method: "DELETE" });
    } catch (error) {
      told(error);
    }
    await changed();
  };
  const everywhere = button("everywhere", () => confirm(t("sure")(t("everywhere"))) && signOutEverywhere().catch(told));
  const learned = async () => {
    await learn();
    await changed();
  };
  return [
    section("sessions", table([
      ["agent", (row) => row.agent], ["address", (row) => row.address, "id"], ["begun", (row) => moment(row.created_at)],
      ["used", (row) => moment(row.last_used_at)], ["ends", (row) => moment(row.expires_at)],
      ["", (row) => (row.current ? t("here") : button("end", () => end(row)))],
    ], items), everywhere),
    passwordForm("changePassword", "oldPassword", learned),
    ...factorForms("another", learned),
  ];
}

// What was begun is not for whoever comes next.
export function forgetAccount() {
  made = null;
}
