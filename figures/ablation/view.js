/** Ablation: what an answer loses when a head, an attention, an MLP, a factor's neurons or an attention edge is taken out. */
import { range, sort } from "d3";
import { choice } from "../shared/choice.js";
import { percent } from "../shared/format.js";
import { heatmap } from "../shared/heatmap.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { readout } from "../shared/readout.js";
import { selection } from "../shared/selection.js";
import { make, sheet, signed, strongest } from "../shared/sheet.js";
import { shade, strip } from "../shared/strip.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";

const LISTED = 12;
const NOTHING = 0.005; // of a logit: less is not told

/**
 * Returns an element whose `value` is `{ show, layer, head, what, token, pinned }`: whether "parts" or "edges" are shown,
 * and which is selected: a head by its layer's number and its own, `what` else ("heads", "mlp", "factor-1"), or an edge by
 * its layer and the token it leads to. It emits `input` when that changes. `follow({ layer, head, token })` selects as far
 * as it knows, without.
 */
export default function ablation(data, { value, extent = {} } = {}) {
  const { tokens, answer, foil, edges, factors } = data;
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
  let show = edges && value?.show === "edges" ? "edges" : "parts";
  let lent = null; // what prose or another view shows
  let grid = null;
  root.dataset.signed = "";

  const table = sheet({
    label: "What is lost without each part",
    n: data.n_heads,
    rows,
    reach: extent,
    top: tops.parts,
    ticks: [[0, "0"], ...[Math.max(...losses), Math.min(...losses)].filter((loss, i) => (i ? loss < -0.2 * Math.max(...losses) : loss > 0)).map((loss) => [loss, signed(loss)])],
    on: listening((i) => i),
  });
  const order = sort(range(table.items.length).filter((i) => table.items[i].what !== "heads"), (i) => -table.items[i].value);
  const start = known(value);
  const state = selection({ current: start, pinned: start !== null && value.pinned !== false, changed });
  const bar = make("div", "view-bar");
  const about = make("div", "view-bar sheet-about");
  const ramp = legend("", "", "");
  const key = make("span", "", "bars: heads above, MLP below");
  bar.append(ramp.element, key, hint("arrows move", "Enter pins", "Esc lets go"));
  const views = edges && choice("Taken out", [["parts", "parts"], ["edges", "edges of attention"]], show, turn);
  if (edges) about.append(views.element);
  about.append(strongest("Greatest losses", order.slice(0, LISTED).map((i) => [name(table.items[i], true), table.items[i].value])));
  if (edges) about.append(strongest("Strongest edges", strongestEdges()));
  const place = make("div", "");
  root.append(sentence.element, line.element, place, bar, about);
  const tip = tooltip(root);
  root.show = (part, { pin = false } = {}) => lend(named(part), pin);
  root.follow = ({ layer, head = null, token }) => lend(known(show === "edges" ? { show, layer, token } : { layer, head, what: head === null ? "heads" : null }));
  lay();
  return root;

  function listening(item) {
    return {
      point: (at) => (state.pinned ? card(at === null ? null : item(at)) : state.preview(at === null ? null : item(at))),
      look: (at) => (state.pinned ? card(at) : state.preview(at)),
      press: (at) => state.toggle(item(at)),
      step: (at) => state.step(item(at)),
      escape() {
        state.release();
        state.preview(null);
      },
    };
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

  function lay() {
    if (show === "edges" && !grid) {
      const names = range(data.position).map((i) => textOf(tokens[i]));
      grid = heatmap({
        label: "What is lost without each edge",
        corner: { above: "layer", below: "" },
        rows: rows.filter((row) => !row.what).map((row) => row.name),
        columns: names.map((above, i) => ({ above, below: `${i}` })),
        cell: (r, c) => ({ text: "", shade: Math.min(1, Math.abs(edges.lost[r][c]) / tops.edges), label: signed(edges.lost[r][c]) }),
        on: listening((at) => at),
      });
      grid.element.dataset.thin = "";
      grid.cells.forEach((cell, i) => cell.classList.toggle("is-negative", edges.lost[Math.floor(i / names.length)][i % names.length] < 0));
    }
    place.replaceChildren(show === "edges" ? grid.element : table.element);
    ramp.element.firstChild.textContent = show === "edges" ? "lost without an edge" : "lost without a head";
    ramp.element.children[1].textContent = signed(-tops[show]);
    ramp.set(signed(tops[show]));
    key.hidden = show === "edges";
    if (show === "parts" && typeof state.current === "number") table.rest(state.current);
    draw();
  }

  function changed() {
    lent = null;
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function lend(item, pin) {
    if (item !== null && pin) {
      if ((typeof item === "number") !== (show === "parts")) turn(show === "parts" ? "edges" : "parts");
      return state.toggle(item);
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
    root.value = { show, layer: Array.isArray(now) ? now[0] : layer, head, what, token: Array.isArray(now) ? now[1] : null, pinned: state.pinned };
    const item = lent ?? now;
    const is = show === "edges" ? Array.isArray(item) : typeof item === "number";
    const pinned = state.pinned && lent === null && is;
    if (show === "edges") grid.select(is ? item : null, pinned);
    else table.mark(is ? item : -1, pinned);
    const weights = factorOf(is && show === "parts" ? table.items[item] : null)?.weights;
    line.chips.forEach((chip, u) => {
      shade(chip, weights?.[units[u].start], Math.max(...(weights ?? [1])));
      chip.classList.toggle("is-selected", units[u].start === data.position);
      chip.classList.toggle("is-looked-at", show === "edges" && is && units[u].start === item[1]);
      chip.classList.toggle("is-later", units[u].start > data.position);
    });
    card(is && lent === null ? item : null);
    const parts = is ? told(item) : whole();
    const [shown, heard] = [quoted, spoken].map((chip) => parts.map((one) => (typeof one === "string" ? one : chip(textOf(one)))));
    sentence.say(shown, heard.join("") + (is ? others(item) : ""), pinned);
  }

  /** The answer, and what it stands against. */
  function asked() {
    return foil ? [answer, " over ", foil] : [answer];
  }

  function whole() {
    const loud = order.slice(0, 2).map((i) => `${signed(table.items[i].value)} without ${name(table.items[i])}`);
    const edge = show === "edges" ? "what is lost where the last token cannot look at an earlier one" : `most is lost: ${loud.join(", ")}`;
    return ["The logit of ", ...asked(), ` is ${signed(data.value)}, the probability ${percent(data.probability)}; ${edge}`];
  }

  function told(item) {
    const { lost, probability, says } = effect(item);
    const without = Array.isArray(item) ? (item[1] === null ? [`In ${layers(item[0])}`] : [`In ${layers(item[0])} without a look at `, tokens[item[1]]]) : [`Without ${name(table.items[item])}`];
    if (lost === null) return [...without, ": choose a token"];
    const does = Math.abs(lost) < NOTHING ? "keeps its logit" : `${lost > 0 ? "loses" : "gains"} ${signed(Math.abs(lost)).slice(1)} of ${signed(data.value)}`;
    const word = { text: data.vocabulary[says] };
    const [now, before] = [percent(probability), percent(data.probability)];
    return [...without, ", ", ...asked(), ` ${does}; its probability ${now === before ? `stays ${now}` : `is ${now}, not ${before}`}`, ...(word.text === answer.text ? [] : ["; first comes ", word])];
  }

  /** Says what as many other neurons cost as a factor has: whether its own loss means anything. */
  function others(item) {
    const drawn = factorOf(show === "parts" ? table.items[item] : null)?.drawn;
    if (drawn === undefined) return "";
    return `; without as many other neurons it ${Math.abs(drawn) < NOTHING ? "keeps its logit" : `${drawn > 0 ? "loses" : "gains"} ${signed(Math.abs(drawn)).slice(1)}`}`;
  }

  function strongestEdges() {
    const all = edges.lost.flatMap((row, layer) => row.map((value, token) => ({ layer, token, value })));
    return sort(all, ({ value }) => -Math.abs(value)).slice(0, LISTED).map(({ layer, token, value }) => {
      const nodes = document.createDocumentFragment();
      nodes.append(`In ${layers(layer)} without a look at `, quoted(textOf(tokens[token])));
      return [nodes, value];
    });
  }

  /** What the taking out of an item does. */
  function effect(item) {
    const of = (table, ...path) => {
      const [lost, probability, says] = [table.lost, table.probabilities, table.says].map((list) => path.reduce((found, i) => found?.[i] ?? null, list));
      return { lost, probability, says };
    };
    if (Array.isArray(item)) return item[1] === null ? { lost: null } : of(edges, item[0], item[1]);
    const { layer, head, what } = table.items[item];
    if (head !== null) return of(data.heads, layer, head);
    if (layer === null) return of(factors, Number(what.split("-")[1]) - 1);
    return of(what === "mlp" ? data.mlps : data.attentions, layer);
  }

  /** Returns what is known of a factor whose neurons are taken out: where it is active, and what others would cost. */
  function factorOf(item) {
    const j = Number(item?.what?.split("factor-")[1]) - 1;
    return j >= 0 ? { weights: factors.weights[j], drawn: factors.drawn[j] } : null;
  }

  function card(item) {
    table.element.querySelector(".is-looked-at")?.classList.remove("is-looked-at");
    grid?.look(null);
    if (item === null || (Array.isArray(item) && item[1] === null)) return tip.hide();
    const { lost, probability, says } = effect(item);
    const edge = Array.isArray(item);
    const anchor = edge ? grid.anchor(item) : table.items[item].element;
    if (edge) grid.look(item);
    else anchor.classList.add("is-looked-at");
    const factor = factorOf(edge ? null : table.items[item]);
    const drawn = factor ? [["as many others", signed(factor.drawn)]] : [];
    const about = edge ? [["layer", `${item[0]}`], ["no look at", quoted(textOf(tokens[item[1]]))]] : [["without", name(table.items[item])]];
    tip.show(anchor, [facts([...about, ["loses", signed(lost)], ...drawn, ["probability", percent(probability)], ["first comes", quoted(data.vocabulary[says])]])], { beside: true });
  }

  function layers(layer) {
    const [first, last] = edges.spans[layer];
    return first === last ? `layer ${layer}` : `layers ${first} to ${last}`;
  }

  function name({ layer, head, what }, first = false) {
    const text = head !== null ? `head ${head} of layer ${layer}` : what === "heads" ? `the attention of layer ${layer}` : what === "mlp" ? `the MLP of layer ${layer}` : `the neurons of factor ${what.split("-")[1]}`;
    return first ? text[0].toUpperCase() + text.slice(1) : text;
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
