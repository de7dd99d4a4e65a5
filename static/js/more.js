// The gallery: after "more", the focus goes to the first new picture.

let count = document.querySelectorAll(".tile").length;

document.addEventListener("htmx:afterSettle", () => {
  const tiles = document.querySelectorAll(".tile a");
  if (tiles.length > count) tiles[count].focus({ preventScroll: true });
  count = tiles.length;
});
