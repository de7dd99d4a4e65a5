// What is done with pictures on the server: stars, the bin and back, collections. A star moves at once, and moves back
// where the server did not take it. Keys: F for the star, Delete for the bin.

const urls = document.getElementById("gallery-urls").dataset;
const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
const WHY = {
  403: "Your role in the team does not include that.",
  404: "Some of these are gone; reload the page to see what is there.",
  409: "It was too late to bring everything back.",
  429: "That was a little too fast; try again in a moment.",
};

const tell = (detail) => document.dispatchEvent(new CustomEvent("toast", { detail }));
const changed = () => document.dispatchEvent(new CustomEvent("gallery:changed"));
const several = (number, one, many) => `${number} ${number === 1 ? one : many}`;
const chosenRuns = () => [...new Set([...document.querySelectorAll(".tile.is-chosen")].map((tile) => tile.dataset.run))];

async function post(url, runs, more = {}) {
  const body = new FormData();
  for (const run of runs) body.append("run", run);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token } });
  } catch {
    throw new Error("The server did not answer; nothing was changed.");
  }
  if (answer.redirected) location.reload(); // the session has ended: the page leads to the sign-in
  if (answer.ok) return answer.json();
  const said = answer.status === 422 ? (await answer.json()).error : WHY[answer.status];
  throw new Error(said ?? "The server could not do that; nothing was changed.");
}

// --- stars ---------------------------------------------------------------------------------------------------

function paint(runs, on) {
  for (const star of document.querySelectorAll("[data-star]")) {
    if (!runs.includes(star.dataset.run)) continue;
    star.setAttribute("aria-pressed", on);
    if (star.name === "on") star.value = !on;
  }
}

async function favourite(runs, on) {
  const before = runs.filter((run) => document.querySelector(`[data-star][data-run="${run}"]`)?.ariaPressed === "true");
  paint(runs, on);
  changed();
  try {
    await post(urls.favourite, runs, { on });
  } catch (error) {
    paint(runs, false);
    paint(before, true);
    changed();
    tell({ text: error.message });
  }
}

// --- the bin -------------------------------------------------------------------------------------------------

async function remove(runs) {
  const tiles = [...document.querySelectorAll(".tile")].filter((tile) => runs.includes(tile.dataset.run));
  if (tiles.some((tile) => !("own" in tile.dataset))) {
    tell({ text: "Only who made a picture, or an admin of the team, can delete it." });
    return;
  }
  const next = after(tiles);
  try {
    await post(urls.remove, runs);
  } catch (error) {
    tell({ text: error.message });
    return;
  }
  for (const tile of tiles) tile.hidden = true;
  changed();
  if (!document.querySelector("dialog[open]")) next?.focus();
  const siblings = tiles.length > runs.length ? ` of ${several(runs.length, "run", "runs")}` : "";
  tell({ text: `${several(tiles.length, "picture", "pictures")}${siblings} deleted.`, label: "Undo", act: () => restore(runs, tiles) });
}

// The picture that takes the place of those that go, for the focus.
function after(tiles) {
  const rest = [...document.querySelectorAll(".tile:not([hidden])")];
  const last = rest.indexOf(tiles.at(-1));
  const stays = (tile) => !tiles.includes(tile);
  return (rest.slice(last).find(stays) ?? rest.slice(0, last).findLast(stays))?.querySelector("a");
}

async function restore(runs, tiles) {
  try {
    await post(urls.restore, runs);
  } catch (error) {
    tell({ text: error.message });
    return;
  }
  for (const tile of tiles) tile.hidden = false;
  changed();
  if (!document.querySelector("dialog[open]")) tiles[0].querySelector("a").focus();
  tell({ text: `${several(tiles.length, "picture is", "pictures are")} back.` });
}

// --- collections ---------------------------------------------------------------------------------------------

function collected(answer) {
  document.getElementById("collect").close();
  const text = answer.added ? `${several(answer.added, "run", "runs")} added to “${answer.name}”.` : `Already in “${answer.name}”.`;
  tell({ text, label: "Open it", href: answer.url });
}

async function collect(url) {
  try {
    collected(await post(url, chosenRuns()));
  } catch (error) {
    document.getElementById("collect").close();
    tell({ text: error.message });
  }
}

async function collectNew(form) {
  const said = form.querySelector("[data-error]");
  said.hidden = true;
  const visibility = form.querySelector("[data-team]").checked ? "team" : "private";
  try {
    const made = await post(form.action, chosenRuns(), { name: form.elements.name.value, visibility });
    offer(made);
    form.reset();
    collected(made);
  } catch (error) {
    said.textContent = error.message;
    said.hidden = false;
  }
}

// The new collection can be chosen from now on without a reload.
function offer(made) {
  const one = document.createElement("button");
  one.type = "button";
  one.className = "collect__one";
  one.dataset.collect = made.add;
  one.textContent = made.name;
  const item = document.createElement("li");
  item.append(one);
  document.querySelector(".collect")?.prepend(item);
}

async function takeOut(url) {
  const tiles = [...document.querySelectorAll(".tile")].filter((tile) => chosenRuns().includes(tile.dataset.run));
  try {
    const answer = await post(url, chosenRuns());
    for (const tile of tiles) tile.hidden = true;
    changed();
    tell({ text: `${several(answer.removed, "run", "runs")} taken out of “${answer.name}”.` });
  } catch (error) {
    tell({ text: error.message });
  }
}

// --- who asks for it -----------------------------------------------------------------------------------------

document.addEventListener("gallery:favourite", (event) => favourite(event.detail.runs, event.detail.on));
document.addEventListener("gallery:remove", (event) => remove(event.detail.runs));

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-star], [data-collect], [data-take-out]");
  if (!control) return;
  event.preventDefault();
  if ("star" in control.dataset) favourite([control.dataset.run], control.ariaPressed !== "true");
  else if (control.dataset.collect) collect(control.dataset.collect);
  else takeOut(control.dataset.takeOut);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-collect-new]")) return;
  event.preventDefault();
  collectNew(event.target);
});

const KEYS = {
  f: { dialog: "[data-star]", bar: "[data-do=favourite]", tile: "[data-star]" },
  Delete: { dialog: "[data-lightbox=remove]", bar: "[data-do=remove]", tile: "" },
};

document.addEventListener("keydown", (event) => {
  const key = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  const isTaken = event.target.closest("input:not([type=checkbox]), select, textarea, dialog:not(.lightbox)");
  if (!key || isTaken || event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = document.querySelector("dialog.lightbox[open]");
  const tile = document.activeElement.closest(".tile");
  if (dialog) dialog.querySelector(key.dialog)?.click();
  else if (document.querySelector(".bar:not([hidden])")) document.querySelector(`.bar ${key.bar}`)?.click();
  else if (tile && key.tile) tile.querySelector(key.tile)?.click();
  else if (tile && document.getElementById("collect")) remove([tile.dataset.run]);
  else if (!tile && key.tile) document.querySelector(".downloads [data-star]")?.click();
});
