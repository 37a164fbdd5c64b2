/** The guide's Markdown as plain data: blocks, and pieces of a line. Nothing of it becomes markup. */

/**
 * @typedef {{kind: "heading", level: number, text: string, id: string} | {kind: "code", text: string} | {kind: "text", text: string}
 *   | {kind: "list", items: string[]} | {kind: "table", head: string[], rows: string[][]}} Block
 */

/** Return the blocks of a text. @returns {Block[]} */
export function blocksOf(text) {
  /** @type {Block[]} */
  const blocks = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    const [, marks, title] = /^(#+) (.*)$/.exec(line) ?? [];
    if (line.startsWith("```")) {
      const end = lines.findIndex((each, index) => index > at && each.startsWith("```"));
      blocks.push({ kind: "code", text: lines.slice(at + 1, end).join("\n") });
      at = end + 1;
    } else if (marks) {
      blocks.push({ kind: "heading", level: marks.length, text: title, id: idOf(title) });
      at += 1;
    } else if (line.trim() === "") {
      at += 1;
    } else {
      const end = endOf(lines, at);
      blocks.push(blockOf(lines.slice(at, end)));
      at = end;
    }
  }
  return blocks;
}

/** Lines that belong together end at an empty one, at code, and where a list begins after text. */
function endOf(lines, start) {
  let end = start + 1;
  const isList = isItem(lines[start]);
  while (end < lines.length && lines[end].trim() !== "" && !lines[end].startsWith("```") && !(isItem(lines[end]) && !isList)) end += 1;
  return end;
}

const isItem = (line) => /^([*-]|\d+\.) /.test(line);

/** @returns {Block} */
function blockOf(lines) {
  if (lines[0].startsWith("|")) {
    const [head, , ...rows] = lines.map(cellsOf);
    return { kind: "table", head, rows };
  }
  if (!isItem(lines[0])) return { kind: "text", text: lines.join(" ") };
  /** @type {string[]} */
  const items = [];
  for (const line of lines) {
    if (isItem(line)) items.push(line.replace(/^\S+ /, ""));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return { kind: "list", items };
}

const cellsOf = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

function idOf(title) {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** Return the pieces of a line: text, code, strong words and links. @returns {{kind: "text"|"code"|"strong"|"link", text: string, to?: string}[]} */
export function piecesOf(text) {
  return text.split(/(``?[^`]+``?|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/).filter(Boolean).map((piece) => {
    if (piece.startsWith("`")) return { kind: "code", text: piece.replace(/^`+ ?| ?`+$/g, "") };
    if (piece.startsWith("**")) return { kind: "strong", text: piece.slice(2, -2) };
    const [, words, to] = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(piece) ?? [];
    return to ? { kind: "link", text: words, to } : { kind: "text", text: piece };
  });
}
