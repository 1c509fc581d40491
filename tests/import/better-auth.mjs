// Makes better-auth.json and better-auth.keys with better-auth itself, in the folder of this file.
//
//     npm install better-auth @better-auth/api-key
//     node tests/import/better-auth.mjs
//
// The table that it has in SQLite, with these rows:
//
//     python3 tests/import/better-auth.py
import { writeFileSync } from "node:fs";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { apiKey } from "@better-auth/api-key";

const db = { user: [], session: [], account: [], verification: [], apikey: [] };
const auth = betterAuth({
  secret: "the secret of a database that lives for a second",
  baseURL: "http://localhost:3000",
  database: memoryAdapter(db),
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey({ enableMetadata: true, keyExpiration: { maxExpiresIn: 36500 } })],
});
const { user } = await auth.api.signUpEmail({
  body: { email: "ada@example.com", password: "correct horse battery", name: "Ada" },
});
const keys = {};
for (const body of [
  { name: "Nightly export", prefix: "acme_" },
  { name: "Short-lived", expiresIn: 60 * 60 * 24 * 30000 },
  { name: "Reader", prefix: "acme_", permissions: { calls: ["read"] } },
]) {
  const made = await auth.api.createApiKey({ body: { ...body, userId: user.id } });
  keys[body.name] = made.key;
}
const off = await auth.api.createApiKey({ body: { name: "Off", userId: user.id } });
await auth.api.updateApiKey({ body: { keyId: off.id, userId: user.id, enabled: false } });
keys.Off = off.key;
const folder = new URL("./", import.meta.url);
writeFileSync(new URL("better-auth.json", folder), JSON.stringify(db.apikey, null, 1) + "\n");
writeFileSync(new URL("better-auth.keys", folder), JSON.stringify(keys, null, 1) + "\n");
