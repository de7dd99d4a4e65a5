// Marks: what is shown over the mask while somebody paints: the brush's ring, the cursor of the keyboard, the outline
// of a lasso or a box. Drawn once a frame at most.

export class Marks {
  constructor(viewport, view) {
    this.view = view;
    this.ring = viewport.querySelector("[data-ring]");
    this.outline = viewport.querySelector("[data-outline] polyline");
    this.state = { at: null, size: 1, points: null, isCursor: false };
  }

  /** state: {at: a point of the image or null, size: the ring's in its pixels, isCursor, points of an outline}. */
  show(state) {
    Object.assign(this.state, state);
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = undefined;
    const { at, size, points, isCursor } = this.state;
    this.ring.hidden = !at;
    if (at) {
      const { x, y } = this.view.toViewport(at);
      const side = Math.max(6, size * this.view.scale);
      this.ring.toggleAttribute("data-cursor", isCursor);
      Object.assign(this.ring.style, {
        width: `${side}px`,
        height: `${side}px`,
        transform: `translate(${x - side / 2}px, ${y - side / 2}px)`,
      });
    }
    const shown = (points ?? []).map((point) => this.view.toViewport(point));
    const closed = shown.length > 2 ? [...shown, shown[0]] : shown;
    this.outline.setAttribute("points", closed.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
  }
}
