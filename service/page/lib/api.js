/** The client of the API. A request is plain data, so that what is sent is what the page shows. */

import { keyIsNeeded } from "./session.js";

/**
 * @typedef {object} ApiRequest
 * @property {string} [method] GET where there is none
 * @property {string} path
 * @property {Record<string, any>} [query] lists are repeated; null, undefined and "" are left out
 * @property {any} [body] sent as JSON
 * @property {Blob} [file] sent as it is, in place of `body`
 * @property {string} [fileName]
 * @property {string} [type] media type of `file`
 * @property {Record<string, string>} [headers]
 */

/** A problem that the API answered; its message is the API's own sentence. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.status = status;
    this.title = problem.title ?? "";
    this.code = problem.code ?? "";
    /** @type {{pointer: string, detail: string}[]} */
    this.errors = problem.errors ?? [];
  }
}

/** Return path and query of a request. @param {ApiRequest} request */
export function addressOf({ path, query = {} }) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") words.append(name, String(each));
    }
  }
  return words.size ? `${path}?${words}` : path;
}

/** Return the headers of a request. @param {ApiRequest} request */
export function headersOf({ body, file, type, headers = {} }) {
  if (file) return { "Content-Type": type ?? "application/octet-stream", ...headers };
  return body === undefined ? headers : { "Content-Type": "application/json", ...headers };
}

/**
 * Send a request and return the answer: an object where it is JSON, otherwise its text.
 * @param {ApiRequest} request
 * @param {AbortSignal} [signal]
 */
export async function send(request, signal) {
  const { method = "GET", body, file } = request;
  const content = file ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await answered(addressOf(request), { method, headers: headersOf(request), body: content, signal });
  if (answer.status === 204) return null;
  if (answer.status === 401 && request.path !== "/api/sign-in") keyIsNeeded.value = true;
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const value = isJson ? await answer.json() : await answer.text();
  if (!answer.ok) throw new ApiError(answer.status, isJson ? value : { title: `${answer.status} ${answer.statusText}` });
  return value;
}

async function answered(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { title: "No answer", detail: "Descent does not answer. Is it still running?" });
  }
}

/** Return the path of a thing: names are made safe. */
export function pathOf(...parts) {
  return `/api/${parts.map((part) => encodeURIComponent(String(part))).join("/")}`;
}
