/* The start of Swagger UI; in a file, as the Content-Security-Policy of /docs forbids inline scripts.

What Swagger UI needs beyond that policy: it sets descriptions, Markdown that its own DOMPurify has cleaned, as innerHTML,
which Trusted Types forbid to texts. So texts may become markup here, and still neither scripts nor their addresses. */
globalThis.trustedTypes?.createPolicy("default", { createHTML: (cleaned) => cleaned });

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  tryItOutEnabled: true,
  validatorUrl: null, // no badge from elsewhere
});
