/** Signals: values that tell those who read them of every change. */
export { batch, computed, effect, signal } from "../vendor/signals-core/signals-core.module.js";
