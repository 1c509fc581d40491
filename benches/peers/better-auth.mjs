// better-auth with its API keys on SQLite: makes keys for so many seconds, one at a time, then answers whether a bearer key
// is good. node better-auth.mjs FILE SECONDS KEYS PORT; prints {"created":RATE}, then "ready". FILE.keys has the keys.
import { writeFileSync } from "node:fs";
import http from "node:http";
import Database from "better-sqlite3";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { apiKey } from "@better-auth/api-key";
const [file, seconds, many, port] = process.argv.slice(2);
const db = new Database(file);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
const auth = betterAuth({
  database: db, secret: "a secret for a measurement that nobody keeps", baseURL: "http://localhost",
  emailAndPassword: { enabled: true }, telemetry: { enabled: false }, rateLimit: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
const { user } = await auth.api.signUpEmail({ body: { email: "ada@example.com", password: "not a secret", name: "Ada" } });
const keys = [];
const began = performance.now();
while (performance.now() - began < seconds * 1000) keys.push((await auth.api.createApiKey({ body: { userId: user.id, name: "bench" } })).key);
console.log(JSON.stringify({ created: keys.length / ((performance.now() - began) / 1000) }));
while (keys.length < many) keys.push((await auth.api.createApiKey({ body: { userId: user.id, name: "bench" } })).key);
writeFileSync(file + ".keys", keys.slice(0, many).join("\n"));
http.createServer(async (request, response) => {
  const key = (request.headers.authorization ?? "").slice(7);
  const { valid } = await auth.api.verifyApiKey({ body: { key } });
  response.writeHead(valid ? 204 : 401).end();
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
