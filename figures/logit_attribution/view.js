/** Logit attribution: what each head, MLP and embedding adds to an answer's logit, and the sum as it grows. */
import { range, sort, sum } from "d3";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { readout } from "../shared/readout.js";
import { selection } from "../shared/selection.js";
import { make, sheet, signed, strongest } from "../shared/sheet.js";
import { strip } from "../shared/strip.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";

const LISTED = 12;
const NAMES = { token: "the token’s embedding", position: "the position’s embedding", embeddings: "the embeddings", constant: "biases after the last layer" };

/**
 * Returns an element whose `value` is `{ layer, head, what, pinned }`: a head by its layer's number and its own, or `what`
 * else is selected: "heads" or "mlp" of a layer, "token", "position", "embeddings", "constant"; all null where nothing
 * is. It emits `input` when that changes. `follow({ layer, head })` selects as far as it knows, without.
 */
export default function logitAttribution(data, { value, extent = {} } = {}) {
  const { tokens, answer, foil, total } = data;
  const root = make("div", "view");
  const sentence = readout();
  const rows = rowsOf(data);
  const top = extent.head || Math.max(...data.heads.flat().map(Math.abs)) || 1;
  let lent = null; // what prose or another view shows: an item, or a layer
  root.dataset.signed = "";

  const table = sheet({
    label: "What each part adds",
    n: data.n_heads,
    rows,
    reach: extent,
    top,
    ticks: [[0, "0"], [total, signed(total)]],
    on: {
      point: (i) => (state.pinned ? card(i) : state.preview(i)),
      press: (i) => state.toggle(i),
      step: (i) => state.step(i),
      escape() {
        state.release();
        state.preview(null);
      },
    },
  });
  const restored = table.find(value);
  const state = selection({ current: restored < 0 ? null : restored, pinned: restored >= 0 && value.pinned !== false, changed });
  const order = sort(range(table.items.length).filter((i) => table.items[i].what !== "heads"), (i) => -Math.abs(table.items[i].value));
  const ramp = legend("a head adds", signed(-top), signed(top));
  const bar = make("div", "view-bar");
  const about = make("div", "view-bar sheet-about");
  bar.append(ramp.element, make("span", "", "bars: the sum so far, heads above, MLP below"), hint("arrows move", "Enter pins", "Esc lets go"));
  about.append(strongest("Strongest parts", order.slice(0, LISTED).map((i) => [name(table.items[i], true), table.items[i].value])));
  const line = strip(tokenUnits(tokens), tokens, { choosable: () => false, label: "The text" });
  tokenUnits(tokens).forEach(({ start }, u) => {
    line.chips[u].classList.toggle("is-selected", start === data.position);
    line.chips[u].classList.toggle("is-later", start > data.position);
  });
  root.append(sentence.element, line.element, table.element, bar, about);
  const tip = tooltip(root);
  root.show = show;
  root.follow = ({ layer, head }) => {
    const found = table.find({ layer, head });
    const whole = head === undefined || head === null; // another figure may know no single head
    lent = found >= 0 ? { index: found } : whole && layer in data.heads ? { index: -1, layer } : null;
    draw();
  };
  if (restored >= 0) table.rest(restored);
  draw();
  return root;

  function changed() {
    lent = null;
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Shows what prose names: a head such as "21.5", a layer, a layer's MLP. */
  function show(part, { pin = false } = {}) {
    const [layer, head] = String(part?.head ?? part?.mlp ?? "").split(".").map(Number);
    const index = part?.head !== undefined ? table.find({ layer, head }) : part?.mlp !== undefined ? table.find({ layer, what: "mlp" }) : table.find({ layer: part?.layer, what: "heads" });
    if (pin && index >= 0) return state.toggle(index);
    lent = index < 0 ? null : part.layer === undefined ? { index } : { index: -1, layer: part.layer };
    draw();
  }

  function draw() {
    const { layer = null, head = null, what = null } = table.items[state.current] ?? {};
    root.value = { layer, head, what, pinned: state.pinned };
    const index = lent ? lent.index : (state.current ?? -1);
    const pinned = state.pinned && !lent;
    table.mark(index, pinned, lent?.layer);
    card(lent ? null : state.current);
    const parts = lent?.layer !== undefined ? ofLayer(lent.layer) : index < 0 ? whole() : ofPart(table.items[index]);
    const [shown, heard] = [quoted, spoken].map((chip) => parts.map((part) => (typeof part === "string" ? part : chip(textOf(part)))));
    const beside = index < 0 ? "" : factsOf(index).map(([name, fact]) => `; ${name} ${fact}`).join("");
    sentence.say(shown, heard.join("") + beside, pinned);
  }

  /** The answer, and what it stands against. */
  function asked() {
    return foil ? [answer, " over ", foil] : [answer];
  }

  function whole() {
    const heads = sum(data.heads.flat()) + sum(data.biases);
    const kinds = [[sum(Object.values(data.embeddings)), "embeddings"], [heads, "attention"], [sum(data.mlps), "MLPs"], [data.constant, "biases after the last layer"]];
    const said = kinds.filter(([value], i) => i < 3 || value).map(([value, kind]) => `${signed(value)} from ${kind}`);
    return ["The logit of ", ...asked(), `${data.capped ? " before the soft cap" : ""} is ${signed(total)}: ${said.join(", ")}. Probability ${percent(answer.probability)}`];
  }

  function ofPart(item) {
    return [`${name(item, true)} ${item.what === "constant" || item.what === "embeddings" || (item.what === "heads" && data.n_heads > 1) ? "add" : "adds"} ${signed(item.value)} of ${signed(total)} to `, ...asked()];
  }

  function ofLayer(layer) {
    const of = (what) => table.items[table.find({ layer, what })]?.value ?? 0;
    const run = rows.find((row) => row.layer === layer).run;
    return [`Layer ${layer}: heads add ${signed(of("heads"))}, the MLP ${signed(of("mlp"))}; after it the sum for `, ...asked(), ` is ${signed(run)}`];
  }

  function card(index) {
    const item = table.items[index];
    table.element.querySelector(".is-looked-at")?.classList.remove("is-looked-at");
    if (!item) return tip.hide();
    item.element.classList.add("is-looked-at");
    tip.show(item.element, [facts([["part", name(item)], ["adds", signed(item.value)], ...factsOf(index)])], { beside: true });
  }

  /** Its place among all parts, and the sum up to there. */
  function factsOf(index) {
    const place = order.indexOf(index) + 1;
    return [...(place ? [["strongest", `no. ${place} of ${order.length}`]] : []), ["sum after this row", signed(rows[table.items[index].row].run)]];
  }

  function name({ layer, head, what }, first = false) {
    const text = head !== null ? `head ${head} of layer ${layer}` : what === "heads" ? (data.n_heads > 1 ? `the heads of layer ${layer} together` : `the head of layer ${layer}`) : what === "mlp" ? `the MLP of layer ${layer}` : NAMES[what];
    return first ? text[0].toUpperCase() + text.slice(1) : text;
  }
}

/** The rows of the sheet, each bar beginning where the one before it ended. */
function rowsOf({ heads, biases, mlps, embeddings, constant }) {
  let run = 0;
  const step = (value) => [run, (run += value)];
  const wide = (what, text, value) => ({ what, text, value, bars: [step(value)], run });
  const texts = { token: "token embedding", position: "position embedding", embeddings: "embeddings" };
  const rows = Object.entries(embeddings).map(([what, value]) => wide(what, texts[what], value));
  heads.forEach((row, layer) => {
    const sums = [sum(row) + biases[layer], mlps[layer]];
    rows.push({ name: layer, layer, heads: row, sums, bars: sums.map(step), run });
  });
  if (constant) rows.push(wide("constant", "final biases", constant));
  return rows;
}
