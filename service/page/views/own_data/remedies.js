/** Remedies: the words for the query that the API's sentences about faults name, each as one click. */

const KINDS = { categorical: "categories", numeric: "numbers", boolean: "yes or no", date: "dates" };
const WAYS = {
  mean: "fill in the mean where values are missing",
  drop: "leave out rows with missing values",
  "numeric:mean": "fill in the mean of missing numbers",
  "numeric:drop": "leave out rows with missing numbers",
  "categorical:mode": "fill in the commonest class",
  "categorical:category": "make missing a category of its own",
  "categorical:drop": "leave out rows without a class",
  "targets:drop": "leave out rows without a target",
};

/** What each word of the query does. */
const SAID = {
  ignore: (value) => `leave out “${value}”`,
  types: (value) => value.replace(/^(.*):(\w+)$/s, (_, name, kind) => `read “${name}” as ${KINDS[kind]}`),
  missing: (value) => WAYS[value] ?? value,
  missing_values: (value) => `count “${value}” as missing`,
  decimal: (value) => `read “${value}” as the decimal point`,
  thousands: (value) => `read “${value}” as grouping thousands`,
  delimiter: (value) => `split the values at “${value}”`,
  header: () => "take the first line as values",
  encoding: (value) => `read the text as ${value}`,
  skip: (value) => `skip ${value} lines`,
  dtype: (value) => `store the numbers as ${value}`,
};

/**
 * Return the remedies that a sentence names: each is what it does in words, and words of the query with values.
 * @param {string} sentence
 * @param {string[]} columns names of all columns, which may hold any letter
 * @returns {{does: string, changes: [string, string][]}[]}
 */
export function remediesIn(sentence, columns) {
  const piece = pieceOf(columns);
  const chain = new RegExp(`(?<![\\w?&])${piece}(?:&${piece})*`, "gsu");
  const found = [...sentence.matchAll(chain)].map(([text]) => [...text.matchAll(new RegExp(piece, "gsu"))].map(changeOf));
  if (/Set `missing` to "drop"/.test(sentence)) found.push([["missing", "mean"]], [["missing", "drop"]]);
  const words = new Map(found.map((changes) => [sentenceOf(changes), changes]));
  return [...words].map(([does, changes]) => ({ does, changes }));
}

function pieceOf(columns) {
  const names = columns.flatMap((name) => [name, encodeURIComponent(name)]).sort((a, b) => b.length - a.length);
  const column = names.length ? `(?:${[...new Set(names)].map(escaped).join("|")})` : "(?!)";
  const words = [
    `ignore=${column}`,
    `types=${column}:(?:categorical|numeric|boolean|date)`,
    "missing=(?:(?:numeric|categorical|targets):)?(?:mean|drop|mode|category)",
    "missing_values=[^&]+?(?=&(?:missing|types)|[.,;:)]?(?:\\s|$))",
    "decimal=[.,]",
    "thousands=(?:(?:%[0-9A-F]{2})+|[^\\s&])",
    "delimiter=(?:whitespace|%[0-9A-F]{2}|[^\\s&])",
    "header=false",
    "encoding=[\\w-]+",
    "skip=[0-9]+",
    "dtype[= ]float64",
  ];
  return `(?:${words.join("|")})`;
}

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/gu, (letter) => (letter === "-" ? "\\x2d" : `\\${letter}`));

/** @param {RegExpExecArray} match @returns {[string, string]} */
function changeOf(match) {
  const [, word, value] = match[0].match(/^(\w+)[= ](.*)$/s);
  return [word, decoded(value)];
}

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function sentenceOf(changes) {
  const words = changes.map(([word, value]) => SAID[word](value)).join(", and ");
  return words[0].toUpperCase() + words.slice(1);
}
