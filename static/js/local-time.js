// <time>: shown in the reader's own time zone; without this it is UTC. The form is the same on every page, as the server
// writes it: "20 Nov 2026, 16:35". data-to says how precisely: day, minute or second.

const DAY = { day: "numeric", month: "short", year: "numeric" };
const MINUTE = { ...DAY, hour: "2-digit", minute: "2-digit" };
const FORMS = { day: DAY, minute: MINUTE, second: { ...MINUTE, second: "2-digit" } };
const made = new Map();

function shown(element) {
  const to = element.dataset.to in FORMS ? element.dataset.to : "minute";
  if (!made.has(to)) made.set(to, new Intl.DateTimeFormat("en-GB", FORMS[to]));
  return made.get(to).format(new Date(element.dateTime)).replace("Sept", "Sep");
}

function localize(root) {
  for (const element of root.querySelectorAll("time[datetime]")) element.textContent = shown(element);
}

document.addEventListener("htmx:afterSettle", () => localize(document));
localize(document);
