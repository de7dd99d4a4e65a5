// The npm client as anyone makes it, with its own two retries: one edit, told on stdout as JSON.
import { createReadStream } from "node:fs";
import OpenAI, { toFile } from "openai";

const [base, given] = process.argv.slice(2);
const { pictures, mask, fields } = JSON.parse(given);
const client = new OpenAI({ apiKey: process.env.SCENESHIFT_API_KEY, baseURL: `${base}/v1` });

async function read(path) {
  return toFile(createReadStream(path), null, { type: "image/png" });
}

try {
  const files = await Promise.all(pictures.map(read));
  const answer = await client.images.edit({
    image: files.length === 1 ? files[0] : files,
    ...(mask ? { mask: await read(mask) } : {}),
    ...fields,
  });
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  console.log(JSON.stringify({ ...answer, models }));
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  const { code, param, status, type } = error;
  console.log(JSON.stringify({ error: error.constructor.name, code, param, status, type }));
}
