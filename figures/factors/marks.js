/** What a factor is drawn with: an area over the text, a bar in its colour, and the elements around them. */
import { max, sum } from "d3";
import { category } from "../shared/category.js";

/** An area over the positions, a unit wide each; of signed factors around a line in the middle. */
export function area(heights, signed) {
  const y = (h) => (signed ? 0.5 - h / 2 : 1 - h).toFixed(3);
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", `0 0 ${heights.length} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  path.setAttribute("d", `M0 ${y(0)}${heights.map((h, p) => `L${p + 0.5} ${y(h)}`).join("")}L${heights.length} ${y(0)}Z`);
  svg.append(path);
  return svg;
}

export function make(tag, name, ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

export function record(tag, texts) {
  return make("tr", "", ...texts.map((text) => make(tag, "", text)));
}

export function meter(j, share, side, value = 1) {
  const element = make("i", value < 0 ? "is-below" : "");
  element.style[side] = `${(100 * share).toFixed(1)}%`;
  element.style.backgroundColor = category(j + 1);
  return element;
}

function ends(span) {
  return span.length > 1 ? [`layer ${span[0]}`, span.at(-1)] : [`layer ${span[0]}`];
}

export function sign(weight) {
  return weight < 0 ? "−" : "";
}

/** Where in the network: a column a layer, the energy of one factor, or of all in their colours. */
export function home(span, factors, alone) {
  const part = ({ number, energy, layers: shares }, l) => (alone && alone !== number ? 0 : energy * shares[l]);
  const columns = span.map((_, l) => factors.map((fact) => part(fact, l)));
  const top = max(columns, (column) => sum(column)) || 1;
  const stacks = columns.map((column) => make("span", "", ...column.map((size, j) => meter(j, size / top, "height"))));
  return [make("div", "bars", ...stacks), make("p", "ends", ...ends(span).map((text) => make("span", "", text)))];
}
