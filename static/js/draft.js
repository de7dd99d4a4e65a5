// Keeps what is entered in the playground, pictures included, in this browser: it survives a reload and leaving the
// page. One draft per person, team and model; those of others are deleted here, all of them at sign-out (forget.js).

import { deleteOthers, keep, keyOf, read, unkept } from "./drafts.js";

const SAVE_DELAY = 250;
const form = document.getElementById("playground");
const notice = document.getElementById("draft-notice");
const key = keyOf(form.dataset.team, form.dataset.model);

const fields = () => [...form.querySelectorAll("[data-param]")];
const pictures = () => [...form.querySelectorAll("picture-input")];

function current() {
  const values = Object.fromEntries(fields().map((f) => [f.name, f.type === "checkbox" ? f.checked : f.value]));
  const images = {};
  for (const picture of pictures()) {
    const file = picture.file.files[0];
    images[picture.name] = file ?? (picture.isFilled ? "reference" : null);
  }
  return { search: form.dataset.search, values, images };
}

function isEmpty({ values, images }) {
  const untouched = fields().every((f) => String(values[f.name]) === f.dataset.default);
  return untouched && Object.values(images).every((image) => image === null);
}

async function save() {
  const draft = current();
  await keep(key, isEmpty(draft) ? undefined : draft, () => isOver);
}

function applyValues(values) {
  for (const field of fields()) {
    if (!(field.name in values)) continue;
    if (field.type === "checkbox") field.checked = values[field.name];
    else field.value = values[field.name];
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

async function applyPictures(images) {
  for (const picture of pictures()) {
    const image = images[picture.name];
    if (image instanceof Blob) await picture.take(image);
    else if (image === null && picture.isFilled) picture.clear();
  }
}

let isTouched = false;
let isOver = false; // "Start over" was pressed: nothing may be kept any more
let timer;

/** Restore the draft, unless the address asks for something else or something was entered already. */
async function restore() {
  const draft = await read(key);
  if (!draft || isTouched) return;
  const { search } = location;
  const isSame = search === draft.search || (!search && !draft.search.match(/[?&](from|output)=/));
  // This tab went on to another address before the draft was kept: the address has the values, the draft the pictures.
  const isLater = search === sessionStorage.getItem(key);
  if (!isSame && !isLater) return;
  if (isSame) applyValues(draft.values);
  await applyPictures(draft.images);
  notice.hidden = false;
}

form.addEventListener("draft-change", () => {
  isTouched = true;
  sessionStorage.setItem(key, form.dataset.search);
  clearTimeout(timer);
  timer = setTimeout(() => save().catch(unkept), SAVE_DELAY);
});

notice.querySelector("button").addEventListener("click", async () => {
  isOver = true;
  sessionStorage.removeItem(key);
  await keep(key, undefined);
  location.assign(location.pathname);
});

deleteOthers().then(restore).catch(unkept);
