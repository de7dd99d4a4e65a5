// What a receiver does with the official Node client: it reads a request's headers, body and the secret as JSON from
// standard input, and says whether the signature is good.
import { createRequire } from "node:module";

const { validateWebhook } = createRequire(import.meta.url)("replicate");

let given = "";
for await (const chunk of process.stdin) given += chunk;
const { headers, body, secret } = JSON.parse(given);
console.log(await validateWebhook({ headers, body }, secret));
