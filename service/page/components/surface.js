/** A decision surface: the network's answers over two inputs as colour, and the rows as points upon it. */
import { html, useLayoutEffect, useRef, useState } from "../lib/preact.js";
import { figure } from "../lib/format.js";
import { Table } from "./table.js";

const TOLD = 5;
const DARK = matchMedia("(prefers-color-scheme: dark)");

export function Surface({ places, values, along, across, actual, name }) {
  const canvas = useRef(null);
  const [dark, setDark] = useState(DARK.matches);
  const known = [...values, ...actual].filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  useLayoutEffect(() => {
    const look = () => setDark(DARK.matches);
    DARK.addEventListener("change", look);
    return () => DARK.removeEventListener("change", look);
  }, []);
  useLayoutEffect(() => { draw(canvas.current, places, values, actual, [low, high], along, across); }, [values, dark]);
  return html`
    <figure class="surface">
      <div class="surface-frame">
        <span class="surface-y">${across.name}: ${figure(across.min, 4)} to ${figure(across.max, 4)}, upwards</span>
        <canvas ref=${canvas} role="img" aria-label="${name} over ${along.name} and ${across.name}, from ${figure(low, 4)} to ${figure(high, 4)}"></canvas>
        <span class="surface-x">${along.name}: ${figure(along.min, 4)} to ${figure(along.max, 4)}</span>
      </div>
      <figcaption class="quiet scale"><span class="swatch negative" aria-hidden="true"></span>${figure(low, 4)}
        <span class="swatch positive" aria-hidden="true"></span>${figure(high, 4)} of ${name}${places.rows.length ? "; points are your rows" : ""}.</figcaption>
      <div class="visually-hidden"><${Told} places=${places} values=${values} along=${along} across=${across} name=${name} /></div>
    </figure>`;
}

function Told({ places: { xs, ys }, values, along, across, name }) {
  const chosen = (list) => Array.from({ length: TOLD }, (_, step) => Math.round((step * (list.length - 1)) / (TOLD - 1)));
  const columns = [
    { label: `${across.name} and ${along.name}`, heads: true, value: (row) => figure(ys[row], 4) },
    ...chosen(xs).map((column) => ({ label: figure(xs[column], 4), number: true, value: (row) => figure(values[row * xs.length + column], 4) })),
  ];
  return html`<${Table} caption="${name}: some places" rows=${chosen(ys)} columns=${columns} />`;
}

function draw(canvas, { xs, ys, rows }, values, actual, [low, high], along, across) {
  const style = getComputedStyle(canvas);
  const [one, other, ground] = ["--series-2", "--series-1", "--card"].map((colour) => style.getPropertyValue(colour).trim());
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const shareOf = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const fill = (share, alpha) => {
    pen.fillStyle = share < 0.5 ? one : other;
    pen.globalAlpha = alpha;
  };
  pen.fillStyle = ground;
  pen.fillRect(0, 0, width, height);
  const [w, h] = [width / xs.length, height / ys.length];
  values.forEach((value, index) => {
    if (value === null) return;
    const share = shareOf(value);
    fill(share, Math.abs(share - 0.5) * 1.3);
    const [column, row] = [index % xs.length, ys.length - 1 - Math.floor(index / xs.length)];
    const [left, top] = [Math.round(column * w), Math.round(row * h)]; // whole pixels leave no seams
    pen.fillRect(left, top, Math.round((column + 1) * w) - left, Math.round((row + 1) * h) - top);
  });
  rows.forEach((row, index) => {
    const [x, y] = [row.values[along.name], row.values[across.name]];
    if (typeof x !== "number" || typeof y !== "number" || actual[index] === null) return;
    fill(shareOf(actual[index]), 1);
    pen.strokeStyle = ground;
    pen.beginPath();
    pen.arc(w / 2 + ((x - along.min) / (along.max - along.min || 1)) * (width - w), height - h / 2 - ((y - across.min) / (across.max - across.min || 1)) * (height - h), 3.5, 0, 7);
    pen.fill();
    pen.stroke();
  });
  pen.globalAlpha = 1;
}
