// The compare page: one zoom and one place for all pictures, by wheel, dragging, buttons and keys.

const views = [...document.querySelectorAll(".compare__view")];
const slider = document.getElementById("zoom");
const MOST = 8;
const place = { zoom: 1, x: 0.5, y: 0.5 }; // which point of the pictures lies in the middle, as shares of their sides

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function draw() {
  const half = 0.5 / place.zoom;
  place.x = clamp(place.x, half, 1 - half);
  place.y = clamp(place.y, half, 1 - half);
  for (const view of views) {
    const style = view.firstElementChild.style;
    style.scale = place.zoom;
    style.translate = `${(0.5 - place.x) * place.zoom * 100}% ${(0.5 - place.y) * place.zoom * 100}%`;
    view.classList.toggle("is-zoomed", place.zoom > 1);
  }
  const percent = Math.round(place.zoom * 100);
  slider.value = percent;
  document.getElementById("zoom-said").textContent = `${percent} %`;
}

// Zooms so that the point (shares of the view) stays where it is.
function zoom(to, atX = 0.5, atY = 0.5) {
  const before = place.zoom;
  place.zoom = clamp(to, 1, MOST);
  const gained = 1 / before - 1 / place.zoom;
  place.x += (atX - 0.5) * gained;
  place.y += (atY - 0.5) * gained;
  draw();
}

function move(x, y) {
  place.x += x / place.zoom;
  place.y += y / place.zoom;
  draw();
}

const KEYS = {
  "+": () => zoom(place.zoom * 1.25),
  "=": () => zoom(place.zoom * 1.25),
  "-": () => zoom(place.zoom / 1.25),
  0: () => zoom(1),
  ArrowLeft: () => move(-0.1, 0),
  ArrowRight: () => move(0.1, 0),
  ArrowUp: () => move(0, -0.1),
  ArrowDown: () => move(0, 0.1),
};

for (const view of views) {
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && place.zoom === 1 && event.deltaY > 0) return; // the page scrolls on
    event.preventDefault();
    const box = view.getBoundingClientRect();
    const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    zoom(place.zoom * Math.exp(-event.deltaY / 400), ...at);
  }, { passive: false });

  view.addEventListener("pointerdown", (event) => {
    if (place.zoom > 1) view.setPointerCapture(event.pointerId);
  });

  view.addEventListener("pointermove", (event) => {
    if (!view.hasPointerCapture(event.pointerId)) return;
    const box = view.getBoundingClientRect();
    move(-event.movementX / box.width, -event.movementY / box.height);
  });

  view.addEventListener("dblclick", () => zoom(place.zoom > 1 ? 1 : 2));

  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    if (event.key.startsWith("Arrow") && place.zoom === 1) return;
    event.preventDefault();
    KEYS[event.key]();
  });
}

slider?.addEventListener("input", () => zoom(slider.value / 100));

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom]");
  if (button) zoom({ in: place.zoom * 1.25, out: place.zoom / 1.25, fit: 1 }[button.dataset.zoom]);
});
