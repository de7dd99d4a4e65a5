// <mask-preview>: a canvas over the mask's place that shows the picture with the part to repaint tinted.

const TINT = [217, 38, 169]; // as in mask-editor.js
const OPACITY = 0.6;
const SIDE = 768;

function draw(context, image, { width, height }) {
  context.clearRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Tint `picture` in place where `mask` is white; return the share that is. */
function tint(picture, mask) {
  let count = 0;
  for (let i = 0; i < mask.data.length; i += 4) {
    const lightness = ((mask.data[i] + mask.data[i + 1] + mask.data[i + 2]) / 3) * (mask.data[i + 3] / 255);
    if (lightness < 128) continue;
    count += 1;
    for (let c = 0; c < 3; c += 1) picture.data[i + c] = picture.data[i + c] * (1 - OPACITY) + TINT[c] * OPACITY;
  }
  return count / (mask.data.length / 4);
}

class MaskPreview extends HTMLElement {
  connectedCallback() {
    this.canvas = this.querySelector("canvas");
    this.form = this.closest("form");
    this.mask = this.closest("picture-input");
    this.update = () => requestAnimationFrame(() => this.render());
    this.form.addEventListener("picture-change", this.update);
    this.update();
  }

  async render() {
    const picture = this.form.querySelector("picture-input[data-role=image] img");
    const mask = this.mask.querySelector("img.picture__preview");
    if (!this.mask.isFilled || mask.hidden) return this.hide();
    const shown = picture && !picture.hidden ? picture : mask;
    await Promise.all([shown.decode(), mask.decode()]);
    this.paint(shown, mask);
  }

  hide() {
    this.canvas.hidden = true;
  }

  paint(picture, mask) {
    const scale = Math.min(1, SIDE / Math.max(picture.naturalWidth, picture.naturalHeight));
    const size = { width: Math.round(picture.naturalWidth * scale), height: Math.round(picture.naturalHeight * scale) };
    Object.assign(this.canvas, size);
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    const maskPixels = draw(context, mask, size);
    const pixels = draw(context, picture, size);
    const share = tint(pixels, maskPixels);
    context.putImageData(pixels, 0, 0);
    this.canvas.hidden = false;
    this.say(share);
  }

  say(share) {
    const percent = share * 100;
    const words = percent === 0 ? "Nothing is white in this mask, so there is nothing to repaint." : `${percent < 1 ? "Under 1" : Math.round(percent)} % of the picture will be repainted (tinted).`;
    this.mask.note.textContent = words;
  }
}

customElements.define("mask-preview", MaskPreview);
