// A fragment that comes back as the sign-in page means that the session has ended: show that page as a whole.

let isLeaving = false; // the price and the code may both find out

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!new URL(event.detail.xhr.responseURL || location.href).pathname.startsWith("/accounts/login")) return;
  event.preventDefault();
  if (!isLeaving) location.reload();
  isLeaving = true;
});
