/** The page, with the addresses of its files. They are relative, so that it may stand below a prefix too. */
export function docsHtml(title: string, address: (name: string) => string): string {
  const name = escapeHtml(title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${address("swagger-ui.css")}">
<link rel="stylesheet" href="${address("page.css")}">
</head>
<body>
<div id="docs"><noscript>This page needs JavaScript. <a href="openapi.json">openapi.json</a> says the same.</noscript></div>
<script src="${address("swagger-ui-bundle.js")}"></script>
<script src="${address("page.js")}"></script>
</body>
</html>
`;
}

/** The page where its files are missing. */
export function brokenHtml(problem: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>No page</title><link rel="icon" href="data:,"></head>
<body><h1>The page of the API is not here</h1>
<p>${escapeHtml(problem)}</p>
<p><a href="openapi.json">openapi.json</a> says what it would show.</p></body>
</html>
`;
}

/** Starts Swagger UI on the gateway's own document, in the colours that the reader prefers. */
export const docsScript = `"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)");
const followColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followColours);
followColours();
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

/** What Swagger UI leaves to the page around it. */
export const docsStyle = `body { margin: 0; background: #fff; }
html.dark-mode body { background: #1c2022; }
noscript { display: block; padding: 2rem; font-family: sans-serif; }
`;

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
