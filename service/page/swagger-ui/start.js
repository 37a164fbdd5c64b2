/* The start of Swagger UI; in a file, as the Content-Security-Policy of /docs forbids inline scripts.

What Swagger UI needs beyond that policy: it sets descriptions, Markdown that its own DOMPurify has cleaned, as innerHTML,
which Trusted Types forbid to texts. So texts may become markup here, and still neither scripts nor their addresses. */
globalThis.trustedTypes?.createPolicy("default", { createHTML: (cleaned) => cleaned });

const at = (document, steps) => steps.reduce((part, step) => part?.[step], document);

/* A part of the document with each `$ref` replaced by what it names; one within what it names stays, and is shown by name. */
function resolved(document, part, open = []) {
  if (Array.isArray(part)) return part.map((each) => resolved(document, each, open));
  if (part === null || typeof part !== "object" || open.includes(part.$ref)) return part;
  const { $ref: name, ...own } = part;
  const fields = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, resolved(document, value, open)]));
  if (name === undefined) return fields;
  const steps = name.slice("#/".length).split("/");
  return { ...resolved(document, at(document, steps), [...open, name]), ...fields };
}

/* Swagger UI's own way reads the whole document, all fields of all losses and optimisers, for each operation that is opened:
for seconds. Every reference here is within the document, so one walk over the operation does. */
const ResolveQuickly = () => ({
  fn: { resolveSubtree: async (document, steps) => ({ spec: resolved(document, at(document, steps)), errors: [] }) },
});

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [ResolveQuickly],
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  tryItOutEnabled: true,
  validatorUrl: null, // no badge from elsewhere
});
