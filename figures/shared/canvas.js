/** What figures on canvas share: sharp pixels, the style sheet's colours as pixels, and word of when these change. */

/** Sizes a canvas in CSS pixels, each pixel of the screen one of its own; returns its context, in CSS pixels. */
export function sharpen(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return context;
}

/** Returns what a CSS colour, such as `var(--accent)`, is at an element. */
export function colour(element, css) {
  element.style.color = css;
  const found = getComputedStyle(element).color;
  element.style.color = "";
  return found;
}

/** Returns `count` pixels of an `ImageData`, from the first CSS colour through the others to the last, mixed as in CSS. */
export function pixels(element, colours, count) {
  const stops = colours.map((css) => colour(element, css));
  const context = Object.assign(document.createElement("canvas"), { width: count, height: 1 }).getContext("2d");
  for (let i = 0; i < count; i++) {
    const place = (i / (count - 1)) * (stops.length - 1);
    const k = Math.min(Math.floor(place), stops.length - 2);
    context.fillStyle = `color-mix(in oklab, ${stops[k]}, ${stops[k + 1]} ${(place - k) * 100}%)`;
    context.fillRect(i, 0, 1, 1);
  }
  return new Uint32Array(context.getImageData(0, 0, count, 1).data.buffer);
}

const painters = [];

/**
 * Calls `redraw` when the page's colours or the screen's pixels are others, or when it is printed: then at once, as some
 * browsers copy the page for the printer before they tell it of another medium.
 */
export function onRepaint(redraw) {
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "print"];
  for (const query of queries) matchMedia(query).addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  for (const type of ["resize", "afterprint"]) addEventListener(type, redraw);
  if (!painters.length) addEventListener("beforeprint", paintByDay);
  painters.push(redraw);
}

/** Paper is light whatever the screen is (`print.css`); before printing the page still has the colours of the screen. */
function paintByDay() {
  const { style } = document.documentElement;
  style.colorScheme = "light";
  for (const redraw of painters) redraw();
  style.colorScheme = "";
}
