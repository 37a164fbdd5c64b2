/** Preact with htm, its templates in place of JSX, and signals: the one address that the other modules know. */
export {
  Component,
  html,
  render,
  useCallback,
  useEffect,
  useErrorBoundary,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "../vendor/htm/standalone.module.js";
export { effect, signal } from "../vendor/signals-core/signals-core.module.js";
