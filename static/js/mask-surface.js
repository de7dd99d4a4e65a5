// Surface: the painted mask, a canvas of the image's size that is opaque where the image is to be repainted.
// It is shown as it is, over the image: nothing is composed again while somebody paints.

const everything = ({ width, height }) => ({ left: 0, top: 0, right: width, bottom: height });

export class Surface {
  constructor(canvas, colour) {
    this.canvas = canvas;
    this.colour = colour;
    this.context = canvas.getContext("2d");
    this.touched = null;
  }

  /** Begin anew for an image of this size: nothing is painted. */
  resize(width, height) {
    Object.assign(this.canvas, { width, height });
    Object.assign(this.context, { lineCap: "round", lineJoin: "round", fillStyle: this.colour, strokeStyle: this.colour });
    this.touched = null;
  }

  get size() {
    return { width: this.canvas.width, height: this.canvas.height };
  }

  /** Return the rectangle {x, y, width, height} that changed since the last call, null for none. */
  takeTouched() {
    const area = this.touched;
    this.touched = null;
    if (!area) return null;
    const x = Math.max(0, Math.floor(area.left));
    const y = Math.max(0, Math.floor(area.top));
    const width = Math.min(this.canvas.width, Math.ceil(area.right)) - x;
    const height = Math.min(this.canvas.height, Math.ceil(area.bottom)) - y;
    return width > 0 && height > 0 ? { x, y, width, height } : null;
  }

  touch(points, margin) {
    const xs = points.map((point) => point.x);
    const ys = points.map((point) => point.y);
    const old = this.touched ?? { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    this.touched = {
      left: Math.min(old.left, ...xs) - margin,
      top: Math.min(old.top, ...ys) - margin,
      right: Math.max(old.right, ...xs) + margin,
      bottom: Math.max(old.bottom, ...ys) + margin,
    };
  }

  /** Paint (or take away) a line of this width through the points; one point is a dot. */
  line(points, width, erase) {
    this.compose(erase ? "destination-out" : "source-over", () => {
      this.context.lineWidth = width;
      this.context.beginPath();
      this.context.moveTo(points[0].x, points[0].y);
      for (const point of points) this.context.lineTo(point.x, point.y);
      this.context.stroke();
    });
    this.touch(points, width / 2 + 1);
  }

  /** Paint (or take away) the area inside the points. */
  area(points, erase) {
    this.compose(erase ? "destination-out" : "source-over", () => {
      this.context.beginPath();
      for (const point of points) this.context.lineTo(point.x, point.y);
      this.context.closePath();
      this.context.fill();
    });
    this.touch(points, 1);
  }

  invert() {
    this.compose("source-out", () => this.context.fillRect(0, 0, this.canvas.width, this.canvas.height));
    this.touched = everything(this.canvas);
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.touched = everything(this.canvas);
  }

  /** Take over a picture whose opaque part is to be repainted, whatever its colour and size. */
  replace(picture) {
    const { width, height } = this.canvas;
    this.clear();
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(picture, 0, 0, width, height);
    this.compose("source-in", () => this.context.fillRect(0, 0, width, height));
  }

  compose(operation, draw) {
    this.context.globalCompositeOperation = operation;
    draw();
    this.context.globalCompositeOperation = "source-over";
  }
}
