import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import OpenAI, { toFile } from "openai";

const client = new OpenAI({
  apiKey: process.env.SCENESHIFT_API_KEY,
  baseURL: "https://sceneshift.example/v1",
});

const answer = await client.images.edit({
  image: await toFile(createReadStream("product.jpg"), null, { type: "image/jpeg" }),
  mask: await toFile(createReadStream("mask.png"), null, { type: "image/png" }),
  prompt: "on a pale marble counter, soft morning light",
});
await writeFile("result.png", Buffer.from(answer.data[0].b64_json, "base64"));
