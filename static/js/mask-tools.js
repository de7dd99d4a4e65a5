// The tools of the mask editor. Each begins at a point of the image, goes on through others and ends; `outline` is
// what is to be shown meanwhile. A point is {x, y, pressure}; pressure is 1 where the pen's does not count.

const LEAST = 0.5; // pixels between two points of a lasso

class Stroke {
  constructor(surface, { width, erase }) {
    Object.assign(this, { surface, width, erase, outline: null });
  }

  begin(point) {
    this.last = point;
    this.surface.line([point], this.width() * point.pressure, this.erase);
  }

  move(points) {
    let line = [this.last];
    for (const point of points) {
      line.push(point);
      if (point.pressure !== this.last.pressure) {
        this.draw(line);
        line = [point];
      }
      this.last = point;
    }
    if (line.length > 1) this.draw(line);
  }

  draw(line) {
    this.surface.line(line, this.width() * line.at(-1).pressure, this.erase);
  }

  end() {}
}

class Lasso {
  constructor(surface, { erase }) {
    Object.assign(this, { surface, erase, outline: [] });
  }

  begin(point) {
    this.outline.push(point);
  }

  move(points) {
    for (const point of points) {
      const last = this.outline.at(-1);
      if (Math.hypot(point.x - last.x, point.y - last.y) >= LEAST) this.outline.push(point);
    }
  }

  end() {
    if (this.outline.length > 2) this.surface.area(this.outline, this.erase);
  }
}

class Box {
  constructor(surface, { erase }) {
    Object.assign(this, { surface, erase, outline: [] });
  }

  begin(point) {
    this.from = point;
  }

  move(points) {
    const { x, y } = points.at(-1);
    const { from } = this;
    this.outline = [from, { x, y: from.y }, { x, y }, { x: from.x, y }].map((corner) => ({ x: Math.round(corner.x), y: Math.round(corner.y) }));
  }

  end() {
    if (this.outline.length) this.surface.area(this.outline, this.erase);
  }
}

const TOOLS = { brush: Stroke, eraser: Stroke, lasso: Lasso, box: Box };

/** Return a tool ready to begin. options: {width: a function, erase: whether it takes away}. */
export function tool(name, surface, { width, erase }) {
  return new TOOLS[name](surface, { width, erase: erase || name === "eraser" });
}
