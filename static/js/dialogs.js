// [data-dialog="#id"] opens a <dialog>; [data-close] inside closes it. A dialog marked data-open opens with the page.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.querySelector(opener.dataset.dialog).showModal();
  const closer = event.target.closest("dialog [data-close]");
  if (closer) closer.closest("dialog").close();
});

document.querySelector("dialog[data-open]")?.showModal();
