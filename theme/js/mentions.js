// Words that belong to a part of a figure show it while they are hovered or focused. A click pins it; another, or
// Escape, lets go. Without this script they are links.
import { mount } from "./mount.js";

let pointed;
let letGo;

const at = ({ target }) => target.closest?.(".mention");
const figureOf = ({ dataset }) => document.getElementById(dataset.figure);
const partOf = ({ dataset }) => ({ [dataset.aspect]: JSON.parse(dataset.part) });

async function viewOf(mention) {
  const figure = figureOf(mention);
  await mount(figure);
  return figure.views?.[(mention.dataset.panel ?? 1) - 1];
}

async function point(mention) {
  if (mention === pointed) return;
  if (pointed) viewOf(pointed).then((view) => view?.show?.(null));
  pointed = mention;
  const view = mention && (await viewOf(mention));
  if (mention === pointed) view?.show?.(partOf(mention)); // else the pointer went on meanwhile
}

async function pin(mention) {
  const view = await viewOf(mention);
  const toggle = () => view?.show?.(partOf(mention), { pin: true });
  await toggle(); // a view may have to fetch what it shows
  const value = JSON.stringify(view?.value);
  letGo = view?.value?.pinned ? () => JSON.stringify(view.value) === value && toggle() : undefined;
}

addEventListener("pointerover", (event) => event.pointerType !== "touch" && point(at(event)));
addEventListener("focusin", (event) => point(at(event)));
addEventListener("focusout", () => point());
addEventListener("keydown", (event) => event.key === "Escape" && (point(), letGo?.()));
addEventListener("click", (event) => {
  const mention = at(event);
  if (!mention || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { top, bottom } = figureOf(mention).getBoundingClientRect();
  // Unless some of the figure is seen, the link leads there, and Back returns.
  if (bottom > 150 && top < innerHeight - 150) event.preventDefault();
  pin(mention);
});
