/** Rows of a dataset as a network sees them, and what its answers say about one target. */
import { pathOf, send } from "./api.js";

/** Rows that are looked at, at most. */
export const MOST_ROWS = 2000;
const PAGE = 1000;

/** The parts of a dataset, as they are chosen from. */
export const PARTS = [["train", "training"], ["validation", "validation"], ["test", "test (not trained on)"], ["calibration", "calibration"]];

/** The name of a part in a sentence. */
export const nameOfPart = (part) => (part === "train" ? "training" : part);

export function rowsOf(dataset, part, after = null) {
  return { path: `${pathOf("datasets", dataset)}/rows`, query: { part, limit: PAGE, after } };
}

/** Read the first rows of a part. */
export async function readRows(dataset, part, signal) {
  const rows = [];
  let after = null;
  do {
    const page = await send(rowsOf(dataset, part, after), signal);
    rows.push(...page.items);
    after = page.next;
  } while (after !== null && rows.length < MOST_ROWS);
  return { rows, isAll: after === null };
}

/** The inputs of a row, by name. */
export function inputsOf(signature, values) {
  return Object.fromEntries(signature.features.map(({ name }) => [name, values[name] ?? null]));
}

/** A row in the middle of all: medians and commonest categories, or without any rows the middle of what was seen. */
export function middleOf(signature, rows) {
  return Object.fromEntries(signature.features.map((feature) => {
    const values = rows.map((row) => row.values[feature.name]).filter((value) => value !== null && value !== undefined);
    return [feature.name, feature.kind === "numeric" ? median(values) ?? middleOfRange(feature) : commonest(values)];
  }));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (!sorted.length) return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function middleOfRange({ min, max }) {
  return Number.isFinite(min) && Number.isFinite(max) ? (min + max) / 2 : null;
}

function commonest(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** Classes of a target, as texts or truths; none for numbers. */
export function classesOf(target) {
  if (target.kind === "boolean") return [false, true];
  return target.categories ?? [];
}

/**
 * What an answer says of one target: the numbers, or the probabilities of one class, row by row.
 * @returns {(number | null)[]}
 */
export function valuesOf(answer, signature, target, ofClass) {
  const index = signature.targets.findIndex(({ name }) => name === target.name);
  const offset = signature.targets.slice(0, index).reduce((sum, { width }) => sum + width, 0);
  if (target.kind === "numeric") return answer.outputs.map((row) => row[offset]);
  const names = Array.isArray(answer.classes) ? answer.classes : answer.classes?.[target.name] ?? [];
  const probabilities = Array.isArray(answer.probabilities) ? answer.probabilities : answer.probabilities?.[target.name];
  const column = Math.max(0, names.findIndex((name) => String(name) === String(ofClass)));
  return probabilities ? probabilities.map((row) => row[column]) : answer.outputs.map((row) => row[offset + Math.min(column, target.width - 1)]);
}

/** The true value of a row, as `valuesOf` has it: a number, or whether it is of the class. */
export function truthOf(row, target, ofClass) {
  const value = row.values[target.name];
  if (value === null || value === undefined) return null;
  return target.kind === "numeric" ? value : Number(String(value) === String(ofClass));
}
