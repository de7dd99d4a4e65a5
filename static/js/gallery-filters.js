// The filters: fields that say nothing stay out of the address, and a choice counts at once.

const form = document.querySelector("[data-filters]");

form?.addEventListener("submit", () => {
  for (const field of form.elements) field.disabled = Boolean(field.name) && !field.value;
});

form?.addEventListener("change", (event) => {
  if (event.target.tagName === "SELECT") form.requestSubmit();
});

// Back from another page, the form is as it was.
addEventListener("pageshow", () => {
  for (const field of form?.elements ?? []) field.disabled = false;
});
