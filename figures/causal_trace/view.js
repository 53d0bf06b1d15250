/** Causal trace: grids of tokens by layers, one for each kind of state, shaded by what putting that state back does. */
import { range } from "d3";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { piecesOf, strongestOf } from "../shared/pieces.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { overGrid, placeInGrid, roving } from "../shared/roving.js";
import { pick, selection } from "../shared/selection.js";
import { shade, strip } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf, visible } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";
import { signed, teller } from "./told.js";

const TITLES = { residual: "Residual stream", attention: "Attention output", mlp: "MLP output" };
const [ALL, TICK] = [16, 5]; // up to so many layers each has its number below the grid, else every fifth

/**
 * Returns an element whose `value` is `{ state, layer, token, words, pinned }`: a state by its name, a layer and a token by
 * their numbers, null where none is selected, and whether rows are words: then a token stands for the word that it is in.
 * It emits `input` when that changes. Prose and other views may name any of the first three.
 */
export default function causalTrace(data, { value, extent = {} } = {}) {
  const { tokens, states, n_layers: n, first, effects, lacking, positions, direction } = data;
  const { clean, corrupted } = data.runs;
  const reaches = (piece) => piece.tokens.at(-1) >= first;
  const [single, merged] = [false, true].map((words) => piecesOf(tokens, words).filter(reaches));
  const most = Math.max(extent.effect ?? 0, ...states.flatMap((state) => effects[state].flat().map(Math.abs)));
  const tell = teller(data);
  const root = element("div", "view");
  const bar = element("div", "view-bar");
  const sentence = readout();
  const joins = merged.length < single.length;
  let words = joins && value?.words === true;
  let rows = words ? merged : single;
  let lent = null; // what prose points at
  let sites, cells, names; // what is drawn of the rows
  root.dataset.signed = "";
  const ramp = legend(`share of the difference that ${direction === "corrupt" ? "is taken away" : "comes back"}`, `−${percent(most)}`, percent(most));
  const key = element("span", "", element("span", "star", "*"), data.noise ? " its embedding is noisy in the corrupted run" : " another token in the corrupted run");
  bar.append(ramp.element, key, hint("arrows move, onto names too", "Enter pins", "Esc lets go"));
  if (joins) bar.append(switcher("Merge into words", words, merge));
  root.append(runs(), sentence.element, bar);
  const tip = tooltip(root);

  const start = known(value);
  const state = selection({ current: start, pinned: start !== null && value.pinned !== false, changed });
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
  lay();
  return root;

  function merge(on) {
    words = on;
    rows = words ? merged : single;
    lay();
    emit();
  }

  /** Draws the grids of tokens, or of words; what is selected stays so. */
  function lay() {
    const last = sites;
    sites = element("div", "sites");
    sites.style.setProperty("--columns", n);
    sites.style.setProperty("--rows", rows.length);
    cells = [];
    names = states.map(site);
    if (last) last.replaceWith(sites);
    else bar.before(sites);
    const items = [...cells, ...names[0].heads, ...names.at(-1).axis]; // names say the same in each grid: one set is entered
    const next = overGrid(states.length * rows.length, n, { names: rows.length, heads: true, below: true });
    const stops = roving(sites, items, next, (index) => state.step(item(index)));
    pointing(sites, items, {
      point: (index) => (state.pinned ? card(index === null ? null : place(item(index))) : state.preview(index === null ? null : item(index))),
      press(index) {
        stops.rest(index);
        state.toggle(item(index), place);
      },
      escape() {
        state.release();
        state.preview(null);
      },
      slide: true,
    });
    const chosen = state.current && itemOf(place(state.current));
    if (chosen) stops.rest(items.indexOf(chosen));
    draw();
  }

  function changed() {
    lent = null; // the reader goes on here
    draw();
    emit();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Returns `[state, token, layer]`, numbers or null, of what there is, or null. */
  function known(part) {
    const among = (number, count) => (Number.isInteger(number) && number >= 0 && number < count ? number : null);
    const token = rowAt(part?.token) < 0 ? null : Math.max(first, part.token);
    const found = [among(states.indexOf(part?.state), states.length), token, among(part?.layer, n)];
    return found.some((item) => item !== null) ? found : null;
  }

  function rowAt(token) {
    return rows.findIndex(({ tokens }) => tokens.includes(token));
  }

  /** Returns `[state, row, layer]` of a state, a token and a layer. */
  function place(at) {
    return at && [at[0], at[1] === null ? null : rowAt(at[1]), at[2]];
  }

  /** Returns the state, the token and the layer that an item stands for. */
  function item(index) {
    const [line, layer] = placeInGrid(index, states.length * rows.length, n, rows.length);
    if (line === null) return [null, null, layer];
    const s = layer === null ? null : Math.floor(line / rows.length);
    return [s, tokenOf(line % rows.length, s, layer), layer];
  }

  /** Returns the token that a row stands for: of a word the strongest where a state is meant, else its first. */
  function tokenOf(r, s = null, layer = null) {
    const token = s === null ? rows[r].tokens[0] : strongestOf(rows[r], effects[states[s]][layer])[0];
    return Math.max(first, token); // what a word has before it has no row of its own
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
      box.append(element("span", "run-name", name), element("div", "run", line, element("p", "", ...tell.run(run))));
    }
    return box;
  }

  /** A grid; returns the names of its rows. */
  function site(name, s) {
    const box = element("div", "site");
    const grid = element("div", "trace");
    const title = element("p", "site-title", TITLES[name], ...(name !== "residual" && data.window > 1 ? [`, ${data.window} layers at once`] : []));
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", `${TITLES[name]}: effect by ${words ? "word" : "token"} and layer`);
    const heads = rows.map((unit, r) => {
      const head = element("div", "name", element("span", "", visible(unit.text)));
      if (!unit.text.trim()) head.append(element("span", "spoken", spoken(unit.text)));
      if (unit.tokens.some((token) => positions.includes(token))) head.append(element("span", "star", "*"));
      head.setAttribute("role", "rowheader");
      if (s === 0) head.tabIndex = -1;
      else head.addEventListener("click", () => state.toggle([null, tokenOf(r), null], place));
      const line = row(grid, head);
      for (const layer of range(n)) {
        const made = element("div", "cell");
        made.setAttribute("role", "gridcell");
        made.tabIndex = -1;
        const [, effect] = strongestOf(unit, effects[name][layer]);
        shade(made, Math.abs(effect) < most / 100 ? 0 : effect, most); // what has no shade has no sign
        made.classList.toggle("is-out", lacking[name].includes(layer));
        made.ariaLabel = lacking[name].includes(layer) ? "none there" : signed(effect); // a shade cannot be heard
        line.append(made);
        cells.push(made);
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
    const now = place(lent ?? state.current);
    const [s, token, layer] = state.current ?? [null, null, null];
    root.value = { state: states[s] ?? null, layer, token, words, pinned: state.pinned };
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
    const say = (chip) => tell.about(now, rows, words, chip);
    sentence.say(say(quoted), say(spoken).join(""), pinned);
  }

  function card(at) {
    if (!at || at.includes(null)) return tip.hide();
    const [s, r, layer] = at;
    const { text, tokens: within } = rows[r];
    const [token, effect] = strongestOf(rows[r], effects[states[s]][layer]);
    const out = lacking[states[s]].includes(layer);
    const which = [[within.length > 1 ? "word" : "token", quoted(text)]];
    if (within.length > 1 && effect && !out) which.push([`strongest of ${within.length} tokens`, quoted(textOf(tokens[token]))]);
    tip.show(cell(at), [facts([["layer", `${layer}`], ...which, ["effect", out ? "none there" : signed(effect)]])], { beside: true });
  }
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
