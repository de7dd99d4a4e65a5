// <picture-input>: a file input that takes a dropped, pasted or picked picture, shows it, and scales it down
// to the longest side that the service accepts. Fires "picture-change" (bubbles) with {name, width, height}.

const ACCEPTED = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const JPEG_QUALITY = 0.92;
const UNREADABLE = "This file is not a picture that can be read here. Use PNG, JPEG, WebP or GIF.";

/** Return {file, width, height, note}: the picture upright and within `limit`; `note` says what was changed. */
async function fit(file, limit) {
  // Drawn from the bitmap, EXIF orientation is applied and the canvas keeps no metadata.
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const { width, height } = bitmap;
  const scale = Math.min(1, limit / Math.max(width, height));
  if (scale === 1 && ACCEPTED.has(file.type)) return { file, width, height, note: `${width} × ${height} px` };
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  // Only a JPEG is sure to have no alpha, which would be lost.
  const type = file.type === "image/jpeg" ? "image/jpeg" : "image/png";
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, JPEG_QUALITY));
  const name = file.name.replace(/\.[^.]*$/, "") + (type === "image/jpeg" ? ".jpg" : ".png");
  const size = `${canvas.width} × ${canvas.height} px`;
  const note = scale < 1 ? `Scaled down from ${width} × ${height} to ${size}, the most that is accepted.` : `Converted to PNG, ${size}.`;
  return { file: new File([blob], name, { type }), width: canvas.width, height: canvas.height, note };
}

class PictureInput extends HTMLElement {
  connectedCallback() {
    this.file = this.querySelector("input[type=file]");
    this.reference = this.querySelector("input[type=hidden]");
    this.preview = this.querySelector("img");
    this.remover = this.querySelector(".picture__remove");
    this.note = this.querySelector("[data-note]");
    this.zone = this.querySelector(".picture__zone");
    this.file.addEventListener("change", () => this.file.files.length && this.take(this.file.files[0]));
    this.remover.addEventListener("click", () => this.clear());
    this.watchDrags();
    if (this.reference.value) this.announceReference();
  }

  get name() {
    return this.file.name;
  }

  get isFilled() {
    return "filled" in this.dataset;
  }

  watchDrags() {
    const over = (isOver) => (event) => {
      event.preventDefault();
      this.zone.toggleAttribute("data-over", isOver);
    };
    this.zone.addEventListener("dragenter", over(true));
    this.zone.addEventListener("dragover", over(true));
    this.zone.addEventListener("dragleave", over(false));
    this.zone.addEventListener("drop", (event) => {
      over(false)(event);
      const file = event.dataTransfer.files[0];
      if (file) this.take(file);
    });
  }

  /** Show `file` and have the form send it; `ready` is settled when that is done. */
  take(file) {
    this.ready = this.read(file);
    return this.ready;
  }

  async read(file) {
    this.note.textContent = "Reading the picture…";
    try {
      const fitted = await fit(file, Number(this.dataset.limit));
      this.hold(fitted.file);
      this.reference.value = "";
      this.show(URL.createObjectURL(fitted.file), fitted);
    } catch (error) {
      console.info("not a picture:", error.message);
      this.clear();
      this.note.textContent = UNREADABLE;
    }
  }

  hold(file) {
    const transfer = new DataTransfer();
    if (file) transfer.items.add(file);
    this.file.files = transfer.files;
  }

  announceReference() {
    const { width, height } = this.reference.dataset;
    this.note.textContent = `From an earlier run, ${width} × ${height} px`;
    this.show(this.preview.src, { width: Number(width), height: Number(height) });
  }

  show(url, { width, height, note }) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url.startsWith("blob:") ? url : null;
    this.preview.src = url;
    this.preview.hidden = this.remover.hidden = false;
    this.dataset.filled = "";
    if (note) this.note.textContent = note;
    this.tell({ width, height });
  }

  clear() {
    const hadFocus = this.remover.contains(document.activeElement);
    this.hold(null);
    this.reference.value = "";
    this.preview.hidden = this.remover.hidden = true;
    this.preview.removeAttribute("src");
    delete this.dataset.filled;
    this.note.textContent = "";
    if (hadFocus) this.file.focus();
    this.tell({ width: 0, height: 0 });
  }

  tell(size) {
    this.dispatchEvent(new CustomEvent("picture-change", { bubbles: true, detail: { name: this.name, ...size } }));
  }
}

customElements.define("picture-input", PictureInput);

const TYPED = "textarea, [contenteditable], input:not([type=file], [type=range], [type=checkbox], [type=hidden])";

/** Is it the text that this paste is about? Spreadsheets and word processors put a picture of it beside it. */
function isForText(event) {
  return event.clipboardData.types.includes("text/plain") && Boolean(document.activeElement?.matches(TYPED));
}

// A pasted picture goes where the pointer or the focus is, else to the first empty place.
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((item) => item.type.startsWith("image/"));
  const places = [...document.querySelectorAll("picture-input")];
  if (!file || !places.length || isForText(event)) return;
  event.preventDefault();
  const place = places.find((item) => item.matches(":hover, :focus-within")) ?? places.find((item) => !item.isFilled) ?? places[0];
  place.take(file);
});

// Dropped beside a zone, a picture must not replace the page.
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
