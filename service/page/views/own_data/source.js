/** A file as it is sent: its media type, and the beginning that is looked at. */

/** Bytes of a text that are looked at; the service looks at no more. */
const BEGINNING = 1 << 20;
/** Files that have to be whole to be read are looked at up to this size. */
const LARGEST_WHOLE = 32 << 20;

const TYPES = {
  csv: "text/csv", tsv: "text/csv", txt: "text/csv", data: "text/csv",
  parquet: "application/vnd.apache.parquet", arrow: "application/octet-stream", feather: "application/octet-stream",
  npz: "application/npz", npy: "application/x-npy", zip: "application/zip", gz: "text/csv",
};
const TEXT = "text/csv";

/**
 * @typedef {object} Source
 * @property {Blob} file
 * @property {string} name
 * @property {string} type its media type
 * @property {boolean} isText
 * @property {Blob | null} look what `validate_only` gets; null where the file has to be stored first
 * @property {boolean} isBeginning whether that is not all of it
 */

/** Return a file as a source. @param {File} file @returns {Promise<Source>} */
export async function sourceOf(file) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const type = TYPES[file.name.split(".").at(-1).toLowerCase()] ?? TEXT;
  const isText = type === TEXT && !packed;
  const base = { file, name: file.name, type, isText };
  if (isText && file.size > BEGINNING) return { ...base, look: await beginning(file), isBeginning: true };
  return { ...base, look: file.size <= LARGEST_WHOLE ? file : null, isBeginning: false };
}

/** Return the whole lines at the beginning of a text: a line that is cut would be a fault that the file has not. */
async function beginning(file) {
  const bytes = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  const width = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff) ? 2 : 1;
  const low = bytes[0] === 0xfe ? 1 : 0; // the place of a letter's low byte in UTF-16
  let end = 0;
  let isQuoted = false;
  for (let place = 0; place + width <= bytes.length; place += width) {
    const letter = bytes[place + (width === 2 ? low : 0)];
    if (width === 2 && bytes[place + 1 - low] !== 0) continue;
    if (letter === 0x22) isQuoted = !isQuoted;
    if (letter === 0x0a && !isQuoted) end = place + width;
  }
  return file.slice(0, end || bytes.length);
}

/** Return a name for a dataset that the API takes, from that of a file. */
export function nameOf(fileName) {
  const name = fileName.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 80);
  const isId = /^(ds|mdl|job|ev|key|swp|cv)_/.test(name) || name === "stats";
  return name && !isId ? name : "table";
}
