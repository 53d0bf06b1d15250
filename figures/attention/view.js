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
const HEAD_AND_TOKEN = ["part", "layer", "head", "token"];

/**
 * Returns an element whose `value` is `{ part, layer, head, token, side, key, neuron, on, filter, first, words, pinned }`:
 * the head that is chosen in any of the three views, and the token and its side, or null; the key and the neuron of the
 * neuron view; and what is shown in the head view, whose `heads` are `on`: null where the chosen one is alone, `all` for all
 * (a model view's `heads` are others). The views are those of the kinds of their names, and each follows the others.
 *
 * Words are merged in the head view alone: the pictures and measures of all heads are of tokens, as are queries and keys.
 */
export default function attention(data, { value = {}, ...options } = {}) {
  const root = document.createElement("div");
  root.className = "view";
  const { tokens, parts, weights } = data;
  const chosen = { ...data.model.shown, token: data.head.shown.token, side: null, key: null, neuron: null, on: null };
  const given = { model: value, head: { ...value, heads: value.on }, neuron: value };
  const views = VIEWS.filter(([name]) => data[name]).map(([name, kind, view, title]) => {
    const section = document.createElement("section");
    const heading = document.createElement("p");
    const element = view({ tokens, parts, weights, ...data[name] }, { ...options, value: given[name] });
    section.dataset.kind = kind;
    heading.className = "scale";
    heading.textContent = title;
    section.append(heading, element);
    root.append(section);
    element.addEventListener("input", () => choose(element));
    return element;
  });
  const [all, lines, ...others] = views;
  [all, ...others, lines].forEach(choose); // the lines tell on which side a token is
  views.forEach((view) => following(view, views.filter((other) => other !== view)));
  root.show = (part, how) => lines.show?.(part, how);
  root.follow = (to) => {
    note(to);
    views.forEach((view) => view.follow?.(to));
    tell();
  };
  return root;

  /** Takes what is chosen in a view, unless another one keeps a pin meanwhile. */
  function choose(view) {
    if (view.value.pinned || !views.some((one) => one.value.pinned)) note(view.value);
    const { heads } = lines.value;
    if (view === lines) chosen.on = heads === `${chosen.head}` ? null : (heads ?? "all");
    tell();
  }

  /** Notes what is chosen; a view that has let go of a head or a token leaves the last one. */
  function note(value) {
    const before = HEAD_AND_TOKEN.map((name) => chosen[name]);
    for (const name of HEAD_AND_TOKEN) chosen[name] = value[name] ?? chosen[name] ?? null;
    if (HEAD_AND_TOKEN.some((name, i) => chosen[name] !== before[i])) [chosen.key, chosen.neuron] = [null, null];
    for (const name of ["key", "neuron"]) if (name in value) chosen[name] = value[name];
    if ((value.token ?? null) !== null) chosen.side = value.side ?? "from";
    if ((value.head ?? null) !== null) chosen.on = null; // its lines are going to be alone
  }

  function tell() {
    const { filter, first, words } = lines.value;
    root.value = { ...chosen, filter, first, words, pinned: views.some((view) => view.value.pinned) };
  }
}
