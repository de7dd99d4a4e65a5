// The published sample for Node: axios posts base64, the answer's bytes are the picture.
// Its helper is mended: the published one reads a file without waiting for it.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axios = createRequire(import.meta.url)("./axios.min.cjs");
const [base, image, reference, out, inline] = process.argv.slice(2);

async function toB64(path) {
  return (await readFile(path)).toString("base64");
}

const data = {
  image: await toB64(image),
  ref_image: await toB64(reference),
  prompt: "Perfume bottle placed on top of a rock, in a jungle",
  negative_prompt: "bad quality, painting, blur",
  samples: 1,
  seed: 12467,
  base64: inline === "base64",
};
const headers = { "x-api-key": process.env.SCENESHIFT_API_KEY };

try {
  const answer = await axios.post(`${base}/v1/bg-replace`, data, {
    headers,
    responseType: data.base64 ? "json" : "arraybuffer",
  });
  const bytes = data.base64 ? Buffer.from(answer.data.image, "base64") : Buffer.from(answer.data);
  await writeFile(out, bytes);
  console.log(answer.headers["content-type"]);
} catch (error) {
  console.error(error.response ? error.response.status : error);
  process.exitCode = 1;
}
