// History: undo and redo of a surface. Each step keeps what was there before and after, of the rectangle it changed
// alone, on the graphics card: nothing is read back. Bounded by steps and by pixels; the oldest are forgotten.

const STEPS = 100;
const PIXELS = 48 * 1024 * 1024; // of four bytes

function piece(source, { x, y, width, height }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").drawImage(source, x, y, width, height, 0, 0, width, height);
  return canvas;
}

function put(target, picture, { x, y, width, height }) {
  target.clearRect(x, y, width, height);
  target.drawImage(picture, x, y);
}

export class History {
  constructor(surface) {
    this.surface = surface;
    this.settled = document.createElement("canvas"); // the surface as it was after the last step
    this.reset();
  }

  /** Forget every step: what is painted now is the beginning. */
  reset() {
    Object.assign(this.settled, this.surface.size);
    this.settled.getContext("2d").drawImage(this.surface.canvas, 0, 0);
    this.surface.takeTouched();
    this.steps = [];
    this.at = 0;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.steps.length;
  }

  /** Make one step of what was touched since the last. Return whether anything was. */
  commit() {
    const area = this.surface.takeTouched();
    if (!area) return false;
    const step = { area, before: piece(this.settled, area), after: piece(this.surface.canvas, area) };
    this.steps.splice(this.at, Infinity, step);
    this.at = this.steps.length;
    put(this.settled.getContext("2d"), step.after, area);
    this.forget();
    return true;
  }

  forget() {
    const weight = ({ area }) => 2 * area.width * area.height;
    let pixels = this.steps.reduce((sum, step) => sum + weight(step), 0);
    while (this.steps.length > 1 && (this.steps.length > STEPS || pixels > PIXELS)) {
      pixels -= weight(this.steps.shift());
      this.at -= 1;
    }
  }

  /** Throw away what was touched since the last step. */
  abandon() {
    const area = this.surface.takeTouched();
    if (area) put(this.surface.context, piece(this.settled, area), area);
  }

  undo() {
    if (!this.canUndo) return false;
    this.at -= 1;
    this.show(this.steps[this.at], "before");
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    this.show(this.steps[this.at], "after");
    this.at += 1;
    return true;
  }

  show(step, side) {
    put(this.surface.context, step[side], step.area);
    put(this.settled.getContext("2d"), step[side], step.area);
  }
}
