/** Activations and schedules as functions, to plot them with their defaults; formulas come from the service. */

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const erf = (x) => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
};

/** @type {Record<string, (x: number, fields: Record<string, number>) => number>} */
const ACTIVATIONS = {
  identity: (x) => x,
  tanh: Math.tanh,
  sigmoid,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clamp(x, 0, 6),
  leakyrelu: (x, { a = 0.01 }) => Math.max(a * x, x),
  elu: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x)),
  celu: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  trelu: (x, { theta = 1 }) => (x > theta ? x : 0),
  hardtanh: (x) => clamp(x, -1, 1),
  hardsigmoid: (x) => clamp((x + 3) / 6, 0, 1),
  hardswish: (x) => x * clamp((x + 3) / 6, 0, 1),
  softshrink: (x, { lambda = 0.5 }) => Math.sign(x) * Math.max(Math.abs(x) - lambda, 0),
  logsigmoid: (x) => -softplus(-x),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  logcosh: (x) => Math.log(Math.cosh(x)),
  tanhshrink: (x) => x - Math.tanh(x),
  lisht: (x) => x * Math.tanh(x),
  swish: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(softplus(x)),
  gelu_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  gelu_sigmoid: (x) => x * sigmoid(1.702 * x),
  gelu_erf: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
};

const phase = (t, period) => (t - 1) / period;
const triangle = (t, period) => (2 / Math.PI) * Math.abs(Math.asin(Math.sin(Math.PI * phase(t, period))));
const sine = (t, period) => Math.abs(Math.sin(Math.PI * phase(t, period)));

/** Schedules by the epoch t from 1, between 1 and 0.1 over some 25 epochs. @type {Record<string, (t: number) => number>} */
const SCHEDULES = {
  Constant: () => 1,
  Step: (t) => 0.5 ** Math.floor((t - 1) / 25),
  Exp: (t) => 0.97 ** (t - 1),
  Poly: (t) => Math.max(0, 1 - (t - 1) / 100) ** 2,
  Inv: (t) => 1 / (1 + (t - 1) * 0.05),
  WarmUp: (t) => (t <= 25 ? 0.1 + (0.9 * (t - 1)) / 25 : 1),
  Triangle: (t) => 0.1 + 0.9 * triangle(t, 25),
  TriangleDecay2: (t) => 0.1 + (0.9 * triangle(t, 25)) / 2 ** Math.floor(phase(t, 25)),
  TriangleExp: (t) => 0.1 + 0.9 * triangle(t, 25) * 0.98 ** (t - 1),
  Sin: (t) => 0.1 + 0.9 * sine(t, 25),
  SinDecay2: (t) => 0.1 + (0.9 * sine(t, 25)) / 2 ** Math.floor(phase(t, 25)),
  SinExp: (t) => 0.1 + 0.9 * sine(t, 25) * 0.98 ** (t - 1),
  CosAnneal: (t) => 0.1 + (0.9 * (1 + Math.cos(Math.PI * (((t - 1) % 25) / 25)))) / 2,
};

const STEPS = 121;

/** Points of a term's curve, or null where there is none to draw. @returns {{xs: number[], ys: number[], x: string} | null} */
export function curveOf(kind, { name, parameters }) {
  if (kind === "activations" && Object.hasOwn(ACTIVATIONS, name)) {
    const fields = Object.fromEntries(parameters.filter((each) => typeof each.default === "number").map((each) => [each.name, each.default]));
    const xs = Array.from({ length: STEPS }, (_, step) => -4 + (8 * step) / (STEPS - 1));
    return { xs, ys: xs.map((x) => ACTIVATIONS[name](x, fields)), x: "x" };
  }
  if (kind === "schedules" && Object.hasOwn(SCHEDULES, name)) {
    const xs = Array.from({ length: 100 }, (_, step) => step + 1);
    return { xs, ys: xs.map(SCHEDULES[name]), x: "epoch" };
  }
  return null;
}
