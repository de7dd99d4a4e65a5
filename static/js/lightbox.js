// A picture of the grid over the whole window. It has a place in the history, with the address of the picture's own
// page: Back closes it, a reload shows that page. Arrows, F, D and Delete work; Escape leads back to the tile.

const box = document.getElementById("lightbox");
const part = (name) => box.querySelector(`[data-lightbox=${name}]`);
const tiles = () => [...document.querySelectorAll(".tile:not([hidden])")];
const linkOf = (tile) => tile.querySelector("a");
let shown = null;
let isWaiting = false; // for the next page of tiles

function show(tile) {
  shown = tile;
  const link = linkOf(tile);
  const image = link.querySelector("img");
  const picture = part("picture");
  if (picture.src !== new URL(link.dataset.full, location).href) {
    picture.removeAttribute("src"); // never the picture before under the words of this one
    Object.assign(picture, { width: image.width, height: image.height, alt: image.alt });
    picture.setAttribute("width", image.getAttribute("width"));
    picture.setAttribute("height", image.getAttribute("height"));
    picture.src = link.dataset.full;
  }
  part("text").textContent = image.alt;
  part("download").href = link.dataset.download;
  part("page").href = link.href;
  if (part("remove")) part("remove").hidden = !("own" in tile.dataset);
  paint();
}

function paint() {
  const all = tiles();
  const at = all.indexOf(shown);
  document.getElementById("lightbox-place").textContent = `${at + 1} of ${all.length}${more() ? "+" : ""}`;
  part("newer").disabled = at <= 0;
  part("older").disabled = at === all.length - 1 && !more();
  const star = box.querySelector("[data-star]");
  if (star) {
    star.dataset.run = shown.dataset.run;
    star.ariaPressed = shown.querySelector("[data-star]").ariaPressed;
  }
  for (const beside of [all[at - 1], all[at + 1]]) if (beside) new Image().src = linkOf(beside).dataset.full;
}

const more = () => document.querySelector("#more a");

function open(tile) {
  history.pushState({ lightbox: tile.dataset.picture }, "", linkOf(tile).href);
  show(tile);
  box.showModal();
}

function go(step) {
  const all = tiles();
  const next = all[all.indexOf(shown) + step];
  if (next) {
    history.replaceState({ lightbox: next.dataset.picture }, "", linkOf(next).href);
    show(next);
  } else if (step > 0 && more() && !isWaiting) {
    isWaiting = true;
    more().click();
  }
}

function close() {
  if (history.state?.lightbox) history.back();
  else box.close();
}

function follow() {
  const wanted = history.state?.lightbox;
  const tile = wanted && tiles().find((each) => each.dataset.picture === wanted);
  if (tile) {
    show(tile);
    if (!box.open) box.showModal();
  } else if (wanted) {
    location.reload(); // it is on a page of tiles that is not loaded: its own page shows it
  } else if (box.open) {
    box.close();
  }
}

if (box) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".tile > a");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    open(link.closest(".tile"));
  });

  box.addEventListener("click", (event) => {
    const control = event.target.closest("[data-lightbox]")?.dataset.lightbox;
    if (control === "close" || event.target === box) close();
    if (control === "newer") go(-1);
    if (control === "older") go(1);
    if (control === "remove") document.dispatchEvent(new CustomEvent("gallery:remove", { detail: { runs: [shown.dataset.run] } }));
  });

  box.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });

  box.addEventListener("close", () => {
    const link = shown && !shown.hidden && linkOf(shown);
    if (link) requestAnimationFrame(() => link.focus());
  });

  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
    if (event.key.toLowerCase() === "d") part("download").click();
  });

  addEventListener("popstate", follow);

  document.addEventListener("htmx:afterSettle", () => {
    if (!isWaiting) return;
    isWaiting = false;
    go(1);
  });

  // Removed: on to the next one. Brought back, or a star elsewhere: the same picture, told anew.
  document.addEventListener("gallery:changed", () => {
    if (!box.open) return;
    if (!shown.hidden) return paint();
    const all = [...document.querySelectorAll(".tile")];
    const at = all.indexOf(shown);
    const next = all.slice(at).find((tile) => !tile.hidden) ?? all.slice(0, at).findLast((tile) => !tile.hidden);
    if (!next) return close();
    history.replaceState({ lightbox: next.dataset.picture }, "", linkOf(next).href);
    show(next);
  });
}
