/** Causal trace: grids of tokens by layers, one for each kind of state, shaded by what putting that state back does. */
import { maxIndex, range } from "d3";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { overGrid, placeInGrid, roving } from "../shared/roving.js";
import { pick, selection } from "../shared/selection.js";
import { shade, strip } from "../shared/strip.js";
import { quoted, spoken, textOf, visible } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";

const TITLES = { residual: "Residual stream", attention: "Attention output", mlp: "MLP output" };
const [ALL, TICK] = [16, 5]; // up to so many layers each has its number below the grid, else every fifth
const NOTHING = 0.0005; // of the difference: below it is rounding

/**
 * Returns an element whose `value` is `{ state, layer, token, pinned }`: a state by its name, a layer and a token by their
 * numbers, null where none is selected. It emits `input` when that changes. Prose and other views may name any of them.
 */
export default function causalTrace(data, { value, extent = {} } = {}) {
  const { tokens, states, n_layers: n, first, effects, lacking, positions, direction } = data;
  const { clean, corrupted } = data.runs;
  const rows = range(first, tokens.length);
  const texts = tokens.map(textOf);
  const most = Math.max(extent.effect ?? 0, ...states.flatMap((state) => effects[state].flat().map(Math.abs)));
  const gap = clean.value - corrupted.value;
  const backwards = direction === "corrupt";
  const root = element("div", "view");
  const sites = element("div", "sites");
  const bar = element("div", "view-bar");
  const sentence = readout();
  const cells = [];
  let lent = null; // what prose points at
  root.dataset.signed = "";
  sites.style.setProperty("--columns", n);
  sites.style.setProperty("--rows", rows.length);
  const names = states.map(site);
  const ramp = legend(`share of the difference that ${backwards ? "is taken away" : "comes back"}`, `−${percent(most)}`, percent(most));
  const key = element("span", "", element("span", "star", "*"), data.noise ? " its embedding is noisy in the corrupted run" : " another token in the corrupted run");
  bar.append(ramp.element, key, hint("arrows move, onto names too", "Enter pins", "Esc lets go"));
  root.append(runs(), sentence.element, sites, bar);
  const tip = tooltip(root);

  const state = selection({ current: known(value), pinned: known(value) !== null && value.pinned !== false, changed });
  const items = [...cells, ...names[0].heads, ...names.at(-1).axis]; // names say the same in each grid: one set is entered
  const next = overGrid(states.length * rows.length, n, { names: rows.length, heads: true, below: true });
  const stops = roving(sites, items, next, (index) => state.step(place(index)));
  pointing(sites, items, {
    point: (index) => (state.pinned ? card(index === null ? null : place(index)) : state.preview(index === null ? null : place(index))),
    press(index) {
      stops.rest(index);
      state.toggle(place(index));
    },
    escape() {
      state.release();
      state.preview(null);
    },
    slide: true,
  });
  root.show = (part, { pin = false } = {}) => {
    const found = known(part);
    if (part && !found) return;
    lent = pin ? null : found;
    if (pin) state.toggle(found);
    else draw();
  };
  /** Selects what another view has selected, as far as it is here. */
  root.follow = (part) => {
    lent = known(part);
    draw();
  };
  draw();
  return root;

  function changed() {
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Returns `[state, row, layer]`, numbers or null, of what there is, or null. */
  function known(part) {
    const among = (number, count) => (Number.isInteger(number) && number >= 0 && number < count ? number : null);
    const found = [among(states.indexOf(part?.state), states.length), among(part?.token - first, rows.length), among(part?.layer, n)];
    return found.some((item) => item !== null) ? found : null;
  }

  function place(index) {
    const [line, layer] = placeInGrid(index, states.length * rows.length, n, rows.length);
    if (line === null) return [null, null, layer];
    return [layer === null ? null : Math.floor(line / rows.length), line % rows.length, layer];
  }

  function cell([s, r, layer]) {
    return cells[(s * rows.length + r) * n + layer];
  }

  /** Returns the cell of a place, or the name of its row or column that can be entered; a state alone has none. */
  function itemOf([s, r, layer]) {
    if (r !== null && layer !== null) return cell([s ?? 0, r, layer]);
    return names[0].heads[r] ?? names.at(-1).axis[layer];
  }

  /** The two texts, what each run says, and what is measured. */
  function runs() {
    const box = element("div", "runs");
    for (const [name, run] of [["clean", clean], ["corrupted", corrupted]]) {
      const own = run.tokens ?? tokens;
      const { element: line, chips } = strip(tokenUnits(own), own, { choosable: () => false, label: `${name} text` });
      tokenUnits(own).forEach(({ start, size }, u) => {
        if (name === "corrupted" && positions.some((p) => p >= start && p < start + size)) chips[u].dataset.broken = data.noise ? "noise" : "";
      });
      box.append(element("span", "run-name", name), element("div", "run", line, element("p", "", ...says(run))));
    }
    return box;
  }

  function says({ value: measured, answer, foil, top }) {
    const nodes = [quoted(textOf(answer)), ` ${percent(answer.probability)}`];
    if (foil) nodes.push(", ", quoted(textOf(foil)), ` ${percent(foil.probability)}`);
    if (![answer.id, foil?.id].includes(top.id)) nodes.push(", first choice ", quoted(textOf(top)), ` ${percent(top.probability)}`);
    if (data.metric !== "probability") nodes.push(`; ${what()} ${number(measured)}`);
    return nodes;
  }

  function what() {
    return clean.foil ? "difference of their logits" : { logit: "logit", logprob: "log-probability", probability: "probability" }[data.metric];
  }

  /** A grid; returns the names of its rows. */
  function site(name, s) {
    const box = element("div", "site");
    const grid = element("div", "trace");
    const title = element("p", "site-title", TITLES[name], ...(name !== "residual" && data.window > 1 ? [`, ${data.window} layers at once`] : []));
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", `${TITLES[name]}: effect by token and layer`);
    const heads = rows.map((position, r) => {
      const head = element("div", "name", element("span", "", visible(texts[position])));
      if (!texts[position].trim()) head.append(element("span", "spoken", spoken(texts[position])));
      if (positions.includes(position)) head.append(element("span", "star", "*"));
      head.setAttribute("role", "rowheader");
      if (s === 0) head.tabIndex = -1;
      else head.addEventListener("click", () => state.toggle([null, r, null]));
      const line = row(grid, head);
      for (const layer of range(n)) {
        const item = element("div", "cell");
        item.setAttribute("role", "gridcell");
        item.tabIndex = -1;
        const effect = effects[name][layer][position];
        shade(item, Math.abs(effect) < most / 100 ? 0 : effect, most); // what has no shade has no sign
        item.classList.toggle("is-out", lacking[name].includes(layer));
        item.ariaLabel = lacking[name].includes(layer) ? "none there" : signed(effect); // a shade cannot be heard
        line.append(item);
        cells.push(item);
      }
      return head;
    });
    const axis = row(grid, head("layer"), ...range(n).map((layer) => head(layer, s)));
    axis.classList.add("numbers");
    box.append(title, grid);
    sites.append(box);
    return { heads, axis: [...axis.children].slice(1) };
  }

  function head(layer, s) {
    const seen = !(layer >= 0) || n <= ALL || layer === n - 1 || (layer % TICK === 0 && layer < n - 3);
    const made = element("div", "number", element("span", seen ? "" : "spoken", `${layer}`));
    made.setAttribute("role", layer >= 0 ? "columnheader" : "gridcell");
    if (s === states.length - 1) made.tabIndex = -1;
    else if (layer >= 0) made.addEventListener("click", () => state.toggle([null, null, layer]));
    return made;
  }

  function draw() {
    const now = lent ?? state.current;
    const [s, r, layer] = state.current ?? [null, null, null];
    root.value = { state: states[s] ?? null, layer, token: rows[r] ?? null, pinned: state.pinned };
    const pinned = state.pinned && !lent;
    for (const marked of sites.querySelectorAll(".is-selected, .is-beside, .is-line")) marked.classList.remove("is-selected", "is-beside", "is-line");
    sites.classList.toggle("is-pinned", pinned);
    pick(sites, pinned ? itemOf(now) : null);
    names.forEach(({ heads, axis }, k) => {
      if (!now || (now[0] !== null && now[1] === null && now[2] === null && now[0] !== k)) return;
      heads[now[1]]?.classList.add("is-line");
      axis[now[2]]?.classList.add("is-line");
      if (now[1] === null || now[2] === null) return;
      cell([k, now[1], now[2]]).classList.add(now[0] === k || now[0] === null ? "is-selected" : "is-beside");
    });
    card(now);
    tell(now);
  }

  function tell(now) {
    const say = (chip) => (!now ? idle() : now.includes(null) ? strongest(now, chip) : [...effect(now, chip), `${(lacks(now) && ".") || ""}`]);
    sentence.say(say(quoted), say(spoken).join(""), state.pinned && !lent);
  }

  function idle() {
    const [from, to] = backwards ? ["corrupted", "clean"] : ["clean", "corrupted"];
    return [`States of the ${from} run, put into the ${to} one: a token and a layer at a time. Shades tell how much of the difference of ${amount(Math.abs(gap))} each makes.`];
  }

  /** Says which state a place is, and what putting it back does. */
  function effect([s, r, layer], chip) {
    const share = effects[states[s]][layer][rows[r]];
    const here = backwards ? clean.value - share * gap : corrupted.value + share * gap;
    const much = percent(Math.abs(share));
    const [more, less] = backwards ? [`takes ${much} of the difference away`, `adds ${much} to the difference`] : [`brings back ${much} of the difference`, `takes it ${much} further away`];
    const does = Math.abs(share) < NOTHING ? "changes nothing" : share > 0 ? more : less;
    if (lacks([s, r, layer])) return [`Layer ${layer} has no ${states[s] === "mlp" ? "MLP" : "attention"} of its own`];
    return [`${backwards ? "Corrupting" : "Restoring"} the ${named(s, layer)} at `, chip(texts[rows[r]]), ` ${does} (clean ${amount(clean.value)}, corrupted ${amount(corrupted.value)}, here ${amount(here)}).`];
  }

  function lacks([s, , layer]) {
    return lacking[states[s]].includes(layer);
  }

  /** Says which states have the largest effects in a line. */
  function strongest([one, r, layer], chip) {
    const where = r !== null ? ["At ", chip(texts[rows[r]])]  : [`In layer ${layer}`];
    const found = (one === null ? range(states.length) : [one]).map((s) => {
      const all = range(rows.length * n).map((index) => [s, Math.floor(index / n), index % n]).filter(([, a, b]) => (r ?? a) === a && (layer ?? b) === b);
      const best = all[maxIndex(all, ([, a, b]) => Math.abs(effects[states[s]][b][rows[a]]))];
      const share = effects[states[s]][best[2]][rows[best[1]]];
      return [`${signed(share)} by the ${named(s, best[2])}`, ...(r === null ? [" at ", chip(texts[rows[best[1]]])] : [])];
    });
    if (one !== null && r === null && layer === null) return ["Largest of all is ", ...found[0], "."];
    return [...where, ", the largest effects are ", ...found.flatMap((nodes, i) => [i ? (i === found.length - 1 ? " and " : ", ") : "", ...nodes]), "."];
  }

  function named(s, layer) {
    if (states[s] === "residual") return `residual stream after layer ${layer}`;
    const part = states[s] === "mlp" ? "MLP" : "attention";
    if (data.window === 1) return `${part} output of layer ${layer}`;
    const [from, to] = data.spans[layer];
    return `${part} outputs of layers ${from} to ${to}`;
  }

  function card(at) {
    if (!at || at.includes(null)) return tip.hide();
    const [s, r, layer] = at;
    const share = effects[states[s]][layer][rows[r]];
    tip.show(cell(at), [facts([["layer", `${layer}`], ["token", quoted(texts[rows[r]])], ["effect", lacks(at) ? "none there" : signed(share)]])], { beside: true });
  }

  function amount(measured) {
    return data.metric === "probability" ? signed(measured) : number(measured);
  }
}

/** Returns a share with its sign as a percentage. */
function signed(share) {
  return Math.abs(share) < NOTHING / 5 ? "0%" : `${share < 0 ? "−" : ""}${percent(Math.abs(share))}`;
}

function number(measured) {
  const text = measured.toFixed(2).replace("-", "−");
  return /[1-9]/.test(text) ? text : "0.00";
}

function row(grid, ...children) {
  const line = element("div", "line", ...children);
  line.setAttribute("role", "row");
  grid.append(line);
  return line;
}

function element(tag, name, ...children) {
  const made = document.createElement(tag);
  made.className = name;
  made.append(...children);
  return made;
}
