// The parts that the page is made of. Everything that is shown is set as text: nothing that the API says becomes markup.
import { t } from "./texts.js";

export const $ = (id) => document.getElementById(id);

export function element(tag, text, properties) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text !== undefined && text !== null) made.textContent = text;
  return made;
}

function set(id, text, bad) {
  $(id).textContent = text;
  $(id).className = bad ? "bad" : "";
}

// What came of what somebody did. It stays until he does something else.
export const say = (text, bad) => set("said", text, bad);
// How things stand, told anew all the time, and to nobody who has a page read to him.
export const stand = (text, bad) => set("standing", text, bad);

export function button(name, act) {
  return element("button", t(name), { type: "button", onclick: act });
}

// For how long something has been so, at a time that the API told.
export function age(at, now) {
  const seconds = Math.max(0, (Date.parse(now) - Date.parse(at)) / 1000);
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => seconds >= size) || [1, "s"];
  return element("time", `${Math.floor(seconds / size)} ${unit}`, { dateTime: at, title: at });
}

export function moment(at) {
  return element("time", new Date(at).toLocaleString(), { dateTime: at, title: at });
}

// `columns` are a name, what a row shows there, and perhaps a class; an empty name has no head.
export function table(columns, rows, more) {
  if (!rows.length) return element("p", t("none"), { className: "none" });
  const made = element("table");
  const head = made.createTHead().insertRow();
  for (const [name] of columns) head.append(element("th", name && t(name)));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const [name, cell, looks] of columns) {
      const value = cell(row);
      const made = element("td", undefined, { className: typeof looks === "function" ? looks(row) : looks || "" });
      made.dataset.label = name && t(name);
      made.append(...(Array.isArray(value) ? value : value === null || value === undefined || value === false ? [] : [value]));
      line.append(made);
    }
  }
  const wrapped = document.createDocumentFragment();
  wrapped.append(made, more ? element("p", t("more"), { className: "none" }) : "");
  return wrapped;
}

export function section(name, content, ...tools) {
  const made = element("section");
  const bar = element("div");
  bar.append(element("h2", t(name)), ...tools.filter(Boolean));
  made.append(bar, content);
  return made;
}

// `fields` are a name and properties of an input; `act` gets their values, and its errors are told.
export function form(name, fields, act, told) {
  const made = element("form");
  made.setAttribute("aria-label", t(name));
  made.append(element("h2", t(name)));
  for (const [label, properties] of fields) {
    const line = element("label", t(label));
    line.append(element("input", undefined, { required: true, spellcheck: false, autocomplete: "off", ...properties }));
    made.append(line);
  }
  const submit = element("button", t("go"), { type: "submit" });
  made.append(submit);
  made.onsubmit = async (event) => {
    event.preventDefault();
    say("");
    submit.disabled = true;
    try {
      await act(...Array.from(made.querySelectorAll("input"), (input) => input.value));
    } catch (error) {
      told(error);
    } finally {
      submit.disabled = false;
    }
  };
  return made;
}
