/** Bars the size of a word under the chips of a strip, one a layer, the first one at the left. */
const SVG = "http://www.w3.org/2000/svg";
const WIDE = 0.78; // of a bar's place

/** Returns what stands under a chip: `{ element, draw }`. */
export function bars() {
  const element = document.createElementNS(SVG, "svg");
  const paths = ["bars", "bars is-cut"].map((name) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    element.append(path);
    return path;
  });
  element.setAttribute("class", "layers");
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("aria-hidden", "true");

  /** Draws shares, `top` of them as high as can be; higher bars are cut off and marked as such. */
  function draw(shares, top) {
    element.setAttribute("viewBox", `0 0 ${shares.length || 1} 1`);
    const bar = (share, l) => `M${l},1V${(1 - Math.min(share / top, 1)).toFixed(3)}H${l + WIDE}V1Z`;
    paths.forEach((path, cut) => path.setAttribute("d", shares.map((share, l) => (share && share > top * 1.001 === Boolean(cut) ? bar(share, l) : "")).join("")));
  }

  return { element, draw };
}

/** Returns the scale's end: the third highest token's, since the first token and the position itself may dwarf all others. */
export function scaleEnd(layers) {
  const peaks = layers[0].map((_, u) => Math.max(...layers.map((row) => row[u]))).sort((a, b) => b - a);
  return (peaks[Math.min(2, peaks.length - 1)] || peaks[0]) ?? 1;
}
