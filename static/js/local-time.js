// <time>: shown in the reader's own time zone and language; without this it is UTC.

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function localize(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    element.textContent = format.format(new Date(element.dateTime));
  }
}

document.addEventListener("htmx:afterSettle", () => localize(document));
localize(document);
