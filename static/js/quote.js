// #quote: its `ready` is settled when the price that it shows is that of the form.

const PATIENCE = 5000; // milliseconds; the server compares as well, so that waiting longer protects nobody

const form = document.getElementById("playground");
const quote = document.getElementById("quote");

let changes = 0; // of what may move the price
let asked = 0; // how many of them the latest request knew
let release;

form.addEventListener("price-change", () => {
  changes += 1;
  if (release) return;
  const answered = new Promise((resolve) => (release = resolve));
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  quote.ready = Promise.race([answered, patience]);
});

quote.addEventListener("htmx:beforeRequest", () => {
  asked = changes;
});

quote.addEventListener("htmx:afterRequest", () => {
  if (asked !== changes) return; // an answer to what was asked before the last change
  release?.();
  release = undefined;
});
