// The mask as a file: white is repainted, black stays, grey is the soft edge. A file that was painted here says its
// feather in its name, so that painting can go on with the hard edge after a reload.

const NAME = /^mask-feather-(\d+)\.png$/;
const OPAQUE = 0xff000000;
const GREY = 0x010101;
const PASSES = 3; // box blurs, one after the other, that are as good as a bell curve

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  return [canvas, canvas.getContext("2d", { willReadFrequently: true })];
}

/** Blur `count` lines of `length` values, `step` apart, from one plane into another. */
function blurLines(from, to, { lines, stride, length, step, radius }) {
  const size = 2 * radius + 1;
  for (let line = 0; line < lines; line += 1) {
    const start = line * stride;
    const at = (index) => from[start + Math.min(length - 1, Math.max(0, index)) * step];
    let sum = 0;
    for (let index = -radius; index <= radius; index += 1) sum += at(index);
    for (let index = 0; index < length; index += 1) {
      to[start + index * step] = sum / size;
      sum += at(index + radius + 1) - at(index - radius);
    }
  }
}

function blur(plane, width, height, sigma) {
  const radius = Math.max(1, Math.round((Math.sqrt(1 + (12 * sigma * sigma) / PASSES) - 1) / 2));
  let [values, spare] = [Float32Array.from(plane), new Float32Array(plane.length)];
  for (let pass = 0; pass < PASSES; pass += 1) {
    blurLines(values, spare, { lines: height, stride: width, length: width, step: 1, radius });
    blurLines(spare, values, { lines: width, stride: 1, length: height, step: width, radius });
  }
  return values;
}

/** Return the blurred plane, but nothing painted darker than half, and nothing else lighter: the edge stays in place. */
function soften(plane, blurred) {
  return plane.map((value, index) => (value > 127 ? Math.max(128, blurred[index]) : Math.min(127, blurred[index])));
}

/** Return the mask of a surface as a PNG file, its edge softened over `feather` pixels; null where nothing is painted. */
export async function write(surface, feather) {
  const { width, height } = surface.size;
  const [canvas, context] = canvasOf(width, height);
  context.drawImage(surface.canvas, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  let plane = new Uint8ClampedArray(width * height);
  for (let index = 0; index < plane.length; index += 1) plane[index] = pixels.data[index * 4 + 3];
  if (!plane.some((value) => value > 127)) return null;
  if (feather) plane = soften(plane, blur(plane, width, height, feather / 2));
  const words = new Uint32Array(pixels.data.buffer); // a pixel each: opaque, and of three equal parts
  for (let index = 0; index < plane.length; index += 1) words[index] = OPAQUE | (plane[index] * GREY);
  context.putImageData(pixels, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new File([blob], `mask-feather-${feather}.png`, { type: "image/png" });
}

/** Return {canvas, feather} of a mask's file or picture: opaque where it is white. */
export async function read(source, name = "") {
  const bitmap = await createImageBitmap(source);
  const feather = Number(NAME.exec(name)?.[1] ?? 0);
  const [canvas, context] = canvasOf(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const { data } = pixels;
  for (let at = 0; at < data.length; at += 4) {
    const light = ((data[at] + data[at + 1] + data[at + 2]) / 3) * (data[at + 3] / 255);
    data[at + 3] = feather ? (light > 127 ? 255 : 0) : light;
  }
  context.putImageData(pixels, 0, 0);
  return { canvas, feather };
}
