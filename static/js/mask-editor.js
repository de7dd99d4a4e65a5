// <mask-editor>: paints the mask of the picture in the image field, and keeps it as the mask field's file, so that it
// is sent and survives as any file there. Its parts: mask-surface, -history, -tools, -pointer, -keys, -marks, zoom-pan.

import { History } from "./mask-history.js";
import { Keys } from "./mask-keys.js";
import { Marks } from "./mask-marks.js";
import { MaskSlot } from "./mask-slot.js";
import { Pointers } from "./mask-pointer.js";
import { Surface } from "./mask-surface.js";
import { requestSubject } from "./mask-subject.js";
import { tool } from "./mask-tools.js";
import { ZoomPan } from "./zoom-pan.js";

const COLOUR = "rgb(217 38 169)"; // mask-preview.js tints with the same
const FIRST_SIZE = 0.06; // of the longer side
const ZOOM_STEP = 1.25;

class MaskEditor extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.image = this.form.querySelector("picture-input[data-role=image]");
    this.opener = this.form.querySelector("[data-paint]");
    this.viewport = this.querySelector("[data-viewport]");
    this.picture = this.querySelector("[data-picture]");
    this.sizes = this.querySelector("[data-brush]");
    this.surface = new Surface(this.querySelector("canvas"), COLOUR);
    this.history = new History(this.surface);
    this.field = new MaskSlot(this, this.opener.closest("picture-input"));
    this.view = new ZoomPan(this.viewport, this.querySelector("[data-stage]"), () => this.marks?.show({}));
    this.marks = new Marks(this.viewport, this.view);
    this.keys = new Keys(this);
    this.pointers = new Pointers(this.viewport, this.view, {
      begin: (point, options) => (this.keys.leave(), this.begin(point, options)),
      move: (points) => this.move(points),
      end: () => this.end(),
      cancel: () => this.cancel(),
      hover: (point) => this.keys.at || this.marks.show({ at: this.hasRing ? point : null, size: this.size, isCursor: false }),
      wheel: (event, place) => this.wheel(event, place),
    });
    this.opener.addEventListener("click", () => (this.hidden ? this.open() : this.close()));
    this.addEventListener("click", (event) => this.clicked(event.target.closest("button")));
    this.addEventListener("input", (event) => this.entered(event));
    this.form.addEventListener("picture-change", (event) => this.pictureChanged(event.detail.name));
    this.choose("brush");
    this.pictureChanged("image");
  }

  // --- opening and closing ---

  async open() {
    if (!this.image.isFilled) return this.image.file.focus();
    this.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    await this.load();
    this.viewport.focus({ preventScroll: true });
    this.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.cancel();
    this.field.remember();
    this.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    this.opener.focus();
  }

  async load() {
    this.picture.src = this.image.preview.src;
    await this.picture.decode();
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    this.surface.resize(width, height);
    const longer = Math.max(width, height);
    this.sizes.max = Math.max(100, Math.round(longer / 3));
    this.resizeTo(Math.round(longer * FIRST_SIZE));
    this.view.open(width, height);
    this.setFeather(await this.field.load());
    this.history.reset();
    this.showState();
  }

  pictureChanged(name) {
    if (name === this.image.name) {
      this.opener.setAttribute("aria-disabled", String(!this.image.isFilled));
      if (!this.hidden) return this.image.isFilled ? this.load() : this.close();
    }
    if (name === this.field.name && !this.hidden && !this.field.isWriting) this.load();
    this.showState();
  }

  // --- painting ---

  get size() {
    return Number(this.sizes.value);
  }

  get hasRing() {
    return this.toolName === "brush" || this.toolName === "eraser";
  }

  begin(point, { erase = false }) {
    this.tool = tool(this.toolName, this.surface, { width: () => this.size, erase });
    this.field.pause();
    this.toggleAttribute("data-pen", this.pointers.hasPen);
    this.surface.canvas.style.filter = ""; // soft edges while it moves would cost frames
    this.tool.begin(point);
    this.showTool(point);
  }

  move(points) {
    this.tool?.move(points);
    this.showTool(points.at(-1));
  }

  showTool(point) {
    const at = this.hasRing || this.keys.at ? point : null;
    this.marks.show({ at, size: this.ringSize, isCursor: Boolean(this.keys.at), points: this.tool?.outline });
  }

  end() {
    this.tool?.end();
    this.tool = null;
    this.marks.show({ points: null });
    this.commit();
  }

  cancel() {
    if (!this.tool) return;
    this.tool = null;
    this.history.abandon();
    this.field.resume();
    this.marks.show({ points: null });
    this.setFeather(this.feather);
  }

  commit() {
    this.say("");
    if (this.history.commit()) this.field.changed();
    else this.field.resume();
    this.setFeather(this.feather);
    this.showState();
  }

  // --- what the buttons, the keys and the sliders do ---

  choose(name) {
    this.toolName = name;
    for (const button of this.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === name));
    }
    if (this.keys?.at) this.showCursor(this.keys.at);
  }

  act(name) {
    if (this.tool || this.isInactive(name)) return;
    const actions = {
      undo: () => this.history.undo() && this.field.changed(),
      redo: () => this.history.redo() && this.field.changed(),
      invert: () => this.surface.invert(),
      clear: () => this.surface.clear(),
      closer: () => this.view.zoom(ZOOM_STEP),
      farther: () => this.view.zoom(1 / ZOOM_STEP),
      fit: () => this.view.fit(),
      download: () => this.field.download(),
      reuse: () => this.field.reuse(),
      subject: () => this.select({ isBackground: false }),
      background: () => this.select({ isBackground: true }),
      done: () => this.close(),
    };
    actions[name]();
    if (["invert", "clear"].includes(name)) this.commit();
    this.showState();
  }

  isInactive(name) {
    return this.querySelector(`[data-act=${name}]`)?.getAttribute("aria-disabled") === "true";
  }

  async select({ isBackground }) {
    this.say("Looking for the subject…");
    this.toggleAttribute("data-busy", true);
    try {
      const found = await requestSubject(this.dataset.subjectUrl, this.form, this.image);
      this.put(found, { isInverted: isBackground });
      this.say(isBackground ? "The background is selected." : "The subject is selected.");
    } catch (error) {
      this.say(error.message);
    } finally {
      this.removeAttribute("data-busy");
      this.showState();
    }
  }

  /** Make a picture's opaque part the mask, as one step. */
  put(picture, { isInverted = false } = {}) {
    this.surface.replace(picture);
    if (isInverted) this.surface.invert();
    this.commit();
  }

  clicked(button) {
    if (button?.dataset.tool) this.choose(button.dataset.tool);
    else if (button?.dataset.act) this.act(button.dataset.act);
  }

  entered(event) {
    event.stopPropagation(); // it is no parameter: the price does not depend on it
    const { target } = event;
    if (target === this.sizes) this.resizeTo(this.size);
    else if ("feather" in target.dataset) {
      this.setFeather(Number(target.value));
      this.field.changed();
    } else if ("pressure" in target.dataset) this.pointers.usesPressure = target.checked;
  }

  wheel(event, place) {
    if (!event.ctrlKey && !this.contains(document.activeElement)) return; // the page scrolls on
    event.preventDefault();
    if (event.altKey) return this.resize(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    this.view.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), place);
  }

  resize(factor) {
    const to = this.size * factor;
    this.resizeTo(factor > 1 ? Math.ceil(to) : Math.floor(to));
  }

  resizeTo(size) {
    this.sizes.value = size;
    this.querySelector("[data-brush-shown]").value = `${this.size} px`;
    this.marks.show({ size: this.ringSize });
  }

  setFeather(feather) {
    this.feather = feather;
    this.querySelector("[data-feather]").value = feather;
    this.querySelector("[data-feather-shown]").value = `${feather} px`;
    this.surface.canvas.style.filter = feather ? `blur(${feather / 2}px)` : "";
  }

  // --- what is shown and said ---

  get ringSize() {
    return this.hasRing ? this.size : 1;
  }

  showCursor(at) {
    this.marks.show({ at, size: this.ringSize, isCursor: true });
    if (at) this.say(`Cursor at ${Math.round(at.x)}, ${Math.round(at.y)}`);
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }

  showState() {
    const inactive = { undo: !this.history.canUndo, redo: !this.history.canRedo, reuse: !this.field.canReuse };
    inactive.subject = inactive.background = this.hasAttribute("data-busy");
    inactive.download = !this.field.isFilled;
    for (const [name, isInactive] of Object.entries(inactive)) {
      this.querySelector(`[data-act=${name}]`)?.setAttribute("aria-disabled", String(isInactive));
    }
  }
}

customElements.define("mask-editor", MaskEditor);
