// What somebody does on the page, and what he is told of it.
import { ask, words } from "./api.js";
import { say } from "./dom.js";
import { t } from "./texts.js";

// Goes on until everything that fitted at first is done.
export async function act(load, path, body, what, wantsReason) {
  const command = (more) => ask(path, { method: "POST", body: { ...body, ...more } });
  let question = what;
  try {
    if (body.all) {
      const { matched } = await command({ reason: wantsReason ? "count" : undefined, dry_run: true });
      if (!matched) return say(t("nothing"));
      if (!wantsReason && !confirm(t("askAll")(what, matched))) return;
      question = t("did")(what, matched);
    }
    const reason = wantsReason ? askReason(question) : undefined;
    if (wantsReason && !reason) return;
    let answer = await command({ reason });
    const { matched } = answer;
    let affected = answer.affected ?? 1;
    while (answer.remaining > 0 && answer.affected > 0 && affected < matched) {
      answer = await command({ reason });
      affected += answer.affected;
    }
    await load();
    say(t("did")(what, affected));
  } catch (error) {
    say(words(error), true);
  }
}

function askReason(what) {
  return (prompt(t("askReason")(what)) || "").trim();
}

// One thing, for a reason.
export async function decide(load, path, method, body, what) {
  const reason = askReason(what);
  if (!reason) return;
  try {
    const answer = await ask(path, { method, body: { ...body, reason } });
    await load();
    say(t(answer?.approval ? "waits" : "done")(what));
  } catch (error) {
    say(words(error), true);
  }
}
