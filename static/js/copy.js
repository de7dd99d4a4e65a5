// [data-copy="#id"]: copies the text of that element, and says so on the button for a moment.

const SHOWN_MS = 1600;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  const label = button.querySelector("[data-label]");
  const before = button.dataset.before ?? label.textContent;
  button.dataset.before = before;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    label.textContent = "Copied";
  } catch {
    // The clipboard is closed to pages without TLS: select the text, so that Ctrl+C takes it.
    getSelection().selectAllChildren(source);
    label.textContent = "Press Ctrl+C";
  }
  setTimeout(() => (label.textContent = before), SHOWN_MS);
});
