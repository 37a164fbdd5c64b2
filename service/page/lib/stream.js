/** Server-sent events of jobs, in one stream a tab: it rests while the tab is hidden, and goes on where it stopped. */
import { addressOf, ApiError } from "./api.js";
import { keyIsNeeded } from "./session.js";

const PAUSES = [500, 1000, 2000, 5000];
const END = "end";

let stopPresent = () => {};

/** The request of a stream. @param {string[]} jobs */
export function streamOf(jobs, points = 500) {
  return { path: "/api/events", query: { job: jobs, points } };
}

/**
 * Follow jobs until all have ended; the stream before, if there is one, stops.
 * @param {string[]} jobs
 * @param {{epochs: (job: string, items: any[]) => void, state: (job: any) => void, broken: (is: boolean) => void, error: (error: any) => void}} listener
 * @param {number} [points]
 * @returns {() => void} stops it
 */
export function follow(jobs, listener, points) {
  stopPresent();
  const stopped = new AbortController();
  run(streamOf(jobs, points), listener, stopped.signal);
  stopPresent = () => stopped.abort();
  return stopPresent;
}

async function run(request, listener, stopped) {
  let lastId = null;
  let failures = 0;
  const hear = (event) => {
    failures = 0;
    listener.broken(false);
    lastId = event.id ?? lastId;
    if (event.kind === "epochs") listener.epochs(event.data.job, event.data.items);
    else listener.state(event.data);
  };
  while (!stopped.aborted && lastId !== END) {
    await untilVisible(stopped);
    if (stopped.aborted) return;
    try {
      if (await read(request, lastId, whileVisible(stopped), hear)) return;
    } catch (error) {
      if (stopped.aborted) return;
      if (error instanceof ApiError && error.status < 500) {
        if (error.status === 401) keyIsNeeded.value = true;
        listener.error(error);
        return;
      }
    }
    if (lastId === END || document.hidden) continue;
    listener.broken(true);
    await pause(PAUSES[Math.min(failures, PAUSES.length - 1)], stopped);
    failures += 1;
  }
}

/** Read one answer to its end; tells whether there is no more to come. */
async function read(request, lastId, signal, hear) {
  const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
  const answer = await fetch(addressOf(request), { headers, signal, cache: "no-store" });
  if (answer.status === 204) return true;
  if (!answer.ok) throw new ApiError(answer.status, await answer.json().catch(() => ({ title: `${answer.status}` })));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) hear(event);
    }
  }
}

/** An event of a block of lines, or null for a comment. */
function eventOf(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
  }
  return fields.data ? { kind: fields.event, id: fields.id, data: JSON.parse(fields.data) } : null;
}

function whileVisible(stopped) {
  const controller = new AbortController();
  const end = () => {
    if (!document.hidden && !stopped.aborted) return;
    controller.abort();
    document.removeEventListener("visibilitychange", end);
  };
  document.addEventListener("visibilitychange", end);
  stopped.addEventListener("abort", end);
  return controller.signal;
}

function untilVisible(stopped) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !stopped.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve(undefined);
    };
    document.addEventListener("visibilitychange", look);
    stopped.addEventListener("abort", look);
    look();
  });
}

function pause(ms, stopped) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    stopped.addEventListener("abort", resolve);
  });
}
