/** Ablation: what an answer loses when a head, an attention, an MLP, a factor's neurons or an attention edge is taken out. */
import { range, sort } from "d3";
import { choice } from "../shared/choice.js";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { piecesOf } from "../shared/pieces.js";
import { readout } from "../shared/readout.js";
import { selection } from "../shared/selection.js";
import { make, sheet, signed, strongest } from "../shared/sheet.js";
import { shade, strip } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";
import { isNothing, teller } from "./told.js";

const LISTED = 12;

/**
 * Returns an element whose `value` is `{ show, layer, head, what, token, words, pinned }`: whether "parts" or "edges" are
 * shown, and which is selected: a head by its layer's number and its own, `what` else ("heads", "mlp", "factor-1"), or an
 * edge by its layer and the token it leads to, which stands for the word that it is in where edges lead to words. It emits
 * `input` when that changes. `follow({ layer, head, token })` selects as far as it knows, without.
 */
export default function ablation(data, { value, extent = {} } = {}) {
  const { tokens, edges } = data;
  const root = make("div", "view");
  const sentence = readout();
  const units = tokenUnits(tokens);
  const line = strip(units, tokens, { choosable: () => false, label: "The text" });
  const rows = rowsOf(data);
  const losses = rows.flatMap(({ bars }) => bars.map(([, to]) => to));
  const tops = {
    parts: extent.head || Math.max(...data.heads.lost.flat().map(Math.abs)) || 1,
    edges: edges && (extent.edge || Math.max(...edges.lost.flat().map(Math.abs)) || 1),
  };
  const [single, merged] = [false, true].map((words) => piecesOf(tokens.slice(0, data.position), words));
  const joins = edges && merged.length < single.length;
  const tell = teller(data);
  let show = edges && value?.show === "edges" ? "edges" : "parts";
  let words = Boolean(joins && value?.words === true);
  let columns = words ? merged : single; // of the edges
  let lent = null; // what prose or another view shows
  let drawing = null; // edges.js, where there are any
  let grid = null;
  root.dataset.signed = "";

  const over = (item) => (state.pinned ? card(item) : state.preview(item));
  const on = {
    point: over,
    look: over,
    press: (item) => state.toggle(item, place),
    step: (item) => state.step(item),
    escape() {
      state.release();
      state.preview(null);
    },
  };
  const table = sheet({
    label: "What is lost without each part",
    n: data.n_heads,
    rows,
    reach: extent,
    top: tops.parts,
    ticks: [[0, "0"], ...[Math.max(...losses), Math.min(...losses)].filter((loss, i) => (i ? loss < -0.2 * Math.max(...losses) : loss > 0)).map((loss) => [loss, signed(loss)])],
    on,
  });
  const order = sort(range(table.items.length).filter((i) => table.items[i].what !== "heads"), (i) => -table.items[i].value);
  const start = known(value);
  const state = selection({ current: start, pinned: start !== null && value.pinned !== false, changed });
  const merging = switcher("Merge into words", words, merge);
  const bar = make("div", "view-bar");
  const about = make("div", "view-bar sheet-about");
  const ramp = legend("", "", "");
  const key = make("span", "", "bars: heads above, MLP below");
  bar.append(ramp.element, key, ...(joins ? [merging] : []), hint("arrows move", "Enter pins", "Esc lets go"));
  const views = edges && choice("Taken out", [["parts", "parts"], ["edges", "edges of attention"]], show, turn);
  if (edges) about.append(views.element);
  about.append(strongest("Greatest losses", order.slice(0, LISTED).map((i) => [tell.name(table.items[i], true), table.items[i].value])));
  if (edges) about.append(strongest("Strongest edges", strongestEdges()));
  const drawn = make("div", "");
  root.append(sentence.element, line.element, drawn, bar, about);
  const tip = tooltip(root);
  root.show = (part, { pin = false } = {}) => lend(named(part), pin);
  root.follow = ({ layer, head = null, token }) => lend(known(show === "edges" ? { show, layer, token } : { layer, head, what: head === null ? "heads" : null }));
  lay();
  if (edges) loadEdges();
  return root;

  /** Draws edges once that is there which draws them; where it does not come there are none to choose. */
  async function loadEdges() {
    try {
      drawing = await import("./edges.js");
      if (show === "edges") lay();
    } catch {
      if (show === "edges") turn("parts");
      views.element.remove();
    }
  }

  /** Shows parts or edges, of which nothing is selected then. */
  function turn(next) {
    show = next;
    views.set(next);
    lay();
    state.release();
    state.preview(null);
    changed();
  }

  /** Draws edges to words, or to tokens; what is selected stays so. */
  function merge(on) {
    words = on;
    columns = words ? merged : single;
    grid = null;
    lay();
    emit();
  }

  function lay() {
    if (show === "edges" && drawing) grid ??= drawing.edgesGrid({ lost: edges.lost, columns, top: tops.edges, on });
    const at = place(state.current);
    if (Array.isArray(at) && at[1] !== null) grid?.rest(at);
    drawn.replaceChildren(show === "edges" && grid ? grid.element : table.element);
    ramp.element.firstChild.textContent = show === "edges" ? "lost without an edge" : "lost without a head";
    ramp.element.children[1].textContent = signed(-tops[show]);
    ramp.set(signed(tops[show]));
    key.hidden = show === "edges";
    merging.hidden = show === "parts";
    root.toggleAttribute("data-words", words && show === "edges");
    if (show === "parts" && typeof state.current === "number") table.rest(state.current);
    draw();
  }

  function changed() {
    lent = null;
    draw();
    emit();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function lend(item, pin) {
    if (item !== null && pin) {
      if ((typeof item === "number") !== (show === "parts")) turn(show === "parts" ? "edges" : "parts");
      return state.toggle(item, place);
    }
    lent = item !== null && (typeof item === "number") === (show === "parts") ? item : null;
    draw();
  }

  /** Returns a part's index in the sheet, an edge's `[layer, token]`, or null. */
  function known(part) {
    const { layer, token = null } = part ?? {};
    if (part?.show === "edges") {
      const among = (number, list) => Number.isInteger(number) && number >= 0 && number < list.length;
      return edges && among(layer, edges.lost) && (token === null || among(token, edges.lost[0])) ? [layer, token] : null;
    }
    const index = table.find(part);
    return index < 0 ? null : index;
  }

  /** Returns where an item is drawn: a part's index, or `[row, column]` of an edge, numbers or null. */
  function place(item) {
    return Array.isArray(item) ? [item[0], item[1] === null ? null : columns.findIndex((piece) => piece.tokens.includes(item[1]))] : item;
  }

  /** Returns what an item stands for, as it is told. */
  function partOf(item) {
    return Array.isArray(item) ? { layer: item[0], piece: columns[place(item)[1]] ?? null } : (table.items[item] ?? null);
  }

  /** Returns what prose names: a head such as "21.5", a layer, its MLP, a factor, a token that is looked at. */
  function named(part) {
    if (!part) return null;
    const [layer, head] = String(part.head ?? part.mlp ?? "").split(".").map(Number);
    if (part.head !== undefined) return known({ layer, head });
    if (part.mlp !== undefined) return known({ layer, what: "mlp" });
    if (part.factor !== undefined) return known({ what: `factor-${part.factor}` });
    if (part.token !== undefined && edges) return [strongestLayer(part.token), part.token];
    return part.layer === undefined ? null : known({ layer: part.layer, what: "heads" });
  }

  function strongestLayer(token) {
    return sort(range(edges.lost.length), (layer) => -Math.abs(edges.lost[layer][token]))[0];
  }

  function draw() {
    const now = state.current;
    const part = typeof now === "number" ? table.items[now] : null;
    const { layer = null, head = null, what = null } = part ?? {};
    root.value = { show, layer: Array.isArray(now) ? now[0] : layer, head, what, token: Array.isArray(now) ? now[1] : null, words, pinned: state.pinned };
    const item = lent ?? now;
    const is = show === "edges" ? Array.isArray(item) : typeof item === "number";
    const pinned = state.pinned && lent === null && is;
    const told = is ? partOf(item) : null;
    if (show === "edges") grid?.select(is ? place(item) : null, pinned);
    else table.mark(is ? item : -1, pinned);
    const weights = tell.factor(told)?.weights;
    line.chips.forEach((chip, u) => {
      shade(chip, weights?.[units[u].start], Math.max(...(weights ?? [1])));
      chip.classList.toggle("is-selected", units[u].start === data.position);
      chip.classList.toggle("is-looked-at", Boolean(told?.piece?.tokens.includes(units[u].start)));
      chip.classList.toggle("is-later", units[u].start > data.position);
    });
    card(is && lent === null ? item : null);
    const parts = told ? tell.about(told) : tell.whole(idle());
    const [shown, heard] = [quoted, spoken].map((chip) => parts.map((one) => (typeof one === "string" ? one : chip(textOf(one)))));
    sentence.say(shown, heard.join("") + tell.others(told), pinned);
  }

  /** Says what else there is to know while nothing is selected. */
  function idle() {
    const loud = order.slice(0, 2).map((i) => `${signed(table.items[i].value)} without ${tell.name(table.items[i])}`);
    if (show === "parts") return `most is lost: ${loud.join(", ")}`;
    const merged = words ? "; a word has that of its strongest token, as losses of several do not add up" : "";
    return `what is lost where the last token cannot look at an earlier one${merged}`;
  }

  function strongestEdges() {
    const all = edges.lost.flatMap((row, layer) => row.map((value, token) => ({ layer, token, value })));
    return sort(all, ({ value }) => -Math.abs(value)).slice(0, LISTED).map(({ layer, token, value }) => {
      const nodes = document.createDocumentFragment();
      nodes.append(`In ${tell.layers(layer)} without a look at `, quoted(textOf(tokens[token])));
      return [nodes, value];
    });
  }

  function card(item) {
    table.element.querySelector(".is-looked-at")?.classList.remove("is-looked-at");
    grid?.look(null);
    if (item === null || (Array.isArray(item) && (item[1] === null || !grid))) return tip.hide();
    const part = partOf(item);
    const { lost, probability, says, token } = tell.effect(part);
    const anchor = part.piece ? grid.anchor(place(item)) : part.element;
    if (part.piece) grid.look(place(item));
    else anchor.classList.add("is-looked-at");
    const factor = tell.factor(part);
    const drawn = factor ? [["as many others", signed(factor.drawn)]] : [];
    const about = part.piece ? [["layer", `${part.layer}`], ["no look at", quoted(part.piece.text)]] : [["without", tell.name(part)]];
    const within = part.piece?.tokens.length ?? 1;
    if (within > 1 && !isNothing(lost)) about.push([`strongest of ${within} tokens`, quoted(textOf(tokens[token]))]);
    tip.show(anchor, [facts([...about, ["loses", signed(lost)], ...drawn, ["probability", percent(probability)], ["first comes", quoted(data.vocabulary[says])]])], { beside: true });
  }
}

/** The rows of the sheet, each bar from nothing to what is lost. */
function rowsOf({ heads, attentions, mlps, factors }) {
  const rows = heads.lost.map((row, layer) => {
    const sums = [attentions.lost[layer], mlps.lost[layer]];
    return { name: layer, layer, heads: row, sums, bars: sums.map((loss) => [0, loss ?? 0]) };
  });
  factors?.lost.forEach((value, j) => {
    rows.push({ what: `factor-${j + 1}`, text: `factor ${j + 1}: ${factors.neurons[j].toLocaleString("en")} neurons`, value, bars: [[0, value]] });
  });
  return rows;
}
