// The keys of the mask editor, while the focus is in it. Arrows move a cursor over the picture and Space paints there;
// with the mouse, Space held pans instead.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const LETTERS = {
  b: (editor) => editor.choose("brush"),
  e: (editor) => editor.choose("eraser"),
  l: (editor) => editor.choose("lasso"),
  x: (editor) => editor.choose("box"),
  i: (editor) => editor.act("invert"),
  "[": (editor) => editor.resize(1 / 1.2),
  "]": (editor) => editor.resize(1.2),
  "+": (editor) => editor.act("closer"),
  "=": (editor) => editor.act("closer"),
  "-": (editor) => editor.act("farther"),
  0: (editor) => editor.act("fit"),
};

export class Keys {
  constructor(editor) {
    this.editor = editor;
    editor.addEventListener("keydown", (event) => this.down(event));
    editor.addEventListener("keyup", (event) => this.up(event));
    editor.viewport.addEventListener("focus", () => editor.viewport.matches(":focus-visible") && this.place());
    editor.viewport.addEventListener("blur", () => this.leave());
  }

  down(event) {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault(); // it would run the model
    if (event.ctrlKey || event.metaKey) return this.control(event);
    if (event.altKey && event.key !== "Alt") return;
    if (event.key === "Escape") return this.escape(event);
    if (event.target === this.editor.viewport && this.onPicture(event)) return event.preventDefault();
    const does = LETTERS[event.key.toLowerCase()];
    if (!does) return;
    event.preventDefault();
    does(this.editor);
  }

  control(event) {
    const key = event.key.toLowerCase();
    const isRedo = key === "y" || (key === "z" && event.shiftKey);
    if (!isRedo && key !== "z") return;
    event.preventDefault();
    this.editor.act(isRedo ? "redo" : "undo");
  }

  escape(event) {
    event.preventDefault();
    if (this.editor.tool) this.leave(true);
    else this.editor.close();
  }

  /** Return whether the key was one for the picture itself. */
  onPicture(event) {
    if (event.key in ARROWS) this.move(ARROWS[event.key], event.shiftKey);
    else if (event.key === " ") event.repeat || this.press();
    else return false;
    return true;
  }

  press() {
    if (!this.at) this.editor.pointers.isPanKeyDown = true;
    else if (!this.editor.tool) this.begin();
  }

  begin() {
    this.isPainting = true;
    this.editor.begin(this.at, {});
  }

  up(event) {
    if (event.key !== " ") return;
    this.editor.pointers.isPanKeyDown = false;
    if (this.isPainting) this.editor.end();
    this.isPainting = false;
  }

  /** Show the cursor, where it was or in the middle. */
  place() {
    const { width, height } = this.editor.surface.size;
    this.at = { x: Math.round(width / 2), y: Math.round(height / 2), pressure: 1, ...this.last };
    this.show();
  }

  move([x, y], isFine) {
    if (!this.at) return this.place();
    const step = isFine ? 1 : Math.max(1, Math.round(this.editor.size / 4));
    const { width, height } = this.editor.surface.size;
    const within = (value, most) => Math.min(most, Math.max(0, value));
    this.at = { x: within(this.at.x + x * step, width), y: within(this.at.y + y * step, height), pressure: 1 };
    if (this.isPainting) this.editor.move([this.at]);
    this.show();
  }

  show() {
    this.editor.view.reveal(this.at);
    this.editor.showCursor(this.at);
  }

  /** The mouse has taken over, the focus went, or what was begun is given up. */
  leave(isGivenUp = false) {
    if (this.editor.tool && (this.isPainting || isGivenUp)) this.editor.cancel();
    this.isPainting = this.editor.pointers.isPanKeyDown = false;
    if (isGivenUp) return;
    this.last = this.at && { x: this.at.x, y: this.at.y };
    this.at = null;
    this.editor.showCursor(null);
  }
}
