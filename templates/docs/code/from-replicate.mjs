import { readFile, writeFile } from "node:fs/promises";
import Replicate from "replicate";

const replicate = new Replicate({
  auth: process.env.SCENESHIFT_API_KEY,
  baseUrl: "https://sceneshift.example/v1",
});

const [picture] = await replicate.run("official/bg-replace", {
  input: {
    image: await readFile("product.jpg"),
    ref_image: await readFile("background.jpg"),
    prompt: "on a beach, in the evening sun",
  },
});
const blob = await picture.blob();
await writeFile("result.jpg", Buffer.from(await blob.arrayBuffer()));
