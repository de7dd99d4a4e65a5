import { readFile, writeFile } from "node:fs/promises";
import Replicate from "replicate";

const replicate = new Replicate({
  auth: process.env.SCENESHIFT_API_KEY,
  baseUrl: "https://sceneshift.example/v1",
});

const started = await replicate.predictions.create({
  model: "official/bg-replace",
  input: {
    image: await readFile("product.jpg"),
    ref_image: await readFile("background.jpg"),
    prompt: "on a beach, in the evening sun",
  },
});
const prediction = await replicate.wait(started);
if (prediction.error) throw new Error(prediction.error);
const picture = await fetch(prediction.output[0]);
await writeFile("result.jpg", Buffer.from(await picture.arrayBuffer()));
