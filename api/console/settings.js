// Settings that are changed while everything runs, and who changed what.
import { may } from "./api.js";
import { decide } from "./commands.js";
import { button, moment, say, section, table } from "./dom.js";
import { language, t } from "./texts.js";

const unit = (row) => (language === "zh" ? row.unit_zh : row.unit);

export function settings({ data, load }) {
  const { version, items } = data.settings;
  const put = (row, value, what) => decide(load, "settings", "PUT", { base_version: version, changes: { [row.name]: value } }, what);
  const change = (row) => button("change", () => {
    const typed = prompt(t("askValue")(row.name, row.min, row.max, unit(row)), row.value)?.trim();
    if (!typed || typed === String(row.value)) return;
    const value = row.kind === "integer" ? Number(typed.replace(/[_\s]/g, "")) : typed;
    if (row.kind === "integer" && !Number.isSafeInteger(value)) return say(t("noNumber"), true);
    put(row, value, `${row.name} = ${value}`);
  });
  const back = (row) => button("configured", () => put(row, null, `${row.name} = ${row.configured}`));
  return section("settings", table([
    ["name", (row) => row.name, "id"], ["what", (row) => (language === "zh" ? row.title_zh : row.title)],
    ["value", (row) => `${row.value} ${unit(row)}`, (row) => (row.source === "version" ? "warning" : "")],
    ["bounds", (row) => `${row.min} – ${row.max}`], ["who", (row) => row.author_name], ["since", (row) => row.set_at && moment(row.set_at)],
    ["", (row) => (may("settings:write") ? [change(row), row.source === "version" && back(row)].filter(Boolean) : null)],
  ], items));
}

export function versions({ data, load }) {
  const { items } = data.versions;
  const newest = items[0]?.version;
  const shown = (value) => value ?? t("configured");
  const changes = (row) => row.changes.map((one) => `${one.name}: ${shown(one.before)} → ${shown(one.after)}`).join("; ");
  const back = ({ version }) => button("back", () => decide(
    load, `settings/versions/${encodeURIComponent(version)}/restore`, "POST", { base_version: newest }, `${t("back")} ${version}`,
  ));
  return section("versions", table([
    ["version", (row) => row.version], ["since", (row) => moment(row.created_at)], ["who", (row) => row.author_name],
    ["reason", (row) => row.reason], ["changes", changes, "id"],
    ["", (row) => may("settings:write") && row.version !== newest && back(row)],
  ], items, data.versions.next_cursor));
}
