// Mouse, pen and fingers on the mask: one paints, two fingers zoom and pan, the middle button or Space pans. Once a
// pen was seen fingers only pan, so that a resting palm paints nothing.

const PEN_ERASER = 5;
const STEP = 0.05; // of pressure

const middle = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
const distance = ([one, other]) => Math.hypot(one.x - other.x, one.y - other.y);

export class Pointers {
  /** hooks: begin(point, {erase}), move(points), end(), cancel(), hover(point or null), wheel(event, place). */
  constructor(viewport, view, hooks) {
    Object.assign(this, { viewport, view, hooks, fingers: new Map(), doing: null, pending: [] });
    Object.assign(this, { hasPen: false, usesPressure: true, isPanKeyDown: false });
    const listen = (name, handler) => viewport.addEventListener(name, (event) => handler.call(this, event));
    listen("pointerdown", this.down);
    listen("pointermove", this.moved);
    listen("pointerup", this.up);
    listen("pointercancel", this.lost);
    listen("pointerleave", () => this.doing ?? hooks.hover(null));
    listen("contextmenu", (event) => event.preventDefault());
    viewport.addEventListener("wheel", (event) => hooks.wheel(event, view.place(event)), { passive: false });
  }

  point(event) {
    const pen = event.pointerType === "pen" && this.usesPressure;
    const pressure = pen ? Math.max(0.1, Math.round(event.pressure / STEP) * STEP) : 1;
    return { ...this.view.toImage(this.view.place(event)), pressure };
  }

  down(event) {
    if (event.button === 2) return;
    event.preventDefault();
    this.viewport.focus({ preventScroll: true });
    if (event.pointerType === "pen") this.hasPen = true;
    const isFinger = event.pointerType === "touch";
    if (this.doing && !isFinger) return;
    if (isFinger && this.doing === "paint" && !this.fingers.size) return; // a palm beside the pen
    this.viewport.setPointerCapture(event.pointerId);
    if (isFinger) this.fingers.set(event.pointerId, this.view.place(event));
    if (this.fingers.size === 2) this.pinch();
    else if (this.fingers.size < 2) this.start(event, isFinger);
  }

  start(event, isFinger) {
    this.id = event.pointerId;
    this.last = this.view.place(event);
    const pans = event.button === 1 || this.isPanKeyDown || (isFinger && this.hasPen);
    this.doing = pans ? "pan" : "paint";
    this.viewport.toggleAttribute("data-panning", pans);
    if (!pans) this.hooks.begin(this.point(event), { erase: event.altKey || event.button === PEN_ERASER });
  }

  pinch() {
    if (this.doing === "paint") {
      this.pending = [];
      this.hooks.cancel();
    }
    this.doing = "pinch";
    this.spread = [...this.fingers.values()];
  }

  moved(event) {
    if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, this.view.place(event));
    if (this.doing === "pinch") return this.pinched();
    if (!this.doing) return event.pointerType === "touch" || this.hooks.hover(this.point(event));
    if (event.pointerId !== this.id) return;
    if (this.doing === "pan") return this.panned(this.view.place(event));
    const between = event.getCoalescedEvents?.() ?? [];
    this.pending.push(...(between.length ? between : [event]).map((each) => this.point(each)));
    this.frame ??= requestAnimationFrame(() => this.flush());
  }

  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    if (this.doing === "paint" && this.pending.length) this.hooks.move(this.pending);
    this.pending = [];
  }

  panned(place) {
    this.view.pan(place.x - this.last.x, place.y - this.last.y);
    this.last = place;
  }

  pinched() {
    const spread = [...this.fingers.values()];
    if (spread.length < 2) return;
    const [from, to] = [middle(this.spread), middle(spread)];
    this.view.pan(to.x - from.x, to.y - from.y);
    this.view.zoom(distance(spread) / Math.max(1, distance(this.spread)), to);
    this.spread = spread;
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.doing === "pinch") return this.fingers.size || this.stop();
    if (event.pointerId !== this.id || !this.doing) return;
    if (this.doing === "paint") {
      this.flush();
      this.hooks.end();
    }
    this.stop();
  }

  lost(event) {
    this.fingers.delete(event.pointerId);
    if (event.pointerId === this.id && this.doing === "paint") this.hooks.cancel();
    if (!this.fingers.size) this.stop();
  }

  stop() {
    this.doing = null;
    this.pending = [];
    this.viewport.removeAttribute("data-panning");
  }
}
