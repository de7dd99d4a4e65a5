import { createHmac, timingSafeEqual } from "node:crypto";

// Says whether a delivery is ours and fresh. secret: "whsec_…"; body: the text, as it came.
export function verify(secret, headers, body, now = Date.now() / 1000) {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = Buffer.from("v1," + createHmac("sha256", key).update(signed).digest("base64"));
  const isFresh = Math.abs(now - Number(headers["webhook-timestamp"])) < 300;
  const given = headers["webhook-signature"].split(" ").map((each) => Buffer.from(each));
  return isFresh && given.some((each) => each.length === expected.length && timingSafeEqual(each, expected));
}
