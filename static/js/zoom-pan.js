// ZoomPan: where a stage of a picture's size stands in its viewport. The browser moves and scales the stage as it is;
// nothing in it is drawn again.

const MOST = 16;
const MARGIN = 16;
const KEPT = 48; // pixels of the stage that cannot be pushed out of the viewport

export class ZoomPan {
  constructor(viewport, stage, changed) {
    Object.assign(this, { viewport, stage, changed, scale: 1, x: 0, y: 0, width: 1, height: 1, isFitted: true });
    new ResizeObserver(() => (this.isFitted ? this.fit() : this.apply())).observe(viewport);
  }

  /** Show a picture of this size, whole. */
  open(width, height) {
    Object.assign(this, { width, height });
    Object.assign(this.stage.style, { width: `${width}px`, height: `${height}px` });
    this.fit();
  }

  get fitting() {
    const { clientWidth, clientHeight } = this.viewport;
    return Math.max(0.01, Math.min((clientWidth - MARGIN) / this.width, (clientHeight - MARGIN) / this.height, MOST));
  }

  fit() {
    this.scale = this.fitting;
    this.x = (this.viewport.clientWidth - this.width * this.scale) / 2;
    this.y = (this.viewport.clientHeight - this.height * this.scale) / 2;
    this.apply();
    this.isFitted = true;
  }

  /** Zoom by a factor about a point of the viewport, its middle where none is given. */
  zoom(factor, at = { x: this.viewport.clientWidth / 2, y: this.viewport.clientHeight / 2 }) {
    const scale = Math.min(MOST, Math.max(Math.min(this.fitting, 1) / 2, this.scale * factor));
    const ratio = scale / this.scale;
    this.scale = scale;
    this.x = at.x - (at.x - this.x) * ratio;
    this.y = at.y - (at.y - this.y) * ratio;
    this.apply();
  }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.apply();
  }

  apply() {
    const { clientWidth, clientHeight } = this.viewport;
    this.x = Math.min(clientWidth - KEPT, Math.max(KEPT - this.width * this.scale, this.x));
    this.y = Math.min(clientHeight - KEPT, Math.max(KEPT - this.height * this.scale, this.y));
    this.stage.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.isFitted = false;
    this.changed();
  }

  /** Move just so far that a point of the picture is in view. */
  reveal({ x, y }) {
    const shown = this.toViewport({ x, y });
    const { clientWidth, clientHeight } = this.viewport;
    const over = (value, most) => Math.min(0, most - MARGIN - value) || Math.max(0, MARGIN - value);
    const [right, down] = [over(shown.x, clientWidth), over(shown.y, clientHeight)];
    if (right || down) this.pan(right, down);
  }

  toImage({ x, y }) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  toViewport({ x, y }) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }

  /** Return where an event of a pointer is in the viewport. */
  place(event) {
    const box = this.viewport.getBoundingClientRect();
    return { x: event.clientX - box.left - this.viewport.clientLeft, y: event.clientY - box.top - this.viewport.clientTop };
  }
}
