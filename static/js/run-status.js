// The run page: tells screen readers of a new stage once, not at every poll, and keeps the focus when the end
// replaces what had it.

const live = document.getElementById("run-announcer");
const words = () => document.querySelector("[data-words]")?.dataset.words ?? "";
let said = words();

document.addEventListener("htmx:afterSettle", () => {
  const now = words();
  if (now && now !== said) live.textContent = said = now;
  const title = document.querySelector("[data-ended]");
  if (!title) return;
  document.title = document.title.replace(/^[^·]*/, `${now} `);
  if (document.activeElement === document.body) title.focus();
});
