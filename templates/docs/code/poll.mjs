import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const headers = { "content-type": "application/json", "x-api-key": process.env.SCENESHIFT_API_KEY };
const toBase64 = async (path) => (await readFile(path)).toString("base64");

const submitted = await fetch("https://sceneshift.example/v2/bg-replace", {
  method: "POST",
  headers,
  body: JSON.stringify({
    image: await toBase64("product.jpg"),
    ref_image: await toBase64("background.jpg"),
    prompt: "on a beach, in the evening sun",
  }),
});
if (!submitted.ok) throw new Error(await submitted.text());
const { poll_url } = await submitted.json();

let answer;
do {
  await sleep(1000);
  answer = await (await fetch(poll_url, { headers })).json();
} while (!["COMPLETED", "FAILED"].includes(answer.status));
if (answer.status === "FAILED") throw new Error(answer.error);
const picture = await fetch(answer.output);
await writeFile("result.jpg", Buffer.from(await picture.arrayBuffer()));
