import { readFile, writeFile } from "node:fs/promises";
import Replicate from "replicate";

const replicate = new Replicate({
  auth: process.env.SCENESHIFT_API_KEY,
  baseUrl: "https://sceneshift.example/v1",
});

const output = await replicate.run("official/bg-replace", {
  input: {
    image: await readFile("product.jpg"),
    ref_image: await readFile("background.jpg"),
    prompt: "on a beach, in the evening sun",
  },
});
const picture = await fetch(String(output[0]));
await writeFile("result.jpg", Buffer.from(await picture.arrayBuffer()));
