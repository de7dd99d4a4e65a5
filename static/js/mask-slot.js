// MaskSlot: the mask field, as the editor uses it. What was painted becomes its file a moment after the last stroke;
// a run that is started meanwhile waits for that. It also remembers the last mask, for other pictures of that size.

import { keep, keyOf, read as recall, unkept } from "./drafts.js";
import { read, write } from "./mask-file.js";

const DELAY = 400;

export class MaskSlot {
  constructor(editor, input) {
    Object.assign(this, { editor, input, name: input.querySelector("input[type=file]").name, last: null, ready: null, writing: Promise.resolve() });
    this.key = keyOf(input.closest("form").dataset.team, "last-mask");
    input.closest("form").addEventListener("htmx:beforeRequest", (event) => event.target === editor.form && this.remember());
    recall(this.key)
      .then((last) => (this.last = last))
      .then(() => editor.showState())
      .catch(unkept);
  }

  get isFilled() {
    return this.input.isFilled;
  }

  get file() {
    return this.input.file.files[0];
  }

  /** Put the field's mask on the editor's surface; return its feather. */
  async load() {
    await this.input.ready;
    if (!this.isFilled) return 0;
    await this.input.preview.decode();
    const { canvas, feather } = await read(this.file ?? this.input.preview, this.file?.name);
    this.editor.surface.replace(canvas);
    return feather;
  }

  /** Have the field hold what is painted now, soon; what sends the form waits for it. */
  changed() {
    this.ready ??= new Promise((resolve) => (this.settle = resolve));
    this.input.ready = this.ready;
    this.resume();
  }

  /** Somebody goes on painting: what is to be written comes later. */
  pause() {
    clearTimeout(this.timer);
  }

  resume() {
    this.pause();
    if (this.ready) this.timer = setTimeout(() => (this.writing = this.writing.then(() => this.write())), DELAY);
  }

  async write() {
    const { settle } = this;
    this.ready = null;
    this.isWriting = true;
    try {
      const file = await write(this.editor.surface, this.editor.feather);
      const taken = file ? this.input.take(file) : this.input.clear();
      if (this.ready) this.input.ready = this.ready; // somebody went on painting
      await taken;
    } finally {
      this.isWriting = false;
      settle();
    }
    this.editor.showState();
  }

  async download() {
    await this.input.ready;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(this.file ?? (await (await fetch(this.input.preview.src)).blob()));
    link.download = "mask.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // --- the last mask ---

  get canReuse() {
    const { width, height } = this.editor.surface.size;
    return Boolean(this.last) && this.last.width === width && this.last.height === height;
  }

  async remember() {
    await this.input.ready;
    if (!this.file) return;
    const { naturalWidth: width, naturalHeight: height } = this.editor.image.preview;
    this.last = { file: this.file, width, height };
    this.editor.showState();
    await keep(this.key, this.last).catch(unkept);
  }

  async reuse() {
    const { canvas, feather } = await read(this.last.file, this.last.file.name);
    this.editor.setFeather(feather);
    this.editor.put(canvas);
    this.editor.say("The last mask is here again.");
  }
}
