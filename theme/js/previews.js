/**
 * Previews: a reference to a figure, an equation, a table or a section opens a card with a copy of it, made when it is
 * asked for from what stands on the page. cards.js opens and closes these cards as all others; the click of a mouse,
 * which has seen the card already, follows the link.
 */

// px: a card's, without its padding
const WIDTH = 380;
// px, as in cards.css
const HEIGHT = Math.min(240, innerHeight / 5);
// Smaller than this they are cut. To read a figure's letters one goes there.
const LEAST = { figure: 0, table: 0.75, equation: 1 };

const element = (name, kind, ...children) => {
  const made = Object.assign(document.createElement(name), { className: kind });
  made.append(...children);
  return made;
};

/** Takes from a copy what may be there once only, and what leads elsewhere. */
function bare(copy) {
  for (const it of [copy, ...copy.querySelectorAll("*")]) {
    const link = it.localName === "a";
    for (const { name } of [...it.attributes]) {
      if (/^(id|name|for|tabindex|data-card)$/.test(name) || (link && /^(href|role|aria-)/.test(name))) it.removeAttribute(name);
    }
  }
  for (const mark of copy.querySelectorAll(".footnote-mark, .heading-anchor")) mark.remove();
  return copy;
}

const words = (source) => bare(source.cloneNode(true)).childNodes;

function picture(source, kind) {
  const width = Math.min(WIDTH, document.documentElement.clientWidth - 70);
  const scale = Math.min(1, Math.max(LEAST[kind], width / source.scrollWidth));
  const copy = bare(source.cloneNode(true));
  const drawn = source.querySelectorAll("canvas");
  copy.querySelectorAll("canvas").forEach((canvas, i) => canvas.width * canvas.height && canvas.getContext("2d").drawImage(drawn[i], 0, 0));
  if (scale < 1) Object.assign(copy.style, { width: `${source.scrollWidth}px`, zoom: scale });
  // The rules for figures hold for the copy too.
  const box = element("div", "figure preview-body", copy);
  Object.assign(box.dataset, source.parentElement.dataset);
  box.inert = kind === "figure";
  box.classList.toggle("is-cut", source.scrollHeight * scale > HEIGHT);
  return box;
}

function fill(card, target) {
  const body = target.querySelector(".figure-body, .table-scroll, .equation-body");
  const under = target.querySelector(":scope > figcaption");
  const caption = under?.querySelector(".caption") ?? under;
  const number = (caption ?? target).querySelector(".figure-number, .equation-number");
  const name = number?.getAttribute("aria-label") ?? number?.textContent ?? "the section";
  const go = element("a", "", `Go to ${name}`);
  go.href = `#${target.id}`;
  card.replaceChildren();
  if (body) card.append(picture(body, body.className.match(/figure|table|equation/)[0]));
  if (caption) card.append(element("div", "preview-caption", ...words(caption)));
  if (!body) {
    let first = target.nextElementSibling;
    while (first && !/^(p|h\d)$/.test(first.localName)) first = first.nextElementSibling;
    card.append(element("p", "preview-title", ...words(target)));
    if (first?.localName === "p") card.append(element("p", "preview-text", ...words(first)));
  }
  card.append(element("p", "preview-go", go));
  card.ariaLabel = body ? name : card.firstChild.textContent.trim();
}

function prepare(link) {
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target) return;
  const id = `preview-${target.id}`;
  if (!document.getElementById(id)) {
    const card = element("div", "card preview-card");
    Object.assign(card, { id, popover: "auto", role: "dialog", tabIndex: -1 });
    card.addEventListener("beforetoggle", ({ newState }) => newState === "open" && fill(card, target));
    document.querySelector("main").append(card);
  }
  Object.assign(link.dataset, { card: id, preview: "" });
  Object.assign(link, { ariaHasPopup: "dialog", ariaExpanded: "false" });
}

if ("popover" in HTMLElement.prototype) document.querySelectorAll("a.reference").forEach(prepare);
