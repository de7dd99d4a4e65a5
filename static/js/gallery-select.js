// Choosing pictures: by their boxes, a range with Shift, all that are loaded with Ctrl+A, none with Escape. The bar
// says how many, and does something with them. ? lists the keys.

const bar = document.getElementById("selection");
const most = Number(bar?.dataset.most);
let anchor = null; // where a range begins
let isShift = false;

const tiles = () => [...document.querySelectorAll(".tile:not([hidden])")];
const chosen = () => tiles().filter((tile) => tile.classList.contains("is-chosen"));
const runsOf = (some) => [...new Set(some.map((tile) => tile.dataset.run))];
const send = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

function set(tile, on) {
  tile.classList.toggle("is-chosen", on);
  tile.querySelector("input").checked = on;
}

function range(to, on) {
  const all = tiles();
  const [from, until] = [all.indexOf(anchor), all.indexOf(to)].sort((a, b) => a - b);
  for (const tile of all.slice(Math.max(from, 0), until + 1)) set(tile, on);
}

function choose(tile, on) {
  if (isShift && anchor && !anchor.hidden) range(tile, on);
  else set(tile, on);
  anchor = tile;
  update();
}

function clear() {
  for (const tile of document.querySelectorAll(".tile.is-chosen")) set(tile, false);
  anchor = null;
  update();
}

function update() {
  if (!bar) return;
  const some = chosen();
  document.body.classList.toggle("has-chosen", some.length > 0);
  bar.hidden = some.length === 0;
  document.getElementById("chosen").textContent = some.length;
  const enable = (name, isOn, why) => {
    const button = bar.querySelector(`[data-do=${name}]`);
    if (!button) return;
    button.disabled = !isOn;
    button.title = isOn ? "" : why;
  };
  enable("compare", some.length >= 2 && some.length <= 4, "Choose two to four pictures to compare them");
  enable("download", some.length <= most, `A zip file takes ${most} pictures`);
  enable("remove", some.every((tile) => "own" in tile.dataset), "Only who made a picture, or an admin, can delete it");
}

function download(form) {
  for (const input of form.querySelectorAll("[name=picture]")) input.remove();
  for (const tile of chosen()) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "picture", value: tile.dataset.picture }));
  }
}

function act(name) {
  const some = chosen();
  if (name === "clear") clear();
  if (name === "favourite") {
    const isAll = some.every((tile) => tile.querySelector("[data-star]").ariaPressed === "true");
    send("gallery:favourite", { runs: runsOf(some), on: !isAll });
  }
  if (name === "remove") send("gallery:remove", { runs: runsOf(some) });
  if (name === "compare") {
    const ids = some.map((tile) => tile.dataset.picture).join(",");
    location.assign(`${document.getElementById("gallery-urls").dataset.compare}?ids=${ids}`);
  }
}

document.addEventListener("click", (event) => {
  isShift = event.shiftKey;
  const link = event.target.closest(".tile > a");
  if (link && event.shiftKey && anchor) {
    event.preventDefault();
    choose(link.closest(".tile"), true);
  }
  const button = event.target.closest("[data-do]");
  if (button) act(button.dataset.do);
}, true);

document.addEventListener("change", (event) => {
  const tile = event.target.closest(".tile");
  if (tile) choose(tile, event.target.checked);
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-download-form]")) download(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input:not([type=checkbox]), select, textarea") || document.querySelector("dialog[open]")) return;
  if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey) && bar) {
    event.preventDefault();
    for (const tile of tiles()) set(tile, true);
    update();
  }
  if (event.key === "?") document.querySelector('[data-dialog="#keys"]')?.click();
  if (event.key === "Escape" && !document.querySelector("details.menu[open]")) clear();
});

// What is hidden, because it was removed, is no longer chosen; brought back, it is not either.
document.addEventListener("gallery:changed", () => {
  for (const tile of document.querySelectorAll(".tile.is-chosen[hidden]")) set(tile, false);
  update();
});
