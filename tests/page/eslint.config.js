/** The rules for the page's scripts: mistakes, and the ways by which text would become markup. */
const browser = [
  "AbortController", "Blob", "EventSource", "File", "FormData", "HTMLElement", "MutationObserver", "ResizeObserver", "TextDecoderStream", "URL", "URLSearchParams",
  "addEventListener", "cancelAnimationFrame", "clearInterval", "clearTimeout", "console", "devicePixelRatio", "document", "fetch", "getComputedStyle",
  "getSelection", "history", "innerWidth", "localStorage", "location", "matchMedia", "navigator", "performance", "queueMicrotask", "removeEventListener",
  "requestAnimationFrame", "setInterval", "setTimeout", "structuredClone", "uPlot", "window",
];
const MARKUP = "Text from clients is text: let htm write it.";

export default [
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: Object.fromEntries(browser.map((name) => [name, "readonly"])) },
    rules: {
      "constructor-super": "error",
      eqeqeq: "error",
      "no-const-assign": "error",
      "no-dupe-keys": "error",
      "no-eval": "error",
      "no-fallthrough": "error",
      "no-implied-eval": "error",
      "no-redeclare": "error",
      "no-restricted-properties": ["error", ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property, message: MARKUP }))],
      "no-restricted-syntax": ["error", { selector: "Property[key.name='dangerouslySetInnerHTML']", message: MARKUP }],
      "no-shadow": "error",
      "no-undef": "error",
      "no-unreachable": "error",
      "no-unused-vars": ["error", { args: "after-used", argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
