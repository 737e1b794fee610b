// Signing in.
import { signIn, useKey, words } from "./api.js";
import { form, say } from "./dom.js";

const told = (error) => say(words(error), true);
const PASSWORD = { type: "password", autocomplete: "current-password" };
const CODE = { inputMode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{3} ?[0-9]{3}" };
// Apps show them with a gap.
const digits = (code) => code.replace(/\s/g, "");

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
    await entered();
  }, told);
  const key = form("withKey", [["key", { type: "password" }]], async (key) => {
    useKey(key.trim());
    await entered();
  }, told);
  return [person, key];
}
