/** Style sheets of single views, which the first view does without. */

/** Load a sheet once; a module waits for it before its view is shown. @param {string} name */
export function styled(name) {
  const href = new URL(`../style/${name}`, import.meta.url).href;
  if ([...document.styleSheets].some((sheet) => sheet.href === href)) return undefined;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve; // without it the view is plain, and works
    document.head.append(link);
  });
}
