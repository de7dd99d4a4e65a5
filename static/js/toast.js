// A line at the foot of the page that says what happened, for a while; "toast" events bring it: { text, label, act, href }.
// It lies in the open dialog, if there is one: what lies outside of it cannot be clicked.

const SHOWN_MS = 8000;
const UNDO_MS = 20000; // to read, think, and get there by keyboard
const toast = document.getElementById("toast");
let timer;

function hide() {
  clearTimeout(timer);
  toast.replaceChildren();
}

function start(ms) {
  clearTimeout(timer);
  timer = setTimeout(() => (toast.matches(":hover, :focus-within") ? start(ms) : hide()), ms);
}

function show({ text, label, act, href }) {
  (document.querySelector("dialog[open]") ?? document.getElementById("content")).append(toast);
  const body = document.createElement("div");
  body.className = "toast__body";
  body.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (label) {
    const control = href ? Object.assign(document.createElement("a"), { href }) : document.createElement("button");
    control.className = "toast__act";
    control.textContent = label;
    if (act) control.addEventListener("click", () => (hide(), act()));
    body.append(control);
  }
  toast.replaceChildren(body);
  start(act ? UNDO_MS : SHOWN_MS);
}

document.addEventListener("toast", (event) => show(event.detail));
document.addEventListener("close", () => document.getElementById("content").append(toast), true);
if (toast.firstElementChild) start(UNDO_MS);
