/** A colour scale's legend: the ramp between what its two ends mean. */
export function legend(title, from, to) {
  const element = document.createElement("div");
  const [name, low, ramp, high] = ["span", "span", "span", "span"].map((tag) => document.createElement(tag));
  element.className = "legend";
  name.className = "legend-title";
  ramp.className = "legend-ramp";
  high.className = "legend-high";
  name.textContent = title;
  low.textContent = from;
  high.textContent = to;
  element.append(name, low, ramp, high);
  return { element, set: (text) => (high.textContent = text) };
}
