/** Choices about a table, as the query of an upload. */

/**
 * @typedef {object} Options
 * @property {string[]} targets
 * @property {string[]} ignore
 * @property {Record<string, string>} types kinds by the name of a column
 * @property {string[]} missing
 * @property {string[]} missingValues
 * @property {Record<string, string>} reading words for how the text is read: delimiter, decimal, ...
 * @property {number} validation share of the rows
 * @property {number} test share of the rows
 * @property {number} calibration share of the rows
 * @property {boolean} stratify
 */

/** @type {Options} */
export const NOTHING_CHOSEN = {
  targets: [], ignore: [], types: {}, missing: [], missingValues: [], reading: {}, validation: 0.2, test: 0.2, calibration: 0, stratify: false,
};

/** @param {Options} options */
export function queryOf(options) {
  return {
    targets: options.targets,
    ignore: options.ignore,
    types: Object.entries(options.types).map(([name, kind]) => `${name}:${kind}`),
    missing: options.missing,
    missing_values: options.missingValues,
    ...options.reading,
    validation_fraction: options.validation || null,
    test_fraction: options.test || null,
    calibration_fraction: options.calibration || null,
    stratify: options.stratify || null,
  };
}

/** Return the options with a role for a column: "input", "target" or "ignore". @param {Options} options */
export function withRole(options, name, role) {
  const without = (names) => names.filter((each) => each !== name);
  return {
    ...options,
    targets: role === "target" ? [...without(options.targets), name] : without(options.targets),
    ignore: role === "ignore" ? [...without(options.ignore), name] : without(options.ignore),
  };
}

/** @param {Options} options */
export function roleOf(options, name) {
  if (options.targets.includes(name)) return "target";
  return options.ignore.includes(name) ? "ignore" : "input";
}

/** Return the options after a remedy, which is a list of words of the query with values. @param {Options} options */
export function withRemedy(options, changes) {
  return changes.reduce((changed, [word, value]) => withWord(changed, word, value), options);
}

function withWord(options, word, value) {
  switch (word) {
    case "ignore":
      return withRole(options, value, "ignore");
    case "types": {
      const [, name, kind] = value.match(/^(.*):(\w+)$/s);
      return { ...options, types: { ...options.types, [name]: kind } };
    }
    case "missing":
      return { ...options, missing: withWay(options.missing, value) };
    case "missing_values":
      return { ...options, missingValues: [...new Set([...options.missingValues, value])] };
    default:
      return { ...options, reading: { ...options.reading, [word]: value } };
  }
}

/** Ways are for all kinds, or for each kind of column. */
function withWay(ways, value) {
  const kind = value.split(":")[0];
  if (!value.includes(":")) return [value];
  return [...ways.filter((way) => way.includes(":") && !way.startsWith(`${kind}:`)), value];
}
