/** A request as a program: curl, Python with httpx, Julia with HTTP.jl. */
import { addressOf, headersOf } from "./api.js";

/** The languages, by name; each makes a text from a request and the service's origin. */
export const LANGUAGES = { curl, Python: python, Julia: julia };

const WIDE = 88;

function curl(request, origin) {
  const { method = "GET", body, file, fileName = "data" } = request;
  const parts = [`curl -s ${shell(origin + addressOf(request))}`];
  if (method !== "GET" && !(method === "POST" && (file || body !== undefined))) parts.push(`-X ${method}`);
  for (const [name, value] of Object.entries(headersOf(request))) parts.push(`-H ${shell(`${name}: ${value}`)}`);
  if (file) parts.push(`--data-binary ${shell(`@${fileName}`)}`);
  else if (body !== undefined) parts.push(`-d ${shell(JSON.stringify(body))}`);
  return parts.join(" \\\n  ");
}

function shell(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function python(request, origin) {
  const { method = "GET", body, file, fileName = "data", headers = {} } = request;
  const parts = [quoted(origin + addressOf(request))];
  const named = file ? headersOf(request) : headers;
  if (Object.keys(named).length) parts.push(`headers=${literal(named, PYTHON)}`);
  if (file) parts.push(`content=open(${quoted(fileName)}, "rb")`);
  else if (body !== undefined) parts.push(`json=${literal(body, PYTHON)}`);
  parts.push("timeout=None"); // httpx gives up after five seconds, curl and HTTP.jl wait
  return `import httpx\n\nanswer = httpx.${method.toLowerCase()}(${joined(parts)})\nprint(answer.text)`;
}

function julia(request, origin) {
  const { method = "GET", body, file, fileName = "data" } = request;
  const parts = [quoted(method), juliaText(origin + addressOf(request))];
  const pairs = Object.entries(headersOf(request)).map(([name, value]) => `${juliaText(name)} => ${juliaText(value)}`);
  if (pairs.length || file || body !== undefined) parts.push(`[${pairs.join(", ")}]`);
  if (file) parts.push(`read(${juliaText(fileName)})`);
  else if (body !== undefined) parts.push(`JSON.json(${literal(body, JULIA)})`);
  const packages = !file && body !== undefined ? "HTTP, JSON" : "HTTP";
  return `using ${packages}\n\nanswer = HTTP.request(${joined(parts)})\nprintln(String(answer.body))`;
}

const joined = (parts) => (parts.join(", ").length < WIDE ? parts.join(", ") : `\n    ${parts.join(",\n    ")},\n`);
const quoted = (text) => JSON.stringify(text);
// Julia puts values into texts at a dollar sign.
const juliaText = (text) => quoted(text).replaceAll("$", "\\$");

const PYTHON = {
  text: quoted, null: "None", true: "True", false: "False",
  object: (pairs) => `{${pairs.map(([name, value]) => `${name}: ${value}`).join(", ")}}`,
};
const JULIA = {
  text: juliaText, null: "nothing", true: "true", false: "false",
  object: (pairs) => `Dict(${pairs.map(([name, value]) => `${name} => ${value}`).join(", ")})`,
};

function literal(value, words) {
  if (value === null || value === undefined) return words.null;
  if (typeof value === "boolean") return words[String(value)];
  if (typeof value === "string") return words.text(value);
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, words)).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const kept = Object.entries(value).filter(([, each]) => each !== undefined);
  return words.object(kept.map(([name, each]) => [words.text(name), literal(each, words)]));
}
