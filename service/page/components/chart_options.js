/** uPlot's options for a chart, in the colours of the style sheet. */
import { figure } from "../lib/format.js";

const FEW_DECADES = 2;
const MOST_DECADES = 6;
/** Pixels of a mark's label, and lines of labels before they begin at the top again. */
const [LABEL, MOST_LINES] = [75, 4];

/** @param {{current: import("./chart.js").ChartProperties}} latest properties that may change under a chart that stays
 * @param {(plot: any) => void} point called when the cursor moves */
export function optionsOf(latest, width, height, point) {
  const { series, xLabel, yLabel, log, xRange, yRange } = latest.current;
  const colours = coloursOf(document.documentElement);
  const lines = { stroke: colours.grid, width: 1 };
  const axis = { stroke: colours.text, grid: lines, ticks: lines, font: colours.font, labelFont: colours.font, labelSize: 22 };
  const decades = { ...lines, filter: (_, splits) => splits.map((split) => (isPowerOfTen(split) ? split : null)) };
  const powers = { incrs: (_, __, ___, high) => [high], splits: (_, __, low, high) => logSplits(low, high), filter: (_, splits) => splits, grid: decades, ticks: decades };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { setScale: false }, y: false, points: { size: 9 } },
    padding: [10, 22, 0, 0],
    scales: {
      x: { time: false, ...(xRange && { range: xRange }) },
      y: log ? { distr: 3, range: rangeOfLogs } : { ...(yRange && { range: yRange }) },
    },
    axes: [
      { ...axis, label: xLabel, size: 34, values: (_, ticks) => ticks.map(short) },
      { ...axis, ...(log && powers), ...(yLabel && { label: yLabel }), size: 64, values: (_, ticks) => ticks.map(short) },
    ],
    series: [{ label: xLabel }, ...series.map((each, index) => drawn(each, colours.series[(each.colour ?? index + 1) - 1]))],
    hooks: { draw: [(plot) => drawMarks(plot, latest.current.marks ?? [], colours)], setCursor: [point] },
  };
}

function short(tick) {
  if (tick === null || tick === undefined) return "";
  const size = Math.abs(tick);
  return size >= 1e5 || (size > 0 && size < 1e-4) ? Number(tick.toPrecision(4)).toExponential().replace("e+", "e") : figure(tick, 4);
}

function isPowerOfTen(value) {
  const power = Math.log10(value);
  return Math.abs(power - Math.round(power)) < 1e-9;
}

function drawn({ label, kind = "line" }, colour) {
  const base = { label, stroke: colour, spanGaps: true, points: { show: false } };
  if (kind === "points") return { ...base, paths: () => null, points: { show: true, size: 9, width: 2, fill: colour } };
  if (kind === "bars") return { ...base, fill: `${colour}88`, paths: uPlot.paths.bars({ size: [0.95, 100] }) };
  return { ...base, width: 2, ...(kind === "dashed" && { dash: [6, 5] }) };
}

/** Whole powers of ten around the data, so that axes of one value have a height, too. */
function rangeOfLogs(_, low, high) {
  if (!(low > 0)) return [1, 100];
  const [bottom, top] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  return [10 ** bottom, 10 ** (top === bottom ? top + 1 : top)];
}

/** Places of labels from `low` to `high`. uPlot's own end at 1e31, where losses that diverge go on. */
export function logSplits(low, high) {
  const [bottom, top] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((top - bottom) / MOST_DECADES));
  const parts = top - bottom <= FEW_DECADES ? [1, 2, 5] : [1];
  const splits = [];
  for (let power = bottom; power <= top; power += every) {
    for (const part of parts) if (part === 1 || power < top) splits.push(Number(`${part}e${power}`));
  }
  return splits;
}

function drawMarks(plot, marks, colours) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colours.mark;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = colours.markFont;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  let [before, line] = [-Infinity, 0];
  for (const { x, label } of [...marks].sort((a, b) => a.x - b.x)) {
    const left = plot.valToPos(x, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    const toTheLeft = left > bbox.left + bbox.width * 0.7;
    ctx.textAlign = toTheLeft ? "right" : "left";
    line = left - before < LABEL * devicePixelRatio ? (line + 1) % MOST_LINES : 0; // labels side by side stand below each other
    before = left;
    ctx.fillText(label, left + (toTheLeft ? -5 : 5) * devicePixelRatio, bbox.top + (12 + 14 * line) * devicePixelRatio);
  }
  ctx.restore();
}

function coloursOf(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    text: read("--quiet"),
    grid: read("--line"),
    mark: read("--mark"),
    series: [1, 2, 3, 4, 5, 6].map((index) => read(`--series-${index}`)),
    font: `12px ${read("--font")}`,
    markFont: `${12 * devicePixelRatio}px ${read("--font")}`,
  };
}
