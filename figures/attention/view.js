/** Attention at every scale: choose a head among all, and its lines are drawn; choose a token there, and its neurons are. */
import headView from "../head_view/view.js";
import modelView from "../model_view/view.js";
import neuronView from "../neuron_view/view.js";
import { following } from "../shared/following.js";

const VIEWS = [
  ["model", "model_view", modelView, "All heads"],
  ["head", "head_view", headView, "One head"],
  ["neuron", "neuron_view", neuronView, "One token"],
];
const CHOSEN = ["part", "layer", "head", "token"];

/**
 * Returns an element whose `value` is `{ part, layer, head, token, pinned }`: the head that is chosen in any of the three
 * views, and the token, or null. The views are those of the kinds of their names, and each follows the others.
 */
export default function attention(data, options = {}) {
  const root = document.createElement("div");
  root.className = "view";
  const { tokens, parts, weights } = data;
  const chosen = { ...data.model.shown, token: data.head.shown.token };
  const views = VIEWS.filter(([name]) => data[name]).map(([name, kind, view, title]) => {
    const section = document.createElement("section");
    const heading = document.createElement("p");
    const element = view({ tokens, parts, weights, ...data[name] }, { ...options, value: options.value });
    section.dataset.kind = kind;
    heading.className = "scale";
    heading.textContent = title;
    section.append(heading, element);
    root.append(section);
    element.addEventListener("input", () => choose(element.value));
    return element;
  });
  views.forEach((view) => choose(view.value));
  views.forEach((view) => following(view, views.filter((other) => other !== view)));
  root.show = (part, how) => views[1].show?.(part, how);
  root.follow = (value) => {
    choose(value);
    views.forEach((view) => view.follow?.(value));
  };
  return root;

  /** Notes what is chosen; a view that has let go of a head or a token leaves the last one. */
  function choose(value) {
    for (const key of CHOSEN) chosen[key] = value[key] ?? chosen[key] ?? null;
    const { part, layer, head, token } = chosen;
    root.value = { part, layer, head, token, pinned: views.some((view) => view.value.pinned) };
  }
}
