import { readFile, writeFile } from "node:fs/promises";

const api = "https://sceneshift.example/v1";
const key = process.env.SCENESHIFT_API_KEY;
const toBase64 = async (path) => (await readFile(path)).toString("base64");

const response = await fetch(`${api}/bg-replace`, {
  method: "POST",
  headers: { "content-type": "application/json", "x-api-key": key },
  body: JSON.stringify({
    image: await toBase64("product.jpg"),
    ref_image: await toBase64("background.jpg"),
    prompt: "on a beach, in the evening sun",
    seed: 7,
  }),
});
if (!response.ok) throw new Error(await response.text());
await writeFile("result.jpg", Buffer.from(await response.arrayBuffer()));
console.log(response.headers.get("x-cost"), "credits");
