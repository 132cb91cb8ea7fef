// Keys and comfort for the pages. Everything here is also a link, a button or
// a field, so nothing is lost without it.
const root = document.documentElement;
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

// The switch: kept for the script in localStorage, and in a cookie so that
// the server draws the pages without key hints.
const stored = () => { try { return localStorage.getItem("presswatch_keys"); } catch { return null; } };
let on = (stored() ?? root.dataset.keys) !== "off";
function turn(value) {
  on = value;
  root.dataset.keys = on ? "on" : "off";
  try { localStorage.setItem("presswatch_keys", root.dataset.keys); } catch { /* private window */ }
  document.cookie = `presswatch_keys=${root.dataset.keys}; path=/; max-age=31536000; samesite=lax`;
  for (const box of $$("[data-keys-switch]")) box.checked = on;
}
root.dataset.keys = on ? "on" : "off";
for (const box of $$("[data-keys-switch]")) {
  box.checked = on;
  box.addEventListener("change", () => turn(box.checked));
}
for (const el of $$("[data-needs-script]")) el.hidden = false;

const dialog = $("#keys");
const showKeys = () => { if (!dialog.open) dialog.showModal(); };
$("[data-dialog=keys]")?.addEventListener("click", (e) => { e.preventDefault(); showKeys(); });
dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });

// A form is sent once, however often its button is pressed. A page that comes
// back from the browser's memory may send again.
for (const form of $$("form[method=post]")) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = "1";
  });
}
addEventListener("pageshow", () => { for (const form of $$("form[data-sent]")) delete form.dataset.sent; });

// Moving over rows.
const rows = $$("[data-row]");
const at = () => rows.findIndex((row) => row.contains(document.activeElement));
let here = -1;
function move(step) {
  if (rows.length === 0) return false;
  const from = at() >= 0 ? at() : here;
  here = Math.min(rows.length - 1, Math.max(0, from + step));
  const link = $("[data-open]", rows[here]);
  link.focus({ preventScroll: true });
  rows.forEach((row, i) => row.classList.toggle("here", i === here));
  rows[here].scrollIntoView({ block: "nearest" });
  return true;
}

// Moving over highlights.
let marked = -1;
function mark(step) {
  const marks = $$("mark[id]");
  if (marks.length === 0) return;
  marked = (marked + step + marks.length) % marks.length;
  marks[marked].focus({ preventScroll: true });
  marks[marked].scrollIntoView({ block: "center" });
}

const click = (selector) => { const el = $(selector); el?.click(); return Boolean(el); };
const go = (name) => click(`[data-go="${name}"]`);

function choose(n) {
  const box = $(`#decide-form [data-key="${n}"]`);
  if (!box) return false;
  box.checked = true;
  box.focus();
  return true;
}

function submitNext() {
  const button = $("[data-submit-next]");
  if (!button) return click("[data-next]");
  button.form.requestSubmit(button);
  return true;
}

function undo() {
  const form = $("form[data-undo]");
  form?.requestSubmit();
  return Boolean(form);
}

const keys = {
  j: () => move(1) || click("[data-next]"),
  k: () => move(-1) || click("[data-prev]"),
  n: submitNext,
  u: undo,
  o: () => click("[data-original]"),
  c: () => { $("#reason")?.focus(); },
  "/": () => { const q = $("[data-search]"); if (q) { q.focus(); q.select(); } else { go("s"); } },
  "?": showKeys,
  "[": () => mark(-1),
  "]": () => mark(1),
};
for (let n = 1; n <= 8; n++) keys[n] = () => choose(n);

// What a key means: its letter on a Latin layout, else its place on the board,
// so that Arabic, Hindi and Vietnamese layouts work alike.
const places = { Slash: "/", BracketLeft: "[", BracketRight: "]" };
function meaning(e) {
  if (/^[\x21-\x7e]$/.test(e.key)) return e.key.toLowerCase();
  if (e.code === "Slash" && e.shiftKey) return "?";
  const m = /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(e.code);
  if (m) return (m[1] ?? m[2]).toLowerCase();
  return places[e.code] ?? "";
}

const typing = (el) => el instanceof HTMLElement &&
  (el.isContentEditable || /^(TEXTAREA|SELECT)$/.test(el.tagName) ||
  (el.tagName === "INPUT" && !/^(radio|checkbox|button|submit)$/.test(el.type)));

let pending = ""; // the first key of two
let timer = 0;
addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target instanceof Element && e.target.closest("#decide-form")) {
    e.preventDefault();
    submitNext();
    return;
  }
  if (e.key === "Escape" && typing(e.target) && !e.isComposing) { e.target.blur(); return; }
  if (!on || e.isComposing || e.ctrlKey || e.metaKey || e.altKey || e.repeat && !/^[jk]$/i.test(e.key)) return;
  if (typing(e.target) || dialog.open) return;
  const key = meaning(e);
  if (key === "") return;
  clearTimeout(timer);
  if (pending === "g") {
    pending = "";
    if (go(key)) e.preventDefault();
    return;
  }
  if (key === "g") {
    pending = "g";
    timer = setTimeout(() => { pending = ""; }, 1500);
    return;
  }
  if (Object.hasOwn(keys, key)) {
    e.preventDefault();
    keys[key]();
  }
});
