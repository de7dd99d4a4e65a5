// The playground's form: keeps the address in step with the parameters, asks for a new price and snippet when they
// change, runs on Ctrl/Cmd+Enter, and tells how the upload goes and what was wrong.

const ADDRESS_LIMIT = 1500; // a longer query string might not be accepted when the page is loaded again
const ADDRESS_DELAY = 150;

const form = document.getElementById("playground");
const run = form.querySelector("[data-run]");
const alert = document.getElementById("form-alert");
const quote = document.getElementById("quote");

const params = () => [...form.querySelectorAll("[data-param]")];
const valueOf = (field) => (field.type === "checkbox" ? String(field.checked) : field.value);

function query() {
  const search = new URLSearchParams();
  const from = form.dataset.from;
  if (from) search.set(form.dataset.fromKind, from);
  for (const field of params()) {
    // Beside a run to start from, a value that was set back to its default has to be named as well.
    if (from || valueOf(field) !== field.dataset.default) search.set(field.name, valueOf(field));
  }
  for (const name of ["negative_prompt", "prompt"]) {
    if (search.toString().length > ADDRESS_LIMIT) search.delete(name);
  }
  return search.toString();
}

function tell(name) {
  form.dispatchEvent(new CustomEvent(name));
}

let timer;
function updateAddress() {
  const search = query();
  form.dataset.search = search && `?${search}`;
  clearTimeout(timer);
  timer = setTimeout(showAddress, ADDRESS_DELAY);
  tell("draft-change");
}

function showAddress() {
  clearTimeout(timer);
  const { search } = form.dataset;
  if (search !== location.search) history.replaceState(history.state, "", search || location.pathname);
}

form.dataset.search = location.search;
addEventListener("pagehide", showAddress);

form.addEventListener("input", (event) => {
  forgive(event.target);
  updateAddress();
  if (event.target.type === "file") return; // its price depends on its size, and "picture-change" tells that
  tell("params-change");
  if (!event.target.matches("textarea")) tell("price-change"); // which of them counts, the engine knows
});

form.addEventListener("picture-change", (event) => {
  const { name, width, height } = event.detail;
  if (width) forgive(form.elements[name]);
  tell("draft-change");
  if (name !== "image") return;
  form.elements.width.value = width || "";
  form.elements.height.value = height || "";
  tell("price-change");
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !run) return;
  event.preventDefault();
  form.requestSubmit();
});

// --- sending ---

function busy(words) {
  if (!run) return;
  run.setAttribute("aria-disabled", String(Boolean(words)));
  run.querySelector("[data-label]").textContent = words || "Run";
}

const isBusy = () => run?.getAttribute("aria-disabled") === "true";

// Pictures may still be being read and scaled, and their price be on its way; and one click more must not run it twice.
form.addEventListener("htmx:confirm", (event) => {
  if (event.target !== form) return;
  event.preventDefault();
  if (isBusy()) return;
  busy("Sending…");
  alert.replaceChildren();
  const pictures = [...form.querySelectorAll("picture-input")].map((picture) => picture.ready);
  Promise.all(pictures)
    .then(() => quote.ready)
    .then(() => event.detail.issueRequest(true));
});

// Back from the run's page: the browser may show this page as it was when it was left.
addEventListener("pageshow", (event) => event.persisted && busy(""));

form.addEventListener("htmx:xhr:progress", (event) => {
  if (event.target !== form) return;
  const { loaded, total } = event.detail;
  if (total && loaded < total) busy(`Uploading ${Math.round((loaded / total) * 100)} %`);
  else if (total) busy("Starting…");
});

form.addEventListener("htmx:afterRequest", (event) => {
  if (event.target !== form || event.detail.xhr.getResponseHeader("HX-Redirect")) return;
  busy("");
});

const FAILURES = {
  0: "The studio cannot be reached. Check the connection; everything you entered is still here.",
  403: "You are signed out, or may not run models in this team. Reload the page; what you entered is kept.",
  413: "The pictures are too large together. Use smaller ones.",
};

function fail(event) {
  if (event.target !== form) return;
  const status = event.detail.xhr?.status ?? 0;
  const words = FAILURES[status] ?? `The studio answered with an error (${status}). Nothing was charged; try again.`;
  const notice = document.createElement("div");
  notice.className = "notice notice--bad";
  notice.textContent = words;
  alert.replaceChildren(notice);
}

form.addEventListener("htmx:sendError", fail);
form.addEventListener("htmx:responseError", fail);

// --- what was wrong ---

/** Mark the fields that have an error, unfold what hides them, and go to the first. */
function blame() {
  const wrong = [...form.querySelectorAll("[data-error-of]:not([hidden])")];
  const fields = wrong.map((slot) => form.elements[slot.dataset.errorOf]).filter(Boolean);
  for (const field of fields) {
    field.setAttribute("aria-invalid", "true");
    const folded = field.closest("details");
    if (folded) folded.open = true;
  }
  if (fields.length) fields[0].focus();
  else if (alert.firstElementChild) alert.scrollIntoView({ block: "nearest" });
}

function forgive(field) {
  if (!field?.matches?.("[aria-invalid]")) return;
  field.removeAttribute("aria-invalid");
  const slot = document.getElementById(`error-${field.name}`);
  if (slot) slot.hidden = true;
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target === alert) blame();
});
if (form.querySelector("[data-error-of]:not([hidden])")) blame();
if (params().some((field) => valueOf(field) !== field.dataset.default)) tell("params-change");
