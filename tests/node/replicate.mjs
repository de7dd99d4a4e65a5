// The official Node client, unmodified but for address and token; prints what it was told, as JSON.
import { readFile } from "node:fs/promises";
import Replicate, { parseProgressFromLogs } from "replicate";

const [base, subjectPath, beachPath] = process.argv.slice(2);
const replicate = new Replicate({ auth: process.env.SCENESHIFT_API_KEY, baseUrl: `${base}/v1` });
const said = {};

const subject = new File([await readFile(subjectPath)], "subject.png", { type: "image/png" });
const beach = await readFile(beachPath); // a Buffer: the client uploads both kinds by itself
const input = { image: subject, ref_image: beach, prompt: "a beach" };

// run: waits with the request, then polls.
const seen = [];
const output = await replicate.run("official/bg-replace", { input }, (prediction) => seen.push(prediction.status));
const picture = await fetch(output[0]);
said.run = { outputs: output.length, type: picture.headers.get("content-type"), last: seen.at(-1) };

// run of one version.
const model = await replicate.models.get("official", "bg-replace");
const pinned = await replicate.run(`official/bg-replace:${model.latest_version.id}`, { input });
said.pinned = pinned.length;

// run that takes longer than it waits.
const slow = [];
await replicate.run(
  "official/bg-replace",
  { input: { ...input, prompt: "@delay=2" }, wait: { mode: "block", timeout: 1 } },
  (prediction) => slow.push(prediction.status),
);
said.slow = { first: slow[0], last: slow.at(-1) };

// create, wait, failure.
const created = await replicate.predictions.create({
  model: "official/bg-replace",
  input: { ...input, prompt: "@delay=0.2" },
});
const done = await replicate.wait(created, { interval: 100 });
said.wait = { status: done.status, same: done.id === created.id, cost: done.metrics.cost > 0 };
said.progress = parseProgressFromLogs(done);
try {
  await replicate.run("official/bg-replace", { input: { ...input, prompt: "@fail=unavailable" } });
} catch (error) {
  said.failure = error.message;
}

// cancel.
const long = await replicate.predictions.create({
  version: "official/bg-replace",
  input: { ...input, prompt: "@delay=20" },
});
const canceled = await replicate.predictions.cancel(long.id);
said.cancel = { status: canceled.status, again: (await replicate.predictions.get(long.id)).status };

// list, page by page.
let listed = 0;
for await (const page of replicate.paginate(replicate.predictions.list)) listed += page.length;
said.list = listed;
said.models = (await replicate.models.list()).results.map((each) => each.name);
said.account = (await replicate.accounts.current()).type;

// files.
const file = await replicate.files.create(subject, { shelf: 7 });
const found = await replicate.files.get(file.id);
const names = (await replicate.files.list()).results.map((each) => each.name);
said.file = { name: found.name, metadata: found.metadata, listed: names.includes("subject.png") };
said.deleted = await replicate.files.delete(file.id);

// errors are the client's own.
try {
  await replicate.run("official/bg-replace", { input: { ...input, promt: "x" } });
} catch (error) {
  said.error = { name: error.name, status: error.response.status, message: error.message };
}

console.log(JSON.stringify(said));
