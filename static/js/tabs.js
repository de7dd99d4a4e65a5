// [role=tablist]: arrow keys, Home and End move between the tabs; the choice is remembered for the next page.

const KEY = "snippet-language";

function choose(tab, { focus = false } = {}) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const isChosen = other === tab;
    other.setAttribute("aria-selected", String(isChosen));
    other.tabIndex = isChosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !isChosen;
  }
  if (focus) tab.focus();
}

function restore(root) {
  const language = localStorage.getItem(KEY);
  if (!language) return;
  for (const tab of root.querySelectorAll(`[role=tab][data-language="${CSS.escape(language)}"]`)) choose(tab);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (!tab) return;
  choose(tab);
  localStorage.setItem(KEY, tab.dataset.language);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = tabs.at(to % tabs.length);
  choose(next, { focus: true });
  localStorage.setItem(KEY, next.dataset.language);
});

document.addEventListener("htmx:afterSwap", (event) => restore(event.target));
restore(document);
